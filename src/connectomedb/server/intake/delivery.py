"""What is handed in at the door: a release's listings and tables, looked through before the database is taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connectomedb.hcp.dictionary import FieldDefinition
from connectomedb.hcp.release import Release
from connectomedb.server.access.auth import Accessibility
from connectomedb.server.access.terms import Wording
from connectomedb.server.archive import Archive
from connectomedb.server.intake.inventory import Inventory, take_inventory
from connectomedb.server.intake.subject_tables import NONTOOLBOX, CheckedTable, check_tables
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.stores.base import ObjectInfo


@dataclass(frozen=True, slots=True)
class Delivery:
    """A release to be taken in.

    Attributes:
        release: project and prefix of its keys.
        title, description: for people; empty ones leave those that the project has.
        listings: name of a store of the archive → its objects, the preferred store first.
        tables: files of measures.
        dictionary: of columns that the data type has already, or that come in now: what they mean from now on.
        only_known: refuse tables that name subjects whom the project does not have.
        data_type: the data type of the measures.
        accessibility: of a project that is new.
        terms: data-use terms that the project demands from now on; without them, those that it has stay.
    """

    release: Release
    title: str = ""
    description: str = ""
    listings: Mapping[str, Iterable[ObjectInfo]] = field(default_factory=dict)
    tables: Sequence[SubjectTable] = ()
    dictionary: Sequence[FieldDefinition] = ()
    only_known: bool = False
    data_type: str = NONTOOLBOX
    accessibility: Accessibility = Accessibility.PRIVATE
    terms: Wording | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery that was looked through and makes sense."""

    delivery: Delivery
    inventory: Inventory
    tables: Sequence[CheckedTable]

    @property
    def labels(self) -> list[str]:
        """The subjects."""
        return sorted({*self.inventory.files, *(label for table in self.tables for label in table.labels)})


def prepare(archive: Archive, delivery: Delivery) -> Prepared:
    """Read what a delivery names, but for the values of its tables. Raises ConfigError, ManifestError, StoreError."""
    inventory = take_inventory(archive, delivery.release, delivery.listings)
    return Prepared(delivery, inventory, check_tables(delivery.tables))

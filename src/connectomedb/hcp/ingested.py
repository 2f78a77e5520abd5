"""What is said of an ingest, and what it did: values that the server, the client and the command line share."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from connectomedb.errors import UnexpectedReply


@dataclass(frozen=True, slots=True)
class Intake:
    """What is said about what comes in, beside the files. Empty words leave it to the server.

    Attributes:
        data_type: of the measures; else HCP's.
        tier: of columns whose tier no dictionary states: `open`, `restricted` (if nothing is said), `sensitive`.
        title, description: of the project, for people.
        accessibility: of a project that is new: `private`, `protected`, `public`.
        stores, prefix: files that stores of the server list, the preferred one first, and what their keys begin with.
        only_known: refuse subjects that the project does not have.
        trial: tell what would change, and keep nothing.
    """

    data_type: str = ""
    tier: str = ""
    title: str = ""
    description: str = ""
    accessibility: str = ""
    stores: tuple[str, ...] = ()
    prefix: str = ""
    only_known: bool = False
    trial: bool = False

    def words(self) -> dict[str, str]:
        """What is said, as parameters of a request."""
        said = {
            "data_type": self.data_type,
            "tier": self.tier,
            "title": self.title,
            "description": self.description,
            "accessibility": self.accessibility,
            "store": ",".join(self.stores),
            "prefix": self.prefix,
            "only_known": "true" if self.only_known else "",
            "trial": "true" if self.trial else "",
        }
        return {name: word for name, word in said.items() if word}


@dataclass(frozen=True, slots=True)
class TableChanges:
    """What one table of measures did.

    Attributes:
        rows: `new`, `changed` and `unchanged` ones together.
        columns: column → how many cells of subjects that were there before hold something else now, if any.
    """

    table: str
    rows: int
    new: int
    changed: int
    unchanged: int
    columns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came into a project.

    Attributes:
        subjects, experiments, scans, files, measures: how many the delivery has; measures are columns.
        new_subjects: how many the project did not have before.
        changes: rows made or changed, of whatever kind.
        described: columns whose meaning, tier or type is new or another one than before.
        skipped: files that were left out → why.
        is_kept: False of a trial, after which everything is as before.
    """

    project: str
    subjects: int
    new_subjects: int
    experiments: int
    scans: int
    files: int
    measures: int
    changes: int
    tables: tuple[TableChanges, ...] = ()
    described: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    is_kept: bool = True

    def document(self) -> dict[str, object]:
        """As a value for JSON, under the same names."""
        return asdict(self)


def parse_ingested(document: Mapping[str, object]) -> Ingested:
    """Read what `document` wrote. Raises UnexpectedReply."""
    try:
        known = {one.name: document[one.name] for one in fields(Ingested)}
        tables = known.pop("tables")
        described = known.pop("described")
        if not isinstance(tables, list) or not isinstance(described, list):
            raise TypeError("its tables are no list")
        read = tuple(TableChanges(**table) for table in tables)
        return Ingested(**known, tables=read, described=tuple(map(str, described)))  # type: ignore[arg-type]  # ours
    except (KeyError, TypeError) as fault:
        raise UnexpectedReply(
            f"The server's account of an ingest cannot be read ({fault}). It may be older."
        ) from fault

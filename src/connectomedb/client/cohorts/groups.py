"""Cohorts that are kept on the server under a name: as XNAT's stored searches, so that every client may run them."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from connectomedb.client.cohorts.cohort import Cohort
from connectomedb.cohort.named import NamedCohort, from_stored, to_stored
from connectomedb.errors import ConfigError, NotFound
from connectomedb.xnat.stored import format_stored

if TYPE_CHECKING:
    from connectomedb.client.interface import Interface

_SAVED = "/data/search/saved"


class Groups:
    """Your named cohorts. What is kept is the predicate, not the subjects: who is found may change with the data.

    Where XNAT's search cannot say all of a predicate, its stored search finds more; the predicate stands in its
    description and decides here.
    """

    def __init__(self, db: "Interface") -> None:
        self._db = db

    def save(self, name: str, cohort: Cohort) -> NamedCohort:
        """Keep a cohort under a name, in place of one that has it.

        Raises ConfigError for a name that cannot be, and for a cohort `without` something: a group is its predicate.
        """
        if cohort.excluded:
            raise ConfigError(
                f"Asked to keep {name} without {', '.join(cohort.excluded)} data. A group keeps its predicate alone: "
                "save it so, and say without() where it is used."
            )
        group = NamedCohort(name, cohort.predicate, cohort.project, cohort.data_type)
        kept = to_stored(group, cohort.where)
        self._db.connection.change("PUT", f"{_SAVED}/{quote(name)}", {"inbody": "true"}, content=format_stored(kept))
        return group

    def list(self) -> list[NamedCohort]:
        """All that you may use, by name; stored searches that are no cohorts are left out. One request."""
        table = self._db.connection.get_table(_SAVED)
        rows = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
        found = (from_stored(row.get("id", ""), row.get("description", "")) for row in rows)
        return sorted((group for group in found if group), key=lambda group: group.name)

    def get(self, name: str) -> Cohort:
        """The cohort of that name. Raises NotFound, which says which there are."""
        groups = {group.name: group for group in self.list()}
        if name not in groups:
            there = ", ".join(groups) or "none"
            raise NotFound(f"Asked for the group {name!r}. There are: {there}.")
        found = groups[name]
        return self._db.where(found.predicate, project=found.project, data_type=found.data_type)

    def remove(self, name: str) -> None:
        """Forget a group. Raises NotFound when there is none."""
        self.get(name)
        self._db.connection.change("DELETE", f"{_SAVED}/{quote(name)}")

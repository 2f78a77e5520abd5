"""Cohorts that are kept on the server under a name: as XNAT's stored searches, so that every client may run them."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectomedb.client.cohorts.cohort import LABEL, PROJECT, Cohort, condition_of
from connectomedb.cohort.columns import NONTOOLBOX
from connectomedb.cohort.named import NamedCohort, format_description, parse_description
from connectomedb.errors import ConfigError
from connectomedb.xnat.query import Query, SearchField
from connectomedb.xnat.stored import StoredSearch, format_stored

if TYPE_CHECKING:
    from connectomedb.client.interface import Interface

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SAVED = "/data/search/saved"


@dataclass(frozen=True, slots=True)
class Group:
    """A named cohort: what chooses its subjects, and of which project; empty for all."""

    name: str
    predicate: str
    project: str = ""


class Groups:
    """Your named cohorts. What is kept is the predicate, not the subjects: who is found may change with the data.

    Where XNAT's search cannot say all of a predicate, its stored search finds more; the predicate stands in its
    description and decides here.
    """

    def __init__(self, db: "Interface") -> None:
        self._db = db

    def save(self, name: str, cohort: Cohort) -> Group:
        """Keep a cohort under a name, in place of one that has it. Raises ConfigError for a name that cannot be."""
        if not _NAME.fullmatch(name):
            raise ConfigError(f"Asked to keep a group as {name!r}. Use letters, digits, '_' and '-', at most 64.")
        fields = (SearchField(NONTOOLBOX, LABEL), SearchField(NONTOOLBOX, PROJECT))
        where = condition_of(cohort)
        query = Query(NONTOOLBOX, fields, where if where.members else None)
        description = format_description(NamedCohort(cohort.predicate, cohort.project))
        kept = StoredSearch(query, name, name, description, is_secure=True)
        self._db.connection.change("PUT", f"{_SAVED}/{quote(name)}", {"inbody": "true"}, content=format_stored(kept))
        return Group(name, cohort.predicate, cohort.project)

    def list(self) -> list[Group]:
        """All that you may use, by name; stored searches that are no cohorts are left out. One request."""
        table = self._db.connection.get_table(_SAVED)
        rows = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
        found = (_read(row.get("id", ""), row.get("description", "")) for row in rows)
        return sorted((group for group in found if group), key=lambda group: group.name)

    def get(self, name: str) -> Cohort:
        """The cohort of that name. Raises ConfigError, which says which there are."""
        groups = {group.name: group for group in self.list()}
        if name not in groups:
            there = ", ".join(groups) or "none"
            raise ConfigError(f"Asked for the group {name!r}. There are: {there}.")
        return self._db.where(groups[name].predicate, project=groups[name].project)

    def remove(self, name: str) -> None:
        """Forget a group. Raises ConfigError when there is none."""
        self.get(name)
        self._db.connection.change("DELETE", f"{_SAVED}/{quote(name)}")


def _read(name: str, description: str) -> Group | None:
    found = parse_description(description)
    return Group(name, found.predicate, found.project) if found else None

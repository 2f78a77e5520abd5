"""A cohort that is kept under a name: as a stored search, which every XNAT keeps and may run.

    cohort of HCP_1200: MMSE_Score >= 29          its description: subjects of one project
    cohort of *: MMSE_Score >= 29                 of all that are open to whoever asks
    cohort of LAB (lab:memorydata): Recall > 5    by measures of another data type than HCP's

The search itself says in XNAT's words as much as they can; the predicate in the description decides.
"""

import re
from dataclasses import dataclass

from connectomedb.cohort.columns import NONTOOLBOX
from connectomedb.errors import ConfigError
from connectomedb.xnat.plain import weaken
from connectomedb.xnat.query import Comparison, Criterion, Group, Method, Query, SearchField
from connectomedb.xnat.stored import StoredSearch

LABEL, PROJECT = "SUBJECT_LABEL", "PROJECT"
"""Fields of every data type of measures: a subject's label, and its project."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DESCRIPTION = re.compile(r"cohort of (\S+)(?: \(([^()\s]+)\))?: (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NamedCohort:
    """What chooses the subjects, of which project (empty for all), and whose measures it reads."""

    name: str
    predicate: str
    project: str = ""
    data_type: str = NONTOOLBOX


def to_stored(cohort: NamedCohort, where: Group) -> StoredSearch:
    """The stored search of a cohort, for its owner alone; `where` is its predicate, read.

    Raises ConfigError for a name that cannot be.
    """
    if not _NAME.fullmatch(cohort.name):
        raise ConfigError(f"Asked to keep a group as {cohort.name!r}. Use letters, digits, '_' and '-', at most 64.")
    data_type = cohort.data_type
    said = within(cohort.project, weaken(where).where, data_type)
    fields = (SearchField(data_type, LABEL), SearchField(data_type, PROJECT))
    measures = "" if data_type == NONTOOLBOX else f" ({data_type})"
    description = f"cohort of {cohort.project or '*'}{measures}: {cohort.predicate}"
    query = Query(data_type, fields, said if said.members else None)
    return StoredSearch(query, cohort.name, cohort.name, description, is_secure=True)


def from_stored(name: str, description: str) -> NamedCohort | None:
    """The cohort that a stored search of this description is; None of one that is none."""
    found = _DESCRIPTION.fullmatch(description)
    if not found:
        return None
    project, data_type, predicate = found.groups()
    return NamedCohort(name, predicate, "" if project == "*" else project, data_type or NONTOOLBOX)


def within(project: str, where: Group, data_type: str = NONTOOLBOX) -> Group:
    """The condition, of the subjects of a project; of all without one."""
    members: tuple[Criterion | Group, ...] = (where,) if where.members else ()
    if project:
        members += (Criterion(f"{data_type}/{PROJECT}", Comparison.EQUAL, project),)
    return Group(Method.AND, members)

"""A named cohort as a stored search carries it: in the search's description, which every XNAT keeps.

cohort of HCP_1200: MMSE_Score >= 29          subjects of one project
cohort of *: MMSE_Score >= 29                 of all that are open to whoever asks

Where XNAT's search cannot say all of a predicate, the stored search finds more; the predicate decides.
"""

import re
from dataclasses import dataclass

from connectomedb.cohort.columns import NONTOOLBOX
from connectomedb.errors import ConfigError
from connectomedb.xnat.plain import weaken
from connectomedb.xnat.query import Comparison, Criterion, Group, Method, Query, SearchField
from connectomedb.xnat.stored import StoredSearch

LABEL, PROJECT = "SUBJECT_LABEL", "PROJECT"
"""Fields that every cohort's search shows."""

_DESCRIPTION = re.compile(r"cohort of (\S+): (.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class NamedCohort:
    """What chooses the subjects, and of which project; empty for all."""

    predicate: str
    project: str = ""


def format_description(cohort: NamedCohort) -> str:
    """Write the description."""
    return f"cohort of {cohort.project or '*'}: {cohort.predicate}"


def parse_description(description: str) -> NamedCohort | None:
    """Read the description; None of a stored search that is no cohort."""
    found = _DESCRIPTION.fullmatch(description)
    return NamedCohort(found[2], "" if found[1] == "*" else found[1]) if found else None


def stored_cohort(name: str, cohort: NamedCohort, where: Group) -> StoredSearch:
    """The search that keeps a cohort under a name; `where` is its predicate, read.

    Raises ConfigError for a name that cannot be.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"Asked to keep a group as {name!r}. Use letters, digits, '_' and '-', at most 64.")
    fields = (SearchField(NONTOOLBOX, LABEL), SearchField(NONTOOLBOX, PROJECT))
    asked = within(cohort.project, weaken(where).where)
    query = Query(NONTOOLBOX, fields, asked if asked.members else None)
    return StoredSearch(query, name, name, format_description(cohort), is_secure=True)


def within(project: str, where: Group) -> Group:
    """The condition, narrowed to the subjects of a project if one is named."""
    members: tuple[Criterion | Group, ...] = (where,) if where.members else ()
    if project:
        members += (Criterion(f"{NONTOOLBOX}/{PROJECT}", Comparison.EQUAL, project),)
    return Group(Method.AND, members)

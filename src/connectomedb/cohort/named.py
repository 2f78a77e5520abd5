"""A named cohort as a stored search carries it: in the search's description, which every XNAT keeps.

cohort of HCP_1200: MMSE_Score >= 29          subjects of one project
cohort of *: MMSE_Score >= 29                 of all that are open to whoever asks
"""

import re
from dataclasses import dataclass

_DESCRIPTION = re.compile(r"cohort of (\S+): (.*)", re.DOTALL)


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

"""What is known by now against the files of a lockfile. Pure."""

from dataclasses import dataclass

from connectomedb.cohort.lockfile import Lockfile
from connectomedb.errors import ConfigError
from connectomedb.hcp.advisories import Advisories, Advisory, known_advisories


@dataclass(frozen=True, slots=True)
class Concern:
    """An advisory, the subject, and which of its locked files it speaks of."""

    subject: str
    advisory: Advisory
    paths: tuple[str, ...]


def audit_lockfile(lockfile: Lockfile, known: Advisories | None = None) -> list[Concern]:
    """Every advisory that speaks of a locked file, by subject and then the gravest first.

    Raises ConfigError for a coded lockfile, whose subjects nobody can know.
    """
    if lockfile.is_coded:
        raise ConfigError("Asked what is known of coded subjects. Ask where the lockfile was made, with their labels.")
    advisories = known or known_advisories()
    found: list[Concern] = []
    for subject, files in sorted(lockfile.files.items()):
        for advisory in advisories.of_subject(subject, lockfile.release):
            paths = tuple(path for path in sorted(files) if advisory.touches(subject, path))
            if paths:
                found.append(Concern(subject, advisory, paths))
    return found

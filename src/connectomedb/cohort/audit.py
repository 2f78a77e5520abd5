"""What is known by now against the files of a lockfile. Pure."""

from dataclasses import dataclass

from connectomedb.cohort.lockfile import Lockfile
from connectomedb.cohort.subject_key import SubjectKey, plain_path
from connectomedb.errors import ConfigError
from connectomedb.hcp.advisories import Advisories, Advisory, known_advisories


@dataclass(frozen=True, slots=True)
class Concern:
    """An advisory, the subject (by its coded id in a coded lockfile), and which of its locked files it speaks of."""

    subject: str
    advisory: Advisory
    paths: tuple[str, ...]


def audit_lockfile(lockfile: Lockfile, known: Advisories | None = None, key: SubjectKey | None = None) -> list[Concern]:
    """Every advisory that speaks of a locked file, by subject and then the gravest first.

    Raises ConfigError for a coded lockfile without the `key` that says who its subjects are.
    """
    if lockfile.is_coded and key is None:
        raise ConfigError(
            "Asked what is known of coded subjects. Give the subject key that was made with the lockfile."
        )
    advisories = known or known_advisories()
    found: list[Concern] = []
    for subject, files in sorted(lockfile.files.items()):
        label = key.label(subject) if key and lockfile.is_coded else subject
        for advisory in advisories.of_subject(label, lockfile.release):
            paths = tuple(path for path in sorted(files) if advisory.touches(label, plain_path(label, path)))
            if paths:
                found.append(Concern(subject, advisory, paths))
    return found

"""What a call brought, file by file, as values."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from connectomedb.errors import ConnectomeDBError, MirrorIncomplete
from connectomedb.transfer.checksum import Proof

MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class FileReport:
    """One wanted file: where it lies, its size in bytes, what proves it, who served it, or what kept it away.

    `fetched` says whether this run brought it.
    """

    path: str
    local: Path
    size: int | None
    fetched: bool
    proof: Proof | None = None
    sources: tuple[str, ...] = ()
    error: ConnectomeDBError | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What one call brought of a subject: a report per wanted file, sorted by path.

    `error` is what kept the subject away as a whole, where others went on.
    """

    subject: str
    files: tuple[FileReport, ...]
    error: ConnectomeDBError | None = None

    @property
    def failures(self) -> dict[str, FileReport]:
        """The files that could not be had, by path inside the subject."""
        return {file.path: file for file in self.files if file.error is not None}

    @property
    def paths(self) -> list[Path]:
        """Local paths of the files that are there, sorted."""
        return sorted(file.local for file in self.files if file.error is None)

    def raise_for_failures(self) -> None:
        """Raise MirrorIncomplete, or what kept the whole subject away, when a file could not be had."""
        if self.error is not None:
            raise self.error
        raise_for_failures([self])


def raise_for_failures(reports: Iterable[Report]) -> None:
    """Raise one MirrorIncomplete for all that the reports miss; its paths begin with the subject if they have several.

    When every subject failed as a whole, the first one's error is raised itself.
    """
    several = list(reports)
    wholly = [report for report in several if report.error is not None]
    if several and len(wholly) == len(several) and wholly[0].error is not None:
        raise wholly[0].error
    errors: dict[str, ConnectomeDBError] = {}
    for report in several:
        start = f"{report.subject}/" if len(several) > 1 else ""
        if report.error is not None:
            errors[report.subject] = report.error
        errors |= {f"{start}{file.path}": file.error for file in report.files if file.error is not None}
    if errors:
        raise MirrorIncomplete(_sentence(several, errors), errors)


def _sentence(reports: list[Report], errors: dict[str, ConnectomeDBError]) -> str:
    shown = "; ".join(f"{path}: {error}" for path, error in list(errors.items())[:MOST_FAILURES])
    more = f"; and {len(errors) - MOST_FAILURES} more" if len(errors) > MOST_FAILURES else ""
    whose = reports[0].subject if len(reports) == 1 else f"{len(reports)} subjects"
    return (
        f"Asked for {sum(len(report.files) for report in reports)} files of {whose}; {len(errors)} could not be had, "
        f"the others are on disk. {shown}{more}"
    )

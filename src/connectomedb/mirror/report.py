"""What a call brought, file by file, as values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectomedb.errors import ConnectomeDBError, Interrupted, MirrorIncomplete
from connectomedb.mirror.file_reports import FileReport, FileReports

MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What one call brought of a subject: a report per wanted file, sorted by path.

    `error` is what kept the subject away as a whole, where others went on.
    """

    subject: str
    files: Sequence[FileReport]
    error: ConnectomeDBError | None = None
    project: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", FileReports.of(self.files))

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
        raise_for_failures([self])


@dataclass(slots=True)
class Tally:
    """Totals over reports, added one by one, so that those of a whole release need not be kept.

    Attributes:
        files: how many were asked for; of these `fetched` files of `fetched_size` bytes were brought by this run.
        failures: subject and path → what kept the file away; an empty path is the whole subject.
    """

    subjects: int = 0
    files: int = 0
    fetched: int = 0
    fetched_size: int = 0
    failures: dict[tuple[str, str], ConnectomeDBError] = field(default_factory=dict)

    @property
    def here(self) -> int:
        """How many files were on disk already."""
        return self.files - self.fetched - sum(1 for _, path in self.failures if path)

    def add(self, report: Report) -> None:
        """Take in one report."""
        self.subjects += 1
        self.files += len(report.files)
        for file in report.files:
            if file.error is not None:
                self.failures[report.subject, file.path] = file.error
            elif file.fetched:
                self.fetched += 1
                self.fetched_size += file.size or 0
        if report.error is not None:
            self.failures[report.subject, ""] = report.error

    def raise_for_failures(self) -> None:
        """Raise one MirrorIncomplete for all that is missing; its paths begin with the subject if there are several.

        When every subject failed as a whole, the first one's error is raised itself.
        """
        if not self.failures:
            return
        whole = [error for (_, path), error in self.failures.items() if not path]
        if len(whole) == self.subjects:
            raise whole[0]
        errors = {
            path if self.subjects == 1 else "/".join(filter(None, (subject, path))): error
            for (subject, path), error in self.failures.items()
        }
        raise MirrorIncomplete(self._sentence(errors), errors)

    def _sentence(self, errors: dict[str, ConnectomeDBError]) -> str:
        # What ended the run comes before what only did not have its turn any more.
        gravest = sorted(errors.items(), key=lambda item: isinstance(item[1], Interrupted))
        shown = "; ".join(f"{path}: {error}" for path, error in gravest[:MOST_FAILURES])
        more = f"; and {len(errors) - MOST_FAILURES} more" if len(errors) > MOST_FAILURES else ""
        whose = next(iter(self.failures))[0] if self.subjects == 1 else f"{self.subjects} subjects"
        return (
            f"Asked for {self.files} files of {whose}; {len(errors)} could not be had, the others are on disk. "
            f"{shown}{more}"
        )


def raise_for_failures(reports: Iterable[Report]) -> None:
    """Raise one error for all that the reports miss, as `Tally.raise_for_failures` does."""
    tally = Tally()
    for report in reports:
        tally.add(report)
    tally.raise_for_failures()

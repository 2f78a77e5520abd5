"""The local copy of one or more releases, filled on request.

<root>/q1/100307/T1w/...              the bucket's own tree, nothing renamed
<root>/.connectomedb/q1/100307.json   what we know of it (mirror.ledger)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from connectomedb.errors import MirrorIncomplete
from connectomedb.hcp.paths import check_path, check_subject
from connectomedb.hcp.release import Release, release_of
from connectomedb.mirror.bucket import S3Bucket
from connectomedb.mirror.events import OnEvent, ignore
from connectomedb.mirror.sync import FileReport, Shelf, sync
from connectomedb.stores.base import Store
from connectomedb.transfer.pool import WORKERS

StoreOf: TypeAlias = Callable[[Release], Store]
"""Gives the store that holds a release."""

MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What one call brought: a report per wanted file, sorted by path."""

    subject: str
    files: tuple[FileReport, ...]

    @property
    def failures(self) -> dict[str, FileReport]:
        """The files that could not be had, by path inside the subject."""
        return {file.path: file for file in self.files if file.error is not None}

    @property
    def paths(self) -> list[Path]:
        """Local paths of the files that are there, sorted."""
        return sorted(file.local for file in self.files if file.error is None)

    def raise_for_failures(self) -> None:
        """Raise MirrorIncomplete, or the only error there is, when a file could not be had."""
        errors = {path: file.error for path, file in self.failures.items() if file.error is not None}
        if not errors:
            return
        shown = "; ".join(f"{path}: {error}" for path, error in list(errors.items())[:MOST_FAILURES])
        more = f"; and {len(errors) - MOST_FAILURES} more" if len(errors) > MOST_FAILURES else ""
        message = (
            f"Asked for {len(self.files)} files of {self.subject}; {len(errors)} could not be had, "
            f"the others are on disk. {shown}{more}"
        )
        raise MirrorIncomplete(message, errors)


class Mirror:
    """A folder that holds copies of release files, and the stores that they come from.

    Args:
        root: the folder; made when the first file comes.
        sources: nearest first; a file missing in one is taken from the next.
        prefix: overrides the key prefix that a project stands for (`HCP_Q1` is `q1`).
    """

    def __init__(self, root: str | Path, sources: Sequence[StoreOf], *, prefix: str | None = None) -> None:
        self.root = Path(root)
        self.prefix = prefix
        self._sources = tuple(sources)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.root)!r})"

    def files(self, subject: str, path: str = "", *, project: str, on_event: OnEvent = ignore) -> list[Path]:
        """Local paths of a subject's files at or below `path`, sorted, complete and proven.

        What is missing is fetched first, in parallel; when all is there, no request is made.

        Args:
            subject: six-digit label.
            path: inside the subject, as the bucket has it, like `T1w` or `MNINonLinear/Results/tfMRI_MOTOR_LR`;
                empty for the whole subject.
            project: release, like `HCP_Q1`.
        Raises: NotFound when the path names nothing (it says what is there); MirrorIncomplete when some file
            could not be had or proven; StoreError when no store answers; AddressError for `..` and the like.
        """
        report = self.fetch(subject, path, project=project, on_event=on_event)
        report.raise_for_failures()
        return report.paths

    def fetch(
        self,
        subject: str,
        path: str = "",
        *,
        project: str,
        workers: int = WORKERS,
        refresh: bool = False,
        on_event: OnEvent = ignore,
    ) -> Report:
        """As `files`, but tells file by file what happened, and raises for none that failed.

        `refresh` lists the stores again even if all is here.
        """
        check_subject(subject, subject)
        inside = check_path(path.strip("/")) if path.strip("/") else ""
        shelf = self.shelf(project)
        reports = sync(shelf, subject, inside, workers=workers, on_event=on_event, refresh=refresh)
        return Report(subject, tuple(reports))

    def shelf(self, project: str) -> Shelf:
        """Where a project's release lies, and its stores."""
        release = release_of(project, self.prefix)
        return Shelf(self.root, release, tuple(source(release) for source in self._sources))

    def with_fallback(self, source: StoreOf) -> "Mirror":
        """The same folder with one more source, asked last."""
        return Mirror(self.root, (*self._sources, source), prefix=self.prefix)


class S3Mirror(Mirror):
    """A mirror whose source is an S3 bucket."""

    @classmethod
    def open(
        cls,
        bucket: str,
        access_key: str | None = None,
        secret_key: str | None = None,
        root: str | Path | None = None,
        *,
        prefix: str | None = None,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        anonymous: bool = False,
    ) -> "S3Mirror":
        """A mirror of `bucket` in the folder `root`; keys are found as for S3Bucket.open. No request is made."""
        if root is None:
            raise TypeError("S3Mirror.open needs the local folder as its fourth argument, or as root=.")
        opened = S3Bucket.open(
            bucket,
            access_key,
            secret_key,
            endpoint_url=endpoint_url,
            region=region,
            profile=profile,
            anonymous=anonymous,
        )
        return cls(root, [lambda release: opened.store], prefix=prefix)

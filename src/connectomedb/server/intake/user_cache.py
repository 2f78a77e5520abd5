"""Files that users put aside on the server, to be imported later. Only their owner sees them; after two weeks they go.

    FOLDER/cache/<number of the user>/<resource>/<path>

No row tells of them: what is there is what the folder holds, moved there whole.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectomedb.errors import Conflict, DiskRefused, NotFound, TooLarge
from connectomedb.hcp.paths import check_path
from connectomedb.server.intake.keep import check_new_path
from connectomedb.server.intake.part import Part

KEPT_S = 14 * 24 * 3600.0
"""How long a file stays, in seconds."""


@dataclass(frozen=True, slots=True)
class CachedFile:
    """One file: its path in the resource, its size in bytes, and when it came, UTC without zone."""

    path: str
    size: int
    modified: datetime


class UserCache:
    """The files of one user; `most` bytes altogether."""

    def __init__(self, root: Path, user: int, most: int) -> None:
        self._folder = root / str(user)
        self._most = most

    def resources(self) -> list[str]:
        """Labels of the resources."""
        return sorted(path.name for path in self._folder.iterdir()) if self._folder.is_dir() else []

    def make(self, resource: str) -> None:
        """An empty resource; one that is there is no error. Raises DiskRefused."""
        try:
            (self._folder / resource).mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as fault:
            raise _refusal(fault) from fault

    def files(self, resource: str) -> list[CachedFile]:
        """Files of a resource by path. Raises NotFound."""
        folder = self._resource(resource)
        return sorted(_files(folder), key=lambda file: file.path)

    def find(self, resource: str, path: str) -> Path:
        """Where a file lies on this disk. Raises NotFound, AddressError."""
        found = self._resource(resource) / check_path(path)
        if not found.is_file():
            raise NotFound(
                f"There is no file {path!r} in your cache. List /data/user/cache/resources/{resource}/files."
            )
        return found

    def keep(self, resource: str, path: str, part: Part) -> None:
        """Move a finished part here, in place of what was there. Raises TooLarge, Conflict, AddressError."""
        held = sum(file.size for label in self.resources() for file in self.files(label))
        if held + part.size > self._most:
            raise TooLarge(f"Your cache would have more than {self._most} bytes. Delete some of its files.")
        target = self._folder / resource / check_new_path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.path.replace(target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as fault:
            raise Conflict(f"Asked to keep {path!r}: a folder stands where a file is, or the reverse.") from fault
        except OSError as fault:
            raise _refusal(fault) from fault

    def delete(self, resource: str, path: str | None = None) -> None:
        """Remove a resource, or one of its files. Raises NotFound."""
        if path is not None:
            self.find(resource, path).unlink(missing_ok=True)
        else:
            shutil.rmtree(self._resource(resource), ignore_errors=True)

    def _resource(self, resource: str) -> Path:
        folder = self._folder / resource
        if not folder.is_dir():
            raise NotFound(f"There is no resource {resource!r} in your cache. List /data/user/cache/resources.")
        return folder


def expire(root: Path) -> None:
    """Remove the files of all users that came too long ago, and folders that are empty then."""
    before = time.time() - KEPT_S
    for folder, _, names in os.walk(root, topdown=False):
        with suppress(OSError):  # another process was quicker
            for path in (Path(folder, name) for name in names):
                if path.stat().st_mtime < before:
                    path.unlink()
            if Path(folder) != root and Path(folder).stat().st_mtime < before:
                Path(folder).rmdir()


def _files(folder: Path) -> Iterator[CachedFile]:
    for above, _, names in os.walk(folder):
        for path in (Path(above, name) for name in names):
            with suppress(FileNotFoundError):
                facts = path.stat()
                modified = datetime.fromtimestamp(facts.st_mtime, UTC).replace(tzinfo=None)
                yield CachedFile(path.relative_to(folder).as_posix(), facts.st_size, modified)


def _refusal(fault: OSError) -> DiskRefused:
    return DiskRefused(f"The disk of the server refuses to be written: {fault.strerror}.")

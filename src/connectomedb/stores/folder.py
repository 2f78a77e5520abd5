"""A store that is a folder: key `a/b.txt` is the file `<root>/a/b.txt`."""

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectomedb.errors import ConfigError, ObjectMissing, StoreDenied, StoreError
from connectomedb.hcp.paths import check_path
from connectomedb.hcp.release import Release
from connectomedb.stores._levels import level_of
from connectomedb.stores.base import Level, ObjectInfo, pour_pieces, tell_version
from connectomedb.transfer.checksum import CHUNK_BYTES
from connectomedb.transfer.disk import sync_folder
from connectomedb.transfer.part import SUFFIX
from connectomedb.transfer.source import OnVersion, Sink, Span, Streams

_UNFINISHED = ".part-"


class FolderStore:
    """Objects are files below one root; hidden files are objects too, unfinished writes are not."""

    def __init__(self, root: str | Path, name: str | None = None) -> None:
        self.root = Path(root)
        self._name = name or str(root)

    @property
    def name(self) -> str:
        """The folder, or the name that was given."""
        return self._name

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All files whose key begins with `prefix`; nothing when the folder is not there."""
        folder = prefix.rpartition("/")[0]
        if folder:
            check_path(folder)
        return (info for info in self._walk(folder) if info.key.startswith(prefix))

    def list_level(self, prefix: str = "") -> Level:
        """What stands directly below `prefix`."""
        return level_of(self.list(prefix), prefix)

    def head(self, key: str) -> ObjectInfo:
        """One file's size and time. Raises ObjectMissing."""
        return _describe(key, self._facts(key))

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The file's bytes from `offset`, in pieces of 1 MiB. Raises ObjectMissing."""
        self._facts(key)
        return self._read(key, offset, length)

    def put(self, key: str, content: Path | bytes) -> ObjectInfo:
        """Keep a file or bytes under `key`: written beside it, synced, then renamed."""
        target = self.path(key)
        with self._translated(key):
            _make_folder(target.parent)
            handle, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    if isinstance(content, bytes):
                        file.write(content)
                    else:
                        with content.open("rb") as source:
                            while piece := source.read(CHUNK_BYTES):
                                file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(unfinished, target)
                sync_folder(target.parent)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(unfinished)
                raise
        return self.head(key)

    def adopt(self, key: str, path: Path) -> ObjectInfo:
        """Move a file here, for good: its bytes are synced already, its name is now; from another disk it is copied."""
        target = self.path(key)
        with self._translated(key):
            _make_folder(target.parent)
            try:
                os.replace(path, target)
                sync_folder(target.parent)
            except OSError as fault:
                if fault.errno != errno.EXDEV:
                    raise
                return self.put(key, path)
        return self.head(key)

    def delete(self, key: str) -> None:
        """Remove a file. A missing one is no error."""
        with self._translated(key):
            self.path(key).unlink(missing_ok=True)

    def pour(self, key: str, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand the bytes to a sink. Raises ObjectMissing, VersionChanged."""
        tell_version(self, key, self._version(key), span, on_version)
        pour_pieces(self.open(key, span.offset, span.length), sink)

    @property
    def streams(self) -> Streams:
        """One stream is as fast as several."""
        return Streams.ONE

    @property
    def is_copy(self) -> bool:
        """A folder may hold what somebody once needed."""
        return True

    def close(self) -> None:
        """Nothing to let go of."""

    def path(self, key: str) -> Path:
        """Where a key's file is, or would be. Raises AddressError for a key that could leave the folder."""
        return self.root / check_path(key)

    def _facts(self, key: str) -> os.stat_result:
        """What the system knows of a file. Raises ObjectMissing where there is none, or something else."""
        with self._translated(key):
            try:
                facts = self.path(key).stat()
            except NotADirectoryError as fault:
                raise FileNotFoundError(key) from fault
            if not stat.S_ISREG(facts.st_mode):
                raise FileNotFoundError(key)
            return facts

    def _version(self, key: str) -> str:
        with self._translated(key):
            facts = self.path(key).stat()
        return f"{facts.st_size}-{facts.st_mtime_ns}"

    def _walk(self, folder: str, above: tuple[os.stat_result, ...] = ()) -> Iterator[ObjectInfo]:
        """Files below a folder; a link that leads to a folder above it, or nowhere, is passed over."""
        with self._translated(folder):
            try:
                here = os.stat(self.root / folder)
                entries = sorted(os.scandir(self.root / folder), key=lambda entry: entry.name)
            except (FileNotFoundError, NotADirectoryError):
                return
            if any(os.path.samestat(here, one) for one in above):
                return
            for entry in entries:
                key = f"{folder}/{entry.name}" if folder else entry.name
                if _leads_nowhere(entry):
                    continue
                if entry.is_dir():
                    yield from self._walk(key, (*above, here))
                elif entry.is_file() and not entry.name.startswith(_UNFINISHED):
                    yield _describe(key, entry.stat())

    def _read(self, key: str, offset: int, length: int | None) -> Iterator[bytes]:
        """With as few calls of the system as can be: of small files they are what takes time."""
        left = sys.maxsize if length is None else length
        with self._translated(key), self.path(key).open("rb", buffering=0) as file:
            if offset:
                file.seek(offset)
            while left > 0 and (piece := file.read(min(CHUNK_BYTES, left))):
                yield piece
                left -= len(piece)

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as fault:
            message = f"Asked the folder {self.name} for {key}. There is no such file."
            raise ObjectMissing(message, store=self.name, key=key) from fault
        except PermissionError as fault:
            message = f"Asked the folder {self.name} for {key}. The system denies it: check the folder's rights."
            raise StoreDenied(message, store=self.name, key=key) from fault
        except OSError as fault:
            message = f"Asked the folder {self.name} for {key}. The disk answered: {fault.strerror}."
            raise StoreError(message, store=self.name, key=key) from fault


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a link that leads to itself."""
    try:
        entry.is_dir()
    except OSError as fault:
        return fault.errno == errno.ELOOP
    return False


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it; their names outlast a loss of power."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder as a source of a mirror: as a bucket has it (`FOLDER/q1/100307/`), or a release (`FOLDER/100307/`).

    It may be another mirror, even one at work.
    """

    folder: Path

    def __call__(self, release: Release) -> FolderStore:
        """The store of a release. Raises ConfigError for a folder that holds none."""
        if (self.folder / release.prefix).is_dir():
            return _ReleaseFolder(self.folder)
        above = self.folder.absolute()
        for part in reversed(release.prefix.split("/")):
            if above.name != part or not self.folder.is_dir():
                raise ConfigError(
                    f"Asked for files of {release.project} from {self.folder}, which neither holds a folder "
                    f"{release.prefix!r} nor is one. Name the folder of the release, or the one above it."
                )
            above = above.parent
        return _ReleaseFolder(above, str(self.folder))


class _ReleaseFolder(FolderStore):
    """A folder of release files, among which somebody's mirror may keep files on their way."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return (info for info in super().list(prefix) if not any(map(_is_on_its_way, info.key.split("/"))))


def _is_on_its_way(name: str) -> bool:
    return name.startswith(".") and name.endswith(SUFFIX)


def _describe(key: str, facts: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, facts.st_size, modified=datetime.fromtimestamp(facts.st_mtime, UTC))

"""A large file in progress: a folder beside its final place, which another run can take over.

    dir/.T1w.nii.gz.<run>.part/
        bytes       as long as the whole file from the start; ranges are written in place
        journal     one JSON value per line: what the file is, then each range that is written

    {"format": 2, "size": 4331520000, "md5": "..."}      first line
    {"boot": "..."}                                       which start of which machine writes what follows
    {"source": "s3://...", "version": "\"abc\""}          where the bytes come from, when that matters
    [0, 8388608]                                          offset and length of a written range
    {"synced": [0]}                                       offsets of ranges that are on the disk itself by now

A range is believed while the machine that wrote it has been up since; another machine, or another start of the same,
believes what is synced: bytes that never left the memory of a machine that lost its power read as zeros.

Locks cannot be trusted on shared disks; a rename can. A run that finds the folder of one that has ended renames it to
its own name and goes on; if two try, one wins. Should the first still live, both write the same bytes to the same
places, and the checksum of the whole file decides.
"""

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from connectomedb.errors import Interrupted
from connectomedb.transfer.boot import boot_id
from connectomedb.transfer.checksum import Expected
from connectomedb.transfer.disk import sync_folder
from connectomedb.transfer.run import SUSPENDED_S, Run, now

FORMAT = 2
SYNC_EVERY_S = 20.0
"""How much work, in seconds, a loss of power may cost; what is shorter is never waited for."""

SUFFIX = ".part"
LONGEST_NAME = 128
"""Bytes of a name that its private files have whole; the rest of a disk's 255 are for the name of the run."""

_NO_FALLOCATE = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}


class PartFile:
    """The bytes that are there so far, and which they are."""

    def __init__(self, folder: Path, expected: Expected) -> None:
        self._folder = folder
        self._expected = expected
        self.ranges: dict[int, int] = {}
        self._unsynced: dict[int, None] = {}
        self._synced_at = self._wrote_at = now()
        self.origin: tuple[str, str] | None = None
        self._bytes = os.open(folder / "bytes", os.O_RDWR | os.O_CREAT, 0o666)
        self._journal = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    @classmethod
    def open(cls, target: Path, expected: Expected, run: Run) -> "PartFile":
        """What an ended run left of this very file, taken over; else a new one of the file's full size."""
        own = target.with_name(f"{private_stem(target.name)}{run}{SUFFIX}")
        for left in [own, *leftovers(target, run)]:
            with suppress(OSError):
                left.rename(own)
                part = cls(own, expected)
                if part._read_journal():
                    part._note({"boot": boot_id()})
                    return part
                part.discard()
        own.mkdir()
        part = cls(own, expected)
        part._allocate()
        part._note({"format": FORMAT, "size": expected.size, "md5": expected.md5})
        part._note({"boot": boot_id()})
        return part

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._folder

    @property
    def path(self) -> Path:
        """The file of bytes."""
        return self._folder / "bytes"

    def write(self, piece: memoryview, offset: int) -> None:
        """Write a piece in place. Raises Interrupted when another run took the file over."""
        self._check_is_ours()
        while piece:
            count = os.pwrite(self._bytes, piece, offset)
            piece, offset = piece[count:], offset + count

    def read(self, offset: int, length: int) -> bytes:
        """Read written bytes again."""
        return os.pread(self._bytes, length, offset)

    def written(self, offset: int, length: int) -> None:
        """Record a range as written. Raises Interrupted as `write` does."""
        self._check_is_ours()
        self.ranges[offset] = length
        self._note([offset, length])
        self._unsynced[offset] = None
        if now() - self._synced_at > SYNC_EVERY_S:
            self._synced_at = now()
            self._sync_ranges()

    def came_from(self, source: str, version: str) -> None:
        """Record where the bytes come from, for files that no checksum can prove."""
        self.origin = (source, version)
        self._note({"source": source, "version": version})

    def sync(self) -> None:
        """Have the bytes on the disk: until then a file that was preallocated reads as zeros after a power cut."""
        os.fsync(self._bytes)

    def finish(self, target: Path, modified: float | None) -> None:
        """Give the file its final name."""
        self._close()
        if modified is not None:
            os.utime(self.path, (time.time(), modified))
        os.replace(self.path, target)
        shutil.rmtree(self._folder, ignore_errors=True)

    def keep(self) -> None:
        """Let go, so that a later run can go on."""
        self._close()

    def discard(self) -> None:
        """Throw it away."""
        self._close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _sync_ranges(self) -> None:
        """Have on the disk, and believed by whoever comes, what is written; lanes may write more meanwhile."""
        ranges = list(self._unsynced)
        os.fdatasync(self._bytes)
        self._note({"synced": ranges})
        os.fdatasync(self._journal)
        for folder in (self._folder, self._folder.parent):
            sync_folder(folder)
        for offset in ranges:
            self._unsynced.pop(offset, None)

    def _check_is_ours(self) -> None:
        """After a long pause: who took over may have given the file its final name, and written into it by us."""
        if now() - self._wrote_at > SUSPENDED_S and not self._is_ours():
            raise Interrupted("This run stood still for so long that another took its place. Run again to go on.")
        self._wrote_at = now()

    def _is_ours(self) -> bool:
        with suppress(OSError):
            return os.path.samestat(os.stat(self.path), os.fstat(self._bytes))
        return False

    def _allocate(self) -> None:
        """Claim the room at once, so that a disk that is too small is found before the first byte."""
        size = self._expected.size or 0
        if size:
            try:
                os.posix_fallocate(self._bytes, 0, size)
            except OSError as fault:
                if fault.errno not in _NO_FALLOCATE:
                    self.discard()
                    raise
                os.ftruncate(self._bytes, size)

    def _read_journal(self) -> bool:
        """Whether the journal speaks of the very same file; a torn last line is passed over."""
        lines = (self._folder / "journal").read_text(encoding="utf-8", errors="replace").splitlines()
        notes: list[object] = []
        for line in lines:
            with suppress(ValueError):
                notes.append(json.loads(line))
        expected = {"format": FORMAT, "size": self._expected.size, "md5": self._expected.md5}
        if not notes or notes[0] != expected or os.fstat(self._bytes).st_size != self._expected.size:
            return False
        boot: object = None
        recent: dict[int, int] = {}
        for note in notes[1:]:
            match note:
                case {"boot": other} if other != boot:
                    boot = other
                    recent.clear()  # nobody since has believed them
                case [int(offset), int(length)]:
                    recent[offset] = length
                case {"synced": [*offsets]}:
                    self.ranges |= {offset: length for offset, length in recent.items() if offset in offsets}
                case {"source": str(source), "version": str(version)}:
                    self.origin = (source, version)
        if boot is not None and boot == boot_id():
            self.ranges |= recent
            self._unsynced = dict.fromkeys(recent)
        return True

    def _note(self, value: object) -> None:
        os.write(self._journal, json.dumps(value).encode() + b"\n")

    def _close(self) -> None:
        os.close(self._bytes)
        os.close(self._journal)


def private_stem(name: str) -> str:
    """What the names of private files beside a file begin with: with the name of the run they still must fit a disk."""
    encoded = os.fsencode(name)
    if len(encoded) <= LONGEST_NAME:
        return f".{name}."
    return f".{name[:16]}~{hashlib.md5(encoded, usedforsecurity=False).hexdigest()}."


def leftovers(target: Path, run: Run) -> Iterator[Path]:
    """Folders of ended runs for this file, the most advanced first."""
    prefix = private_stem(target.name)
    found: list[tuple[float, Path]] = []
    with os.scandir(target.parent) as entries:
        for entry in entries:
            if not (entry.name.startswith(prefix) and entry.name.endswith(SUFFIX) and entry.is_dir()):
                continue
            owner = Run.parse(entry.name[len(prefix) : -len(SUFFIX)])
            with suppress(FileNotFoundError):
                touched = os.stat(os.path.join(entry.path, "journal")).st_mtime
                if owner is not None and owner != run and owner.has_ended(clock_of(target.parent, run) - touched):
                    found.append((touched, Path(entry.path)))
    return (path for _, path in sorted(found, reverse=True))


def clock_of(folder: Path, run: Run) -> float:
    """The time by the clock of the machine that keeps the folder, which is the one that stamps its files."""
    probe = folder / f".{run}.clock"
    probe.touch()
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)

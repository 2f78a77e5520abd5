"""What an unfinished verification has read already, so that the next one goes on where it stopped.

    <root>/.connectomedb/<prefix>/<subject>.checked        of a mirror
    <cache>/connectomedb/verify/<tree>/<subject>.checked   of a folder that is no mirror, or cannot be written
    {"format": 1, "files": {"T1w/a.nii.gz": [size, mtime_ns, md5, when], ...}}

It says what was read, not what it is worth: a checksum is compared with today's claims. Only files that were right are
kept, so a bad one is read again; a verification that comes to its end leaves nothing, so the next reads everything.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from connectomedb.errors import TransferError
from connectomedb.mirror.inspection import Reading
from connectomedb.mirror.ledger import Ledger, is_within
from connectomedb.transfer.whole import write_whole

FORMAT = 1
SUFFIX = ".checked"
SAVE_EVERY_S = 10.0
KEPT_S = 14 * 24 * 3600.0
"""What was read longer ago than this counts no more: a disk may have changed its mind meanwhile."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that was read: size in bytes, modification time, MD5, and when, in seconds since 1970."""

    size: int
    mtime_ns: int
    md5: str
    when: float

    def answers(self, reading: Reading) -> bool:
        """Whether reading the file again would tell nothing new."""
        return (self.size, self.mtime_ns, self.md5) == (reading.size, reading.mtime_ns, reading.md5)


class Checked:
    """The journal of one tree's verification; safe under several threads."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._new: dict[str, dict[str, Seen]] = {}
        self._saved_at = clock()

    @classmethod
    def of(cls, tree: Path, ledger: Ledger | None = None) -> "Checked":
        """The journal of a tree: beside the ledger of a mirror that can be written, else under the user's cache."""
        state = ledger.path("").parent if ledger else None
        if state is not None and state.is_dir() and os.access(state, os.W_OK):
            return cls(state)
        from platformdirs import user_cache_path

        name = hashlib.sha256(os.fsencode(tree.resolve())).hexdigest()[:16]
        return cls(user_cache_path("connectomedb") / "verify" / name)

    def load(self, subject: str) -> dict[str, Seen]:
        """What was read of a subject, by path inside it. A damaged journal costs reading again."""
        oldest = self._clock() - KEPT_S
        try:
            files = json.loads(self._path(subject).read_bytes())
            if files["format"] != FORMAT:
                return {}
            seen = {str(path): _decode(cells) for path, cells in files["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}
        return {path: entry for path, entry in seen.items() if entry.when > oldest}

    def note(self, reading: Reading, md5: str) -> None:
        """Keep that a file was read, and save now and then."""
        seen = Seen(reading.size, reading.mtime_ns, md5, self._clock())
        with self._lock:
            self._new.setdefault(reading.subject, {})[reading.path] = seen
            if self._clock() - self._saved_at > SAVE_EVERY_S:
                self._save()

    def save(self) -> None:
        """Write what is new."""
        with self._lock:
            self._save()

    def forget(self, subjects: Iterable[str] = (), path: str = "") -> None:
        """Drop what was read of these subjects (none: of all) at or below `path`."""
        with self._lock:
            there = [file.name.removesuffix(SUFFIX) for file in self._folder.glob(f"*{SUFFIX}")]
            for subject in set(subjects) or {*there, *self._new}:
                self._new.pop(subject, None)
                rest = {name: seen for name, seen in self.load(subject).items() if not is_within(name, path)}
                with suppress(OSError, TransferError):
                    if rest:
                        self._write(subject, rest)
                    else:
                        self._path(subject).unlink(missing_ok=True)
            with suppress(OSError):
                self._folder.rmdir()  # only ever empty under the user's cache

    def _save(self) -> None:
        """A journal that cannot be written costs time at most, so it is no reason to stop."""
        for subject, new in self._new.items():
            with suppress(OSError, TransferError):
                self._write(subject, self.load(subject) | new)
        self._new.clear()
        self._saved_at = self._clock()

    def _write(self, subject: str, files: dict[str, Seen]) -> None:
        rows = {path: [seen.size, seen.mtime_ns, seen.md5, seen.when] for path, seen in files.items()}
        content = json.dumps({"format": FORMAT, "files": rows}, separators=(",", ":"))
        write_whole(self._path(subject), content.encode())

    def _path(self, subject: str) -> Path:
        return self._folder / f"{subject}{SUFFIX}"


def _decode(cells: object) -> Seen:
    match cells:
        case [int(size), int(mtime_ns), str(md5), int(when) | float(when)]:
            return Seen(size, mtime_ns, md5, float(when))
    raise ValueError(f"no entry of a journal: {cells!r}")

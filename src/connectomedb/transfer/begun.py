"""Files of middling size in progress: one part file beside the final place, written from its start.

    dir/.T1w.nii.gz.<run>-<thread>.part

How long it is tells how far a run came. One that has ended leaves its part to the next, which reads the bytes again and
goes on behind them; so that is done only where a checksum decides over the whole file. Small files are begun anew.
"""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connectomedb.errors import Interrupted, StoreError
from connectomedb.transfer.checksum import Expected
from connectomedb.transfer.part import SUFFIX, clock_of
from connectomedb.transfer.run import Run

LONG_SILENT_S = 3600.0
"""A run of another host that wrote nothing for so long is not waited for; it may still live, suspended."""

_AT_WORK: set[str] = set()
_LOCK = threading.Lock()


def is_resumable(expected: Expected) -> bool:
    """Whether a part of such a file is worth keeping, and a checksum can judge what becomes of it."""
    return expected.md5 is not None and expected.is_long


@contextmanager
def begun(part: str, expected: Expected, run: Run) -> Iterator[int]:
    """How many bytes of a file an ended run left, now in `part`; it stays when source or user end this run, too."""
    with _LOCK:
        _AT_WORK.add(part)
    try:
        yield _take_over(part, expected.size or 0, run)
    except BaseException as fault:
        with suppress(OSError):
            if not isinstance(fault, Interrupted | StoreError) or not os.stat(part).st_size:
                os.unlink(part)
        raise
    finally:
        with _LOCK:
            _AT_WORK.discard(part)


def _take_over(part: str, size: int, run: Run) -> int:
    """Rename the longest part that is nobody's any more, and remove the others."""
    for count, path, is_certain in sorted(_left(part, run), reverse=True):
        with suppress(OSError):
            if count <= size and not os.path.exists(part):
                if is_certain:
                    os.rename(path, part)
                    continue
                shutil.copyfile(path, part)  # should its owner wake up, it writes into what has no name any more
            os.unlink(path)
    try:
        count = os.stat(part).st_size
    except FileNotFoundError:
        return 0
    return count if count <= size else 0


def _left(part: str, run: Run) -> Iterator[tuple[int, str, bool]]:
    """Length and path of parts of the same file that nobody works at, and whether that is certain."""
    folder, _, own = part.rpartition("/")
    start = own.rpartition(f".{run}-")[0] + "."
    with os.scandir(folder or ".") as entries:
        names = [entry.name for entry in entries if entry.name.startswith(start) and entry.name.endswith(SUFFIX)]
    for name in names:
        path = f"{folder}/{name}" if folder else name
        owner = Run.parse(name[len(start) : -len(SUFFIX)].rpartition("-")[0])
        with suppress(FileNotFoundError):
            if owner is not None and os.path.isfile(path):
                is_certain = _is_free(path, owner, run)
                if is_certain or _is_forgotten(path, owner, run):
                    yield os.stat(path).st_size, path, is_certain


def _is_free(path: str, owner: Run, run: Run) -> bool:
    """Whether nobody writes a part any more, for certain."""
    with _LOCK:
        if path in _AT_WORK:
            return False
    return owner == run or (owner.host == run.host and owner.has_ended(0.0))


def _is_forgotten(path: str, owner: Run, run: Run) -> bool:
    """Whether another host's run left a part alone for very long; this one, before it was started anew, is another."""
    if owner.host == run.host:
        return False
    return clock_of(Path(path).parent, run) - os.stat(path).st_mtime > LONG_SILENT_S

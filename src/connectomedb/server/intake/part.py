"""One file being received: bytes go to a path of the staging folder, size and MD5 are known at the end."""

import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from connectomedb.errors import DiskFull, DiskRefused

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Part:
    """An unfinished file. Leaving it as a context removes what is still there of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self._file = path.open("xb", buffering=0)

    @property
    def md5(self) -> str:
        """MD5 of what was received so far: 32 lower-case hex digits."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Take a piece. Raises DiskFull, DiskRefused."""
        view = memoryview(piece)
        self._digest.update(view)
        self.size += len(view)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as fault:
            raise _refusal(fault, self.path) from fault

    def finish(self) -> None:
        """Bring the bytes to the disk. Raises DiskFull, DiskRefused."""
        try:
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as fault:
            raise _refusal(fault, self.path) from fault

    def drop(self) -> None:
        """Remove the file, if nobody moved it away."""
        self._file.close()
        with suppress(OSError):
            self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.drop()


def _refusal(fault: OSError, path: Path) -> DiskFull | DiskRefused:
    if fault.errno in _FULL:
        return DiskFull("The disk of the server is full. Make room, then send it again.", path=str(path))
    return DiskRefused(f"The disk of the server refuses to be written: {fault.strerror}.", path=str(path))

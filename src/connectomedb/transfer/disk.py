"""What a disk says when it will not, in our words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connectomedb.errors import DiskFull, DiskRefused, TransferError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST}


@contextmanager
def disk_faults(target: Path | str) -> Iterator[None]:
    """Turn system errors while writing `target` into DiskFull, DiskRefused or TransferError."""
    try:
        yield
    except OSError as fault:
        path = str(target)
        if fault.errno in _NO_ROOM:
            message = f"Writing {target}: the disk is full. Make room, then run again: what is done stays done."
            raise DiskFull(message, path=path) from fault
        if fault.errno in _REFUSED:
            message = f"Writing {target}: {fault.strerror}. Choose a folder that can be written."
            raise DiskRefused(message, path=path) from fault
        if fault.errno == errno.ENOENT:
            message = f"Writing {target}: its folder is gone, or cannot be made. Run again, or choose another folder."
            raise TransferError(message, path=path) from fault
        raise TransferError(f"Writing {target}: the disk answered {fault.strerror}.", path=path) from fault


@contextmanager
def removed_on_fault(part: str | Path) -> Iterator[None]:
    """Leave no unfinished file behind, whatever ends the writing."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk itself."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

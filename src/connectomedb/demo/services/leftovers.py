"""What services that were killed left in the folder of temporary files: told by sockets on which nobody listens."""

import errno
import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

YOUNG_S = 60.0
"""What is younger may be about to listen."""


def remove_dead_sockets(folder: Path, pattern: str) -> None:
    """Remove sockets of ours in a folder whose program is no more."""
    for file in folder.glob(pattern):
        with suppress(OSError):  # another process is doing the same
            if file.is_socket() and _is_old(file) and file.lstat().st_uid == os.geteuid() and _is_deaf(file):
                file.unlink()


def remove_dead_folders(folder: Path, pattern: str, name: str, owner: int) -> None:
    """Remove folders of that owner in which no program listens on the socket of that name."""
    for place in folder.glob(pattern):
        with suppress(OSError):
            if _is_old(place) and place.lstat().st_uid == owner and _is_deaf(place / name):
                shutil.rmtree(place, ignore_errors=True)


def _is_old(path: Path) -> bool:
    return time.time() - path.lstat().st_mtime > YOUNG_S


def _is_deaf(file: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(file)) in (errno.ECONNREFUSED, errno.ENOENT)

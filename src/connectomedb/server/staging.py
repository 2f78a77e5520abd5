"""Where unfinished uploads lie: one folder per process, with a lock that dies with the process.

    FOLDER/staging/<process>/lock      held as long as the process lives
    FOLDER/staging/<process>/<n>       bytes that are being received

The system lets go of a lock however a process ends, so a folder whose lock can be taken is nobody's: what
lies in it, and what its process announced (`tables.loose`), can be removed.
"""

import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

_LOCK = "lock"


class Staging:
    """Unfinished uploads of this process. The folder is made when it is first needed."""

    def __init__(self, root: Path, prefix: str = "") -> None:
        self.root = root
        self.id = prefix + secrets.token_hex(16)
        self._numbers = count()
        self._mutex = threading.Lock()
        self._lock: int | None = None

    def new_path(self) -> Path:
        """A path for a new file; the disk is the archive's, so that a whole file can be moved there."""
        with self._mutex:
            if self._lock is None:
                self._lock = self._take_folder()
            return self.root / self.id / str(next(self._numbers))

    def claim(self) -> str:
        """The id of this process, whose lock is held from now on."""
        with self._mutex:
            if self._lock is None:
                self._lock = self._take_folder()
        return self.id

    def close(self) -> None:
        """Remove the folder and let go of the lock."""
        with self._mutex:
            if self._lock is not None:
                shutil.rmtree(self.root / self.id, ignore_errors=True)
                os.close(self._lock)
                self._lock = None

    def _take_folder(self) -> int:
        folder = self.root / self.id
        while True:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / _LOCK).exists():
                return lock
            os.close(lock)  # another process tidied up before the lock was held


@contextmanager
def dead_processes(root: Path, pattern: str = "*") -> Iterator[list[str]]:
    """Processes that ended without cleaning up. Their folders are removed at the end, if no error comes.

    Only folders of our own user are looked at, so `root` may be shared with others.
    """
    held: dict[str, int] = {}
    try:
        for folder in sorted(root.glob(pattern)):
            with suppress(OSError):  # a live process holds it, or another one is removing it
                if folder.lstat().st_uid != os.geteuid() or folder.is_symlink():
                    continue
                lock = os.open(folder / _LOCK, os.O_RDWR)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(lock)
                    continue
                held[folder.name] = lock
        yield list(held)
        for name in held:
            shutil.rmtree(root / name, ignore_errors=True)
    finally:
        for lock in held.values():
            os.close(lock)

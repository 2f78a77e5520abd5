"""Small pictures of images that were drawn once, kept in the data folder within a bound.

    FOLDER/pictures/<key>.png      the key is a digest of what was drawn, and how

Whoever may not see the file never comes here: the routes ask for its row first. The oldest go when there are too many;
several processes may share the folder.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from connectomedb.errors import DiskRefused

_ROOM = 0.9
"""Down to this share of the bound the oldest are removed, so that not every new picture looks through all."""


class Pictures:
    """Pictures by key. Raises DiskRefused when the folder cannot be written."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    @staticmethod
    def key(*parts: object) -> str:
        """A name made of everything that a picture depends on."""
        return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()

    def get(self, key: str) -> bytes | None:
        """A picture, which counts as used; None when it is not there."""
        path = self._path(key)
        with suppress(OSError):
            content = path.read_bytes()
            os.utime(path)
            return content
        return None

    def put(self, key: str, content: bytes) -> None:
        """Keep a picture, whole or not at all."""
        if len(content) > self.most_bytes:
            return
        part = self.folder / f".{key}.{os.getpid()}"
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            part.write_bytes(content)
            part.replace(self._path(key))
        except OSError as fault:
            part.unlink(missing_ok=True)
            raise DiskRefused(f"Keeping a picture in {self.folder}: {fault.strerror}.", path=str(part)) from fault
        self._trim()

    def _trim(self) -> None:
        """Remove the pictures that were not used for the longest time, when all are more than the bound."""
        found: list[tuple[float, int, Path]] = []
        for entry in os.scandir(self.folder):
            with suppress(OSError):  # another process removed it
                facts = entry.stat()
                found.append((facts.st_mtime, facts.st_size, Path(entry.path)))
        total = sum(size for _, size, _ in found)
        if total <= self.most_bytes:
            return
        for _, size, path in sorted(found):
            path.unlink(missing_ok=True)
            total -= size
            if total <= self.most_bytes * _ROOM:
                return

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.png"

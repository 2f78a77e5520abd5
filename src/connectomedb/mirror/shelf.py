"""Where one release's files lie, and where they come from."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from connectomedb.hcp.release import Release
from connectomedb.mirror.ledger import FOLDER, Ledger
from connectomedb.mirror.turns import Turns
from connectomedb.stores.base import Store

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
"""What a disk says of a name that no file has, or can have."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where one release's files lie, and where they come from, nearest first."""

    root: Path
    release: Release
    stores: tuple[Store, ...]

    @property
    def ledger(self) -> Ledger:
        """The ledger of this release."""
        return Ledger(self.root, self.release.prefix, self.release.project)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stores."""
        return tuple(store.name for store in self.stores)

    def key(self, subject: str, path: str) -> str:
        """Key of a file in the bucket, which is also its path below the root."""
        return f"{self.release.prefix}/{subject}/{path}"

    def folder(self, subject: str) -> str:
        """Where a subject's files lie on this disk."""
        return f"{self.root}/{self.release.prefix}/{subject}"

    def local(self, subject: str, path: str) -> Path:
        """Final path of a file."""
        return Path(f"{self.folder(subject)}/{path}")

    def turns(self, subject: str) -> Turns:
        """The turns of the processes that want this subject's files."""
        return Turns(self.root / FOLDER / self.release.prefix / f"{subject}.turns")

    def facts(self, subject: str, path: str) -> os.stat_result | None:
        """What the disk says of a file; None when it is not there, or no regular file."""
        try:
            facts = os.stat(f"{self.folder(subject)}/{path}")
        except OSError as fault:
            if fault.errno in _ABSENT:
                return None
            raise
        return facts if stat.S_ISREG(facts.st_mode) else None

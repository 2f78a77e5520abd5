"""Large files that are proven, and may not be on the disk itself yet.

Waiting for the disk makes a copy a sixth slower, and what was written a minute ago the system has written out
unasked. So a large file gets its name without waiting, and the ledger says which start of the machine it was fetched
in: after another one it is read again before it is believed. Of small files a crash leaves none or shorter ones, which
their sizes tell.
"""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from connectomedb.transfer.boot import boot_id

SETTLED_S = 60.0
"""Systems write to the disk what has waited for half a minute; asked after so long they have little left to do."""


@dataclass(frozen=True, slots=True)
class Unsynced:
    """Paths inside the subject, and the start of the machine that keeps their bytes in memory, perhaps."""

    boot: str = ""
    paths: frozenset[str] = frozenset()

    @property
    def doubtful(self) -> frozenset[str]:
        """What may have been lost: all, unless that machine is this one and has been up since."""
        return frozenset() if self.boot == boot_id() else self.paths


def unsettled(folder: Path, paths: Iterable[str]) -> set[str]:
    """Have on the disk what was written a while ago; what is left."""
    return {path for path in paths if not _is_settled(folder / path)}


def _is_settled(file: Path) -> bool:
    with suppress(OSError):
        handle = os.open(file, os.O_RDONLY)
        try:
            if time.time() - os.fstat(handle).st_ctime < SETTLED_S:
                return False
            os.fsync(handle)
        finally:
            os.close(handle)
        return True
    return False

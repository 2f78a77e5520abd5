"""How files are brought, as a value."""

from dataclasses import dataclass

from connectomedb.mirror.plan import Existing
from connectomedb.transfer.pool import WORKERS

READERS = 4
"""Files that are verified at once, whatever the number of processors: one hashes several side by side."""


@dataclass(frozen=True, slots=True)
class Options:
    """How files are brought.

    Attributes:
        workers: files on their way at once.
        refresh: list the stores again even if all is here.
        existing: what is done with files that are on disk.
        reserve: bytes of the disk that stay free; None leaves 1 % of it, at least 1 GB and at most 100 GB, but no
            more than a tenth of a small disk.
        confirm: read files that no checksum covers from a second source, too, before they are believed.
        bytes_per_s: most bytes per second, over all threads of this process; None is no limit.
    """

    workers: int = WORKERS
    refresh: bool = False
    existing: Existing = Existing.CHECK
    reserve: int | None = None
    bytes_per_s: float | None = None
    confirm: bool = False


DEFAULT = Options()
"""What is done unless told otherwise."""

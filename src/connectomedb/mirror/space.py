"""Whether what is to be fetched fits on the disk, found out before the first byte."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from connectomedb.errors import DiskFull, DiskRefused
from connectomedb.mirror.actions import Act, Action
from connectomedb.transfer.large import RANGE_BYTES
from connectomedb.transfer.part import SUFFIX, private_stem
from connectomedb.transfer.sizes import format_size

BLOCK_BYTES = 4096
"""Disks give room by blocks, mostly of this size; counts for thousands of small files."""

_SHARE = 0.01
_LEAST, _MOST = 10**9, 10**11
_MOST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that a folder lies on, or will lie on: its size and what we may write there, in bytes.

    `free` is None when the disk does not tell, as some on a network do.
    """

    total: int
    free: int | None

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The disk of a folder, which need not be there yet. Raises DiskRefused."""
        for place in (folder, *folder.absolute().parents):
            try:
                usage = shutil.disk_usage(place)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as fault:
                raise DiskRefused(f"Asked how much room {place} has: {fault.strerror}.", path=str(place)) from fault
            return cls(usage.total, usage.free if usage.total else None)
        raise DiskRefused(f"Asked how much room {folder} has: no such disk.", path=str(folder))

    def reserve(self) -> int:
        """What we leave free for others: 1 % of the disk, at least 1 GB, at most 100 GB or a tenth of a small disk."""
        return round(min(max(_LEAST, _SHARE * self.total), _MOST, _MOST_SHARE * self.total))


@dataclass(frozen=True, slots=True)
class Room:
    """What a disk has and what is to come, in bytes: `needed` more, `free`, of which `reserve` stay free.

    `free` is None when the disk does not tell; then only writing can.
    """

    folder: Path
    needed: int
    free: int | None
    reserve: int

    @classmethod
    def on(cls, folder: Path, needed: int, reserve: int | None = None) -> Self:
        """The room on the disk of a folder; without `reserve`, a sensible one."""
        disk = Disk.of(folder)
        return cls(folder, needed, disk.free, disk.reserve() if reserve is None else reserve)

    @property
    def fits(self) -> bool:
        """Whether there is room; what needs none always fits."""
        return self.needed == 0 or self.free is None or self.needed + self.reserve <= self.free

    def check(self) -> None:
        """Raises DiskFull when it cannot fit."""
        if not self.fits and self.free is not None:
            raise DiskFull(
                f"Asked for {format_size(self.needed)} more in {self.folder}. The disk is too full: "
                f"{format_size(self.free)} are free, {format_size(self.reserve)} of which are kept in reserve. "
                "Nothing was fetched. Make room, choose fewer files or keep less in reserve.",
                path=str(self.folder),
            )


def room_for(actions: Iterable[Action], folder: Path) -> int:
    """Bytes of disk that fetching takes, below the subject's `folder`; unknown sizes count nothing.

    A large file that an earlier run began has its room already.
    """
    needed = 0
    for action in actions:
        size = action.expected.size or 0
        if action.act is Act.FETCH and size and not (size > RANGE_BYTES and _is_begun(folder / action.path, size)):
            needed += -(-size // BLOCK_BYTES) * BLOCK_BYTES
    return needed


def _is_begun(target: Path, size: int) -> bool:
    """Whether a part file of full size lies beside the target (transfer.part)."""
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name.startswith(private_stem(target.name)) and entry.name.endswith(SUFFIX):
                with suppress(OSError):
                    facts = os.stat(os.path.join(entry.path, "bytes"))
                    if facts.st_size == size and facts.st_blocks * 512 >= size:
                        return True
    return False

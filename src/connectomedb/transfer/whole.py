"""Small files of ours, written whole or not at all: under a private name beside their place, then renamed.

    dir/.100307.json.<run>-<time>.part

What a killed run left so `transfer.sweep` removes, once the file itself is there.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectomedb.transfer.disk import disk_faults, removed_on_fault
from connectomedb.transfer.part import SUFFIX, private_stem
from connectomedb.transfer.run import Run


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Where to write what takes the file's place at the end. Raises DiskFull, DiskRefused, TransferError."""
    part = target.with_name(f"{private_stem(target.name)}{Run.here()}-{time.time_ns():x}{SUFFIX}")
    with disk_faults(target), removed_on_fault(part):
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, target)


def write_whole(target: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file. Raises DiskFull, DiskRefused, TransferError.

    `mode`: who may read and write it, less what the process's umask takes away.
    """
    with replacing(target) as part:
        part.touch(mode)
        part.write_bytes(content)

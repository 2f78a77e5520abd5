"""Brings one file to disk, whole and proven, or leaves nothing under its name.

    dir/T1w.nii.gz                    the final name: whole and checked, or absent
    dir/.T1w.nii.gz.<run>.part        bytes so far, under a private name beside it

Sources are tried in order. One that breaks off is continued by the next at the byte where it
stopped; the checksum of the whole file decides. One rename ends it.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from connectomedb.errors import (
    ChecksumMismatch,
    SizeMismatch,
    StoreError,
    StoreUnreachable,
    TransferError,
)
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.disk import disk_faults, removed_on_fault

RUN = f"{os.getpid():x}-{time.time_ns():x}"
"""Names this process in part files, so that two processes never write to one."""


class Source(Protocol):
    """Somewhere that this one file can be read from."""

    @property
    def name(self) -> str:
        """For people: which store."""
        ...

    def open(self, offset: int) -> Iterator[bytes]:
        """The file's bytes from `offset`; may be called again after a fault."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is on disk: size in bytes, MD5 (hex), what proves it, and which sources gave bytes."""

    path: Path
    size: int
    md5: str
    proof: Proof
    sources: tuple[str, ...]


def fetch(
    sources: Sequence[Source],
    target: Path,
    expected: Expected,
    *,
    modified: datetime | None = None,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> Fetched:
    """Bring one file to disk, whole and proven, or leave nothing under its name.

    Args:
        sources: the same file in one or more places, nearest first.
        target: final path; its folder is made if missing.
        expected: size in bytes and MD5 where known.
        modified: becomes the file's modification time, as copying tools expect.
        on_bytes: hears the length of each piece that arrived.
    Returns: what is now on disk, and why we believe it.
    Raises: SizeMismatch, ChecksumMismatch, DiskFull, DiskRefused, or the last source's StoreError.
    """
    part = target.with_name(f".{target.name}.{RUN}.part")
    with disk_faults(target), removed_on_fault(part):
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            download = _Download(file, expected, target, on_bytes)
            download.run(sources)
            file.flush()
            os.fsync(file.fileno())
        if modified is not None:
            os.utime(part, (time.time(), modified.timestamp()))
        os.replace(part, target)
    return download.result()


class _Download:
    """Bytes passing from sources to the part file, counted and hashed on the way."""

    def __init__(self, file: BinaryIO, expected: Expected, target: Path, on_bytes: Callable[[int], None]) -> None:
        self._file = file
        self._expected = expected
        self._target = target
        self._on_bytes = on_bytes
        self._served: list[str] = []
        self._restart()

    def run(self, sources: Sequence[Source]) -> None:
        """Go from source to source until the file is whole and proven. Raises the last fault."""
        fault: TransferError | StoreError | None = None
        for source in sources:
            try:
                self._read(source)
                self._check()
                return
            except StoreError as broken:
                fault = broken
            except TransferError as wrong:
                fault = wrong
                self._restart()
        raise fault or StoreUnreachable(f"Asked for {self._target.name}, and no source was named.")

    def result(self) -> Fetched:
        proof = self._expected.proof if self._expected.md5 else Proof.SIZE
        return Fetched(self._target, self._size, self._digest.hexdigest(), proof, tuple(dict.fromkeys(self._served)))

    def _read(self, source: Source) -> None:
        if self._expected.size is not None and self._size == self._expected.size:
            return
        for piece in source.open(self._size):
            if not piece:
                continue
            self._served.append(source.name) if source.name not in self._served else None
            self._file.write(piece)
            self._digest.update(piece)
            self._size += len(piece)
            self._on_bytes(len(piece))
            if self._expected.size is not None and self._size > self._expected.size:
                break

    def _check(self) -> None:
        size, md5 = self._expected.size, self._expected.md5
        if size is not None and self._size != size:
            message = f"Fetched {self._target.name}: {self._size} bytes came where {size} were due. Try again later."
            raise SizeMismatch(message, path=str(self._target))
        if md5 is not None and self._digest.hexdigest() != md5:
            message = (
                f"Fetched {self._target.name}: its MD5 is {self._digest.hexdigest()}, published is {md5}. "
                "The bytes are not what was published: nothing was kept. Try again, or from another source."
            )
            raise ChecksumMismatch(message, path=str(self._target))

    def _restart(self) -> None:
        self._size = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self._served.clear()
        self._file.seek(0)
        self._file.truncate()

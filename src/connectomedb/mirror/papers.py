"""Reads a subject's manifests without writing anything: from disk where they are right, else from the stores.

What came from a store is kept for a while: when the manifests are brought to disk, it need not come again.
"""

import hashlib
import io
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from connectomedb.errors import ChecksumMismatch, ManifestError, SizeMismatch, StoreError, TransferError
from connectomedb.hcp.paths import check_path
from connectomedb.mirror.record import Record
from connectomedb.mirror.shelf import Shelf
from connectomedb.stores.base import StoredObject
from connectomedb.transfer.feed import Feed
from connectomedb.transfer.retry import Health
from connectomedb.transfer.source import OnVersion, Sink, Source, Span, Streams

READERS = 8
MOST_BYTES = 1 << 28
"""Longest manifest that is read: 256 MiB, a listing of a million files."""

KEPT_BYTES = 16 << 20
"""Manifests longer than that come again."""

ROUNDS = 2
"""How often each source is asked for a manifest that comes wrong."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file in memory, as a source that stands for the one that gave it."""

    name: str
    content: bytes
    streams: Streams = Streams.ONE

    def pour(self, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand over the bytes of the span."""
        end = None if span.length is None else span.offset + span.length
        sink(memoryview(self.content)[span.offset : end])


@dataclass(frozen=True, slots=True)
class Papers:
    """The manifests of one subject."""

    shelf: Shelf
    subject: str
    _copies: dict[str, Copy] = field(default_factory=dict)

    def copy(self, path: str) -> list[Source]:
        """What was read of a manifest, if it is kept."""
        return [self._copies[path]] if path in self._copies else []

    def __call__(self, manifests: Mapping[str, Record]) -> Iterator[tuple[str, BinaryIO]]:
        """Path inside the subject and content, proven where a checksum is known. Raises StoreError, TransferError."""
        health, stop = Health(), threading.Event()
        with ThreadPoolExecutor(READERS, thread_name_prefix="manifest") as pool:
            try:
                contents = pool.map(lambda path: self._read(path, manifests[path], health, stop), manifests)
                for path, content in zip(manifests, contents, strict=True):
                    yield path, io.BytesIO(content)
            except BaseException:
                stop.set()
                raise

    def _read(self, path: str, record: Record, health: Health, stop: threading.Event) -> bytes:
        with suppress(OSError):
            local = self.shelf.local(self.subject, path).read_bytes()
            if _fault(path, local, record) is None:
                return local
        key = check_path(self.shelf.key(self.subject, path))
        sources = [StoredObject(store, key) for store in self.shelf.stores]
        fault: StoreError | TransferError | None = None
        unserved = set[str]()
        for source in sources * ROUNDS:
            if source.name in unserved:
                continue
            # One source at a time: where no checksum is known, bytes of two are never joined.
            try:
                content = _pour(source, path, health, stop)
            except StoreError as broken:
                unserved.add(source.name)
                fault = fault or broken
                continue
            wrong = _fault(path, content, record)
            if wrong is None:
                if len(content) <= KEPT_BYTES:
                    self._copies[path] = Copy(source.name, content)
                return content
            fault = wrong
        raise fault or StoreError(f"Asked for {path}, and no source was named.")


def _pour(source: StoredObject, path: str, health: Health, stop: threading.Event) -> bytes:
    content = bytearray()

    def take(piece: memoryview) -> None:
        content.extend(piece)
        if len(content) > MOST_BYTES:
            raise ManifestError(f"Read {path}: it is longer than {MOST_BYTES >> 20} MiB. That is no manifest.")

    Feed([source], health=health, stop=stop, on_bytes=lambda count: None).pour(take)
    return bytes(content)


def _fault(path: str, content: bytes, record: Record) -> TransferError | None:
    """What is wrong with a manifest's bytes."""
    expected = record.expected
    if expected.size is not None and len(content) != expected.size:
        return SizeMismatch(f"Read {path}: {len(content)} bytes came where {expected.size} were due. Try again.")
    if expected.md5 is not None:
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if md5 != expected.md5:
            return ChecksumMismatch(f"Read {path}: its MD5 is {md5}, published is {expected.md5}. Try again.")
    return None

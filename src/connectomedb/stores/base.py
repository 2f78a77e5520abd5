"""The few verbs that every store has.

A store holds objects under keys: UTF-8 text, `/` between parts, no leading slash. A key that ends in
`/` is a marker of a pseudo-directory, never a file. Faults of the engine behind a store come out as
StoreError, translated once, in the store's own module.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from connectomedb.errors import VersionChanged
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.source import OnVersion, Sink, Span, Streams


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object of a listing: size in bytes; MD5 only where the store vouches for it."""

    key: str
    size: int
    etag: str | None = None
    md5: str | None = None
    modified: datetime | None = None

    def expected(self) -> Expected:
        """What this listing claims of the object: an ETag that is an MD5, a catalog's MD5, or just its size."""
        if self.md5 is None:
            return Expected(self.size, None, Proof.SIZE)
        return Expected(self.size, self.md5, Proof.ETAG if self.etag else Proof.CATALOG)


@dataclass(frozen=True, slots=True)
class Level:
    """What stands directly below a prefix: objects, and pseudo-directories, which end in `/`."""

    objects: tuple[ObjectInfo, ...]
    prefixes: tuple[str, ...]


class Store(Protocol):
    """Somewhere that objects can be read from."""

    @property
    def name(self) -> str:
        """Name for people, without secrets: `s3://bucket`, a folder, a server's address."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key begins with `prefix`, page by page, in any order."""
        ...

    def list_level(self, prefix: str = "") -> Level:
        """What stands directly below `prefix` (empty, or ending in `/`)."""
        ...

    def head(self, key: str) -> ObjectInfo:
        """One object's facts. Raises ObjectMissing."""
        ...

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The object's bytes from `offset`, at most `length` of them, in pieces. Raises ObjectMissing.

        The bytes always start at `offset`; a store that cannot jump there reads and drops.
        """
        ...

    def pour(self, key: str, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """As `open`, but hands the pieces to a sink, which may not keep them: the transfer engine's way.

        `on_version` hears before the first byte of which version they are. Raises ObjectMissing; VersionChanged when
        the object is no longer that of the span.
        """
        ...

    @property
    def streams(self) -> Streams:
        """How many requests at once serve best, as far as is known by now."""
        ...

    @property
    def is_copy(self) -> bool:
        """Whether it is somebody's copy, which may lack files, or have damaged ones: others are asked, too."""
        ...

    def close(self) -> None:
        """Let go of connections. The store cannot be used after."""
        ...


@runtime_checkable
class WritableStore(Store, Protocol):
    """Somewhere that objects can also be kept."""

    def put(self, key: str, content: Path | bytes) -> ObjectInfo:
        """Keep a file or bytes under `key`, whole or not at all."""
        ...

    def adopt(self, key: str, path: Path) -> ObjectInfo:
        """Keep a finished file of any size under `key`, whole or not at all; it may be moved instead of copied."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object. A missing one is no error."""
        ...


def pour_pieces(pieces: Iterable[bytes], sink: Sink) -> None:
    """Hand pieces to a sink, for stores that have no faster way."""
    for piece in pieces:
        sink(memoryview(piece))


def tell_version(store: Store, key: str, current: str, span: Span, on_version: OnVersion) -> None:
    """Say which version of an object comes. Raises VersionChanged where that of the span is gone."""
    if span.version not in (None, current):
        raise VersionChanged(f"Asked {store.name} for {key}. It was replaced meanwhile.", store=store.name, key=key)
    on_version(current)


def window(sink: Sink, span: Span) -> Sink:
    """A sink for a whole body of which only a span is wanted."""
    position = 0
    end = None if span.length is None else span.offset + span.length

    def take(piece: memoryview) -> None:
        nonlocal position
        start = max(0, span.offset - position)
        stop = len(piece) if end is None else min(len(piece), end - position)
        position += len(piece)
        if start < stop:
            sink(piece[start:stop])

    return take


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of one store, as a source of the transfer engine."""

    store: Store
    key: str

    @property
    def name(self) -> str:
        """The store's name."""
        return self.store.name

    @property
    def streams(self) -> Streams:
        """As the store says."""
        return self.store.streams

    def pour(self, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand the bytes to a sink, as the store does."""
        self.store.pour(self.key, sink, span, on_version)

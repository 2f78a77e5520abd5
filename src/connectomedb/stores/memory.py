"""A store in memory: for tests, and the shortest reading of what a store is."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from connectomedb.errors import ObjectMissing
from connectomedb.hcp.paths import check_path
from connectomedb.stores._levels import level_of
from connectomedb.stores.base import Level, ObjectInfo, pour_pieces, tell_version
from connectomedb.transfer.source import OnVersion, Sink, Span, Streams


class MemoryStore:
    """Objects in a dictionary."""

    def __init__(self, objects: dict[str, bytes] | None = None, name: str = "memory") -> None:
        self._name = name
        self._objects: dict[str, bytes] = {}
        self._modified: dict[str, datetime] = {}
        for key, content in (objects or {}).items():
            self.put(key, content)

    @property
    def name(self) -> str:
        """Name for people."""
        return self._name

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key begins with `prefix`, in key order."""
        return (self.head(key) for key in sorted(self._objects) if key.startswith(prefix))

    def list_level(self, prefix: str = "") -> Level:
        """What stands directly below `prefix`."""
        return level_of(self.list(prefix), prefix)

    def head(self, key: str) -> ObjectInfo:
        """One object's facts. Raises ObjectMissing."""
        content = self._content(key)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return ObjectInfo(key, len(content), f'"{md5}"', md5, self._modified[key])

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The object's bytes from `offset`, in one piece. Raises ObjectMissing."""
        content = self._content(key)
        end = None if length is None else offset + length
        return iter([content[offset:end]])

    def put(self, key: str, content: Path | bytes) -> ObjectInfo:
        """Keep a file or bytes under `key`."""
        self._objects[check_path(key)] = content.read_bytes() if isinstance(content, Path) else content
        self._modified[key] = datetime.now(UTC)
        return self.head(key)

    def adopt(self, key: str, path: Path) -> ObjectInfo:
        """Keep a file under `key`; it stays where it is."""
        return self.put(key, path)

    def delete(self, key: str) -> None:
        """Remove an object. A missing one is no error."""
        self._objects.pop(key, None)

    def pour(self, key: str, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand the bytes to a sink. Raises ObjectMissing, VersionChanged."""
        tell_version(self, key, self.head(key).etag or "", span, on_version)
        pour_pieces(self.open(key, span.offset, span.length), sink)

    @property
    def streams(self) -> Streams:
        """One stream is as fast as several."""
        return Streams.ONE

    @property
    def is_copy(self) -> bool:
        """It holds what it was given."""
        return False

    def close(self) -> None:
        """Nothing to let go of."""

    def _content(self, key: str) -> bytes:
        if check_path(key) not in self._objects:
            raise ObjectMissing(f"Asked {self.name} for {key}. There is no such object.", store=self.name, key=key)
        return self._objects[key]

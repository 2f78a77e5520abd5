"""Reads a stored file forwards, unpacked, within limits: of bytes, of memory and of time.

Whoever uploads a file chooses every number in it, so nothing is read, kept or waited for because a header says so.
"""

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from connectomedb.errors import DocumentError, TooLarge
from connectomedb.server.archive import Archive
from connectomedb.server.settings import ImageSettings

GZIP = b"\x1f\x8b"
PIECE_BYTES = 1 << 20
_FAR_BYTES = 256 << 10
"""From this distance on a new request is cheaper than reading on, in a store that can jump."""
_GZIP_WINDOW = 31


@dataclass(frozen=True, slots=True)
class Source:
    """A file in a store of the archive: its name, where its bytes lie, and how many there are."""

    archive: Archive
    store: str
    key: str
    name: str
    size: int


class Reading:
    """One pass over a file. Positions count unpacked bytes; a plain file is jumped through, a packed one is not.

    Its methods raise DocumentError when the file is damaged or ends too soon, TooLarge beyond the limits, StoreError.
    """

    def __init__(self, source: Source, limits: ImageSettings) -> None:
        self.source = source
        self.limits = limits
        self.position = 0
        self._deadline = time.monotonic() + limits.within_s
        self._left = limits.read_bytes
        self._held = bytearray()
        self._stored = source.archive.open(source.store, source.key)
        first = next(self._stored, b"")
        self.is_packed = bytes(first[:2]) == GZIP
        self._unpacked = self._unpack(first) if self.is_packed else self._plain(first)

    def read(self, count: int) -> bytes:
        """Exactly so many bytes, to be kept in memory."""
        self.check_memory(count)
        while len(self._held) < count:
            piece = next(self._unpacked, None)
            if piece is None:
                raise self._broken("breaks off")
            self._held += piece
        taken = bytes(self._held[:count])
        del self._held[:count]
        self.position += count
        return taken

    def skip_to(self, position: int) -> None:
        """Go forward; a plain file is opened anew there when that is far."""
        ahead = position - self.position
        if ahead < 0:
            raise self._broken("has parts that overlap")
        if not self.is_packed and ahead > len(self._held) + _FAR_BYTES:
            if position > self.source.size:
                raise self._broken("breaks off")
            self._held.clear()
            self._stored = self.source.archive.open(self.source.store, self.source.key, position)
            self._unpacked = self._plain(b"")
            self.position = position
            return
        while ahead > 0:
            ahead -= len(self.read(min(ahead, PIECE_BYTES)))

    def read_at(self, position: int, count: int) -> bytes:
        """A few bytes further on; of a plain file only these are read when they lie far away."""
        if self.is_packed or position <= self.position + len(self._held) + _FAR_BYTES:
            self.skip_to(position)
            return self.read(count)
        self.check_memory(count)
        if position + count > self.source.size:
            raise self._broken("breaks off")
        found = b"".join(self.source.archive.open(self.source.store, self.source.key, position, count))
        self._count(len(found))
        if len(found) != count:
            raise self._broken("breaks off")
        return found

    def pieces(self, count: int, unit: int = 1) -> Iterator[bytes]:
        """The next bytes, some at a time; each piece but the last holds as many whole units."""
        step = max(unit, PIECE_BYTES // unit * unit)
        while count > 0:
            piece = self.read(min(step, count))
            count -= len(piece)
            yield piece

    def rest(self) -> bytes:
        """All that follows."""
        for piece in self._unpacked:
            self._held += piece
            self.check_memory(len(self._held))
        return self.read(len(self._held))

    def check_memory(self, count: int) -> None:
        """Raises TooLarge for more bytes than one request may keep in memory."""
        if count > self.limits.memory_bytes:
            raise TooLarge(
                f"Looking into {self.source.name} takes more than {self.limits.memory_bytes} bytes of memory, which is "
                "this server's limit for pictures. Download the file instead."
            )

    def _plain(self, first: bytes) -> Iterator[bytes]:
        if first:
            self._count(len(first))
            yield first
        for piece in self._stored:
            self._count(len(piece))
            yield piece

    def _unpack(self, first: bytes) -> Iterator[bytes]:
        """Members of a gzip file, one after the other, never more than a piece at once."""
        stream, packed, is_done = zlib.decompressobj(wbits=_GZIP_WINDOW), first, False
        try:
            while True:
                piece = stream.decompress(packed, PIECE_BYTES)
                self._count(len(piece))
                if piece:
                    yield piece
                packed = stream.unconsumed_tail or stream.unused_data
                if stream.eof:
                    packed = packed or next(self._stored, b"")
                    is_done = not packed.strip(b"\0")
                    stream = zlib.decompressobj(wbits=_GZIP_WINDOW)
                elif not packed and not piece:
                    packed = next(self._stored, b"")
                    is_done = not packed
                    if is_done:
                        raise self._broken("breaks off")
                if is_done:
                    return
        except zlib.error as fault:
            raise self._broken("is damaged where it is packed") from fault

    def _count(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise TooLarge(
                f"Looking into {self.source.name} takes reading more than {self.limits.read_bytes} bytes, which is "
                "this server's limit for pictures. Download the file instead."
            )
        if time.monotonic() > self._deadline:
            raise TooLarge(
                f"Looking into {self.source.name} took longer than {self.limits.within_s} s, which is this server's "
                "limit for pictures. Download the file instead."
            )

    def _broken(self, how: str) -> DocumentError:
        return DocumentError(f"Looked into {self.source.name}: it {how}. It cannot be shown; check the file.")

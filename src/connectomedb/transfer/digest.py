"""MD5 of the long streams of a run, several of them at once.

One stream cannot be hashed faster than a processor takes its steps one by one. Several can, side by side in the lanes
of a vector (md5_lanes.c): eight streams cost little more than one. So full pieces of a stream wait. When enough of all
streams do, whoever brought the last hashes the oldest of each stream at once.

The library is built where this package is installed and a C compiler is at hand. Without, hashlib does the work.
"""

import ctypes
import hashlib
import struct
import threading
from collections import deque
from functools import cache
from pathlib import Path
from typing import Protocol, TypeAlias

LANES = 8
PIECE_BYTES = 128 << 10
WAITING = 64
"""Pieces, of all streams together, that are hashed by whoever brings the next, if nobody does yet."""

MOST_WAITING = 128
"""With so many, who brings a piece waits until some are hashed."""
LIBRARY = "_md5_lanes.so"

_BLOCK_BYTES = 64
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
"""The state before the first byte. Source: RFC 1321, 3.3."""

_State: TypeAlias = "ctypes.Array[ctypes.c_uint32]"


class Digest(Protocol):
    """The MD5 of bytes that come one after the other, as hashlib's."""

    def update(self, piece: memoryview | bytes, /) -> None:
        """Add bytes; they may be used again when this returns."""
        ...

    def hexdigest(self) -> str:
        """The MD5 of all, 32 lower-case hex; nothing can be added after."""
        ...


class Digests:
    """Makes the digests of a run, and hashes what waits. Each digest is fed by one thread at a time."""

    def __init__(self) -> None:
        self._queued: dict[_Stream, None] = {}
        self._free: deque[_Piece] = deque()
        self._hashing = threading.Lock()

    def new(self) -> Digest:
        """For a stream of a megabyte or more; shorter ones are not worth a queue."""
        library = _library()
        return hashlib.md5(usedforsecurity=False) if library is None else _Stream(self, library)

    def empty_piece(self) -> "_Piece":
        """To be filled."""
        try:
            return self._free.pop()
        except IndexError:
            return _Piece()

    def enqueue(self, stream: "_Stream", piece: "_Piece") -> None:
        """Let a full piece wait for those of other streams, if there is room."""
        stream.queue.append(piece)
        self._queued[stream] = None
        while (waiting := self._waiting()) >= WAITING:
            # One thread hashes while the others receive, until it falls too far behind.
            if not self._hashing.acquire(blocking=waiting >= MOST_WAITING):
                return
            try:
                self._hash_side_by_side()
            finally:
                self._hashing.release()

    def finish(self, stream: "_Stream") -> None:
        """Hash all that waits of a stream."""
        with self._hashing:
            while stream.queue:
                self._hash_side_by_side(stream)

    def _waiting(self) -> int:
        return sum(len(each.queue) for each in list(self._queued))

    def _hash_side_by_side(self, *wanted: "_Stream") -> None:
        """The oldest piece of the wanted stream, and of those others that have most, as many as there are lanes."""
        others = sorted(self._queued, key=lambda each: len(each.queue), reverse=True)
        streams = [*wanted, *(other for other in others if other.queue and other not in wanted)][:LANES]
        if not streams:
            return
        pieces = [each.queue.popleft() for each in streams]
        _hash(streams, pieces)
        self._free.extend(pieces)
        for each in streams:
            if not each.queue:
                self._queued.pop(each, None)


class _Piece:
    """Room for a fixed number of bytes."""

    __slots__ = ("address", "bytes")

    def __init__(self) -> None:
        self.bytes = bytearray(PIECE_BYTES)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.bytes))


class _Stream:
    """One digest: a state, pieces that wait, and one that fills."""

    def __init__(self, digests: Digests, library: ctypes.CDLL) -> None:
        self.library = library
        self.state: _State = (ctypes.c_uint32 * 4)(*_START)
        self.queue: deque[_Piece] = deque()
        self._digests = digests
        self._filling = digests.empty_piece()
        self._filled = 0
        self._count = 0

    def update(self, piece: memoryview | bytes, /) -> None:
        """Add bytes."""
        done, size = 0, len(piece)
        self._count += size
        while done < size:
            taken = min(size - done, PIECE_BYTES - self._filled)
            self._filling.bytes[self._filled : self._filled + taken] = piece[done : done + taken]
            self._filled += taken
            done += taken
            if self._filled == PIECE_BYTES:
                self._digests.enqueue(self, self._filling)
                self._filling, self._filled = self._digests.empty_piece(), 0

    def hexdigest(self) -> str:
        """The MD5 of all."""
        self._digests.finish(self)
        length = (8 * self._count % (1 << 64)).to_bytes(8, "little")
        padding = b"\x80" + bytes((-self._count - 9) % _BLOCK_BYTES)
        rest = bytes(self._filling.bytes[: self._filled]) + padding + length
        self.library.md5_stream(self.state, rest, len(rest) // _BLOCK_BYTES)
        return struct.pack("<4I", *self.state).hex()


def _hash(streams: list[_Stream], pieces: list[_Piece]) -> None:
    """Hash a piece of each stream; lanes that nobody needs repeat the first."""
    library, blocks = streams[0].library, PIECE_BYTES // _BLOCK_BYTES
    if len(streams) == 1:
        library.md5_stream(streams[0].state, pieces[0].address, blocks)
        return
    spare = LANES - len(streams)
    lanes = [stream.state for stream in streams] + [streams[0].state] * spare
    places = [piece.address for piece in pieces] + [pieces[0].address] * spare
    state = (ctypes.c_uint32 * (4 * LANES))(*[lane[word] for word in range(4) for lane in lanes])
    library.md5_streams(state, (ctypes.c_void_p * LANES)(*places), blocks)
    for number, stream in enumerate(streams):
        stream.state = (ctypes.c_uint32 * 4)(*state[number::LANES])


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(Path(__file__).with_name(LIBRARY)))
    except OSError:  # not built, or on another kind of machine
        return None
    words = ctypes.POINTER(ctypes.c_uint32)
    library.md5_stream.argtypes = [words, ctypes.c_void_p, ctypes.c_size_t]
    library.md5_streams.argtypes = [words, ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t]
    library.md5_stream.restype = library.md5_streams.restype = None
    return library

"""Zips whose bytes depend on nothing but their members: no clock, no order of chance. So they have one checksum,
a length known beforehand, and can be gone on with where a transfer broke off.

Members are stored, not packed: images are packed already. Written by the standard library's `zipfile` into
a buffer that is emptied after each piece.
"""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import RawIOBase

DATE = (1980, 1, 1, 0, 0, 0)
"""The time of all members: the first that the format knows."""

_LOCAL, _CENTRAL, _END = 30, 46, 22
_LOCAL_64, _END_64 = 20, 76
_DESCRIPTOR, _DESCRIPTOR_64 = 16, 24


@dataclass(frozen=True, slots=True)
class Member:
    """One file: name in the zip, size in bytes, and its bytes, opened when their turn comes."""

    name: str
    size: int
    open: Callable[[], Iterator[bytes]]


def length_of(members: Sequence[Member]) -> int:
    """Length in bytes of the zip. Source: PKWARE's APPNOTE, with `zipfile`'s choices of when sizes take 64 bits."""
    offset = directory = 0
    for member in members:
        name = len(member.name.encode())
        wide = (2 if member.size > zipfile.ZIP64_LIMIT else 0) + (1 if offset > zipfile.ZIP64_LIMIT else 0)
        directory += _CENTRAL + name + (4 + 8 * wide if wide else 0)
        offset += _LOCAL + name + member.size
        offset += _LOCAL_64 + _DESCRIPTOR_64 if _is_wide(member.size) else _DESCRIPTOR
    is_large = (
        len(members) > zipfile.ZIP_FILECOUNT_LIMIT or offset > zipfile.ZIP64_LIMIT or directory > zipfile.ZIP64_LIMIT
    )
    return offset + directory + _END + (_END_64 if is_large else 0)


def zip_pieces(members: Sequence[Member]) -> Iterator[bytes]:
    """The zip, piece by piece."""
    buffer = _Buffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, DATE)
            info.external_attr = 0o644 << 16
            info.create_system = 3  # UNIX, whatever we run on
            info.file_size = member.size
            with archive.open(info, "w", force_zip64=_is_wide(member.size)) as target:
                for piece in member.open() if member.size else ():
                    target.write(piece)
                    yield buffer.take()
    yield buffer.take()


def skip(pieces: Iterator[bytes], start: int, length: int) -> Iterator[bytes]:
    """The part of the pieces from `start` on, of that length."""
    for piece in pieces:
        part = piece[start : start + length]
        start = max(0, start - len(piece))
        length -= len(part)
        if part:
            yield part
        if not length:
            return


def _is_wide(size: int) -> bool:
    """Whether `zipfile` gives the size of a member 64 bits, with room for a size that grows."""
    return size * 1.05 > zipfile.ZIP64_LIMIT


class _Buffer(RawIOBase):
    """What was written since it was last emptied; it cannot go back, as no stream can."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, content: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # ReadableBuffer
        self._held += content
        return len(content)

    def take(self) -> bytes:
        """Everything written, once."""
        taken, self._held = bytes(self._held), bytearray()
        return taken

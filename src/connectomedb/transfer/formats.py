"""Tells from both ends of a file whether its format is whole: gzip, NIfTI, CIFTI, GIFTI, MGH, PNG, JSON, XML, zip.

Each check answers None for a file that may be whole, or a clause that says why it is not. Where the ends of a gzip
file contradict each other, and only there, the whole stream is read before it is refused: several streams in one file
are allowed, and look like a contradiction.

Sources: NIfTI-1 and NIfTI-2 headers (nifti1.h, nifti2.h); RFC 1952, gzip, members and trailer; GIFTI 1.0; FreeSurfer's
description of MGH; PNG, third edition, section 5.
"""

import gzip
import json
import os
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path
from typing import TypeAlias

END_BYTES = 4096
_PIECE_BYTES = 1 << 20
_SMALL_BYTES = 1 << 20
_LEEWAY_BYTES = 1 << 20
_BLANK = b" \t\r\n\0"
_BROKEN_OFF = "its gzip stream breaks off"
_DAMAGED = "its gzip stream is damaged"
_WRAP = 1 << 32

_NIFTI1_BYTES, _NIFTI2_BYTES, _MGH_BYTES = 348, 540, 284
_VOXEL_BITS = {
    **{1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32},
    **{1024: 64, 1280: 64, 1536: 128, 1792: 128, 2048: 256, 2304: 32},
}
"""NIfTI's data types → bits per voxel; the header's own bitpix is often wrong and nobody reads it."""
_MGH_BITS = {0: 8, 1: 32, 3: 32, 4: 16}


@dataclass(frozen=True, slots=True)
class Ends:
    """A file's size in bytes, its first and last 4096 of them, and where it lies for a closer look."""

    path: Path
    size: int
    head: bytes
    tail: bytes


Check: TypeAlias = Callable[[Ends], str | None]


def read_ends(path: Path) -> Ends:
    """Both ends of a file. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(handle).st_size
        head = os.read(handle, END_BYTES)
        if size <= END_BYTES:
            return Ends(path, size, head, head)
        os.lseek(handle, size - END_BYTES, os.SEEK_SET)
        return Ends(path, size, head, os.read(handle, END_BYTES))
    finally:
        os.close(handle)


def format_of(name: str) -> Check | None:
    """The check for a file name in lower case; None for formats that do not tell whether they are whole."""
    return next((check for ending, check in _CHECKS if name.endswith(ending)), None)


def _check_nifti(ends: Ends) -> str | None:
    due = _nifti_size(ends.head)
    if due is None:
        return "it is no NIfTI file"
    return f"its image breaks off: {ends.size} bytes, its header says {due}" if ends.size < due else None


def _check_nifti_gz(ends: Ends) -> str | None:
    start = _inflate_start(ends, _NIFTI2_BYTES)
    if isinstance(start, str):
        return start
    due = _nifti_size(start)
    return "it holds no NIfTI image" if due is None else _check_inflated(ends, due, 0)


def _check_mgz(ends: Ends) -> str | None:
    start = _inflate_start(ends, _MGH_BYTES)
    if isinstance(start, str):
        return start
    due = _mgh_size(start)
    return "it holds no MGH image" if due is None else _check_inflated(ends, due, _LEEWAY_BYTES)


def _check_gzip(ends: Ends) -> str | None:
    start = _inflate_start(ends, 1)
    if isinstance(start, str):
        return start
    return _check_stream(ends.path, 0) if ends.size <= _SMALL_BYTES else None


def _check_inflated(ends: Ends, due: int, leeway: int) -> str | None:
    """The trailer's length of what was packed says the same as the image's header, or the whole stream decides."""
    (packed,) = struct.unpack("<I", ends.tail[-4:])
    if (packed - due) % _WRAP <= leeway:
        return None
    return _check_stream(ends.path, due)


def _inflate_start(ends: Ends, count: int) -> bytes | str:
    """The first unpacked bytes, at most `count`; or, as text, why there are none."""
    if not ends.head.startswith(b"\x1f\x8b"):
        return "it is no gzip file"
    try:
        start = zlib.decompressobj(wbits=31).decompress(ends.head, count)
        if len(start) < count:
            # A long gzip header, or a short first member: rare, so the slower reader may do it.
            with gzip.open(ends.path) as file:
                start = file.read(count)
    except EOFError:
        return _BROKEN_OFF
    except (zlib.error, gzip.BadGzipFile):
        return _DAMAGED
    return start


def _check_stream(path: Path, due: int) -> str | None:
    """Unpack all of a gzip file and throw it away. Damage may unpack to a thousand times of what it is."""
    stream, total = zlib.decompressobj(wbits=31), 0
    with path.open("rb") as file:
        piece = file.read(_PIECE_BYTES)
        while piece:
            try:
                total += len(stream.decompress(piece, _PIECE_BYTES))
            except zlib.error:
                return _DAMAGED
            if due and total > 2 * due + _LEEWAY_BYTES:
                return _DAMAGED
            rest = stream.unused_data or stream.unconsumed_tail
            piece = rest or file.read(_PIECE_BYTES)
            if stream.eof and piece:
                # Another member follows, or padding, which the programs that read these files pass over.
                if not piece.startswith(b"\x1f"):
                    break
                stream = zlib.decompressobj(wbits=31)
    total += 0 if stream.eof else len(stream.flush())
    if not stream.eof:
        return _BROKEN_OFF
    return f"its image breaks off: {total} bytes unpacked, its header says {due}" if total < due else None


def _nifti_size(header: bytes) -> int | None:
    """The least size in bytes of the file with this header; None when it is no NIfTI (or Analyze) header."""
    for order in "<>":
        if len(header) >= _NIFTI1_BYTES and header[:4] == struct.pack(f"{order}i", _NIFTI1_BYTES):
            if header[344:347] != b"n+1":
                return _NIFTI1_BYTES
            (offset,) = struct.unpack_from(f"{order}f", header, 108)
            (kind,) = _numbers(header, f"{order}h", 70)
            return _image_size(_NIFTI1_BYTES, offset, _numbers(header, f"{order}8h", 40), kind)
        if len(header) >= _NIFTI2_BYTES and header[:4] == struct.pack(f"{order}i", _NIFTI2_BYTES):
            if header[4:7] != b"n+2":
                return _NIFTI2_BYTES
            (offset,) = _numbers(header, f"{order}q", 168)
            (kind,) = _numbers(header, f"{order}h", 12)
            return _image_size(_NIFTI2_BYTES, offset, _numbers(header, f"{order}8q", 16), kind)
    return None


def _numbers(header: bytes, layout: str, offset: int) -> tuple[int, ...]:
    return struct.unpack_from(layout, header, offset)


def _image_size(least: int, offset: float, dims: tuple[int, ...], kind: int) -> int:
    """Header, extensions and voxels in bytes; only the header where the numbers make no sense."""
    count = dims[0]
    axes = dims[1 : count + 1]
    if not 1 <= count <= 7 or min(axes) < 1 or kind not in _VOXEL_BITS or not isfinite(offset):
        return least
    return max(least, int(offset)) + (prod(axes) * _VOXEL_BITS[kind] + 7) // 8


def _mgh_size(header: bytes) -> int | None:
    if len(header) < _MGH_BYTES:
        return None
    version, *axes, kind = _numbers(header, ">6i", 0)
    if version != 1:
        return None
    if min(axes) < 1 or kind not in _MGH_BITS:
        return _MGH_BYTES
    return _MGH_BYTES + prod(axes) * _MGH_BITS[kind] // 8


_AFTER_GIFTI = re.compile(rb"</GIFTI\s*+>(?:[\s\0]++|<!--(?>.*?-->)|<\?(?>.*?\?>))*+\Z", re.S)


def _check_gifti(ends: Ends) -> str | None:
    if not ends.head.lstrip(b"\xef\xbb\xbf" + _BLANK).startswith(b"<"):
        return "it is no GIFTI file"
    return None if _AFTER_GIFTI.search(ends.tail) else "it breaks off: its closing tag </GIFTI> is missing"


def _check_xml(ends: Ends) -> str | None:
    """Files of these names are XML today, and were plain text once."""
    is_xml = ends.head.lstrip(b"\xef\xbb\xbf" + _BLANK).startswith(b"<")
    return "it breaks off: it does not end in a tag" if is_xml and not ends.tail.rstrip(_BLANK).endswith(b">") else None


def _check_json(ends: Ends) -> str | None:
    """Small documents are read as a whole; of large ones the last bracket is all that is asked for."""
    if ends.size <= _SMALL_BYTES:
        try:
            json.loads(ends.path.read_bytes())
        except (ValueError, RecursionError):
            return "it is no whole JSON document"
        return None
    start, end = ends.head.lstrip(_BLANK)[:1], ends.tail.rstrip(_BLANK)[-1:]
    closing = {b"{": b"}", b"[": b"]"}.get(start)
    return "it breaks off: its last bracket is missing" if closing is not None and end != closing else None


def _check_png(ends: Ends) -> str | None:
    if not ends.head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "it is no PNG image"
    return None if b"IEND\xaeB`\x82" in ends.tail else "it breaks off: the end of a PNG image is missing"


def _check_zip(ends: Ends) -> str | None:
    from zipfile import is_zipfile

    return None if is_zipfile(ends.path) else "it is no whole zip file"


_CHECKS: tuple[tuple[str, Check], ...] = (
    (".nii.gz", _check_nifti_gz),
    (".nii", _check_nifti),
    (".gii", _check_gifti),
    (".mgz", _check_mgz),
    (".gz", _check_gzip),
    (".tgz", _check_gzip),
    (".png", _check_png),
    (".json", _check_json),
    (".spec", _check_xml),
    (".scene", _check_xml),
    (".xml", _check_xml),
    (".svg", _check_xml),
    (".zip", _check_zip),
)
"""Endings of file names; a longer one before the shorter one that it ends in."""

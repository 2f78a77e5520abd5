"""Archives that people send, unpacked safely: zip, tar and tar.gz.

What an archive says of itself is not believed: bytes are counted as they come out, no single record may be
long, and anything but a plain file or folder (links, devices, encrypted members) refuses the whole archive.
"""

import gzip
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from connectomedb.errors import AddressError, TooLarge
from connectomedb.hcp.paths import check_path
from connectomedb.server.intake.part import Part
from connectomedb.server.settings import FileSettings

PIECE_BYTES = 1 << 20
MAX_RECORD_BYTES = 16 << 20
"""Longest directory of a zip, or header of a tar, that is read into memory."""

BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, struct.error),
    *(EOFError, UnicodeError, OverflowError, NotImplementedError),
)
"""What the libraries raise for archives that are none, or broken."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FLAG_ENCRYPTED = 1
_GZIP = b"\x1f\x8b"
_TAR_AT, _TAR = 257, b"ustar"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

Member = tuple[str, IO[bytes]]


def unpack(archive: Path, new_part: Callable[[], Part], settings: FileSettings) -> Iterator[tuple[str, Part]]:
    """Members of an archive by path, in its order; a part is finished when the next is asked for, or the end.

    Raises AddressError (no archive, a broken one, or one with a trick in it), TooLarge, DiskFull.
    """
    left = settings.max_unpacked_bytes
    seen: set[str] = set()
    with _translated():
        for name, content in _members(archive):
            path = check_path(name)
            if path in seen:
                raise AddressError(f"Unpacked the archive: it has {path!r} twice. Send it with one of them.")
            seen.add(path)
            if len(seen) > settings.max_members:
                raise TooLarge(f"The archive has more than {settings.max_members} files. Send it in several.")
            part = new_part()
            yield path, part
            while piece := content.read(PIECE_BYTES):
                left -= len(piece)
                if left < 0:
                    most = settings.max_unpacked_bytes
                    raise TooLarge(f"The archive unpacks to more than {most} bytes. Send it in several.")
                part.write(piece)
            part.finish()


def is_archive(path: Path) -> bool:
    """Whether a file begins as a zip, a tar or a compressed tar does; a compressed image is none."""
    with path.open("rb") as file:
        start = file.read(_TAR_AT + len(_TAR))
    if start.startswith(_GZIP):
        try:
            with gzip.open(path) as plain:
                start = plain.read(_TAR_AT + len(_TAR))
        except BROKEN:
            return False
    return start.startswith(_ZIP) or start[_TAR_AT:] == _TAR


def is_folder(info: zipfile.ZipInfo) -> bool:
    """Whether an entry of a zip is a folder; unlike `ZipInfo.is_dir`, of entries without a name, too."""
    return info.filename.endswith("/")


def _members(archive: Path) -> Iterator[Member]:
    with archive.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start in _ZIP:
            yield from _zip_members(_careful(file))
        elif start.startswith(_GZIP):
            with gzip.open(file) as plain:
                yield from _tar_members(_careful(cast("IO[bytes]", plain)))
        else:
            yield from _tar_members(_careful(file))


def _zip_members(file: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(file) as packed:
        for info in packed.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if is_folder(info):
                continue
            if kind not in (0, stat.S_IFREG) or info.flag_bits & _FLAG_ENCRYPTED or info.compress_type not in _METHODS:
                raise _trick(info.filename)
            with packed.open(info) as content:
                yield info.filename, content


def _tar_members(file: IO[bytes]) -> Iterator[Member]:
    with tarfile.open(fileobj=file, mode="r:") as packed:
        for info in packed:
            packed.members = []  # type: ignore[attr-defined]  # else it remembers each header
            content = packed.extractfile(info) if info.isreg() else None
            if content is None and not info.isdir():
                raise _trick(info.name)
            if content is not None:
                yield info.name.removeprefix("./"), content


def _trick(name: str) -> AddressError:
    return AddressError(f"Unpacked the archive: {name!r} is a link, a device or encrypted. Send plain files only.")


class _Careful:
    """A file that refuses to read a long record at once, or from before its start."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_RECORD_BYTES:
            size = MAX_RECORD_BYTES + 1
            if len(found := self._file.read(size)) > MAX_RECORD_BYTES:
                raise TooLarge(f"The archive has a record longer than {MAX_RECORD_BYTES} bytes. Pack it anew.")
            return found
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset < 0 and whence == io.SEEK_SET:
            raise zipfile.BadZipFile("it points before its own start")
        return self._file.seek(offset, whence)

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def _careful(file: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", _Careful(file))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BROKEN as fault:
        raise AddressError(
            f"Unpacked what was sent: it is no zip, tar or tar.gz, or a broken one ({fault}). Pack it anew."
        ) from fault

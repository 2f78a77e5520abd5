"""Single entries of zips that are stored as files: `.../files/x.zip!/inner/name`, or listed by `listContents=true`."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from connectomedb.errors import AddressError, NotFound, TooLarge
from connectomedb.server.archive import Archive
from connectomedb.server.intake.unpack import BROKEN, MAX_RECORD_BYTES, is_folder
from connectomedb.server.routes.call import Call, Later
from connectomedb.server.routes.contents import StoredFile, begun, disposition, media_type_of
from connectomedb.server.routes.replies import table
from connectomedb.xnat.resultset import ResultTable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES = 1 << 20
_BUFFER_BYTES = 256 << 10
_COLUMNS = ("Name", "Size", "URI")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def list_entries(call: Call, file: StoredFile) -> Later:
    """A table of a stored zip's entries."""

    def begin() -> Response:
        with _opened(call.site.archive, file) as packed:
            base = f"{file.resource.address}/files/{file.path}!/"
            entries = [info for info in packed.infolist() if not is_folder(info)]
            rows = tuple((info.filename, str(info.file_size), f"{base}{info.filename}") for info in entries)
        return table(call, ResultTable(_COLUMNS, rows, "Files", len(rows)))

    return Later(begin, frozenset([file.store]))


def send_entry(call: Call, file: StoredFile, inner: str) -> Later:
    """One entry of a stored zip, unpacked."""
    name = inner.rpartition("/")[2]
    headers = {"Content-Disposition": disposition(name), **file.version.headers(), "Accept-Ranges": "none"}
    headers.pop("ETag", None)  # that of the zip, not of the entry

    def begin() -> Response:
        with _opened(call.site.archive, file) as packed:
            info = next((info for info in packed.infolist() if info.filename == inner and not is_folder(info)), None)
        if info is None or info.compress_type not in _METHODS:
            raise NotFound(f"There is no entry {inner!r} in {file.path!r}. List it with listContents=true.")
        headers["Content-Length"] = str(info.file_size)
        media_type = media_type_of(name)
        if call.method == "HEAD" or not info.file_size:
            return StreamingResponse(iter(()), headers=headers, media_type=media_type)
        return begun(_read(call.site.archive, file, info), stores, 200, headers, media_type)

    stores = frozenset([file.store])
    return Later(begin, stores)


def _read(archive: Archive, file: StoredFile, inner: zipfile.ZipInfo) -> Iterator[bytes]:
    with _opened(archive, file) as packed, packed.open(inner) as content:
        left = inner.file_size
        while left > 0 and (piece := content.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
        if left:
            raise zipfile.BadZipFile(f"{inner.filename!r} is {left} bytes shorter than it says")


@contextmanager
def _opened(archive: Archive, file: StoredFile) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BufferedReader(_Stored(archive, file), _BUFFER_BYTES)) as packed:
            yield packed
    except (*BROKEN, RuntimeError) as fault:
        raise AddressError(f"Asked for an entry of {file.path!r}. It is no zip that can be read: {fault}.") from fault


class _Stored(io.RawIOBase):
    """A stored file that can be read anywhere; each read asks the store for a range."""

    def __init__(self, archive: Archive, file: StoredFile) -> None:
        self._archive = archive
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.version.size}[whence]
        if base + offset < 0:
            raise zipfile.BadZipFile("it points before its own start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        if len(view) > MAX_RECORD_BYTES:
            raise TooLarge(f"The zip has a record longer than {MAX_RECORD_BYTES} bytes.")
        wanted = min(len(view), self._file.version.size - self._position)
        if wanted <= 0:
            return 0
        at = 0
        for piece in self._archive.open(self._file.store, self._file.key, self._position, wanted):
            view[at : at + len(piece)] = piece
            at += len(piece)
        self._position += at
        return at

"""Archives made while they are sent, without buffering any: zip, tar and tar.gz.

The length of a zip (stored members) and of a tar is known before the first byte; that of a tar.gz is not.
"""

import tarfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC

from starlette.responses import Response, StreamingResponse
from zipstream import ZipStream

from connectomedb.errors import NotFound
from connectomedb.server.archive import Archive
from connectomedb.server.routes.call import Call, Later
from connectomedb.server.routes.contents import StoredFile, begun_archive, disposition, open_whole
from connectomedb.server.routes.replies import MEDIA_TYPES, Format

ARCHIVES = (Format.ZIP, Format.TAR, Format.TAR_GZ)

_BLOCK = tarfile.BLOCKSIZE
_FAST = 1
"""Level of compression: images are mostly compressed already."""
_GZIP_WINDOW = 31


def pack(call: Call, form: Format, chosen: Sequence[StoredFile]) -> Response | Later:
    """An archive of files; of HEAD the headers alone. Raises NotFound when there is nothing to pack."""
    if not chosen:
        raise NotFound("There is no file to pack here. List the files to see what there is.")
    name = chosen[0].resource.owner.label or "files"
    headers = {"Content-Disposition": disposition(f"{name}.{form}"), "Cache-Control": "no-store"}
    media_type = MEDIA_TYPES[form]
    archive = call.site.archive

    def begin() -> Response:
        if form is Format.ZIP:
            stream = _zip_of(archive, chosen)
            length, pieces = len(stream), iter(stream)
        elif form is Format.TAR:
            length, pieces = _tar_length(chosen), _tar_of(archive, chosen)
        else:
            length, pieces = 0, _gzip_of(_tar_of(archive, chosen))
        if length:
            headers["Content-Length"] = str(length)
        if call.method == "HEAD":
            return StreamingResponse(iter(()), headers=headers, media_type=media_type)
        return begun_archive(pieces, stores, 200, headers, media_type)

    stores = frozenset(file.store for file in chosen)
    return Later(begin, stores)


def _zip_of(archive: Archive, chosen: Sequence[StoredFile]) -> ZipStream:
    stream = ZipStream(sized=True)
    for file in chosen:
        size = file.version.size
        stream.add(open_whole(archive, file) if size else b"", file.member, size=size)
    return stream


def _tar_of(archive: Archive, chosen: Sequence[StoredFile]) -> Iterator[bytes]:
    for file in chosen:
        yield _tar_header(file)
        yield from open_whole(archive, file)
        yield bytes(-file.version.size % _BLOCK)
    yield bytes(2 * _BLOCK)


def _tar_length(chosen: Sequence[StoredFile]) -> int:
    sizes = (len(_tar_header(file)) + file.version.size + -file.version.size % _BLOCK for file in chosen)
    return sum(sizes) + 2 * _BLOCK


def _tar_header(file: StoredFile) -> bytes:
    """POSIX.1-2001 headers, which take names and sizes of any length."""
    info = tarfile.TarInfo(file.member)
    info.size = file.version.size
    info.mtime = int(file.version.modified.replace(tzinfo=UTC).timestamp()) if file.version.modified else 0
    return info.tobuf(tarfile.PAX_FORMAT)


def _gzip_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    squeeze = zlib.compressobj(_FAST, wbits=_GZIP_WINDOW)
    for piece in pieces:
        if squeezed := squeeze.compress(piece):
            yield squeezed
    yield squeeze.flush()

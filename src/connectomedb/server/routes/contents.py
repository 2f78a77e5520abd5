"""The bytes of one file: conditions, ranges, and whether the server or the bucket itself sends them.

A client is sent to the bucket only when `[files] redirect` is on, the file lies in a bucket, bytes are due (not for
HEAD, 304, 412 or 416), and the client can follow: it asks with `redirect=true`, or its User-Agent is of FOLLOWERS and
it does not say `redirect=false`. The address is good for `redirect_s` seconds, holds no secret, and has the bucket
answer with the file's name and type, as an attachment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Protocol
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from connectomedb.errors import StoreError
from connectomedb.server.archive import Archive
from connectomedb.server.routes.call import Call, Later
from connectomedb.server.routes.ranges import Version, choose_part
from connectomedb.server.routes.resources import Resource

FOLLOWERS = ("python-requests/", "connectomedb/", "Mozilla/")
"""Begins of User-Agents of clients that follow a redirect and do not take their credentials along: pyxnat and
xnatpy use requests. curl follows only when told to; wget sends a password to whatever host it comes to."""

TEMPORARY_REDIRECT = 307
JOINED_BYTES = 256 << 10

_BYTES = "application/octet-stream"
_MEDIA_TYPES = {
    ".txt": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}
"""Types that a browser may be told; all others are bytes, so that no stored page or script ever runs."""


class Stored(Protocol):
    """Something whose bytes lie in a store of the archive, under a key."""

    @property
    def store(self) -> str:
        """Name of the store."""
        ...

    @property
    def key(self) -> str:
        """Key of the object."""
        ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file, the resource that it stands in, and where its bytes lie."""

    resource: Resource
    path: str
    store: str
    key: str
    version: Version
    format: str
    content: str
    tags: str

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def member(self) -> str:
        """Its path in an archive of its resource."""
        return f"{self.resource.folder}/files/{self.path}"


def send_file(call: Call, file: StoredFile) -> Response | Later:
    """The bytes of a file, all or those asked for; of HEAD the headers alone."""
    part = choose_part(call.headers, file.version)
    headers = {
        **file.version.headers(),
        **part.headers(file.version),
        "Cache-Control": "private, must-revalidate",
        "Content-Disposition": disposition(file.name),
    }
    media_type = media_type_of(file.name)
    if call.method == "HEAD" or part.status in (304, 412, 416) or not part.length:
        return Response(status_code=part.status, headers=headers, media_type=media_type)

    def begin() -> Response:
        address = _address_in_bucket(call, file)
        if address is not None:
            return Response(status_code=TEMPORARY_REDIRECT, headers={"Location": address, "Cache-Control": "no-store"})
        pieces = open_exactly(call.site.archive, file, part.start, part.length)
        return begun(pieces, stores, part.status, headers, media_type)

    stores = frozenset([file.store])
    return Later(begin, stores)


class StoredPieces(StreamingResponse):
    """An answer whose bytes come out of these stores, piece by piece."""

    def __init__(
        self, pieces: Iterator[bytes], stores: frozenset[str], status: int, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(pieces, status, headers, media_type)
        self.pieces = pieces
        self.stores = stores


def begun(
    pieces: Iterator[bytes], stores: frozenset[str], status: int, headers: dict[str, str], media_type: str
) -> StoredPieces:
    """An answer whose first piece is there: what refuses it shows while the status can still say so."""
    return StoredPieces(joined(_with_first(pieces, 1)), stores, status, headers, media_type)


def begun_archive(
    pieces: Iterator[bytes], stores: frozenset[str], status: int, headers: dict[str, str], media_type: str
) -> StoredPieces:
    """As `begun`, of an archive, whose first piece is its own and whose second is of a file."""
    return StoredPieces(joined(_with_first(pieces, 2)), stores, status, headers, media_type)


def _with_first(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The pieces, of which so many are fetched at once."""
    return chain(list(islice(pieces, count)), pieces)


def joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces: each one costs a change of thread, which is more than a small file takes."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= JOINED_BYTES:
            yield b"".join(held) if len(held) > 1 else piece
            held.clear()
            size = 0
    if held:
        yield b"".join(held)


def open_exactly(archive: Archive, file: Stored, start: int, length: int) -> Iterator[bytes]:
    """Exactly so many bytes of a file, or StoreError: what was promised is never cut or padded."""
    left = length
    for piece in archive.open(file.store, file.key, start, length):
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left:
        message = f"Read {file.key}: the store holds another number of bytes than when it was taken in. Ingest again."
        raise StoreError(message, store=file.store, key=file.key)


def open_whole(archive: Archive, file: StoredFile) -> Iterator[bytes]:
    """All bytes of a file; the store is asked when the first is wanted."""
    if file.version.size:
        yield from open_exactly(archive, file, 0, file.version.size)


def media_type_of(name: str) -> str:
    """The type of a file by its name."""
    return next((type for end, type in _MEDIA_TYPES.items() if name.lower().endswith(end)), _BYTES)


def disposition(name: str) -> str:
    """`Content-Disposition` that makes any name safe. Source: RFC 6266, with the encoding of RFC 8187."""
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else "_" for letter in name
    )
    encoded = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{encoded}'


def _address_in_bucket(call: Call, file: StoredFile) -> str | None:
    settings = call.site.settings.files
    follows = call.headers.get("user-agent", "").startswith(FOLLOWERS)
    if call.parameters.has("redirect"):
        follows = call.parameters.is_true("redirect")
    if not (settings.redirect and follows):
        return None
    answer = {"response-content-disposition": disposition(file.name), "response-content-type": media_type_of(file.name)}
    return call.site.archive.presign(file.store, file.key, settings.redirect_s, answer)

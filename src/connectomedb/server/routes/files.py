"""Files: lists, content with ranges, zips, and the catalog of a resource."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from sqlalchemy import ColumnElement, Row, select
from starlette.responses import Response, StreamingResponse

from connectomedb.errors import AddressError, NotFound, StoreError
from connectomedb.server.archive import Archive
from connectomedb.server.query.places import Place
from connectomedb.server.routes.call import Call, Intake, Later, View
from connectomedb.server.routes.ranges import Version, choose_part
from connectomedb.server.routes.replies import TABLES, Format, choose_format, table
from connectomedb.server.routes.resource_changes import delete_below, post_resource, put_resource
from connectomedb.server.routes.resources import Resource, find_resources, list_resources
from connectomedb.server.routes.uploads import receive_files
from connectomedb.server.routes.zips import zip_reply
from connectomedb.server.tables.schema import files
from connectomedb.xnat.address import Address, Level
from connectomedb.xnat.document import plain_text
from connectomedb.xnat.resultset import ResultTable

_COLUMNS = ("Name", "Size", "URI", "collection", "file_tags", "file_format", "file_content", "cat_ID", "digest")
_CATALOG_NAMESPACE = "http://nrg.wustl.edu/catalog"
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


def names_files(address: Address) -> bool:
    """Whether an address names resources or files, and not the objects above them."""
    below = (Level.RESOURCES, Level.FILES)
    return address.listing in below or any(step.level in below for step in address.steps)


def change_files(call: Call, address: Address) -> Response | Intake:
    """Make or delete what an address of resources or files names."""
    if call.method == "DELETE":
        return delete_below(call, address)
    if address.listing is Level.FILES or address.get(Level.FILES) is not None:
        return receive_files(call, address)
    if address.listing is None:
        return put_resource(call, address)
    if call.method == "PUT":
        raise AddressError("Asked to put a list of resources. PUT one by its label, or POST it to the list.")
    return post_resource(call, address)


def get_files(call: Call, view: View, address: Address, place: Place) -> Response | Later:
    """What an address of resources or files names: a list, a catalog, a zip, or one file's bytes."""
    words, inside = address.get(Level.RESOURCES), address.get(Level.FILES)
    if not place.last:
        raise AddressError("Asked for resources of the site. They belong to a project or to something in it.")
    if address.listing is Level.RESOURCES:
        return list_resources(call, view, place)
    found = find_resources(view.connection, place, words)
    if inside is None and address.listing is None:
        return _catalog(view, found)
    if inside is not None and not inside.endswith("/"):
        return _one_file(call, view, found, inside)
    return _list(call, _in_folder(call, _load(view, found), inside))


def _one_file(call: Call, view: View, found: Sequence[Resource], path: str) -> Response | Later:
    held = _load(view, found, files.c.path == path)
    if not held and call.parameters.is_true("accept-not-found"):
        return Response(status_code=204)
    if not held:
        raise NotFound(f"There is no file {path!r} here. List the files of the resource to see what there is.")
    return send_file(call, held[0])


def send_file(call: Call, file: StoredFile) -> Response | Later:
    """The bytes of a file, all or those asked for; of HEAD the headers alone."""
    part = choose_part(call.headers, file.version)
    headers = {
        **file.version.headers(),
        **part.headers(file.version),
        "Cache-Control": "private, must-revalidate",
        "Content-Disposition": disposition(file.name),
    }
    media_type = next(
        (type for end, type in _MEDIA_TYPES.items() if file.name.endswith(end)), "application/octet-stream"
    )
    if call.method == "HEAD" or part.status in (304, 416) or not part.length:
        return Response(status_code=part.status, headers=headers, media_type=media_type)

    def begin() -> Response:
        pieces = open_exactly(call.site.archive, file, part.start, part.length)
        first = next(pieces)  # a store that refuses shows here, while the status can still say so
        return StreamingResponse(chain([first], pieces), part.status, headers, media_type)

    return Later(begin)


def open_exactly(archive: Archive, file: StoredFile, start: int, length: int) -> Iterator[bytes]:
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


def disposition(name: str) -> str:
    """`Content-Disposition` that makes any name safe. Source: RFC 6266, with the encoding of RFC 8187."""
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else "_" for letter in name
    )
    encoded = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{encoded}'


def _list(call: Call, held: Sequence[StoredFile]) -> Response | Later:
    """A table of files, or a zip of them; `index=n` gives the n-th as a file."""
    chosen = _filtered(call, held)
    index = call.parameters.get("index")
    if index:
        if not index.isdecimal() or len(index) > 9 or int(index) >= len(chosen):
            raise NotFound(f"There is no file of index {index!r} here. There are {len(chosen)} files.")
        return send_file(call, chosen[int(index)])
    if choose_format(call, (*TABLES, Format.ZIP), Format.JSON) is Format.ZIP:
        if not chosen:
            raise NotFound("There is no file to pack here. List the files to see what there is.")
        members = [
            (f"{file.resource.folder}/files/{file.path}", file.version.size, _opener(call, file)) for file in chosen
        ]
        return zip_reply(call.method, members, disposition(f"{chosen[0].resource.owner.label or 'files'}.zip"))
    rows = tuple(_row(file) for file in chosen)
    meta = [{"key": column} for column in _COLUMNS]
    return table(call, ResultTable(_COLUMNS, rows, "Files", len(rows), columns_meta=meta))


def _opener(call: Call, file: StoredFile) -> Iterator[bytes]:
    yield from open_exactly(call.site.archive, file, 0, file.version.size)


def _row(file: StoredFile) -> tuple[str, ...]:
    raw = file.path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return (
        *(file.name, str(file.version.size), f"{file.resource.address}/files/{raw}", file.resource.label),
        *(file.tags, file.format, file.content, str(file.resource.key), file.version.md5 or ""),
    )


def _filtered(call: Call, held: Sequence[StoredFile]) -> list[StoredFile]:
    """`file_content=` and `file_format=`, each a comma list."""
    chosen = list(held)
    contents, formats = (call.parameters.get(name) for name in ("file_content", "file_format"))
    if contents:
        chosen = [file for file in chosen if file.content in contents.split(",")]
    if formats:
        chosen = [file for file in chosen if file.format in formats.split(",")]
    return chosen


def _in_folder(call: Call, held: Sequence[StoredFile], folder: str | None) -> Sequence[StoredFile]:
    """The files of a folder (ends in `/`), at all depths unless `recursive=false`; of None, all."""
    if folder is None:
        return held
    inside = [file for file in held if file.path.startswith(folder)]
    if not inside:
        raise NotFound(f"There is no folder {folder!r} here. List the files of the resource to see what there is.")
    is_deep = not call.parameters.has("recursive") or call.parameters.is_true("recursive")
    return inside if is_deep else [file for file in inside if "/" not in file.path[len(folder) :]]


def _load(view: View, found: Sequence[Resource], condition: ColumnElement[bool] | None = None) -> list[StoredFile]:
    by_key = {resource.key: resource for resource in found}
    wanted = select(files).where(files.c.resource_key.in_(by_key))
    if condition is not None:
        wanted = wanted.where(condition)
    rows = view.connection.execute(wanted.order_by(files.c.resource_key, files.c.path))
    return [_stored_file(by_key[row.resource_key], row) for row in rows]


def _stored_file(resource: Resource, row: Row[*tuple[object, ...]]) -> StoredFile:
    return StoredFile(
        resource=resource,
        path=row.path,
        store=row.store,
        key=row.object_key,
        version=Version(row.size, row.md5, row.modified),
        format=row.format or "",
        content=row.content or "",
        tags=row.tags or "",
    )


def _catalog(view: View, found: Sequence[Resource]) -> Response:
    """The catalog of a resource, whatever format was asked; xnatpy knows it by exactly its first characters."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    id = ",".join(resource.label for resource in found)
    lines.append(f'<cat:Catalog ID={_attribute(id)} xmlns:cat="{_CATALOG_NAMESPACE}">')
    lines.append("<cat:entries>")
    for file in _load(view, found):
        path = _attribute(file.path)
        digest = f' digest="{file.version.md5}"' if file.version.md5 else ""
        lines.append(f"<cat:entry ID={path} URI={path}{digest} name={_attribute(file.name)}/>")
    lines += ["</cat:entries>", "</cat:Catalog>"]
    return Response("\n".join(lines), media_type="text/xml; charset=utf-8")


def _attribute(text: str) -> str:
    return quoteattr(plain_text(text))

"""Files: lists, content with ranges, zips, and the catalog of a resource."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Row, select
from starlette.responses import Response

from connectomedb.errors import AddressError, NotFound
from connectomedb.server.query.homes import names_above
from connectomedb.server.query.places import Place
from connectomedb.server.routes.call import Call, Later, View
from connectomedb.server.routes.catalogs import catalog
from connectomedb.server.routes.contents import StoredFile, send_file
from connectomedb.server.routes.entries import list_entries, send_entry
from connectomedb.server.routes.images import asks_for_image, look_into
from connectomedb.server.routes.packs import ARCHIVES, pack
from connectomedb.server.routes.ranges import Version
from connectomedb.server.routes.replies import TABLES, Format, choose_format, table
from connectomedb.server.routes.resources import Resource, find_resources, list_resources, owners_of
from connectomedb.server.tables.schema import files
from connectomedb.xnat.address import Address, Level
from connectomedb.xnat.resultset import ResultTable

_COLUMNS = ("Name", "Size", "URI", "collection", "file_tags", "file_format", "file_content", "cat_ID", "digest")
MAX_DIGITS = 9
MAX_DEPTH = 64


def get_files(call: Call, view: View, address: Address, place: Place) -> Response | Later:
    """What an address of resources or files names: a list, a catalog, a zip, or one file's bytes."""
    words, inside = address.get(Level.RESOURCES), address.get(Level.FILES)
    if not place.last:
        raise AddressError("Asked for resources of the site. They belong to a project or to something in it.")
    if address.listing is Level.RESOURCES:
        return list_resources(call, view, place)
    found = find_resources(view.connection, place, words, owners_of(call, view, place))
    if inside is None and address.listing is None:
        return catalog(found, load_files(view, found))
    if inside is not None and not inside.endswith("/"):
        return _one_file(call, view, found, inside)
    above = _folders_above(call, view, place)
    return _list(call, _in_folder(call, load_files(view, found), inside), above)


def _one_file(call: Call, view: View, found: Sequence[Resource], path: str) -> Response | Later:
    held = load_files(view, found, files.c.path == path)
    if held and call.parameters.is_true("listContents"):
        return list_entries(call, held[0])
    packed = () if held else _packed(view, found, path)
    for file, inner in packed:
        return send_entry(call, file, inner)
    if not held and call.parameters.is_true("accept-not-found"):
        return Response(status_code=204)
    if not held:
        raise NotFound(f"There is no file {path!r} here. List the files of the resource to see what there is.")
    if asks_for_image(call):
        return look_into(
            call, held[0], lambda: load_files(view, [held[0].resource], files.c.path.endswith(".surf.gii"))
        )
    return send_file(call, held[0])


def _packed(view: View, found: Sequence[Resource], path: str) -> list[tuple[StoredFile, str]]:
    """Stored zips that a path may reach into, `dir/x.zip!/inner/name` or without the `!`, with the inner name."""
    ends = [at for at, letter in enumerate(path) if letter == "/"][:MAX_DEPTH]
    inner = {path[:at].removesuffix("!"): path[at + 1 :] for at in ends if path[:at].removesuffix("!").endswith(".zip")}
    held = load_files(view, found, files.c.path.in_(inner)) if inner else []
    return [(file, inner[file.path]) for file in held]


def _list(call: Call, held: Sequence[StoredFile], above: Sequence[str]) -> Response | Later:
    """A table of files, or an archive of them below the folders `above`; `index=n` gives the n-th as a file."""
    chosen = _filtered(call, held)
    index = call.parameters.get("index")
    if index:
        if not index.isdecimal() or len(index) > MAX_DIGITS or int(index) >= len(chosen):
            raise NotFound(f"There is no file of index {index!r} here. There are {len(chosen)} files.")
        return send_file(call, chosen[int(index)])
    form = choose_format(call, (*TABLES, *ARCHIVES), Format.JSON)
    if form in ARCHIVES:
        return pack(call, form, [_below(file, above) for file in chosen])
    locator = call.parameters.get("locator")
    columns = [locator if column == "URI" and locator in LOCATORS else column for column in _COLUMNS]
    rows = tuple(_row(file, LOCATORS.get(locator, _uri)(call, file)) for file in chosen)
    meta = [{"key": column} for column in columns]
    return table(call, ResultTable(tuple(columns), rows, "Files", len(rows), columns_meta=meta))


def _folders_above(call: Call, view: View, place: Place) -> list[str]:
    """What an archive has above its folders when `projectIncludedInPath` and `subjectIncludedInPath` ask for it."""
    wishes = [call.parameters.is_true(f"{level}IncludedInPath") for level in ("project", "subject")]
    names = names_above(view.connection, place) if any(wishes) else ()
    return [name for name, is_wished in zip(names, wishes, strict=False) if is_wished and name]


def _below(file: StoredFile, above: Sequence[str]) -> StoredFile:
    """A file whose folder in an archive has these above it, but for the one that it begins with anyway."""
    begin = file.resource.folder.partition("/")[0]
    is_own = file.resource.owner.level in (Level.PROJECTS, Level.SUBJECTS)
    folders = [name for name in above if not (is_own and name == begin)]
    folder = "/".join((*folders, file.resource.folder))
    return replace(file, resource=replace(file.resource, folder=folder))


def _row(file: StoredFile, place: str) -> tuple[str, ...]:
    return (
        *(file.name, str(file.version.size), place, file.resource.label),
        *(file.tags, file.format, file.content, str(file.resource.key), file.version.md5 or ""),
    )


def _uri(call: Call, file: StoredFile) -> str:
    raw = file.path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return f"{file.resource.address}/files/{raw}"


def _absolute_path(call: Call, file: StoredFile) -> str:
    """Where the bytes lie, for programs beside the server."""
    return call.site.archive.locate(file.store, file.key)


def _project_path(call: Call, file: StoredFile) -> str:
    """The path below the folder of the project, as archives of it have it."""
    return file.member


LOCATORS: Mapping[str, Callable[[Call, StoredFile], str]] = {
    "absolutePath": _absolute_path,
    "projectPath": _project_path,
}
"""Columns that `locator=` puts in place of `URI`."""


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


def load_files(view: View, found: Sequence[Resource], condition: ColumnElement[bool] | None = None) -> list[StoredFile]:
    """Files of resources, in order of their paths."""
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

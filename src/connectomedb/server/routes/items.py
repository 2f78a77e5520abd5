"""Lists and objects from projects down to scans."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote, unquote

from starlette.responses import Response

from connectomedb.errors import AddressError, NotFound
from connectomedb.server.query.listing import Listing, compile_listing, few_shared
from connectomedb.server.query.places import Place, find_place
from connectomedb.server.routes import files
from connectomedb.server.routes.call import Call, Later, View, Way
from connectomedb.server.routes.documents import load_item
from connectomedb.server.routes.project_views import is_view, list_view
from connectomedb.server.routes.replies import (
    ITEMS,
    TABLES,
    Format,
    choose_format,
    json_document,
    table,
    table_of,
    xml_document,
)
from connectomedb.server.routes.rights import ceiling
from connectomedb.server.types.datatypes import DataType
from connectomedb.server.types.elements import shapes_of
from connectomedb.server.types.values import format_column, format_json_value, format_value
from connectomedb.server.types.xsd import PROV, XNAT, namespace_of
from connectomedb.xnat.address import Address, Level, parse_address
from connectomedb.xnat.document import format_item_json, format_item_xml
from connectomedb.xnat.resultset import ResultTable

_OF_SESSIONS: Mapping[Level, str] = {
    Level.SCANS: "experiment_key",
    Level.RECONSTRUCTIONS: "experiment_key",
    Level.ASSESSORS: "session_key",
}
"""Levels below an experiment → the column with its key."""


def get_address(call: Call) -> Response | Later:
    """Whatever an address of objects names: a list, an object, a resource or a file."""
    address = read_address(call.path)
    with call.view() as view:
        place = find_place(view.connection, view.caller, address)
        if (
            address.get(Level.RESOURCES)
            or address.get(Level.FILES)
            or address.listing in (Level.RESOURCES, Level.FILES)
        ):
            return files.get_files(call, view, address, place)
        if address.listing:
            return list_objects(call, view, address.listing, place)
        return get_item(call, view, place)


def read_address(path: str) -> Address:
    """The address of a path. Raises AddressError for tricks, NotFound for what is simply no address."""
    try:
        return parse_address(path)
    except AddressError:
        hostile = any(part in ("", ".", "..") or "\x00" in part for part in unquote(path).split("/")[1:])
        if hostile or "/resources/" in path:
            raise
        raise NotFound(f"There is nothing at {path}. Lists start at /data/projects.") from None


def list_objects(call: Call, view: View, level: Level, place: Place) -> Response:
    """A list of the objects of one level."""
    if level is Level.EXPERIMENTS and place.subject and not place.project:
        raise NotFound("Experiments of a subject stand below a project: /data/projects/P/subjects/S/experiments.")
    if level is Level.PROJECTS and is_view(call.parameters):
        return list_view(call, view)
    within = _within(level, place)
    shared = few_shared(view.connection, level, within["project_key"]) if "project_key" in within else None
    listing = compile_listing(level, call.parameters, view.names, view.details, within, shared)
    rows = view.connection.execute(listing.statement).all()
    headers = [column.header for column in listing.columns]
    if listing.type_column:
        headers = [listing.type_column, *headers]
    frame = ResultTable((*headers, "URI"), (), listing.frame.title, None if listing.is_paged else len(rows))
    form = format_json_value if choose_format(call, TABLES, Format.JSON) is Format.JSON else format_value
    return table_of(call, frame, [_cells(level, listing, rows, form)] if rows else [])


def get_item(call: Call, view: View, place: Place) -> Response:
    """One object as XML or JSON; its measures up to `tier=`."""
    if len(place.last) != 1:
        raise AddressError("Asked for one object. The address names several.")
    narrowed = replace(view, rights=view.rights.narrowed(ceiling(call.parameters)))
    item, data_type = load_item(narrowed, place.last[0])
    chosen = choose_format(call, ITEMS, Format.XML)
    if chosen is Format.JSON:
        return json_document(format_item_json(item))
    if chosen is Format.HTML:
        cells = tuple((name, str(value)) for name, value in item.fields.items())
        return table(call, ResultTable(("Field", "Value"), cells, data_type.singular))
    prefixes = {XNAT, PROV, *(other.name.partition(":")[0] for other in view.registry)}
    namespaces = {prefix: namespace_of(prefix) for prefix in sorted(prefixes)}
    location = f"{namespace_of('xnat')} {call.base_url}schemas/xnat/xnat.xsd"
    document = format_item_xml(
        item,
        _element(data_type),
        namespaces=namespaces,
        shapes=shapes_of(view.registry),
        schema_location=location,
    )
    return xml_document(document)


def _within(level: Level, place: Place) -> dict[str, int]:
    """Which objects are listed: those of the objects in the address."""
    if level in _OF_SESSIONS:
        assert place.experiment is not None, "they stand below an experiment in every address"
        return {_OF_SESSIONS[level]: place.experiment.key}
    above = {"project_key": place.project, "subject_key": place.subject}
    return {name: found.key for name, found in above.items() if found}


def _cells(
    level: Level, listing: Listing, rows: Sequence[Sequence[object]], form: Callable[[object], str]
) -> list[Sequence[str]]:
    """The columns of a list of at least one row, its addresses last."""
    _, ids, owners, *values = zip(*rows, strict=True)
    columns = [format_column(column, form) for column in values]
    if listing.type_column:
        columns = [format_column(ids), *columns]
    if level in (Level.SCANS, Level.RECONSTRUCTIONS):
        pairs = zip(owners, ids, strict=True)
        return [*columns, [f"/data/experiments/{_word(of)}/{level}/{_word(id)}" for of, id in pairs]]
    listed = Level.EXPERIMENTS if level is Level.ASSESSORS else level
    return [*columns, [f"/data/{listed}/{_word(id)}" for id in ids]]


def _word(id: object) -> str:
    """An identifier as an address has it; most need no encoding."""
    word = str(id)
    return word if word.isascii() and word.replace("_", "").isalnum() else quote(word, safe="")


def _element(data_type: DataType) -> str:
    return f"{data_type.name.partition(':')[0]}:{data_type.element}"


WAYS = (
    Way("GET", "/data/projects/{project}", get_address),  # `path` below leaves out names that hold a line break
    *(
        Way("GET", f"/data/{level}{rest}", get_address)
        for level in ("projects", "subjects", "experiments")
        for rest in ("", "/{address:path}")
    ),
)

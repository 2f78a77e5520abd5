"""The search engine: document in, table out; and what can be searched."""

from sqlalchemy import func, select
from starlette.responses import Response

from connectomedb.errors import AccessDenied, AddressError
from connectomedb.server.access.visible import closed_by_terms, reads_anything
from connectomedb.server.query.joins import Joins
from connectomedb.server.query.places import terms_stand_before
from connectomedb.server.query.sql import SearchColumn, Sort, compile_search
from connectomedb.server.routes.call import Call, View, Way
from connectomedb.server.routes.replies import Format, table
from connectomedb.server.types.columns import LAST_COLUMN
from connectomedb.server.types.datatypes import DataType, Display
from connectomedb.server.types.values import format_rows
from connectomedb.xnat.bundle import parse_bundle
from connectomedb.xnat.query import Query
from connectomedb.xnat.resultset import ResultTable

MAX_DOCUMENT_BYTES = 1 << 20

_ELEMENTS = ("ELEMENT_NAME", "SINGULAR", "PLURAL", "SECURED", "COUNT")
_FIELDS = ("FIELD_ID", "HEADER", "SUMMARY", "TYPE", "REQUIRES_VALUE", "DESC", "ELEMENT_NAME", "SRC")


def post_search(call: Call) -> Response:
    """Run the search that the body describes; what its Content-Type says does not matter."""
    query = parse_bundle(call.body)
    with call.view() as view:
        if not reads_anything(view.connection, view.caller):
            if waiting := closed_by_terms(view.connection, view.caller):
                raise terms_stand_before(waiting[0], call.path)
            raise AccessDenied("You may not read any project yet, so there is nothing to search. Ask an owner.")
        found = run_search(view, query, _sorts(call))
    return table(call, found)


def run_search(view: View, query: Query, sorts: tuple[Sort, ...] = ()) -> ResultTable:
    """The table of a search, limited to what the caller may read. Raises QueryError."""
    search = compile_search(query, view.names, view.details, sorts)
    width = len(search.columns)
    found = [(*row[1 : width + 1], "active") for row in view.connection.execute(search.statement)]
    rows = tuple(format_rows(found))
    return ResultTable(
        columns=(*(column.name for column in search.columns), LAST_COLUMN),
        rows=rows,
        total=len(rows),
        meta={"rootElementName": search.root.name},
        columns_meta=[*(_describe(column) for column in search.columns), {"key": LAST_COLUMN}],
    )


def get_elements(call: Call) -> Response:
    """The data types that can be searched, with the number of objects that the caller may read."""
    with call.view() as view:
        types = [data_type for data_type in view.registry if not data_type.is_abstract]
        rows = tuple(
            (data_type.name, data_type.singular, data_type.plural, "true", str(_count(view, data_type)))
            for data_type in types
        )
    return table(call, ResultTable(_ELEMENTS, rows, "Data-Types", len(rows)))


def get_fields(call: Call) -> Response:
    """The display fields of one type that the caller may use."""
    asked = call.words["data_type"]
    with call.view() as view:
        data_type = view.registry.find(asked)
        if data_type is None:
            raise AddressError(f"Asked for the fields of {asked!r}. There is no such data type.")
        rows = tuple(_field(data_type, display) for display in view.names.fields_of(data_type))
    meta = {"elementName": data_type.name}
    return table(call, ResultTable(_FIELDS, rows, "Search Fields", len(rows), meta), default=Format.XML)


def _count(view: View, data_type: DataType) -> int:
    joins = Joins(view.registry, data_type, view.rights, view.details)
    scope = joins.scope()
    count: int = view.connection.execute(select(func.count()).select_from(joins.clause).where(scope)).scalar_one()
    return count


def _field(data_type: DataType, display: Display) -> tuple[str, ...]:
    requires = "true" if display.takes_value else "false"
    return (display.id, display.header, display.summary, display.kind, requires, "", data_type.name, "0")


def _describe(column: SearchColumn) -> dict[str, str]:
    element = column.asked.data_type.name
    return {
        "key": column.name,
        "type": column.kind.value,
        "xPATH": f"{element}.{column.id}",
        "element_name": element,
        "header": column.header,
        "id": column.id,
    }


def _sorts(call: Call) -> tuple[Sort, ...]:
    is_descending = call.parameters.get("sortOrder").upper() == "DESC"
    words = call.parameters.get("sortBy").split(",")
    return tuple(Sort(word.strip().lower(), is_descending) for word in words if word.strip())


WAYS = (
    Way("POST", "/data/search", post_search, max_body_bytes=MAX_DOCUMENT_BYTES),
    Way("GET", "/data/search/elements", get_elements),
    Way("GET", "/data/search/elements/{data_type}", get_fields),
)

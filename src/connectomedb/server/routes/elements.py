"""What can be searched: data types, their display fields, and the lists of columns made from them."""

import json

from sqlalchemy import func, select
from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.query.generated import VERSIONS, listed_fields
from connectomedb.server.query.joins import Joins
from connectomedb.server.routes.call import Call, View
from connectomedb.server.routes.replies import Format, json_document, table
from connectomedb.server.types.datatypes import DataType, Display
from connectomedb.xnat.resultset import ResultTable

_ELEMENTS = ("ELEMENT_NAME", "SINGULAR", "PLURAL", "SECURED", "COUNT")
_FIELDS = ("FIELD_ID", "HEADER", "SUMMARY", "TYPE", "REQUIRES_VALUE", "DESC", "ELEMENT_NAME", "SRC")


def get_elements(call: Call) -> Response:
    """The data types that can be searched, with the number of objects that the caller may read.

    `secured` keeps types with or without access control (all have it), `used` those with objects,
    `readable` those of which the caller may read any.
    """
    parameters = call.parameters
    is_secured = not parameters.has("secured") or parameters.is_true("secured")
    needs_objects = parameters.is_true("used") or parameters.is_true("readable")
    with call.view() as view:
        types = [data_type for data_type in view.registry if not data_type.is_abstract and is_secured]
        counted = [(data_type, _count(view, data_type)) for data_type in types]
    rows = tuple(
        (data_type.name, data_type.singular, data_type.plural, "true", str(count))
        for data_type, count in counted
        if count or not needs_objects
    )
    return table(call, ResultTable(_ELEMENTS, rows, "Data-Types", len(rows)))


def get_fields(call: Call) -> Response:
    """The display fields of one type that the caller may use."""
    with call.view() as view:
        data_type = _asked_type(call, view)
        rows = tuple(_field(data_type, display) for display in view.names.fields_of(data_type))
    meta = {"elementName": data_type.name}
    return table(call, ResultTable(_FIELDS, rows, "Search Fields", len(rows), meta), default=Format.XML)


def get_versions(call: Call) -> Response:
    """The lists of columns of one type: the usual one, and all."""
    with call.view() as view:
        data_type = _asked_type(call, view)
        versions = [
            {
                "name": version,
                "fields": [
                    {
                        "id": field.field_id,
                        "header": field.header,
                        "element_name": field.element,
                        "visible": field.is_visible,
                    }
                    for field in listed_fields(data_type, view.names, version)
                ],
            }
            for version in VERSIONS
        ]
    return json_document(json.dumps({"ResultSet": {"versions": versions}}).encode())


def _asked_type(call: Call, view: View) -> DataType:
    asked = call.words["data_type"]
    data_type = view.registry.find(asked)
    if data_type is None:
        raise AddressError(f"Asked for the fields of {asked!r}. There is no such data type.")
    return data_type


def _count(view: View, data_type: DataType) -> int:
    joins = Joins(view.registry, data_type, view.rights, view.details)
    scope = joins.scope()
    count: int = view.connection.execute(select(func.count()).select_from(joins.clause).where(scope)).scalar_one()
    return count


def _field(data_type: DataType, display: Display) -> tuple[str, ...]:
    requires = "true" if display.takes_value else "false"
    return (display.id, display.header, display.summary, display.kind, requires, "", data_type.name, "0")

"""XML schemas of the data types, and the names of types and fields in them. They name what the caller may see."""

import json

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.server.routes.call import Call, View, Way
from connectomedb.server.routes.replies import json_document
from connectomedb.server.types.datatypes import DataType
from connectomedb.server.types.xsd import format_schema, schema_names


def get_schemas(call: Call) -> Response:
    """Names of the schemas."""
    with call.view() as view:
        return _json(schema_names(view.registry))


def get_data_types(call: Call) -> Response:
    """Names of the data types."""
    with call.view() as view:
        return _json([data_type.name for data_type in view.registry])


def get_fields(call: Call) -> Response:
    """Schema paths of one data type; of `all` by type."""
    asked = call.words["data_type"]
    with call.view() as view:
        if asked == "all":
            return _json({data_type.name: _paths(data_type, view) for data_type in view.registry})
        data_type = view.registry.find(asked)
        if data_type is None:
            raise NotFound(f"There is no data type {asked!r}. /xapi/schemas/datatypes lists those that there are.")
        return _json(_paths(data_type, view))


def get_schema(call: Call) -> Response:
    """One schema, by its name, with or without its folder and `.xsd`."""
    name = call.words["name"].rpartition("/")[2].removesuffix(".xsd")
    with call.view() as view:
        if name not in schema_names(view.registry):
            raise NotFound(f"There is no schema {name!r}. /xapi/schemas lists those that there are.")
        return Response(format_schema(name, view.registry, view.rights), media_type="application/xml")


def _paths(data_type: DataType, view: View) -> list[str]:
    return [
        f"{data_type.name}/{path.path}"
        for path in view.registry.paths(data_type)
        if view.rights.may_use(path.tier) and not path.path.startswith("meta/")
    ]


def _json(content: object) -> Response:
    return json_document(json.dumps(content).encode())


WAYS = (
    Way("GET", "/xapi/schemas", get_schemas),
    Way("GET", "/xapi/schemas/datatypes", get_data_types),
    Way("GET", "/xapi/schemas/datatypes/names/all", get_data_types),
    Way("GET", "/xapi/schemas/datatypes/elements/{data_type}", get_fields),
    Way("GET", "/xapi/schemas/{name:path}", get_schema),
    Way("GET", "/schemas/{name:path}", get_schema),
)

"""XML schemas of the data types, which xnatpy reads to make its classes.

`xsd/xnat.xsd` is written by hand; the schema of every other prefix is made from the data types of
measures. A caller's schema names only the measures that the caller may see.
"""

import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from xml.sax.saxutils import quoteattr

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.server.routes.call import Call, View, Way
from connectomedb.server.routes.replies import json_document
from connectomedb.server.types.datatypes import DataType, Kind, local_name

NAMESPACES: Mapping[str, str] = {
    "xnat": "http://nrg.wustl.edu/xnat",
    "xdat": "http://nrg.wustl.edu/xdat",
}
_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_TYPES: Mapping[Kind, str] = {Kind.INTEGER: "xs:integer", Kind.FLOAT: "xs:float"}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def namespace_of(prefix: str) -> str:
    """The namespace of a prefix, as XNAT forms them."""
    return NAMESPACES.get(prefix, f"http://nrg.wustl.edu/{prefix}")


def get_schemas(call: Call) -> Response:
    """Names of the schemas."""
    with call.view() as view:
        return json_document(json.dumps(["xnat", "xdat", *_prefixes(view.registry)]).encode())


def get_data_types(call: Call) -> Response:
    """Names of the data types."""
    with call.view() as view:
        return json_document(json.dumps([data_type.name for data_type in view.registry]).encode())


def get_schema(call: Call) -> Response:
    """One schema, by its name, with or without its folder and `.xsd`."""
    name = call.words["name"].rpartition("/")[2].removesuffix(".xsd")
    with call.view() as view:
        if name in NAMESPACES:
            content = (files("connectomedb.server") / "xsd" / f"{name}.xsd").read_bytes()
        elif name in _prefixes(view.registry):
            content = _format_schema(name, view).encode()
        else:
            raise NotFound(f"There is no schema {name!r}. /xapi/schemas lists those that there are.")
    return Response(content, media_type="application/xml")


def _prefixes(types: Iterable[DataType]) -> list[str]:
    """Prefixes of data types of measures."""
    return sorted({data_type.name.partition(":")[0] for data_type in types if data_type.is_measures})


def _format_schema(prefix: str, view: View) -> str:
    types = [data_type for data_type in view.registry if data_type.is_measures]
    own = [data_type for data_type in types if data_type.name.startswith(f"{prefix}:")]
    namespace = namespace_of(prefix)
    lines = [
        f'{_HEAD}<xs:schema targetNamespace="{namespace}" xmlns:{prefix}="{namespace}" '
        f'xmlns:xnat="{NAMESPACES["xnat"]}" xmlns:xdat="{NAMESPACES["xdat"]}" {_XS}>',
        *(f'<xs:element name="{data_type.element}" type="{data_type.name}"/>' for data_type in own),
        *(_format_type(data_type, view) for data_type in own),
        "</xs:schema>\n",
    ]
    return "\n".join(lines)


def _format_type(data_type: DataType, view: View) -> str:
    elements = "".join(
        f"<xs:element name={quoteattr(path.path)} type={quoteattr(_TYPES.get(path.kind, 'xs:string'))}/>\n"
        for path in data_type.paths
        if view.rights.may_use(path.tier) and _ELEMENT.fullmatch(path.path)
    )
    return (
        f'<xs:complexType name="{local_name(data_type.name)}"><xs:complexContent>'
        f'<xs:extension base="{data_type.parent}"><xs:sequence>\n{elements}'
        "</xs:sequence></xs:extension></xs:complexContent></xs:complexType>"
    )


WAYS = (
    Way("GET", "/xapi/schemas", get_schemas),
    Way("GET", "/xapi/schemas/datatypes", get_data_types),
    Way("GET", "/xapi/schemas/{name:path}", get_schema),
    Way("GET", "/schemas/{name:path}", get_schema),
)

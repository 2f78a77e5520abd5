"""Catalogs: the XML list of a resource's files, and the request to bring it up to date."""

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.contents import StoredFile
from connectomedb.server.routes.owners import find_owners
from connectomedb.server.routes.parameters import parse_parameters
from connectomedb.server.routes.replies import text
from connectomedb.server.routes.resources import Resource, find_resources
from connectomedb.xnat.address import Level, parse_address
from connectomedb.xnat.document import plain_text

MAX_FORM_BYTES = 64 << 10
_NAMESPACE = "http://nrg.wustl.edu/catalog"


def catalog(found: Sequence[Resource], held: Sequence[StoredFile]) -> Response:
    """The catalog of resources, whatever format was asked; xnatpy knows it by exactly its first characters."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    id = ",".join(resource.label for resource in found)
    lines.append(f'<cat:Catalog ID={_attribute(id)} xmlns:cat="{_NAMESPACE}">')
    lines.append("<cat:entries>")
    for file in held:
        path = _attribute(file.path)
        digest = f' digest="{file.version.md5}"' if file.version.md5 else ""
        words = "".join(
            f" {name}={_attribute(value)}"
            for name, value in (("format", file.format), ("content", file.content))
            if value
        )
        lines.append(f"<cat:entry ID={path} URI={path}{digest}{words} name={_attribute(file.name)}/>")
    lines += ["</cat:entries>", "</cat:Catalog>"]
    return Response("\n".join(lines), media_type="text/xml; charset=utf-8")


def refresh_catalog(call: Call) -> Response:
    """Nothing is to be done, for catalogs are made from rows that are always exact; but who asks must have the right.

    `resource=` names an object, a resource or its files, once or several times.
    """
    parameters = [*call.parameters.pairs, *parse_parameters(call.body.decode("utf-8", "replace")).pairs]
    named = [value for name, value in parameters if name == "resource"]
    if not named:
        raise AddressError("Asked to refresh a catalog. Name it: resource=/archive/projects/P/resources/R.")
    with call.view() as view:
        for path in named:
            address = parse_address(path.removeprefix("/archive"))
            find_owners(view.connection, call.signed_in, address)
            place = find_place(view.connection, view.caller, address, is_inside=True)
            find_resources(view.connection, place, address.get(Level.RESOURCES))
    return text("")


def _attribute(text: str) -> str:
    return quoteattr(plain_text(text))


WAYS = (Way("POST", "/data/services/refresh/catalog", refresh_catalog, max_body_bytes=MAX_FORM_BYTES),)

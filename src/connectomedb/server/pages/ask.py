"""What pages show, they ask of the REST API: its own handlers, for the same caller, without a network between.

So a page can show nothing that its reader could not ask for, and refuses in the same words.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import compile_path

from connectomedb.errors import AuthenticationFailed, NotFound, TooLarge
from connectomedb.server.access.login import REFUSED
from connectomedb.server.routes.call import Call, Later, Reading, Way
from connectomedb.server.routes.parameters import parse_parameters
from connectomedb.server.routes.ways import REST
from connectomedb.server.routes.wrappers import plain_path


def ask(
    call: Call, address: str, method: str = "GET", *, body: bytes = b"", parameters: Mapping[str, str] | None = None
) -> Response:
    """The REST API's answer to the caller. `address`: percent-encoded, without a query.

    Raises whatever the route raises. May wait for a store; see `apart`.
    """
    path = plain_path(address.encode())
    way, words = _find(method, unquote(path))
    if call.caller is None and not way.is_open:
        raise AuthenticationFailed(REFUSED, status=401)
    asked = replace(
        call,
        method=method,
        path=path,
        words=words,
        parameters=parse_parameters(urlencode(parameters or {})),
        headers=Headers(),
        body=body,
    )
    reply = way.handler(asked)
    if isinstance(reply, Reading):
        reply = reply.begin()
    if isinstance(reply, Later):
        reply = reply.begin()
    assert isinstance(reply, Response), "pages upload no files"
    return reply


def ask_json(call: Call, address: str, method: str = "GET", **parameters: str) -> Any:
    """The answer's JSON, read. Raises TooLarge where it is too long for a page."""
    reply = ask(call, address, method, parameters=parameters)
    if not hasattr(reply, "body"):
        raise TooLarge(f"Asked for {address} as a page. It is too long for one; read it over the REST API.")
    return json.loads(bytes(reply.body))


def ask_rows(call: Call, address: str, **parameters: str) -> list[dict[str, str]]:
    """The rows of a table, each by column."""
    rows: list[dict[str, str]] = ask_json(call, address, **{"format": "json"}, **parameters)["ResultSet"]["Result"]
    return rows


@cache
def _patterns() -> list[tuple[Way, Any]]:
    return [(way, compile_path(way.path)[0]) for way in REST]


def _find(method: str, path: str) -> tuple[Way, Mapping[str, str]]:
    for way, pattern in _patterns():
        found = pattern.match(path) if method in way.methods.split() else None
        if found:
            return way, found.groupdict()
    raise NotFound(f"There is nothing at {path}.", status=404)

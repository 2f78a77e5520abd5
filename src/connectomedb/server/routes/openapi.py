"""What the REST API offers, as an OpenAPI description that is made from the table of its routes.

A route says its methods, its path and whether it is open; the first line of its handler's docstring is its summary.
Addresses of objects, which one route takes at any depth, are written out level by level. Source: OpenAPI 3.1.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from connectomedb.__about__ import __version__
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.replies import json_value
from connectomedb.xnat.address import LEVELS, Level

Operation = dict[str, Any]

_WORD = re.compile(r"\{(\w+)(?::\w+)?\}")
_ADDRESS, _OWNER = "/{address:path}", "{above:owner}"
_RESPONSES = "#/components/responses/"
_FILES = (Level.RESOURCES, Level.FILES)

_LISTING = ("columns", "xsiType", "sortBy", "sortOrder", "limit", "offset")
_UPLOAD = ("inbody", "extract", "overwrite", "content", "tags", "description", "reference")
_QUERY: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("GET", r".*", ("format",)),
    ("GET", r"/data/.*(projects|subjects|experiments|scans|assessors|reconstructions)", _LISTING),
    ("GET", r"/data/projects", ("accessible", "owner", "member", "collaborator", "data", "favorite", "recent")),
    ("GET", r".*/files(/\{path\})?", ("locator", "index", "file_content", "file_format", "recursive", "listContents")),
    ("PUT POST", r".*/files(/\{path\})?", (*_UPLOAD, "format")),
    ("PUT POST", r".*/resources/\{label\}", ("format", "content", "tags", "description")),
    ("PUT POST", r"/data/(projects|subjects|experiments).*", ("xsiType", "req_format", "label", "allowDataDeletion")),
    ("PUT", r".*/projects/\{target\}", ("primary",)),
    ("DELETE", r"/data/.*", ("removeFiles",)),
    ("GET POST", r"/data/search.*", ("cache", "refresh", "sortBy", "sortOrder", "limit", "offset")),
    ("GET POST", r".*/explore.*", ("where", "column", "columns", "pattern", "limit", "offset")),
    ("POST", r"/data/services/import", ("project", "subject", "session", "dest", "src", "overwrite", "resource")),
    ("GET POST", r"/spring/download", ("subjects", "package", "project", "view", "destination")),
)
"""Methods, paths, and the query parameters that they take; lists and objects take names of fields besides."""


def ways_of(routes: Callable[[], Sequence[Way]]) -> tuple[Way, ...]:
    """The route of the description of these routes, itself among them."""

    def get_description(call: Call) -> Response:
        """This description."""
        return json_value(describe(routes(), call.base_url))

    return (Way("GET", "/xapi/openapi.json", get_description),)


def describe(routes: Sequence[Way], address: str) -> Mapping[str, Any]:
    """The OpenAPI document of routes, of which the first that fits wins, at an address."""
    paths: dict[str, dict[str, Operation]] = {}
    names: dict[str, str] = {}
    for way in routes:
        for path in _written_out(way.path):
            same = names.setdefault(_WORD.sub("{}", path), path)  # one path, whatever its words are called
            for method in way.methods.split():
                paths.setdefault(same, {}).setdefault(method.lower(), _operation(way, method, same))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ConnectomeDB",
            "version": __version__,
            "description": "XNAT's REST API, and what is beyond.",
        },
        "servers": [{"url": address.rstrip("/")}],
        "security": [{"basic": []}, {"session": []}],
        "paths": paths,
        "components": {
            "responses": {
                "done": {"description": "Done: a table, a document, the bytes of a file, or nothing."},
                "refused": {"description": "Refused, in one sentence.", "content": {"text/plain": {}}},
            },
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "Login and password, or an alias token."},
                "session": {"type": "apiKey", "in": "cookie", "name": "JSESSIONID"},
            },
        },
    }


def _written_out(path: str) -> Iterator[str]:
    """Paths as OpenAPI has them: no word stands for several parts, but for paths of files."""
    if path.endswith(_ADDRESS):
        top = Level(path.removeprefix("/data/").removesuffix(_ADDRESS))
        for place in _objects(f"/data/{top}/{_name(top)}", top):
            yield place
            for level in LEVELS[_last(place)]:
                yield f"{place}/{level}"
                if level is Level.RESOURCES:
                    yield from (f"{place}/resources/{{label}}{below}" for below in ("", "/files", "/files/{path}"))
                elif level is Level.FILES:
                    yield f"{place}/files/{{path}}"
    elif _OWNER in path:
        before, _, below = path.partition(_OWNER)
        for top in LEVELS[None]:
            for place in _objects(f"{before}{top}/{_name(top)}", top):
                yield f"{place}{_plain(below)}"
                if below.endswith("/resources/{label:path}"):
                    yield from (f"{place}/resources/{{label}}/files{rest}" for rest in ("", "/{path}"))
    else:
        yield _plain(path)


def _objects(place: str, level: Level) -> Iterator[str]:
    """An object of a level, and all that may stand below it but files."""
    yield place
    for below in LEVELS[level]:
        if below not in _FILES and not (level is Level.SUBJECTS and place.startswith("/data/subjects")):
            yield from _objects(f"{place}/{below}/{_name(below)}", below)


def _last(place: str) -> Level:
    return Level(place.split("/")[-2])


def _name(level: Level) -> str:
    return f"{{{level.removesuffix('s')}}}"


def _plain(path: str) -> str:
    return _WORD.sub(r"{\1}", path)


def _operation(way: Way, method: str, path: str) -> Operation:
    text = {"schema": {"type": "string"}}
    words = [{"name": name, "in": "path", "required": True, **text} for name in _WORD.findall(path)]
    rows = (names for methods, of, names in _QUERY if method in methods.split() and re.fullmatch(of, path))
    asked = dict.fromkeys(name for names in rows for name in names)
    found: Operation = {
        "summary": (inspect.getdoc(way.handler) or "").partition("\n")[0],
        "parameters": [*words, *({"name": name, "in": "query", **text} for name in asked)],
        "responses": {"200": {"$ref": f"{_RESPONSES}done"}, "default": {"$ref": f"{_RESPONSES}refused"}},
    }
    if method in ("PUT", "POST"):
        found["requestBody"] = {"content": {"application/octet-stream": {}, "multipart/form-data": {}}}
    if way.is_open:
        found["security"] = []
    return found

"""The caller's own files, put aside for an import: `/data/user/cache/resources/R/files/...`.

| request                         | answer                                              |
|---------------------------------|-----------------------------------------------------|
| GET resources, .../R/files      | tables                                              |
| PUT resources/R                 | an empty resource                                   |
| PUT, POST .../R/files[/path]    | files as anywhere: raw, a form, `extract=true`      |
| GET, HEAD .../R/files/path      | the bytes, with ranges                              |
| DELETE resources/R, .../path    | gone                                                |

Source: XNAT's user cache service.
"""

from pathlib import Path
from urllib.parse import unquote

from starlette.responses import FileResponse, Response

from connectomedb.errors import AddressError
from connectomedb.server.intake.user_cache import UserCache
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.owners import check_label
from connectomedb.server.routes.replies import table, text
from connectomedb.server.routes.uploads import Reception, paths_of
from connectomedb.server.types.values import format_value
from connectomedb.xnat.resultset import ResultTable

_ROOT = "/data/user/cache/resources"


def list_cached(call: Call) -> Response:
    """The resources of the caller's cache."""
    cache = _cache(call)
    rows = []
    for label in cache.resources():
        held = cache.files(label)
        rows.append((label, str(len(held)), str(sum(file.size for file in held)), f"{_ROOT}/{label}"))
    return table(call, ResultTable(("label", "file_count", "file_size", "URI"), tuple(rows), "Resources", len(rows)))


def put_cached(call: Call) -> Response:
    """Make a resource."""
    _cache(call).make(_label(call))
    return text("")


def list_cached_files(call: Call) -> Response:
    """The files of one resource."""
    label = _label(call)
    rows = tuple(
        (
            file.path.rpartition("/")[2],
            str(file.size),
            f"{_ROOT}/{label}/files/{file.path}",
            format_value(file.modified),
        )
        for file in _cache(call).files(label)
    )
    return table(call, ResultTable(("Name", "Size", "URI", "last_modified"), rows, "Files", len(rows)))


def get_cached_file(call: Call) -> Response:
    """The bytes of one file."""
    found = _cache(call).find(_label(call), call.words["path"])
    return FileResponse(found, media_type="application/octet-stream", filename=found.name)


def delete_cached(call: Call) -> Response:
    """Delete a resource, or one of its files."""
    _cache(call).delete(_label(call), call.words.get("path"))
    return text("")


def upload_cached(call: Call) -> "CacheUpload":
    """Make ready for an upload into the caller's cache."""
    return CacheUpload(call, _cache(call), _label(call))


class CacheUpload:
    """One upload under way."""

    def __init__(self, call: Call, cache: UserCache, label: str) -> None:
        self._call = call
        self._cache = cache
        self._label = label
        self._received = Reception(call)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._received.feed(piece)

    def finish(self) -> Response:
        """Keep what came; what had the same path is replaced."""
        for path, part in paths_of(self._call, self._received, self._call.words.get("path", "")):
            self._cache.keep(self._label, path, part)
        return text("")

    def drop(self) -> None:
        """Remove what was not kept."""
        self._received.drop()


def cached_file(call: Call, source: str) -> Path:
    """The file of the caller's cache that `src=` names, with or without `/data`. Raises AddressError, NotFound."""
    prefix = f"{_ROOT.removeprefix('/data')}/"
    label, _, path = unquote(source.removeprefix("/data")).removeprefix(prefix).partition("/files/")
    if not source.removeprefix("/data").startswith(prefix) or not path:
        raise AddressError(f"Asked for src={source[:80]!r}. Name a file of your cache: {prefix}R/files/x.zip.")
    check_label(label)
    return _cache(call).find(label, path)


def _cache(call: Call) -> UserCache:
    return UserCache(call.site.folder.cache, call.signed_in.key, call.site.settings.files.max_upload_bytes)


def _label(call: Call) -> str:
    check_label(call.words["resource"])
    return call.words["resource"]


WAYS = (
    Way("GET", _ROOT, list_cached),
    Way("PUT", f"{_ROOT}/{{resource}}", put_cached),
    Way("GET", f"{_ROOT}/{{resource}}", list_cached_files),
    Way("DELETE", f"{_ROOT}/{{resource}}", delete_cached),
    Way("GET", f"{_ROOT}/{{resource}}/files", list_cached_files),
    Way("PUT POST", f"{_ROOT}/{{resource}}/files", upload_cached),
    Way("GET", f"{_ROOT}/{{resource}}/files/{{path:path}}", get_cached_file),
    Way("PUT POST", f"{_ROOT}/{{resource}}/files/{{path:path}}", upload_cached),
    Way("DELETE", f"{_ROOT}/{{resource}}/files/{{path:path}}", delete_cached),
)

"""Styles and scripts: files of `web/static` (ours) and `web/vendor` (put there by the build).

All have one version, a hash over them all, in their address: modules find each other by relative names, and a
browser keeps each for as long as nothing changed. They are packed once per process.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.responses import Response

import connectomedb
from connectomedb.errors import NotFound
from connectomedb.server.routes.call import Call, Later, Way

WEB = Path(connectomedb.__file__).parent / "web"
VENDOR = "vendor/"
"""Begins names of what the build brought."""

MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wasm": "application/wasm",
}
"""Kinds of files that are assets; whatever else lies in the folders is none."""

_PACKED = (".css", ".js", ".mjs", ".svg", ".wasm")
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, and its bytes in gzip where that is worth it."""

    content: bytes
    packed: bytes | None
    media_type: str


def find_assets() -> Mapping[str, Path]:
    """All assets by name; those of the build begin with `vendor/`."""
    return {
        prefix + path.relative_to(folder).as_posix(): path
        for prefix, folder in (("", WEB / "static"), (VENDOR, WEB / "vendor"))
        for path in sorted(folder.rglob("*"))
        if path.suffix in MEDIA_TYPES and path.is_file()
    }


def has_asset(name: str) -> bool:
    """Whether there is such an asset; those of the build may be missing."""
    return name in _shelf()


def asset_address(name: str) -> str:
    """Where an asset is served. Raises NotFound for one that is not there."""
    if name not in _shelf():
        raise NotFound(f"This server was installed without {name}. Install it again where npm is there.")
    return f"/static/{_version()}/{name}"


def get_asset(call: Call) -> Later:
    """One asset. An address of another version, of a page from before an update, gives the present one, unkept."""
    name = call.words["name"]
    path = _shelf().get(name)
    if path is None:
        raise NotFound(f"There is nothing at {call.path}.", status=404)

    def begin() -> Response:
        asset = _load(path)
        is_packed = asset.packed is not None and "gzip" in call.headers.get("accept-encoding", "")
        headers = {"Vary": "Accept-Encoding"}
        headers["Cache-Control"] = _FOREVER if call.words["version"] == _version() else "no-cache"
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        return Response(asset.packed if is_packed else asset.content, headers=headers, media_type=asset.media_type)

    return Later(begin)


@cache
def _shelf() -> Mapping[str, Path]:
    return find_assets()


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for name, path in _shelf().items():
        digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


@cache
def _load(path: Path) -> Asset:
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0) if path.suffix in _PACKED else None
    return Asset(content, packed, MEDIA_TYPES[path.suffix])


WAYS = (Way("GET", "/static/{version}/{name:path}", get_asset, is_open=True),)

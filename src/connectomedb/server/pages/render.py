"""Templates → pages, with the headers that let a page run our own scripts and nothing else."""

import shlex
from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from connectomedb.__about__ import __version__
from connectomedb.server.access.login import csrf_token
from connectomedb.server.pages.assets import WEB, asset_address, has_asset
from connectomedb.server.pages.messages import MESSAGES
from connectomedb.server.routes.call import Call

POLICY: Mapping[str, str] = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
"""The Content-Security-Policy of pages."""


def render(
    call: Call | None,
    template: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page for who asks; without a call, for nobody.

    Args:
        template: name of a file in `web/templates`.
        values: what the template needs; `project` (ID) and `tier` shape the frame, too.
    """
    caller = call.caller if call else None
    is_guest = caller is not None and caller.is_guest
    frame = {
        "project": None,
        "tier": "open",
        "message": MESSAGES.get(call.parameters.get("done"), "") if call else "",
        "login": caller.login if caller and not is_guest else "",
        "is_guest": is_guest,
        "is_admin": bool(caller and caller.is_admin),
        "csrf": csrf_token(call.session_id) if call and call.session_id else "",
        "here": call.path if call else "",
        "origin": call.base_url.rstrip("/") if call else "",
        "whom": shlex.join(["--user", caller.login] if caller and not is_guest else ["--anonymous"]),
        "version": __version__,
    }
    page = _environment().get_template(template).render({**frame, **values})
    sent = {
        "Content-Security-Policy": policy(POLICY),
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        **(headers or {}),
    }
    return Response(page, status, sent, "text/html; charset=utf-8")


def policy(directives: Mapping[str, str]) -> str:
    """A Content-Security-Policy as its header has it."""
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def bytes_in_words(count: int | str) -> str:
    """`1.3 GB`: a number of bytes for people, in powers of 1000."""
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 99.5 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def segment(text: object) -> str:
    """Text as one part of an address's path."""
    return quote(str(text), safe=":")


def file_path(text: object) -> str:
    """Text as several parts of an address's path."""
    return quote(str(text), safe="/")


def anchor(text: object) -> str:
    """A name as the `id` of an element."""
    return "_".join(str(text).split())


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset_address, has_asset=has_asset)
    made.filters.update(size=bytes_in_words, segment=segment, path=file_path, anchor=anchor)
    return made

"""Requests that a page of another site makes a browser send, with the user's cookie, to change something.

Programs (pyxnat, xnatpy, curl) say nothing of where a request comes from, and need no token. Browsers always do, and
no page can make them lie: what comes from another site is refused, unless it bears the session's own token, which
only our own pages can read. `Sec-Fetch-Site` decides; browsers that lack it send `Origin`.
Source: Fetch Metadata (W3C); the Fetch standard on `Origin`.
"""

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from connectomedb.errors import AccessDenied
from connectomedb.server.access.login import csrf_token
from connectomedb.server.routes.parameters import Parameters

PARAMETER = "XNAT_CSRF"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_OWN = ("same-origin", "none")


def check_origin(headers: Headers, parameters: Parameters, session_id: str | None) -> None:
    """Raises AccessDenied for a changing request of another site's page without the session's token."""
    if is_own(headers):
        return
    right = csrf_token(session_id) if session_id else ""
    if not right or not hmac.compare_digest(parameters.get(PARAMETER).encode(), right.encode()):
        raise AccessDenied("A page of another site asked to change something here. That is refused.", status=403)


def is_own(headers: Headers) -> bool:
    """Whether a request comes from a program, from the user herself, or from a page of this server."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site.strip().lower() in _OWN
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    except ValueError:  # it is no address
        return False

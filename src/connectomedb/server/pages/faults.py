"""Refusals and faults as pages, in the same words as the REST API, for browsers that can show them."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from connectomedb.errors import TermsNotAccepted
from connectomedb.server.pages.forms import send_on
from connectomedb.server.pages.render import render

CALL = "cdb_call"
"""Key of the scope under which the application keeps what it knows of a request."""

_TITLES: Mapping[int, str] = {
    400: "This cannot be asked",
    401: "Sign in",
    403: "Not open to you",
    404: "Nothing is here",
    405: "Not possible here",
    409: "Something else came first",
    413: "Too much at once",
    422: "This cannot be read",
    429: "Too many attempts",
    502: "The store does not answer",
    503: "Busy",
}
_PROJECT = re.compile(r"(?:/data)?/projects/([^/]+)")


def takes_pages(headers: Headers) -> bool:
    """Whether who asks shows HTML to a person: browsers say so when they follow a link."""
    return "text/html" in headers.get("accept", "")


def challenge(headers: Headers) -> str:
    """How to sign in. Scripts of pages are not told of Basic, for which browsers would show a window of their own."""
    return 'Form realm="ConnectomeDB"' if "sec-fetch-mode" in headers else 'Basic realm="ConnectomeDB"'


def fault_page(
    request: Request, status: int, sentence: str, headers: Mapping[str, str], error: Exception | None = None
) -> Response:
    """The page of a refusal; who is not signed in is sent to do so, and comes back."""
    call = request.scope.get(CALL)
    if status == 401 and "authorization" not in request.headers and request.url.path != "/login":
        return _to_login(request)
    found = _PROJECT.match(request.url.path)
    waiting = unquote(found[1]) if found and isinstance(error, TermsNotAccepted) else ""
    title = _TITLES.get(status, "This did not work")
    if waiting:
        sentence = f"{sentence.partition('. ')[0]}."  # what follows tells programs how to accept them
    facts = {"title": title, "sentence": sentence, "code": status, "waiting": waiting, "asked": _asked(request)}
    return render(call, "fault.html", facts, status=status, headers=headers)


def _to_login(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        return send_on("/login", "ended")
    return send_on(f"/login?{urlencode({'next': _asked(request)})}")


def _asked(request: Request) -> str:
    """The address to come back to."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")

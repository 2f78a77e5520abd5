"""Turns replies that are no success into errors: one table of status codes, one guard against pages."""

import re
from dataclasses import dataclass

from connectomedb.errors import (
    AccessDenied,
    AuthenticationFailed,
    Conflict,
    NotFound,
    RequestError,
    ServerFault,
    TermsNotAccepted,
    TooManyRequests,
    UnexpectedReply,
)

MAX_REASON = 200
"""Most characters of a server's own words that are repeated."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of whom: server and address without credentials, address without query."""

    method: str
    server: str
    address: str

    def fault(self, kind: type[RequestError], what: str, status: int | None = None) -> RequestError:
        """An error of `kind` whose message begins with what was asked."""
        verb = "Asked" if self.method in ("GET", "HEAD") else f"Sent {self.method} to"
        between = " for " if verb == "Asked" else ""
        return kind(
            f"{verb} {self.server}{between}{self.address}. {what}",
            method=self.method,
            address=self.address,
            status=status,
        )


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: type[RequestError]
    happened: str
    cure: str


_MEANINGS = {
    400: _Meaning(RequestError, "The server cannot make sense of the request", "Check names and values."),
    401: _Meaning(
        AuthenticationFailed,
        "The server does not accept who is asking",
        "Check user and password; a token may be over.",
    ),
    403: _Meaning(AccessDenied, "You may not do this", "Ask the project's owner for the right."),
    404: _Meaning(NotFound, "There is no such object, or none that you may see", "List what there is one level above."),
    409: _Meaning(Conflict, "The name is taken already", "Choose another, or delete what is there."),
    410: _Meaning(NotFound, "The result is no longer kept", "Run the search again."),
    416: _Meaning(RequestError, "The file is shorter than the part that was asked for", "Fetch it from the start."),
    429: _Meaning(TooManyRequests, "The server asks to come back later", "Try again in a while, with fewer workers."),
}
_ABOUT_TERMS = re.compile(r"(?=.*\bterms\b).*\baccept", re.IGNORECASE)
_OF_CLIENT = _Meaning(RequestError, "The server refused the request", "Check names and values.")
_OF_SERVER = _Meaning(ServerFault, "The server failed", "Try again later, or tell who runs it.")
_OTHER = _Meaning(UnexpectedReply, "The server gave an answer that means nothing here", "Check the server's address.")
_TERMS = _Meaning(
    TermsNotAccepted,
    "The project's data-use terms are not accepted yet",
    "Read and accept them with cdb terms accept PROJECT, or on the server's web page; then try again.",
)


def fault_of(asked: Asked, status: int, body: bytes, secrets: tuple[str, ...] = ()) -> RequestError:
    """The error that a status and its body mean; `secrets` are blotted out of the server's words."""
    reason = reason_of(body)
    meaning = _MEANINGS.get(status)
    if status == 403 and _ABOUT_TERMS.search(reason):
        meaning = _TERMS
    elif meaning is None:
        meaning = _OF_CLIENT if 400 <= status < 500 else _OF_SERVER if status >= 500 else _OTHER
    for secret in secrets:
        reason = reason.replace(secret, "***")
    words = f": {reason}" if reason else ""
    return asked.fault(meaning.kind, f"{meaning.happened} ({status}{words}). {meaning.cure}", status)


def is_page(body: bytes) -> bool:
    """Whether a body is a web page: what servers and proxies send where they cannot send data."""
    start = body[:256].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def reason_of(body: bytes) -> str:
    """The server's own words: the first line of a text, the heading of a page; short, one line, without markup.

    Source: XNAT's error pages hold the reason in `<h3>`.
    """
    text = body.decode("utf-8", errors="replace")
    if is_page(body):
        heading = re.search(r"<h3[^>]*>(.*?)</h3>", text, re.DOTALL | re.IGNORECASE)
        text = " ".join(re.sub(r"<[^>]*>", " ", heading.group(1)).split()) if heading else ""
    elif text.lstrip().startswith(("<", "{", "[")):
        return ""
    line = next((line for line in text.splitlines() if line.strip()), "")
    words = " ".join("".join(c if c.isprintable() else " " for c in line).split())
    return words[:MAX_REASON].rstrip(".")

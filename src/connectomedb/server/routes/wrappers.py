"""What happens to every request before its handler, and to every answer after it."""

import base64
from urllib.parse import unquote

from anyio import CancelScope, CapacityLimiter, fail_after, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectomedb.errors import AuthenticationFailed
from connectomedb.server.access.login import REFUSED
from connectomedb.server.routes.call import Intake

SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""On every answer that does not say otherwise: nothing but our own pages runs anything."""

MAX_PATH_BYTES = 8 << 10
POUR_BYTES = 1 << 20
"""How much of a long body is handed on at once."""


class PlainPaths:
    """`/REST/...` and `/data/archive/...` are `/data/...`; a slash at the end means nothing, but after `files/`.

    Routes see the decoded path, handlers the encoded one, as `plain_path`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its plain path."""
        if scope["type"] == "http":
            path = plain_path(bytes(scope.get("raw_path") or scope["path"].encode()))
            scope = {**scope, "plain_path": path, "path": unquote(path)}
        await self.app(scope, receive, send)


def plain_path(raw: bytes) -> str:
    """The plain form of an encoded path."""
    path = raw.partition(b"?")[0].decode("utf-8", "replace")
    first, _, rest = path.lstrip("/").partition("/")
    if first == "REST":
        path = f"/data/{rest}"
    if path.startswith("/data/archive/"):
        path = f"/data/{path.removeprefix('/data/archive/')}"
    return path if "/files/" in path or path == "/" else path.rstrip("/") or "/"


class SafeHeaders:
    """Adds to every answer what keeps browsers from misusing it; answers are not kept unless they say so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back with the headers."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                said = {name for name, _ in headers}
                if b"cache-control" not in said:
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*headers, *(pair for pair in SAFE_HEADERS if pair[0] not in said)]}
            await send(message)

        await self.app(scope, receive, send_safely)


async def body_of(request: Request, most: int) -> bytes:
    """The body, of at most so many bytes; a longer one is refused without being read to its end."""
    if not most:
        return b""
    content = bytearray()
    try:
        async for piece in request.stream():
            content += piece
            if len(content) > most:
                raise HTTPException(413, f"The body is longer than {most} bytes.")
    except ClientDisconnect:
        raise HTTPException(400, "The body broke off. Send it anew.") from None  # to nobody, and into the log
    return bytes(content)


async def pour_body(request: Request, intake: Intake, pause_s: float, lane: CapacityLimiter) -> Response:
    """Hand a body on as it comes, in threads, for its bytes go to a disk; then the answer.

    `pause_s`: how long the sender may say nothing. `lane`: where what came is kept, in a store that may be slow.
    """
    pieces = bytearray()
    try:
        stream = request.stream()
        while True:
            with fail_after(pause_s):
                piece = await anext(stream, None)
            if piece is None:
                break
            pieces += piece
            if len(pieces) >= POUR_BYTES:
                await to_thread.run_sync(intake.feed, bytes(pieces))
                pieces.clear()
        if pieces:
            await to_thread.run_sync(intake.feed, bytes(pieces))
        return await to_thread.run_sync(intake.finish, limiter=lane)
    except TimeoutError:
        raise HTTPException(408, f"Nothing came for {pause_s:.0f} s. Send it anew.") from None
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(intake.drop)


def credentials_of(authorization: str | None) -> tuple[str, str] | None:
    """Login and password of HTTP Basic; None without. Raises AuthenticationFailed when they cannot be read."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, no ASCII, no UTF-8
        colon = ""
    if not colon:
        raise AuthenticationFailed(REFUSED, status=401)
    return login, password

"""The only place that speaks HTTP to an XNAT: sign-in, time limits, redirects, status → error.

Sending is a ladder, one duty a rung:

    get_table, get_bytes, stream, post_search       what is wanted, and whether the reply is that
    _reply       signs in first, signs in again once when the server no longer knows us
    _followed    redirects: credentials stay with the server they were given for
    _send        one request, one reply

The first request signs in (`POST /data/JSESSION` with Basic), which gives the cookie JSESSIONID. Basic goes
along ever after: a server open to guests would otherwise serve us as a guest once the session is over.
Nothing is retried here; errors say by `transient` whether it would help.
"""

import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import httpx2

from connectomedb.__about__ import __version__
from connectomedb.client._replies import Asked, fault_of, is_page
from connectomedb.errors import (
    AuthenticationFailed,
    ConfigError,
    NotConnected,
    QueryError,
    RequestError,
    UnexpectedReply,
)
from connectomedb.xnat.address import Address, Level, format_address
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query
from connectomedb.xnat.resultset import ResultTable, parse_json

TIMEOUT_S = 60.0
"""How long a server may stay silent, in seconds, unless told otherwise."""

CONNECT_TIMEOUT_S = 15.0
CLOSE_TIMEOUT_S = 5.0
MAX_REDIRECTS = 5
MAX_CONNECTIONS = 64

MAX_DOCUMENT_BYTES = 1 << 29
"""Longest document held in memory: 512 MiB, a listing of a million files."""

MAX_REASON_BYTES = 1 << 16

SESSION = "/data/JSESSION"

Where: TypeAlias = Address | str
"""An address, or a path below the server that is encoded already (`/data/search/elements`)."""

Parameters: TypeAlias = Mapping[str, str]


class Connection:
    """A pool of connections to one server, signed in when first used; safe to share between threads.

    Args:
        server: address without credentials, like `https://db.example.org` or `https://lab.org/xnat`.
        user, password: or alias and secret of a token; without them requests go out as a guest's.
        timeout_s: how long the server may stay silent, in seconds.
        verify: False trusts any certificate; a path names a file of certificates to trust.
    """

    def __init__(
        self,
        server: str,
        user: str | None = None,
        password: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        verify: bool | str | Path = True,
    ) -> None:
        self._server = _checked(server)
        if user is not None and ":" in user:
            raise ConfigError("A user name cannot hold ':'. Give the name and the password apart.")
        self.user = user
        self._password = password or ""
        self._timeout = httpx2.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S), pool=None)
        self._timeout_s = timeout_s
        self._verify = verify
        self._lock = threading.Lock()
        self._sign_in_lock = threading.Lock()
        self._site: httpx2.Client | None = None
        self._elsewhere: httpx2.Client | None = None
        self._sign_ins = 0
        self._refusal: str | None = None
        self._is_closed = False

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server

    def __repr__(self) -> str:
        return f"Connection({self._server!r}, user={self.user!r})"

    def get_table(self, address: Where, params: Parameters | None = None) -> ResultTable:
        """A listing; one request. Raises RequestError, UnexpectedReply when no table comes."""
        path = _path(address)
        with self._reply("GET", path, {**(params or {}), "format": "json"}) as response:
            return self._table(Asked("GET", self._server, path), response)

    def get_bytes(self, address: Where, params: Parameters | None = None) -> bytes:
        """A document or small file, whole, in memory; one request. Raises RequestError."""
        path = _path(address)
        with self._reply("GET", path, params, may_leave=True) as response:
            return self._document(Asked("GET", self._server, path), response)

    def stream(self, address: Where, offset: int = 0) -> Iterator[bytes]:
        """A file's bytes from `offset`, in pieces; the request is sent with the first piece.

        The bytes always start at `offset`: a server that ignores ranges is read from the start, and what comes
        before is dropped. Nothing comes when `offset` is the file's length. Close the iterator to stop early.
        Raises: RequestError, UnexpectedReply when another part or a page comes.
        """
        path = _path(address)
        asked = Asked("GET", self._server, path)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        with self._reply("GET", path, headers=headers, may_leave=True, allowed=(416,)) as response:
            if response.status_code == 416:
                if response.headers.get("Content-Range", "").replace(" ", "") != f"bytes*/{offset}":
                    raise self._fault(asked, response)
                return
            _check_is_file(asked, response)
            surplus = _bytes_before(asked, response, offset)
            for piece in response.iter_raw():
                if surplus < len(piece):
                    yield piece[surplus:] if surplus else piece
                surplus = max(0, surplus - len(piece))
            if surplus:
                raise asked.fault(
                    UnexpectedReply, f"The file ends {surplus} bytes before byte {offset}. Fetch it anew."
                )

    def list_files(self, address: Address) -> ResultTable:
        """The files below a resource or object; one request. Raises RequestError."""
        return self.get_table(address if address.listing is Level.FILES else address.list(Level.FILES))

    def open_file(self, address: Address, offset: int = 0) -> Iterator[bytes]:
        """As `stream`."""
        return self.stream(address, offset)

    def post_search(self, query: Query) -> ResultTable:
        """The rows that a search finds; one request. Raises QueryError when the server cannot make sense of it."""
        path = "/data/search"
        asked = Asked("POST", self._server, path)
        headers = {"Content-Type": "text/xml"}
        body = format_bundle(query)
        with self._reply(
            "POST", path, {"format": "json"}, content=body, headers=headers, allowed=(400, 422)
        ) as response:
            if response.status_code in (400, 422):
                raise QueryError(str(self._fault(asked, response)))
            return self._table(asked, response)

    def close(self) -> None:
        """End the session on the server, as far as it answers, and let go of the connections."""
        with self._lock:
            self._is_closed = True
            site, self._site = self._site, None
            elsewhere, self._elsewhere = self._elsewhere, None
        if site is not None:
            with site, suppress(httpx2.HTTPError):
                if self._sign_ins:
                    site.delete(f"{self._server}{SESSION}", timeout=CLOSE_TIMEOUT_S)
        if elsewhere is not None:
            elsewhere.close()

    @contextmanager
    def _reply(
        self,
        method: str,
        path: str,
        params: Parameters | None = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        may_leave: bool = False,
        allowed: tuple[int, ...] = (),
    ) -> Iterator[httpx2.Response]:
        """A reply that succeeded or has an allowed status, its body still to be read; closed afterwards."""
        asked = Asked(method, self._server, path)
        with self._translated(asked):
            if self.user is not None and not self._sign_ins:
                self._sign_in(0)
            seen = self._sign_ins
            response = self._send(method, path, params, content, headers)
            if response.status_code == 401 and self.user is not None:
                response.close()
                self._sign_in(seen)
                response = self._send(method, path, params, content, headers)
            response = self._followed(asked, response, headers or {}, may_leave)
            with response:
                if not response.is_success and response.status_code not in allowed:
                    raise self._fault(asked, response)
                yield response

    def _sign_in(self, seen: int) -> None:
        """Open a session, unless another thread did since `seen`. A refusal is final: servers lock accounts."""
        asked = Asked("POST", self._server, SESSION)
        with self._sign_in_lock:
            if self._sign_ins != seen:
                return
            if self._refusal is not None:
                raise asked.fault(AuthenticationFailed, self._refusal, 401)
            self._client().cookies.clear()
            with self._followed(asked, self._send("POST", SESSION), {}, may_leave=False) as response:
                body = response.read()
                if response.status_code == 401:
                    self._refusal = f"The server refuses user {self.user!r} with this password. Check both."
                    raise asked.fault(AuthenticationFailed, self._refusal, 401)
                if response.status_code == 404 or (response.is_success and is_page(body)):
                    raise asked.fault(UnexpectedReply, "This is no XNAT. Check the server's address and path.")
                if not response.is_success:
                    raise self._fault(asked, response)
            self._sign_ins += 1

    def _send(
        self,
        method: str,
        path: str,
        params: Parameters | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """One request to our server, one reply, its body still to be read."""
        client = self._client()
        request = client.build_request(
            method, f"{self._server}{path}", params=params or None, content=content, headers=headers
        )
        return client.send(request, stream=True)

    def _followed(
        self, asked: Asked, response: httpx2.Response, headers: Mapping[str, str], may_leave: bool
    ) -> httpx2.Response:
        """The reply at the end of the redirects, if there are any.

        Another scheme, host or port is another server. Only files are taken from there (an object store, say),
        without credentials and never by a step down from https.
        """
        has_left = False
        for _ in range(MAX_REDIRECTS):
            if not response.has_redirect_location:
                return response
            here = response.request.url
            target = here.join(response.headers["Location"]).copy_with(username="", password=None, fragment=None)
            response.close()
            has_left = has_left or target.origin != httpx2.URL(self._server).origin
            is_safe = target.scheme == "https" or (target.scheme == "http" and here.scheme == "http")
            if asked.method != "GET" or not is_safe or (has_left and not may_leave):
                where = f"{target.scheme}://{target.netloc.decode()}"
                raise asked.fault(
                    UnexpectedReply,
                    f"The server sends us on to {where}, where our credentials do not go. "
                    "If you trust that address, give it as the server.",
                    response.status_code,
                )
            client = self._foreign_client() if has_left else self._client()
            response = client.send(client.build_request("GET", target, headers=headers), stream=True)
        response.close()
        raise asked.fault(UnexpectedReply, "The server sends us round in circles. Check its address.")

    def _client(self) -> httpx2.Client:
        with self._lock:
            if self._is_closed:
                raise Asked("GET", self._server, "").fault(RequestError, "This connection is closed. Open a new one.")
            if self._site is None:
                auth = None if self.user is None else httpx2.BasicAuth(self.user, self._password)
                self._site = self._make_client(auth)
            return self._site

    def _foreign_client(self) -> httpx2.Client:
        """For other servers than ours: knows no credentials and keeps none of our cookies."""
        with self._lock:
            if self._elsewhere is None:
                self._elsewhere = self._make_client(None)
            return self._elsewhere

    def _make_client(self, auth: httpx2.Auth | None) -> httpx2.Client:
        verify: bool | ssl.SSLContext
        if isinstance(self._verify, bool):
            verify = self._verify
        else:
            try:
                verify = ssl.create_default_context(cafile=self._verify)
            except OSError as fault:
                raise ConfigError(
                    f"{self._verify} holds no certificates that can be read: {fault.strerror}."
                ) from fault
        limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
        headers = {"User-Agent": f"connectomedb/{__version__}"}
        return httpx2.Client(auth=auth, headers=headers, verify=verify, timeout=self._timeout, limits=limits)

    @contextmanager
    def _translated(self, asked: Asked) -> Iterator[None]:
        """No exception of the HTTP library gets past here."""
        try:
            yield
        except httpx2.TimeoutException as fault:
            what = f"The server was silent for {self._timeout_s:g} s. Try again later, or allow more (timeout_s)."
            raise asked.fault(NotConnected, what) from fault
        except httpx2.ConnectError as fault:
            is_certificate = "CERTIFICATE" in str(fault)
            cure = (
                "If its certificate is your own, name it (verify)." if is_certificate else "Check address and network."
            )
            raise asked.fault(NotConnected, f"The server cannot be reached: {_reason(fault)}. {cure}") from fault
        except (httpx2.TransportError, httpx2.StreamError) as fault:
            what = f"The connection broke off: {_reason(fault)}. Try again."
            raise asked.fault(NotConnected, what) from fault
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.CookieConflict) as fault:
            raise asked.fault(UnexpectedReply, f"The reply cannot be read: {_reason(fault)}.") from fault

    def _fault(self, asked: Asked, response: httpx2.Response) -> RequestError:
        body = b""
        for piece in response.iter_bytes():
            body += piece
            if len(body) >= MAX_REASON_BYTES:
                break
        secrets = (self._password,) if self._password else ()
        return fault_of(asked, response.status_code, body, secrets)

    def _document(self, asked: Asked, response: httpx2.Response) -> bytes:
        """The whole body. Raises UnexpectedReply when it is endless."""
        pieces, length = [], 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            length += len(piece)
            if length > MAX_DOCUMENT_BYTES:
                raise asked.fault(UnexpectedReply, f"The reply is longer than {MAX_DOCUMENT_BYTES >> 20} MiB.")
        return b"".join(pieces)

    def _table(self, asked: Asked, response: httpx2.Response) -> ResultTable:
        body = self._document(asked, response)
        if is_page(body):
            raise asked.fault(
                UnexpectedReply,
                "A web page came where a table was due. Check the server's address, and that you may sign in there.",
                response.status_code,
            )
        try:
            return parse_json(body)
        except UnexpectedReply as fault:
            raise asked.fault(UnexpectedReply, str(fault), response.status_code) from fault


def _checked(server: str) -> str:
    """The address without slash at the end. Raises ConfigError; a password in it is not repeated."""
    try:
        url = httpx2.URL(server)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if "@" in server or url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        shown = "" if "@" in server else f" {server!r}"
        raise ConfigError(f"The server's address{shown} is none. Write it like https://db.example.org, without user.")
    return server.rstrip("/")


def _path(where: Where) -> str:
    return where if isinstance(where, str) else format_address(where)


def _reason(fault: Exception) -> str:
    return str(fault).rstrip(".") or type(fault).__name__


def _check_is_file(asked: Asked, response: httpx2.Response) -> None:
    """Refuse a page in place of a file, and replies that carry none."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code not in (200, 206):
        what = f"A reply without file came ({response.status_code}). Try again."
        raise asked.fault(UnexpectedReply, what, response.status_code)
    if kind == "text/html" and not asked.address.lower().endswith((".html", ".htm")):
        what = "A web page came where a file was due. Check that you may sign in there."
        raise asked.fault(UnexpectedReply, what, response.status_code)


def _bytes_before(asked: Asked, response: httpx2.Response, offset: int) -> int:
    """How many bytes of the body come before `offset`: all that precede it when the range was ignored."""
    if response.status_code == 200:
        return offset
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""), re.IGNORECASE)
    if found is None or int(found.group(1)) != offset:
        what = f"Another part of the file came than the one from byte {offset}. Fetch it from the start."
        raise asked.fault(UnexpectedReply, what, response.status_code)
    return 0

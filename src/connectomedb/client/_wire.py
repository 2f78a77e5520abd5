"""One server, signed in: requests out, replies in, and nothing of the HTTP library beyond.

Sending is a ladder, one duty a rung:

    reply        signs in first, signs in again once when the server no longer knows us
    _followed    redirects: credentials stay with the server they were given for
    _send        one request, one reply

The first request signs in (`POST /data/JSESSION` with Basic), which gives the cookie JSESSIONID. Basic goes
along ever after: a server open to guests would otherwise serve us as a guest once the session is over.
Nothing else is retried; errors say by `transient` whether it would help.
"""

import logging
import ssl
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import httpx2

from connectomedb.__about__ import __version__
from connectomedb.client._replies import Asked, fault_of, is_page
from connectomedb.config.proxies import is_proxied
from connectomedb.errors import (
    AuthenticationFailed,
    ConfigError,
    NotConnected,
    RequestError,
    TooManyRequests,
    UnexpectedReply,
)

TIMEOUT_S = 60.0
"""How long a server may stay silent, in seconds, unless told otherwise."""

CONNECT_TIMEOUT_S = 15.0
CLOSE_TIMEOUT_S = 5.0
MAX_REDIRECTS = 5
MAX_CONNECTIONS = 64

MAX_REASON_BYTES = 1 << 16

SESSION = "/data/JSESSION"

Parameters: TypeAlias = Mapping[str, str]
Content: TypeAlias = bytes | Iterable[bytes]
"""What a request carries: bytes, or pieces that can be gone through again when a request is sent anew."""


class Wire:
    """Pooled connections to one server, safe to share between threads."""

    def __init__(
        self, server: str, user: str | None, password: str | None, timeout_s: float, verify: bool | str | Path
    ) -> None:
        if user is not None and ":" in user:
            raise ConfigError("A user name cannot hold ':'. Give the name and the password apart.")
        self.server = _checked(server)
        self.user = user
        self._password = password or ""
        self._timeout = httpx2.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S), pool=None)
        self.timeout_s = timeout_s
        self._verify = verify
        self._lock = threading.Lock()
        self._sign_in_lock = threading.Lock()
        self._site: httpx2.Client | None = None
        self._elsewhere: httpx2.Client | None = None
        self._sign_ins = 0
        self._refusal: str | None = None
        self._is_closed = False

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled as what it takes to open it anew; the password goes along, the session does not."""
        return Wire, (self.server, self.user, self._password, self.timeout_s, self._verify)

    @contextmanager
    def reply(
        self,
        method: str,
        path: str,
        params: Parameters | None = None,
        *,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        may_leave: bool = False,
        allowed: tuple[int, ...] = (),
        timeout_s: float | None = None,
    ) -> Iterator[httpx2.Response]:
        """A reply that succeeded or has an allowed status, its body still to be read; closed afterwards.

        `timeout_s`: how long the server may stay silent this time.
        """
        asked = Asked(method, self.server, path)
        with self._translated(asked):
            if self.user is not None and not self._sign_ins:
                self._sign_in(0)
            seen = self._sign_ins
            response = self._send(method, path, params, content, headers, timeout_s=timeout_s)
            if response.status_code == 401 and self.user is not None:
                response.close()
                self._sign_in(seen)
                response = self._send(method, path, params, content, headers, timeout_s=timeout_s)
            response = self._followed(asked, response, headers or {}, may_leave)
            with closing(response):
                if not response.is_success and response.status_code not in allowed:
                    raise self.fault(asked, response)
                yield response

    def fault(self, asked: Asked, response: httpx2.Response) -> RequestError:
        """The error that a reply means, with the server's own words."""
        if response.status_code == 401 and self.user is None:
            what = "This server is closed to guests (401). Give user and password."
            return asked.fault(AuthenticationFailed, what, 401)
        body = b""
        for piece in response.iter_bytes():
            body += piece
            if len(body) >= MAX_REASON_BYTES:
                break
        secrets = (self._password,) if self._password else ()
        fault = fault_of(asked, response.status_code, body, secrets)
        wait = response.headers.get("Retry-After", "")
        if isinstance(fault, TooManyRequests) and wait.isascii() and wait.isdecimal():
            fault.retry_after_s = float(wait)
        return fault

    def close(self) -> None:
        """End the session on the server, as far as it answers, and let go of the connections."""
        with self._lock:
            self._is_closed = True
            site, self._site = self._site, None
            elsewhere, self._elsewhere = self._elsewhere, None
        if elsewhere is not None:
            elsewhere.close()
        if site is not None:
            try:
                if self._sign_ins:
                    with suppress(httpx2.HTTPError):
                        site.delete(f"{self.server}{SESSION}", timeout=CLOSE_TIMEOUT_S)
            finally:
                site.close()

    def _sign_in(self, seen: int) -> None:
        """Open a session, unless another thread did since `seen`. A refusal is final: servers lock accounts."""
        asked = Asked("POST", self.server, SESSION)
        with self._sign_in_lock:
            if self._sign_ins != seen:
                return
            if self._refusal is not None:
                raise asked.fault(AuthenticationFailed, self._refusal, 401)
            first = self._send("POST", SESSION, with_cookies=False)  # a new session, whatever became of the old one
            with closing(self._followed(asked, first, {}, may_leave=False)) as response:
                body = response.read()
                if response.status_code == 401:
                    self._refusal = f"The server refuses user {self.user!r} with this password. Check both."
                    raise asked.fault(AuthenticationFailed, self._refusal, 401)
                if response.status_code == 404 or (response.is_success and is_page(body)):
                    raise asked.fault(UnexpectedReply, "This is no XNAT. Check the server's address and path.")
                if not response.is_success:
                    raise self.fault(asked, response)
            self._sign_ins += 1

    def _send(
        self,
        method: str,
        path: str,
        params: Parameters | None = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        with_cookies: bool = True,
        timeout_s: float | None = None,
    ) -> httpx2.Response:
        """One request to our server, one reply, its body still to be read."""
        client = self._client()
        timeout = (
            self._timeout if timeout_s is None else httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S, pool=None)
        )
        request = client.build_request(
            method, f"{self.server}{path}", params=params or None, content=content, headers=headers, timeout=timeout
        )
        if not with_cookies:
            request.headers.pop("Cookie", None)
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
            response.close()
            here = response.request.url
            target = here.join(response.headers["Location"]).copy_with(username="", password=None, fragment=None)
            has_left = has_left or _origin(target) != _origin(httpx2.URL(self.server))
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
                raise RequestError(f"Asked {self.server} on a connection that is closed. Open a new one.")
            if self._site is None:
                auth = None if self.user is None else httpx2.BasicAuth(self.user, self._password)
                # A site client speaks to its own origin only: without TLS there, certificates need not be loaded.
                self._site = self._make_client(auth, self._verify if self.server.startswith("https:") else False)
            return self._site

    def _foreign_client(self) -> httpx2.Client:
        """For other servers than ours: knows no credentials and keeps none of our cookies."""
        with self._lock:
            if self._elsewhere is None:
                logging.getLogger("httpx2").addFilter(_hide_signatures)
                self._elsewhere = self._make_client(None, self._verify)
            return self._elsewhere

    def _make_client(self, auth: httpx2.Auth | None, verify: bool | str | Path) -> httpx2.Client:
        try:
            trust = verify if isinstance(verify, bool) else ssl.create_default_context(cafile=verify)
        except OSError as fault:
            raise ConfigError(f"{verify} holds no certificates that can be read: {fault.strerror}.") from fault
        limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
        headers = {"User-Agent": f"connectomedb/{__version__}"}
        try:
            client = httpx2.Client(auth=auth, headers=headers, verify=trust, timeout=self._timeout, limits=limits)
        except (ImportError, ValueError) as fault:
            # The library reads them here: SOCKS needs a package more, and an address may be none.
            raise ConfigError(
                f"The environment names a proxy that cannot be used: {_reason(fault)}. Mend ALL_PROXY, HTTP_PROXY or "
                f"HTTPS_PROXY, install what it needs, or list {httpx2.URL(self.server).host} in NO_PROXY."
            ) from fault
        weakref.finalize(self, client.close)  # scripts that never close leave no open sockets behind
        return client

    @contextmanager
    def _translated(self, asked: Asked) -> Iterator[None]:
        """No exception of the HTTP library gets past here."""
        try:
            yield
        except (httpx2.TimeoutException, TimeoutError) as fault:
            silence = "Hardly any bytes came" if isinstance(fault, TimeoutError) else "The server was silent"
            what = f"{silence} for {self.timeout_s:g} s. Try again later, or allow more (timeout_s)."
            raise asked.fault(NotConnected, what) from fault
        except httpx2.ConnectError as fault:
            is_certificate = "CERTIFICATE" in str(fault)
            proxy = ", and the proxy that the environment names" if is_proxied() else ""
            cure = (
                "If its certificate is your own, name it (verify)."
                if is_certificate
                else f"Check address and network{proxy}."
            )
            raise asked.fault(NotConnected, f"The server cannot be reached: {_reason(fault)}. {cure}") from fault
        except (httpx2.TransportError, httpx2.StreamError) as fault:
            what = f"The connection broke off: {_reason(fault)}. Try again."
            raise asked.fault(NotConnected, what) from fault
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.CookieConflict) as fault:
            raise asked.fault(UnexpectedReply, f"The reply cannot be read: {_reason(fault)}.") from fault


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


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """What makes a server the same server: scheme, host and port."""
    return (url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme))


def _hide_signatures(record: logging.LogRecord) -> bool:
    """Cut the query off addresses that the HTTP library logs: in an object store's signed address it is a key."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.copy_with(query=None) if isinstance(arg, httpx2.URL) and arg.query else arg for arg in record.args
        )
    return True


def _reason(fault: Exception) -> str:
    return str(fault).rstrip(".") or type(fault).__name__

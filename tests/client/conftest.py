"""A small real HTTP server in a thread, told per test what to answer: right replies, and all kinds of wrong ones."""

import base64
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.client.asked import PASSWORD

from connectomedb.client.transport import Connection

USER = "me"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_signed(self) -> bool:
        """Whether it bears any credential."""
        return "authorization" in self.headers or "cookie" in self.headers


@dataclass(frozen=True)
class Reply:
    """What to answer. `sent` cuts the body there and the connection with it; `waits_for` holds the answer back.

    Where the body `drips`, one byte comes after the other, so many seconds apart.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None
    waits_for: threading.Event | None = None
    drips: float = 0.0


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about; anything else is a fault of this file."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # stated wider than it is


class Site:
    """The server: `on` says what to answer, `seen` tells what was asked, sign-in left out."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Callable[[Seen], Reply]] = {}
        self.everything: list[Seen] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._make_handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.sessions = 0
        self.on("POST", "/data/JSESSION", self._sign_in)
        self.on("DELETE", "/data/JSESSION", b"")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def seen(self) -> list[Seen]:
        return [request for request in self.everything if request.path != "/data/JSESSION"]

    @property
    def sign_ins(self) -> int:
        return sum((seen.method, seen.path) == ("POST", "/data/JSESSION") for seen in self.everything)

    def on(self, method: str, path: str, answer: bytes | Reply | Callable[[Seen], Reply]) -> None:
        """Answer requests for `path` with a body, a reply, or what a function makes of the request."""
        if callable(answer):
            self.routes[method, path] = answer
        else:
            reply = Reply(answer) if isinstance(answer, bytes) else answer
            self.routes[method, path] = lambda seen: reply

    def reply(
        self,
        body: bytes = b"",
        status: int = 200,
        *,
        sent: int | None = None,
        waits_for: threading.Event | None = None,
        **headers: str,
    ) -> Reply:
        """A reply; headers are written with `_` for `-`."""
        return Reply(body, status, {name.replace("_", "-"): text for name, text in headers.items()}, sent, waits_for)

    def table(self, *rows: Mapping[str, str], columns: Sequence[Mapping[str, str]] | None = None) -> bytes:
        """A ResultSet with these rows."""
        result: dict[str, object] = {"Result": list(rows), "totalRecords": str(len(rows))}
        if columns is not None:
            result["Columns"] = list(columns)
        return json.dumps({"ResultSet": result}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _sign_in(self, seen: Seen) -> Reply:
        if seen.headers.get("authorization") != BASIC:
            return Reply(b"The request requires user authentication", 401)
        with self._lock:
            self.sessions += 1
            number = self.sessions
        return Reply(f"S{number}".encode(), headers={"Set-Cookie": f"JSESSIONID=S{number}; Path=/; HttpOnly"})

    def _make_handler(site) -> type[BaseHTTPRequestHandler]:  # the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def log_message(self, format: str, *args: object) -> None:
                pass

            def _answer(self) -> None:
                seen = self._read()
                with site._lock:
                    site.everything.append(seen)
                route = site.routes.get((seen.method, seen.path))
                reply = route(seen) if route else Reply(b"Not Found", 404)
                if reply.waits_for is not None:
                    reply.waits_for.wait(30)
                self._write(reply)

            def _read(self) -> Seen:
                parts = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
                headers = {name.lower(): text for name, text in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", "0")))
                return Seen(self.command, parts.path, query, headers, body)

            def _write(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, text in reply.headers.items():
                    self.send_header(name, text)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                for place in range(len(reply.body) if reply.drips else 0):
                    self.wfile.write(reply.body[place : place + 1])
                    time.sleep(reply.drips)
                self.wfile.write(b"" if reply.drips else reply.body[: reply.sent])
                if reply.sent is not None:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

        return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture
def other_site() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test: nobody's settings, and an empty cache, whose folder this is."""
    for name in ("XNAT_HOST", "XNAT_USER", "XNAT_PASS", "CONNECTOMEDB_CONFIG", "CONNECTOMEDB_PROFILE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / ".cache"))
    return tmp_path / "home" / ".cache"


@pytest.fixture
def connection(site: Site) -> Iterator[Connection]:
    opened = Connection(site.address, "me", PASSWORD, timeout_s=20)
    yield opened
    opened.close()

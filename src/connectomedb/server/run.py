"""Runs the server: on a data folder, until it is told to stop.

`start` runs it in a thread of this process, for the demo and for tests; `serve` runs it in the main
thread until SIGINT or SIGTERM. Both say where it answers only when it does. Requests under way at a
stop may end; what was written is whole.
"""

import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import uvicorn

from connectomedb.config import S3Settings
from connectomedb.errors import ServiceFailed
from connectomedb.server.access.users import create_user, has_admin
from connectomedb.server.app import build_app
from connectomedb.server.site import Site, open_site
from connectomedb.stores.base import Store

ADMIN = "admin"
"""Login of the administrator that a new data folder gets."""

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5
"""How long requests under way may take to end at a stop."""

MAX_PORT = 65_535

_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Answering:
    """A server that answers: its address, and the administrator's password if it was made up just now."""

    address: str
    made_password: str | None = field(default=None, repr=False)


def make_admin(site: Site, password: str | None = None) -> str | None:
    """Make the first administrator of a site that has none. A password that was made up is returned, once."""
    if has_admin(site.database):
        return None
    made = None if password else secrets.token_urlsafe(_PASSWORD_BYTES)
    create_user(site.database, ADMIN, password or made or "", is_admin=True)
    return made


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    admin_password: str | None = None,
    settings: S3Settings | None = None,
    stores: Mapping[str, Store] | None = None,
    on_answering: Callable[[Answering], None] = lambda answering: None,
) -> None:
    """Serve a data folder until SIGINT or SIGTERM; then return.

    Args:
        port: 0 takes a free one.
        admin_password: of the administrator of a new folder; without it one is made up.
        settings: keys for the buckets that the folder's `cdb.toml` declares.
        stores: further stores of file bytes, by name.
        on_answering: told once, when the server answers.
    Raises: ServiceFailed (the address is taken), DiskRefused, DiskFull, ConfigError, LedgerBusy.
    """
    with _listen(host, port) as listener:
        site = open_site(folder, settings=settings, stores=stores)
        made = make_admin(site, admin_password)
        server = _Server(site, on_started=lambda: on_answering(Answering(_address(listener), made)))
        with _stopped_by_signals(server):
            server.run([listener])


class RunningServer:
    """A server in a thread. Leaving it as a context stops it."""

    def __init__(self, server: "_Server", thread: threading.Thread, answering: Answering) -> None:
        self._server = server
        self._thread = thread
        self.answering = answering

    @property
    def address(self) -> str:
        """Where it answers: `http://127.0.0.1:40123`."""
        return self.answering.address

    def stop(self) -> None:
        """Stop it, and close its site. A second call does nothing."""
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(site: Site, *, host: str = "127.0.0.1", port: int = 0, admin_password: str | None = None) -> RunningServer:
    """Serve a site in a thread of this process; returns when it answers. Port 0 takes a free one.

    Stopping it closes the site. Raises ServiceFailed when the address is taken or it does not start.
    """
    listener = _listen(host, port)
    made = make_admin(site, admin_password)
    decided = threading.Event()
    server = _Server(site, on_started=decided.set)

    def run() -> None:
        try:
            server.run([listener])
        finally:
            decided.set()

    thread = threading.Thread(target=run, name="connectomedb-server", daemon=True)
    thread.start()
    decided.wait(START_TIMEOUT_S)
    if not server.started:
        server.should_exit = True
        raise ServiceFailed(f"The server on {host} did not start within {START_TIMEOUT_S:.0f} s. Look at its log.")
    return RunningServer(server, thread, Answering(_address(listener), made))


class _Server(uvicorn.Server):
    """uvicorn, which says when it has started and leaves signals to us."""

    def __init__(self, site: Site, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                build_app(site),
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="on",
                timeout_keep_alive=30,
                timeout_graceful_shutdown=STOP_TIMEOUT_S,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:  # uvicorn would raise them again after the end
        yield


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """The first signal asks to stop, a second one to stop at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket: taken before anything else, so that a taken port changes nothing on disk."""
    if not 0 <= port <= MAX_PORT:  # the system would take the remainder
        raise ServiceFailed(f"Asked to serve on port {port}. Ports are 0, for a free one, to {MAX_PORT}.")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as until_it_listens:
            listener = until_it_listens.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(socket.SOMAXCONN)
            until_it_listens.pop_all()
        return listener
    except (OSError, UnicodeError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise ServiceFailed(f"Asked to serve on {host}:{port}. {reason}: choose another host or port.") from fault


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

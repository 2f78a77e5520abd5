"""One process that answers: its socket, its web server, its signals."""

import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import uvicorn

from connectomedb.errors import ConfigError, ServiceFailed
from connectomedb.server.app import build_app
from connectomedb.server.operation.protocol import protocol_of
from connectomedb.server.settings import Listening
from connectomedb.server.site import Site

MAX_PORT = 65_535


class Server(uvicorn.Server):
    """uvicorn that says when it answers, and leaves signals to whoever runs it. Raises ConfigError."""

    def __init__(self, site: Site, on_started: Callable[[], None]) -> None:
        listening, limits = site.settings.server, site.settings.limits
        check_tls(listening)
        super().__init__(
            uvicorn.Config(
                build_app(site),
                http=protocol_of(limits),
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="on",
                timeout_keep_alive=limits.idle_s,
                timeout_graceful_shutdown=listening.stop_within_s,
                limit_concurrency=limits.connections,
                proxy_headers=bool(listening.trusted_proxies),
                forwarded_allow_ips=list(listening.trusted_proxies),
                ssl_certfile=listening.tls_certificate or None,
                ssl_keyfile=listening.tls_key or None,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again after the end."""
        yield


@contextmanager
def stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """The first signal asks to stop, a second one to stop at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    with on_signals(stop):
        yield


@contextmanager
def on_signals(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `stop` on SIGINT and SIGTERM."""
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_tls(listening: Listening) -> None:
    """Raises ConfigError when certificate and key cannot be used together."""
    if not listening.tls_certificate:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            listening.tls_certificate, listening.tls_key
        )
    except OSError as fault:  # ssl.SSLError is one
        files = f"{listening.tls_certificate} and {listening.tls_key}"
        raise ConfigError(f"Read the TLS certificate and key {files}: {fault}. Give PEM files that match.") from fault


def listen(host: str, port: int) -> socket.socket:
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


def address_of(listener: socket.socket, listening: Listening) -> str:
    """Where it answers: `http://127.0.0.1:40123`."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if listening.tls_certificate else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

"""Runs the server: on a data folder, until it is told to stop.

`start` runs it in a thread of this process, for the demo and for tests; `serve` runs it in the main
thread, or in worker processes, until SIGINT or SIGTERM. Both say where it answers only when it does.
Requests under way at a stop may end; what was written is whole.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ConfigError, Conflict, ServiceFailed
from connectomedb.server.access.users import create_user, has_admin
from connectomedb.server.folder import DataFolder
from connectomedb.server.operation.process import Server, address_of, check_tls, listen, stopped_by_signals
from connectomedb.server.operation.workers import Order, run_workers
from connectomedb.server.settings import Settings, read_settings
from connectomedb.server.site import Site, open_site
from connectomedb.stores.base import Store

ADMIN = "admin"
"""Login of the administrator that a new data folder gets."""

START_TIMEOUT_S = 30.0

_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Answering:
    """A server that answers: its address, and the administrator's password if it was made up just now."""

    address: str
    made_password: str | None = field(default=None, repr=False)


def make_admin(site: Site, password: str | None = None) -> str | None:
    """Make the first administrator of a site that has none. A password that was made up is returned, once.

    Raises: ConfigError for a password that is none; Conflict when somebody without rights is called `admin`.
    """
    if has_admin(site.database):
        return None
    made = None if password else secrets.token_urlsafe(_PASSWORD_BYTES)
    try:
        create_user(site.database, ADMIN, password or made or "", is_admin=True, firstname="Admin", lastname="Admin")
    except Conflict:
        if not has_admin(site.database):
            raise
        return None  # another server that starts on the same folder was faster; it tells the password
    return made


def serve(
    folder: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    config: Settings | None = None,
    config_file: Path | None = None,
    admin_password: str | None = None,
    settings: S3Settings | None = None,
    stores: Mapping[str, Store] | None = None,
    on_answering: Callable[[Answering], None] = lambda answering: None,
) -> None:
    """Serve a data folder until SIGINT or SIGTERM; then return.

    Args:
        host, port, workers: in place of those of the settings; port 0 takes a free one.
        config: all other settings; without them, what the folder's `cdb.toml` says.
        config_file: another file in place of `cdb.toml`.
        admin_password: of the administrator of a new folder; without it one is made up.
        settings: keys for the buckets that the folder's settings declare.
        stores: further stores of file bytes, by name; for one process only.
        on_answering: told once, when the server answers.
    Raises: ServiceFailed (the address is taken), DiskRefused, DiskFull, ConfigError, LedgerBusy.
    """
    config = config or read_settings(DataFolder(folder, config_file).settings)
    listening = config.server
    listening = replace(
        listening,
        host=listening.host if host is None else host,
        port=listening.port if port is None else port,
        workers=workers or listening.workers,
    )
    config = replace(config, server=listening)
    if listening.workers > 1 and stores:
        raise ConfigError("Stores that were opened here cannot go to other processes. Declare them in cdb.toml.")
    check_tls(listening)
    with listen(listening.host, listening.port) as listener:
        site = open_site(folder, settings=settings, stores=stores, config=config, config_file=config_file)
        made = make_admin(site, admin_password)

        def say() -> None:
            on_answering(Answering(address_of(listener, listening), made))

        if listening.workers > 1:
            site.close()
            run_workers(Order(folder, config_file, config, settings, listener.fileno()), say)
            return
        server = Server(site, on_started=say)
        with stopped_by_signals(server):
            server.run([listener])


class RunningServer:
    """A server in a thread. Leaving it as a context stops it."""

    def __init__(self, server: Server, thread: threading.Thread, answering: Answering) -> None:
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
    listener = listen(host, port)
    made = make_admin(site, admin_password)
    decided = threading.Event()
    server = Server(site, on_started=decided.set)

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
    return RunningServer(server, thread, Answering(address_of(listener, site.settings.server), made))

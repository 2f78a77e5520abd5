"""PostgreSQL for tests and benchmarks, as a child process that nobody else can reach.

    <folder>/data/        its cluster
    <folder>/             its socket; it listens on no port
    <folder>/initdb.log, postgres.log

Nothing is synced to disk: it is quick, and a power cut would ruin it. PostgreSQL refuses to run as
root, so root runs it as the user that Debian's package made, who owns the folder then.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text

from connectomedb.demo.services.child import Child
from connectomedb.demo.services.leftovers import remove_dead_folders
from connectomedb.errors import ServiceFailed
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.programs import find_program

START_S = 60.0
STOP_S = 5.0
OWNER = "cdb"
_PREFIX = "cdb-pg-"
_SOCKET = ".s.PGSQL.5432"
_SYSTEM_USER = "postgres"
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "400",
    "shared_buffers": "128MB",
    "dynamic_shared_memory_type": "mmap",  # in its own folder: what lies in /dev/shm outlives a server that is killed
    "log_min_messages": "fatal",
}


class PostgresServer:
    """A running server; makes databases, all of them with our tables already."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._admin = create_engine(self._driver_url("postgres"), isolation_level="AUTOCOMMIT")

    @classmethod
    @contextmanager
    def start(cls) -> "Iterator[PostgresServer]":
        """Run a new server until the end of the context; nothing of it is left. Raises ServiceFailed, ConfigError."""
        owner, group = _identity()
        remove_dead_folders(Path(tempfile.gettempdir()), f"{_PREFIX}*", _SOCKET, owner)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))  # the path of a socket must be short
        os.chown(folder, owner, group)
        try:
            _initialise(folder)
            command = [find_program("postgres"), "-D", str(folder / "data"), "-k", str(folder)]
            for name, value in _SETTINGS.items():
                command += ["-c", f"{name}={value}"]
            child = Child("PostgreSQL", [*_as_user(), *command], dict(os.environ), folder / "postgres.log")
            try:
                child.wait_until((folder / _SOCKET).exists, timeout_s=START_S)
                running = cls(folder)
                running._make_template()
                yield running
                running._admin.dispose()
            finally:
                child.stop(grace_s=STOP_S, by=signal.SIGQUIT)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def make_database(self, *, options: str = "TEMPLATE migrated") -> str:
        """Make a database of its own; its address."""
        name = f"site_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} {options}")
        return self.url(name)

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://{OWNER}@/{name}?host={self._folder}"

    def _make_template(self) -> None:
        self._run("CREATE DATABASE migrated")
        database = Database(self.url("migrated"))
        database.migrate()
        database.close()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _driver_url(self, name: str) -> str:
        return self.url(name).replace("postgresql:", "postgresql+psycopg:", 1)


def _initialise(folder: Path) -> None:
    command = [find_program("initdb"), "--no-sync", "--auth=trust", "--locale=C", "--encoding=UTF8"]
    command += [f"--username={OWNER}", "-D", str(folder / "data")]
    made = subprocess.run([*_as_user(), *command], cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        raise ServiceFailed(f"PostgreSQL could not make its files in {folder}: {made.stderr.strip()[-400:]}.")


def _identity() -> tuple[int, int]:
    """Number of the user, and of its group, who runs PostgreSQL."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    user = pwd.getpwnam(_SYSTEM_USER)
    return user.pw_uid, user.pw_gid


def _as_user() -> list[str]:
    """The words before a command that let root run it as PostgreSQL's user, still ended with us."""
    if os.geteuid() != 0:
        return []
    identity = [f"--reuid={_SYSTEM_USER}", f"--regid={_SYSTEM_USER}", "--init-groups"]
    return ["setpriv", *identity, "--pdeathsig=KILL", "--"]

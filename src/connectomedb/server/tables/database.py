"""Rows: the only module that gives out connections. Many readers, one writer.

SQLite (WAL) by default, PostgreSQL by its address. A reader sees one snapshot; a writer holds the
database alone from its first statement, within this process by a lock and among processes by one of the
database, so nothing read before a write can change under it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Protocol

from sqlalchemy import Connection, Engine, exc, inspect, text

from connectomedb.errors import ConfigError, Conflict, ConnectomeDBError, LedgerBusy, ServiceFailed
from connectomedb.server.tables import postgresql, sqlite
from connectomedb.server.tables.faults import BUSY, TAKEN
from connectomedb.server.tables.schema import metadata

STATEMENT_TIMEOUT_S = 60.0
"""How long a reader may take, unless the settings say otherwise."""


class Kind(Protocol):
    """What differs between databases."""

    engine: Engine
    readers: int
    is_ours_alone: bool
    """Whether no other program has tables in the same database."""

    def reading(self, connection: Connection) -> Connection:
        """A connection whose transaction sees one snapshot."""
        ...

    def writing(self, connection: Connection, *, wait: bool, is_migrating: bool) -> AbstractContextManager[Connection]:
        """A transaction that alone may write. Raises LedgerBusy."""
        ...

    def settle(self, connection: Connection) -> None:
        """What is to be done after tables were made."""
        ...

    def translate(self, fault: exc.DBAPIError) -> ConnectomeDBError | None:
        """A fault as one of ours."""
        ...


class Database:
    """One database. Cheap to share among threads; a process that forks must open its own.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER@HOST/NAME`.
        statement_timeout_s: after which a reader is told that it took too long. Writers have their time.
    Raises: ConfigError for an address that is none.
    """

    def __init__(self, url: str, *, statement_timeout_s: float = STATEMENT_TIMEOUT_S) -> None:
        self._kind = _kind(url, statement_timeout_s)
        self._writing = Lock()

    @classmethod
    def open(cls, path: Path) -> "Database":
        """The SQLite database in a file, made if it is missing and brought up to date.

        Raises DiskRefused, DiskFull, ConfigError (the file is something else) or LedgerBusy.
        """
        database = cls(sqlite.make_file(path))
        database.migrate()
        return database

    @property
    def name(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._kind.engine.dialect.name

    @property
    def readers(self) -> int:
        """How many threads of a process read at once with gain."""
        return self._kind.readers

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one snapshot and changes nothing. Raises QueryError when it takes too long."""
        with self._translated(), self._kind.engine.connect() as connection:
            yield self._kind.reading(connection)

    @contextmanager
    def write(self, *, wait: bool = True, is_migrating: bool = False) -> Iterator[Connection]:
        """A connection that alone may write; all of it is kept at the end, or nothing after an error.

        Raises LedgerBusy when somebody else writes: for too long, or at all if we are not to wait.
        `is_migrating` lets SQLite replace a table without deleting what refers to it.
        """
        if not self._writing.acquire(blocking=wait):
            raise LedgerBusy("Another thread is writing to the database. Try again.")
        try:
            with (
                self._translated(),
                self._kind.engine.connect() as connection,
                self._kind.writing(connection, wait=wait, is_migrating=is_migrating) as writer,
            ):
                yield writer
        finally:
            self._writing.release()

    def migrate(self) -> None:
        """Bring the tables up to date, all steps or none. Those that are so need no turn at writing.

        Raises: ConfigError for a database of another program or of a newer version; DiskFull, DiskRefused, LedgerBusy.
        """
        revision = self.revision()
        if revision == newest_revision():
            return
        self._check_is_ours(revision)
        from connectomedb.server.tables import alter

        with self.write(is_migrating=True) as connection:
            alter.upgrade(connection)
            self._kind.settle(connection)

    def revision(self) -> str | None:
        """The step of the migrations that the tables are at; None of an empty database."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def _check_is_ours(self, revision: str | None) -> None:
        """Raise ConfigError for a database of another program, or of a newer version of this one."""
        if revision is not None:
            if revision not in revisions():
                raise ConfigError(
                    f"The database is at step {revision!r}, this version knows the steps up to {newest_revision()}. "
                    "Serve it with the version that wrote it, or with a newer one, or name another data folder."
                )
            return
        with self.read() as connection:
            there = inspect(connection).get_table_names()
        if "alembic_version" in there:
            return  # another process was faster
        if strangers := sorted(set(there) if self._kind.is_ours_alone else set(there) & set(metadata.tables)):
            raise ConfigError(
                f"The database holds tables that this program did not make: {', '.join(strangers[:5])}. "
                "Nothing was changed. Name another data folder or database."
            )

    def close(self) -> None:
        """Let go of all connections."""
        self._kind.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Faults of the database as ours."""
        try:
            yield
        except exc.IntegrityError as fault:
            raise Conflict(TAKEN) from fault
        except exc.TimeoutError as fault:
            raise LedgerBusy(BUSY) from fault
        except exc.DBAPIError as fault:
            known = self._kind.translate(fault)
            raise known or ServiceFailed(f"The database refused a statement: {fault.orig}.") from fault


@cache
def newest_revision() -> str:
    """The step at which the tables are up to date: the last of the migrations, which are numbered in their names."""
    return max(revisions())


@cache
def revisions() -> frozenset[str]:
    """All steps of the migrations."""
    steps = files("connectomedb.server").joinpath("migrations", "versions").iterdir()
    return frozenset(step.name[1:5] for step in steps if step.name.startswith("m"))


def _kind(url: str, statement_timeout_s: float) -> Kind:
    name = url.partition(":")[0].partition("+")[0]
    if name == sqlite.NAME:
        return sqlite.SQLite(url, statement_timeout_s)
    if name in (postgresql.NAME, "postgres"):
        return postgresql.PostgreSQL(url, statement_timeout_s)
    raise ConfigError(f"Asked for a database of kind {name!r}. Write postgresql://USER@HOST/NAME.")

"""Rows: the only module that holds a connection. Many readers, one writer.

SQLite (WAL) by default, any other database that SQLAlchemy speaks by its URL. A reader sees one
snapshot; a writer holds the database alone from its first statement, within this process by a lock and
among processes by an immediate transaction, so nothing read before a write can change under it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Protocol, cast

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, exc

from connectomedb.errors import (
    ConfigError,
    Conflict,
    ConnectomeDBError,
    DiskFull,
    DiskRefused,
    LedgerBusy,
    ServiceFailed,
)

BUSY_TIMEOUT_MS = 30_000
"""How long to wait for another process that writes."""

_IS_WRITING = "connectomedb_is_writing"
_IS_PATIENT = "connectomedb_is_patient"
_IS_MIGRATING = "connectomedb_is_migrating"
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "temp_store=MEMORY",
)


class Database:
    """One database. Cheap to share among threads."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)
        self._writing = Lock()
        if self._engine.dialect.name == "sqlite":
            _prepare_sqlite(self._engine)

    @classmethod
    def open(cls, path: Path) -> "Database":
        """The SQLite database in a file, made if it is missing and brought up to date.

        Raises DiskRefused, DiskFull, ConfigError (the file is something else) or LedgerBusy.
        """
        database = cls(f"sqlite:///{path}")
        database.migrate()
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one snapshot and changes nothing."""
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, wait: bool = True, is_migrating: bool = False) -> Iterator[Connection]:
        """A connection that alone may write; all of it is kept at the end, or nothing after an error.

        Raises LedgerBusy when somebody else writes: for too long, or at all if we are not to wait.
        `is_migrating` lets SQLite replace a table without deleting what refers to it.
        """
        if not self._writing.acquire(blocking=wait):
            raise LedgerBusy("Another thread is writing to the database. Try again.")
        try:
            with _translated(), self._engine.connect() as connection:
                options = {_IS_WRITING: True, _IS_PATIENT: wait, _IS_MIGRATING: is_migrating}
                writer = connection.execution_options(**options)
                with writer.begin():
                    yield writer
        finally:
            self._writing.release()

    def migrate(self) -> None:
        """Bring the tables up to date, all steps or none."""
        config = Config()
        config.set_main_option("script_location", "connectomedb.server:migrations")
        with self.write(is_migrating=True) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...

    def close(self) -> None: ...


class _SQLiteConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def _prepare_sqlite(engine: Engine) -> None:
    """Transactions begin when we say so: Python's driver would begin them late, and never for DDL.

    Source: SQLAlchemy's documentation of the SQLite dialect, transactions with the pysqlite driver.
    """

    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: object, record: object) -> None:
        connection = cast(_SQLiteConnection, dbapi_connection)
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(_IS_WRITING, False):
            connection.exec_driver_sql("BEGIN")
            return
        wait_ms = BUSY_TIMEOUT_MS if options.get(_IS_PATIENT, True) else 0
        connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
        connection.exec_driver_sql(f"PRAGMA foreign_keys={'OFF' if options.get(_IS_MIGRATING) else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


_FAULTS: tuple[tuple[str, type[ConnectomeDBError], str], ...] = (
    ("disk is full", DiskFull, "The disk of the database is full. Make room, then try again."),
    ("readonly", DiskRefused, "The database cannot be written: its file or folder is read-only."),
    ("unable to open", DiskRefused, "The database cannot be opened: check the rights of its folder."),
    ("disk i/o", DiskRefused, "The disk of the database fails. Check the disk."),
    ("locked", LedgerBusy, "Another process has been writing to the database for too long. Try again."),
    ("not a database", ConfigError, "The file is no database. Give another data folder."),
    ("malformed", ConfigError, "The database file is damaged. Restore it from a backup."),
)


@contextmanager
def _translated() -> Iterator[None]:
    """Faults of the engine as ours, by a table."""
    try:
        yield
    except exc.IntegrityError as fault:
        raise Conflict("The database refused: this name or identifier is taken already.") from fault
    except exc.DatabaseError as fault:
        text = str(fault.orig).lower()
        for part, error, message in _FAULTS:
            if part in text:
                raise error(message) from fault
        raise ServiceFailed(f"The database refused a statement: {fault.orig}.") from fault

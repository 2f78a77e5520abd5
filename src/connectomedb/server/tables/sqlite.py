"""SQLite: one file, write-ahead log, many readers beside one writer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from connectomedb.errors import ConfigError, ConnectomeDBError, DiskFull, DiskRefused, LedgerBusy, QueryError
from connectomedb.server.tables.faults import BUSY, TOO_LONG

NAME = "sqlite"
READERS = 1
"""Threads that read at once: Python's driver makes more of them wait for each other."""

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
_STEPS_BETWEEN_LOOKS = 2_000_000
"""Steps of SQLite's virtual machine, some 10 ms, between two looks at the clock."""


class SQLite:
    """How one SQLite file is opened, read and written."""

    readers = READERS
    is_ours_alone = True

    def __init__(self, url: str, statement_timeout_s: float) -> None:
        self.engine = create_engine(url, hide_parameters=True)
        _prepare(self.engine, statement_timeout_s)

    def reading(self, connection: Connection) -> Connection:
        """A connection whose transaction sees one snapshot."""
        return connection

    @contextmanager
    def writing(self, connection: Connection, *, wait: bool, is_migrating: bool) -> Iterator[Connection]:
        """A transaction that alone may write."""
        writer = connection.execution_options(**{_IS_WRITING: True, _IS_PATIENT: wait, _IS_MIGRATING: is_migrating})
        with writer.begin():
            yield writer

    def settle(self, connection: Connection) -> None:
        """Nothing is left to do after a migration: text is compared byte by byte anyway."""

    def translate(self, fault: DBAPIError) -> ConnectomeDBError | None:
        """The fault as ours, by a table; None when no row fits."""
        text = str(fault.orig).lower()
        return next((error(message) for part, error, message in _FAULTS if part in text), None)


def make_file(path: Path) -> str:
    """The address of a database in a file, which is made for its owner alone if it is missing. Raises DiskRefused."""
    try:
        path.touch(mode=0o600)
    except OSError as fault:
        message = f"Asked for the database {path}. It cannot be written: {fault.strerror}. Choose another folder."
        raise DiskRefused(message, path=str(path)) from fault
    return f"sqlite:///{path}"


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...

    def close(self) -> None: ...


class _SQLiteConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...

    def set_progress_handler(self, look: object, steps: int, /) -> None: ...


def _prepare(engine: Engine, statement_timeout_s: float) -> None:
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
        raw = cast(_SQLiteConnection, connection.connection.dbapi_connection)
        if not options.get(_IS_WRITING, False):
            deadline = time.monotonic() + statement_timeout_s
            raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
            connection.exec_driver_sql("BEGIN")
            return
        raw.set_progress_handler(None, 0)
        wait_ms = BUSY_TIMEOUT_MS if options.get(_IS_PATIENT, True) else 0
        connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
        # A step of the migrations may replace a table by a copy, which must not take the rows that name its rows.
        connection.exec_driver_sql(f"PRAGMA foreign_keys={'OFF' if options.get(_IS_MIGRATING) else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


_FAULTS: tuple[tuple[str, type[ConnectomeDBError], str], ...] = (
    ("interrupted", QueryError, TOO_LONG),
    ("disk is full", DiskFull, "The disk of the database is full. Make room, then try again."),
    ("readonly", DiskRefused, "The database cannot be written: its file or folder is read-only."),
    ("unable to open", DiskRefused, "The database cannot be opened: check the rights of its folder."),
    ("disk i/o", DiskRefused, "The disk of the database fails. Check the disk."),
    ("locked", LedgerBusy, BUSY),
    ("not a database", ConfigError, "The file is no database. Give another data folder."),
    ("malformed", ConfigError, "The database file is damaged. Restore it from a backup."),
)

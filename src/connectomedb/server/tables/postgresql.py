"""PostgreSQL: a server of its own, many readers beside one writer, as with SQLite.

A reader has one snapshot (REPEATABLE READ, READ ONLY). A writer first takes an advisory lock of the
database, so writers come one after the other among all processes, and what each reads it reads after
the one before it ended.

Text is compared byte by byte, as in SQLite: columns of a database that was made with another collation
get the collation "C" after each migration. So both sort alike, and only the letters A to Z have no case.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, bindparam, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError

from connectomedb.errors import (
    ConfigError,
    ConnectomeDBError,
    DiskFull,
    DiskRefused,
    LedgerBusy,
    QueryError,
    ServiceFailed,
)
from connectomedb.server.tables.faults import BUSY, TOO_LONG

NAME = "postgresql"
READERS = 4
"""Threads that read at once: while one waits for the database, another writes its answer."""

SPARE = 40
"""Connections beyond those of the readers that may be open for a while: as many as handlers that read stores."""

LOCK_TIMEOUT_MS = 30_000
CONNECT_TIMEOUT_S = 10

_NETWORK = {
    "application_name": "connectomedb",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Over TCP, a server that vanished without a word is given up within a minute, not a quarter of an hour."""

_WRITER = 0x636462
"""Number of the advisory lock that writers take; such numbers are known to one database only."""

_PATIENCE = text(
    "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', :ms, true), "
    "set_config('plan_cache_mode', 'force_custom_plan', true)"  # a plan made for an empty table reads a full one whole
).bindparams(bindparam("ms", str(LOCK_TIMEOUT_MS)))
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=_WRITER)
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)").bindparams(lock=_WRITER)


class PostgreSQL:
    """How one database of a PostgreSQL server is opened, read and written."""

    readers = READERS
    is_ours_alone = False

    def __init__(self, url: str, statement_timeout_s: float) -> None:
        self.engine = _engine(url, statement_timeout_s)

    def reading(self, connection: Connection) -> Connection:
        """A connection whose transaction sees one snapshot, and cannot write."""
        return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def writing(self, connection: Connection, *, wait: bool, is_migrating: bool) -> Iterator[Connection]:
        """A transaction that alone may write. Raises LedgerBusy."""
        with connection.begin():
            connection.execute(_PATIENCE)
            if wait:
                connection.execute(_LOCK)
            elif not connection.execute(_TRY_LOCK).scalar_one():
                raise LedgerBusy(BUSY)
            yield connection

    def settle(self, connection: Connection) -> None:
        """Give every column of text the collation "C", unless the whole database has it."""
        if connection.execute(_IS_PLAIN).scalar_one():
            return
        for table, changes in connection.execute(_COLLATED).all():
            connection.exec_driver_sql(f"ALTER TABLE {table} {changes}")

    def translate(self, fault: DBAPIError) -> ConnectomeDBError | None:
        """The fault as ours, by its SQLSTATE; None when no row fits."""
        state = getattr(fault.orig, "sqlstate", None)
        if state is None and isinstance(fault, DataError):
            state = "22"
        if state is None:
            return _unreachable(" ".join(str(fault.orig).split()))
        return next((error(message) for start, error, message in _FAULTS if state.startswith(start)), None)


_IS_PLAIN = text(
    "SELECT datcollate IN ('C', 'POSIX') AND datctype IN ('C', 'POSIX') AND datlocprovider = 'c' "
    "FROM pg_database WHERE datname = current_database()"
)
_COLLATED = text(
    """
    SELECT format('%I', table_name),
           string_agg(format('ALTER COLUMN %I TYPE text COLLATE "C"', column_name), ', ')
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
      AND data_type = 'text' AND collation_name IS NULL
    GROUP BY table_name ORDER BY table_name
    """
)


def _engine(url: str, statement_timeout_s: float) -> Engine:
    options = f"-c statement_timeout={round(statement_timeout_s * 1000)} -c timezone=UTC -c jit=off"
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
        return create_engine(
            address,
            pool_size=READERS + 1,
            max_overflow=SPARE,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"options": options, "connect_timeout": CONNECT_TIMEOUT_S, **_NETWORK},
        )
    except (ArgumentError, ValueError) as fault:
        raise ConfigError("The address of the database is none. Write postgresql://USER@HOST/NAME.") from fault
    except ModuleNotFoundError as fault:
        raise ConfigError("The driver of PostgreSQL is not installed: pip install 'connectomedb[postgres]'.") from fault


def _unreachable(reason: str) -> ConnectomeDBError:
    """There is no connection: the server refused it, which its word FATAL tells, or there is no server."""
    refusal = reason.partition("FATAL: ")[2].strip()
    if not refusal or refusal.startswith(_PASSING):
        return ServiceFailed(f"The database server cannot be reached: {reason}. Check its address, or start it.")
    return ConfigError(f"The database server refused: {refusal}. Check the address of the database, and its password.")


_PASSING = ("the database system is", "sorry, too many", "remaining connection slots", "terminating connection")

_TOO_WIDE = (
    "PostgreSQL holds a row of at most 8 kB, a thousand numbers or fewer texts. "
    "Put some of the columns into a second data type, or keep the measures in SQLite."
)
_FAULTS: tuple[tuple[str, type[ConnectomeDBError], str], ...] = (
    ("57014", QueryError, TOO_LONG),
    ("55P03", LedgerBusy, BUSY),
    ("53100", DiskFull, "The disk of the database is full. Make room, then try again."),
    ("53300", LedgerBusy, "The database server has no connection left. Try again, or allow it more."),
    ("25006", DiskRefused, "The database cannot be written: it is read-only."),
    ("54000", ConfigError, _TOO_WIDE),
    ("22", QueryError, "The database cannot hold or compare this value. Give another one."),
    ("42501", ConfigError, "The user of the database may not do this. Make the user the database's owner."),
    ("57P", ServiceFailed, "The database server is stopping or starting. Try again."),
)

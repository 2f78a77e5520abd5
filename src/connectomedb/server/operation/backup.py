"""A server's rows in one file, and back: consistent, while the server goes on.

    SQLite       a database file, made by SQLite's own online backup
    PostgreSQL   pg_dump's custom format, which pg_restore reads

File bytes are not in it: copy the folder `archive/`, or the bucket, by its own means, after the rows. Bytes that
came later harm nothing; `cdb admin check` names what is missing.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from connectomedb.errors import ConfigError, Conflict, DiskFull, DiskRefused, LedgerBusy
from connectomedb.server.folder import DataFolder
from connectomedb.server.operation.postgres_copies import dump_postgres, restore_postgres
from connectomedb.server.settings import DatabaseSettings
from connectomedb.server.site import open_database
from connectomedb.server.tables.database import Database

_MAGIC = {b"SQLite format 3\x00": "SQLite", b"PGDMP": "PostgreSQL"}


def back_up(folder: DataFolder, settings: DatabaseSettings, target: Path) -> int:
    """Write all rows to a file that must not exist yet; its size in bytes. It appears when it is whole.

    Raises: Conflict (the file is there), ConfigError (no database), DiskRefused, DiskFull, ServiceFailed.
    """
    if target.exists():
        raise Conflict(f"Asked to back up to {target}. It is there already. Name a new file.")
    if not settings.url and not folder.database.exists():
        raise ConfigError(f"Asked to back up {folder.root}. It has no database. Name a server's data folder.")
    part = target.with_name(f".{target.name}.part")
    with _removed_after_a_fault(part):
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        if settings.url:
            dump_postgres(settings.url, part)
        else:
            _copy_sqlite(folder.database, part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.link(part, target)  # unlike a rename, this never replaces a file that came meanwhile
        part.unlink()
    return target.stat().st_size


def restore(folder: DataFolder, settings: DatabaseSettings, source: Path, *, replace: bool = False) -> None:
    """Bring rows back from a backup, then up to date. Stop the server before.

    Args:
        replace: whether rows that are there may be replaced; without it the database must be new or empty.
    Raises: Conflict (there are rows), ConfigError (the file is no backup, or of the other database), DiskRefused,
        DiskFull, ServiceFailed.
    """
    _check_kind(source, "PostgreSQL" if settings.url else "SQLite")
    if not replace and _has_rows(folder, settings):
        raise Conflict(
            "Asked to restore into a database that has rows. Name a new folder or database, or say --replace."
        )
    if settings.url:
        restore_postgres(settings.url, source)
    else:
        _restore_sqlite(folder, source)
    open_database(folder, settings).close()


def migrate(folder: DataFolder, settings: DatabaseSettings) -> tuple[str | None, str | None]:
    """Bring the tables up to date; the step they were at, and the one they are at. Raises as `open_database`."""
    if not settings.url and not folder.database.exists():
        raise ConfigError(f"Asked to migrate {folder.root}. It has no database. Name a server's data folder.")
    with closing(Database(settings.url or f"sqlite:///{folder.database}")) as database:
        before = database.revision()
        database.migrate()
        return before, database.revision()


def _check_kind(source: Path, wanted: str) -> None:
    try:
        with source.open("rb") as file:
            begin = file.read(16)
    except OSError as fault:
        raise ConfigError(f"Asked to restore {source}. It cannot be read: {fault.strerror}.") from fault
    found = next((kind for magic, kind in _MAGIC.items() if begin.startswith(magic)), None)
    if found is None:
        raise ConfigError(f"Asked to restore {source}. It is no backup. Name a file that cdb admin backup wrote.")
    if found != wanted:
        raise ConfigError(f"Asked to restore {source}, a backup of {found}, into {wanted}. Name a {found} database.")


def _has_rows(folder: DataFolder, settings: DatabaseSettings) -> bool:
    if not settings.url and not folder.database.exists():
        return False
    with closing(Database(settings.url or f"sqlite:///{folder.database}")) as database:
        return database.revision() is not None


def _copy_sqlite(source: Path, target: Path) -> None:
    """All pages in one step: one moment of a database in WAL mode, whose writers go on meanwhile."""
    with (
        _sqlite_faults(),
        closing(sqlite3.connect(_read_only(source), uri=True)) as rows,
        closing(sqlite3.connect(target)) as copy,
    ):
        rows.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _restore_sqlite(folder: DataFolder, source: Path) -> None:
    """Into a file of its own, checked, then in place of the old one and its log in one transaction of SQLite."""
    DataFolder.open(folder.root, folder.settings_file)
    folder.database.touch(mode=0o600)
    with (
        _sqlite_faults(),
        closing(sqlite3.connect(_read_only(source), uri=True)) as backup,
        closing(sqlite3.connect(folder.database)) as rows,
    ):
        state = backup.execute("PRAGMA integrity_check").fetchone()[0]
        if state != "ok":
            raise ConfigError(f"Asked to restore {source}. It is damaged: {state}. Take another backup.")
        backup.backup(rows)


def _read_only(file: Path) -> str:
    return f"{file.resolve().as_uri()}?mode=ro"


@contextmanager
def _sqlite_faults() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as fault:
        reason = str(fault)
        if "full" in reason:
            raise DiskFull(f"Copying the database: {reason}. Make room, then try again.") from fault
        if "locked" in reason or "busy" in reason:
            raise LedgerBusy("Copying the database: somebody else uses it. Stop the server, then try again.") from fault
        raise ConfigError(f"Copying the database: {reason}. Name a database and a backup of it.") from fault


@contextmanager
def _removed_after_a_fault(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        part.unlink(missing_ok=True)
        raise DiskRefused(f"Writing {part}: {fault.strerror}. Choose another place.", path=str(part)) from fault
    except BaseException:
        part.unlink(missing_ok=True)
        raise

"""The database: migrations make the declared tables, one writes, the others see one snapshot, faults are ours."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, func, insert, inspect, select, text

from connectomedb.errors import ConfigError, Conflict, ConnectomeDBError, DiskFull, LedgerBusy, NotFound, ServiceFailed
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.passwords import hash_password, verify_password
from connectomedb.server.access.users import add_member, create_user, grant_tier, set_accessibility, set_password
from connectomedb.server.tables.counters import next_accessions, next_number
from connectomedb.server.tables.database import Database, newest_revision
from connectomedb.server.tables.schema import counters, metadata

Open = Callable[[], Database]


def test_migrations_make_exactly_the_declared_tables(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_make_exactly_the_declared_checks(database: Database) -> None:
    """Alembic compares none: one was there twice for a while."""
    declared = [
        (table.name, constraint.name, _plain(str(constraint.sqltext)))
        for table in metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    ]
    with database.read() as connection:
        found = [
            (table, check["name"], _plain(check["sqltext"]))
            for table in inspect(connection).get_table_names()
            for check in inspect(connection).get_check_constraints(table)
        ]
    assert sorted(found) == sorted(declared) != []


def _plain(condition: str) -> str:
    """A condition without the brackets that PostgreSQL adds."""
    return " ".join(condition.replace("(", " ").replace(")", " ").split())


def test_what_counts_as_up_to_date_is_the_last_step(database: Database) -> None:
    scripts = ScriptDirectory(str(files("connectomedb.server") / "migrations"))
    assert scripts.get_current_head() == newest_revision() == database.revision()


def test_migrating_twice_is_migrating_once(database: Database, open_database: Open) -> None:
    with database.write() as connection:
        next_number(connection, "kept")
    database.migrate()
    again = open_database()
    with again.read() as connection:
        assert connection.execute(select(counters.c.value)).scalar() == 1


def test_many_processes_may_open_a_new_database_at_once(open_database: Open) -> None:
    faults: list[ConnectomeDBError] = []

    def open_it() -> None:
        try:
            open_database().close()
        except ConnectomeDBError as fault:
            faults.append(fault)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_an_error_takes_back_all_of_a_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        next_number(connection, "a")
        connection.execute(text("CREATE TABLE made (a INTEGER)"))
        raise ZeroDivisionError
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(counters)).scalar() == 0
        assert not inspect(connection).has_table("made")


def test_a_reader_sees_one_snapshot(database: Database) -> None:
    with database.read() as reading:
        assert reading.execute(select(func.count()).select_from(counters)).scalar() == 0
        with database.write() as connection:
            next_number(connection, "a")
        assert reading.execute(select(func.count()).select_from(counters)).scalar() == 0
    with database.read() as reading:
        assert reading.execute(select(func.count()).select_from(counters)).scalar() == 1


def test_numbers_are_given_once_among_threads_and_processes(database: Database, open_database: Open) -> None:
    given: list[int] = []
    other = open_database()

    def take(mine: Database) -> None:
        for _ in range(20):
            with mine.write() as connection:
                given.append(next_number(connection, "a"))

    threads = [threading.Thread(target=take, args=(mine,)) for mine in (database, database, other, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 81))


def test_accession_ids_are_padded_to_five(database: Database) -> None:
    with database.write() as connection:
        assert next_accessions(connection, "S", 2) == ["ConnectomeDB_S00001", "ConnectomeDB_S00002"]
        connection.execute(insert(counters).values(name="accession_E", value=123_456))
        assert next_accessions(connection, "E", 1) == ["ConnectomeDB_E123457"]


def test_who_will_not_wait_is_told_that_the_database_is_busy(database: Database, open_database: Open) -> None:
    other = open_database()
    with database.write():
        for busy in (database, other):
            with pytest.raises(LedgerBusy), busy.write(wait=False):
                raise AssertionError("nobody else may write now")
    with other.write(wait=False) as connection:
        assert next_number(connection, "a") == 1


def test_foreign_faults_come_out_as_ours(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "database.sqlite")
    with database.write() as connection:
        connection.execute(text("PRAGMA max_page_count = 80"))
    faults: list[tuple[str, type[ConnectomeDBError]]] = [
        ("SELECT * FROM nonsense", ServiceFailed),
        ("INSERT INTO counters VALUES ('a', 1), ('a', 2)", Conflict),
        ("INSERT INTO counters SELECT hex(randomblob(4000000)), 1", DiskFull),
    ]
    for statement, error in faults:
        with pytest.raises(error), database.write() as connection:
            connection.execute(text("PRAGMA max_page_count = 80"))
            connection.execute(text(statement))


def test_people_and_projects_that_are_not_there_are_named(database: Database) -> None:
    create_user(database, "me", "pw")
    with pytest.raises(NotFound, match="NONE"):
        add_member(database, "NONE", "me", Role.OWNER)
    with pytest.raises(NotFound, match="NONE"):
        grant_tier(database, "NONE", "me", Tier.SENSITIVE)
    with pytest.raises(NotFound, match="NONE"):
        set_accessibility(database, "NONE", Accessibility.PUBLIC)
    with pytest.raises(NotFound, match="nobody"):
        set_password(database, "nobody", "pw")


@pytest.mark.parametrize("login", ["", "a b", "a:b", "../x", "x" * 65, "<b>", "-x", "ü"])
def test_a_login_that_is_none_is_refused(database: Database, login: str) -> None:
    with pytest.raises(ConfigError):
        create_user(database, login, "pw")


def test_a_login_is_taken_whatever_its_case(database: Database) -> None:
    create_user(database, "Me", "pw")
    with pytest.raises(Conflict):
        create_user(database, "me", "pw")


@pytest.mark.parametrize("password", ["", "x" * 1025, "ü" * 513])
def test_a_password_that_is_none_is_refused(password: str) -> None:
    with pytest.raises(ConfigError):
        hash_password(password)


def test_a_password_verifies_itself_and_nothing_else() -> None:
    hashed = hash_password("pässword \U0001f9e0")
    assert hashed.startswith("$argon2id$")
    assert verify_password(hashed, "pässword \U0001f9e0")
    assert not verify_password(hashed, "password")
    assert not verify_password(None, "nobody's password")
    assert not verify_password("no hash", "password")
    assert hash_password("a") != hash_password("a")

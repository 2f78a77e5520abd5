"""What databases do differently by nature, and what makes them alike: order, case, time, faults."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Text, func, insert, literal, select, text

from connectomedb.errors import ConfigError, ConnectomeDBError, QueryError, ServiceFailed
from connectomedb.server.query.comparisons import like
from connectomedb.server.query.read_first import ReadFirst
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import counters
from connectomedb.server.types.datatypes import Kind

if TYPE_CHECKING:
    from connectomedb.demo.services.postgres import PostgresServer

WORDS = ["b", "B", "a", "_", "Z", "é", "É", "ab", "a b", "a-b", "10", "9", "~", "ß"]
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT max(i) FROM n"


def _fill(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(counters), [{"name": word, "value": 0} for word in WORDS])


def _sorted_and_like(database: Database) -> tuple[list[str], set[str]]:
    with database.read() as connection:
        ordered = connection.execute(select(counters.c.name).order_by(counters.c.name)).scalars().all()
        alike = connection.execute(select(counters.c.name).where(like(counters.c.name, Kind.STRING, "é%"))).scalars()
        return list(ordered), set(alike)


def test_text_sorts_by_code_point_and_only_a_to_z_have_no_case(database: Database) -> None:
    _fill(database)
    assert _sorted_and_like(database) == (sorted(WORDS), {"é"})


def test_a_database_with_a_language_of_its_own_is_made_to_sort_the_same(postgres: PostgresServer) -> None:
    url = postgres.make_database(options="TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'")
    with closing(Database(url)) as database:
        database.migrate()
        _fill(database)
        assert _sorted_and_like(database) == (sorted(WORDS), {"é"})
        with database.read() as connection:
            left = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' "
            left += "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
            assert connection.execute(text(left)).scalar() == 0


@pytest.mark.parametrize(
    ("number", "pattern"),
    [(29.0, "29.0"), (1.5, "1.5"), (-3.0, "-3.0"), (0.0, "0.0"), (123456789012.0, "123456789012.0"), (0.25, "0.2%")],
)
def test_a_fraction_is_compared_as_it_is_shown(database: Database, number: float, pattern: str) -> None:
    with database.read() as connection:
        condition = like(literal(number), Kind.FLOAT, pattern)
        assert connection.execute(select(func.count()).where(condition)).scalar() == 1


def test_a_reader_that_takes_too_long_is_told_so_and_the_next_one_is_not(
    open_database: Callable[[], Database], database: Database
) -> None:
    url = database._kind.engine.url.render_as_string(hide_password=False)
    hasty = Database(url, statement_timeout_s=0.3)
    with pytest.raises(QueryError, match="too long"), hasty.read() as connection:
        connection.execute(text(SLOW))
    with hasty.read() as connection:
        assert connection.execute(select(literal("x", Text))).scalar() == "x"
    hasty.close()


def test_who_writes_may_take_longer(database: Database) -> None:
    hasty = Database(database._kind.engine.url.render_as_string(hide_password=False), statement_timeout_s=0.01)
    few = SLOW.replace("100000000", "300000")
    with pytest.raises(QueryError), hasty.read() as connection:
        connection.execute(text(SLOW))
    with hasty.write() as connection:
        assert connection.execute(text(few)).scalar() == 300_000
    hasty.close()


def test_sqlite_begins_with_the_table_that_is_to_be_read_first(database: Database, engine: str) -> None:
    _fill(database)
    first, second = counters.alias("first"), counters.alias("second")
    statement = select(first.c.name).where(second.c.name == "a").order_by(first.c.name)
    joins = (first.join, partial(ReadFirst, first))
    statements = [statement.select_from(join(second, first.c.value == second.c.value)) for join in joins]
    with database.read() as connection:
        assert [list(connection.execute(asked).scalars()) for asked in statements] == [sorted(WORDS)] * 2
        if engine == "sqlite":
            texts = [asked.compile(connection, compile_kwargs={"literal_binds": True}) for asked in statements]
            begun = [connection.execute(text(f"EXPLAIN QUERY PLAN {words}")).all()[0].detail for words in texts]
            assert ["SEARCH second" in begun[0], "SCAN first" in begun[1]] == [True, True], begun


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    found: list[int] = []

    def read() -> None:
        with database.read() as connection:
            found.append(connection.execute(select(func.count()).select_from(counters)).scalar_one())

    with database.write() as connection:
        connection.execute(insert(counters).values(name="a", value=1))
        threads = [threading.Thread(target=read) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert found == [0] * 10


def test_a_lost_connection_is_replaced(postgres: PostgresServer) -> None:
    database = Database(postgres.make_database())
    with database.read() as connection:
        mine = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = Database(postgres.url("postgres"))
    with other.write() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend({mine})"))
    other.close()
    with database.read() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != mine
    database.close()


FOREIGN: dict[str, tuple[str, type[ConnectomeDBError]]] = {
    "no such database": ("postgresql://cdb@/nothing?host={0}", ConfigError),
    "no such user": ("postgresql://nobody@/postgres?host={0}", ConfigError),
    "no such server": ("postgresql://cdb@/x?host=/nonexistent", ServiceFailed),
    "another port": ("postgresql://cdb@127.0.0.1:1/x", ServiceFailed),
    "another kind": ("mysql://root@localhost/x", ConfigError),
    "no port": ("postgresql://cdb@localhost:many/x", ConfigError),
}


@pytest.mark.parametrize("reason", FOREIGN)
def test_a_database_that_cannot_be_had_is_explained(postgres: PostgresServer, reason: str) -> None:
    template, error = FOREIGN[reason]
    host = postgres.url("x").partition("host=")[2]
    with pytest.raises(error) as caught:
        Database(template.format(host)).migrate()
    assert "\n" not in str(caught.value)


def test_a_value_that_no_column_holds_is_a_fault_of_the_question(postgres: PostgresServer) -> None:
    database = Database(postgres.make_database())
    with pytest.raises(QueryError), database.read() as connection:
        connection.execute(text("SELECT CAST('many' AS integer)"))
    with pytest.raises(QueryError), database.read() as connection:
        connection.execute(select(counters).where(counters.c.name == "a\x00b"))
    with pytest.raises(ConnectomeDBError, match="read-only"), database.read() as connection:
        connection.execute(insert(counters).values(name="a", value=1))
    database.close()

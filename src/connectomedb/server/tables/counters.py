"""Numbers that are given out once: accession IDs, tables, columns, versions."""

from sqlalchemy import Connection, insert, select, update

from connectomedb.server.tables.schema import counters

SITE_ID = "ConnectomeDB"
"""First part of accession IDs."""


def next_number(connection: Connection, name: str) -> int:
    """The next number of a counter, from 1; never given again. Needs a writing transaction."""
    return next_numbers(connection, name, 1)[0]


def next_numbers(connection: Connection, name: str, count: int) -> range:
    """The next numbers of a counter. Needs a writing transaction."""
    last: int | None = connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar()
    if last is None:
        connection.execute(insert(counters).values(name=name, value=count))
        return range(1, count + 1)
    connection.execute(update(counters).where(counters.c.name == name).values(value=last + count))
    return range(last + 1, last + count + 1)


def next_accessions(connection: Connection, letter: str, count: int) -> list[str]:
    """The next accession IDs: `ConnectomeDB_S00001` of subjects, `ConnectomeDB_E00001` of experiments."""
    return [f"{SITE_ID}_{letter}{number:05d}" for number in next_numbers(connection, f"accession_{letter}", count)]

"""Numbers that are given out once: accession IDs, tables, columns, versions."""

from sqlalchemy import Connection, insert, select, update

from connectomedb.server.schema import counters

SITE_ID = "ConnectomeDB"
"""First part of accession IDs."""


def next_number(connection: Connection, name: str) -> int:
    """The next number of a counter, from 1; never given again. Needs a writing transaction."""
    last: int | None = connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar()
    if last is None:
        connection.execute(insert(counters).values(name=name, value=1))
        return 1
    connection.execute(update(counters).where(counters.c.name == name).values(value=last + 1))
    return last + 1


def next_accession(connection: Connection, letter: str) -> str:
    """The next accession ID: `ConnectomeDB_S00001` of subjects, `ConnectomeDB_E00001` of experiments."""
    return f"{SITE_ID}_{letter}{next_number(connection, f'accession_{letter}'):05d}"

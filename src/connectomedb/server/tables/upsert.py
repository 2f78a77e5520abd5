"""Rows by name: made where they are missing, updated where they differ, left alone otherwise."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Table, insert, select, update

from connectomedb.server.tables.counters import next_accessions

AT_ONCE = 1_000
"""Rows that are looked up and held at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row ought to hold; `first` is only for a new row: people may change it later."""

    facts: Mapping[str, object] = field(default_factory=dict)
    first: Mapping[str, object] = field(default_factory=dict)


class Upsert:
    """One writing transaction at one time, by one user; counts the rows that it made or changed."""

    def __init__(self, connection: Connection, login: str, time: datetime) -> None:
        self.connection = connection
        self.changes = 0
        self._time = time
        self.login = login

    def put(
        self,
        table: Table,
        owner: Mapping[str, int],
        column: str,
        wanted: Mapping[str, Wanted],
        *,
        letter: str = "",
        has_history: bool = True,
    ) -> dict[str, int]:
        """Keys of the rows of that owner by name, which stands in `column`.

        Args:
            owner: columns of the rows with the key of what they belong to.
            wanted: name → what the row ought to hold. Rows of other names are not touched.
            letter: of the accession IDs that new rows get.
            has_history: whether the rows say when and by whom they were made and changed.
        """
        keys: dict[str, int] = {}
        for names in in_parts(wanted):
            part = {name: wanted[name] for name in names}
            keys |= self._put_part(table, owner, column, part, letter, has_history)
        return keys

    def _put_part(
        self,
        table: Table,
        owner: Mapping[str, int],
        column: str,
        wanted: Mapping[str, Wanted],
        letter: str,
        has_history: bool,
    ) -> dict[str, int]:
        mine = [*(table.c[name] == key for name, key in owner.items()), table.c[column].in_(list(wanted))]
        known = {getattr(row, column): row for row in self.connection.execute(select(table).where(*mine))}
        new = {name: row for name, row in wanted.items() if name not in known}
        if new:
            self._insert(table, owner, column, new, letter, has_history)
        for name, row in wanted.items():
            old = known.get(name)
            if old is not None and any(getattr(old, fact) != value for fact, value in row.facts.items()):
                history = {"last_modified": self._time} if has_history else {}
                self.connection.execute(update(table).where(table.c.key == old.key).values(**row.facts, **history))
                self.changes += 1
        keys = self.connection.execute(select(table.c[column], table.c.key).where(*mine))
        return {name: key for name, key in keys}

    def touch(self, table: Table, keys: Collection[int]) -> None:
        """Say that rows, or something that they hold elsewhere, changed now."""
        for part in in_parts(keys):
            self.connection.execute(update(table).where(table.c.key.in_(part)).values(last_modified=self._time))
        self.changes += len(keys)

    def _insert(
        self,
        table: Table,
        owner: Mapping[str, int],
        column: str,
        new: Mapping[str, Wanted],
        letter: str,
        has_history: bool,
    ) -> None:
        history: dict[str, object] = {}
        if has_history:
            history = {"insert_date": self._time, "insert_user": self.login, "last_modified": self._time}
        rows = [{**owner, column: name, **row.facts, **row.first, **history} for name, row in new.items()]
        if letter:
            ids = next_accessions(self.connection, letter, len(rows))
            rows = [{**row, "id": id} for row, id in zip(rows, ids, strict=True)]
        columns = dict.fromkeys(name for row in rows for name in row)
        self.connection.execute(insert(table), [{name: row.get(name) for name in columns} for row in rows])
        self.changes += len(rows)


T = TypeVar("T")


def in_parts(items: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """Lists of at most `size` items."""
    source = iter(items)
    while part := list(islice(source, size)):
        yield part

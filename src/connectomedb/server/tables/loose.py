"""Objects that no file names: announced before their bytes are kept, forgotten once a file names them.

So bytes never lie in a store without a row, here or in `files`, that says so; whatever ends a process.
Triggers on `files` add what is deleted or replaced.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from connectomedb.server.tables.schema import files, loose_objects

PREFIX = "uploads/"
"""Begin of the keys of all objects that the server made. What lies elsewhere is never deleted."""

NOBODY = ""
BATCH = 500


@dataclass(frozen=True, slots=True)
class LooseObject:
    """One such object, by its row."""

    row: int
    store: str
    key: str


def announce(connection: Connection, store: str, keys: Sequence[str], owner: str, time: datetime) -> None:
    """Say that these objects are about to be kept, by this process."""
    rows = [{"store": store, "object_key": key, "owner": owner, "since": time} for key in keys]
    for start in range(0, len(rows), BATCH):
        connection.execute(insert(loose_objects), rows[start : start + BATCH])


def forget(connection: Connection, keys: Sequence[str]) -> None:
    """These objects have files that name them now."""
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        connection.execute(delete(loose_objects).where(loose_objects.c.object_key.in_(batch)))


def give_up(connection: Connection, keys: Sequence[str]) -> None:
    """Nobody brings these objects any more."""
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        connection.execute(update(loose_objects).where(loose_objects.c.object_key.in_(batch)).values(owner=NOBODY))


def find_loose(
    connection: Connection, *, dropped_before: datetime, announced_before: datetime, dead: Collection[str], most: int
) -> list[LooseObject]:
    """Objects to delete: nobody's for so long already, or of processes that ended. None that a file names.

    What was announced before `announced_before` counts as given up, whoever brings it.
    """
    named = select(files.c.key).where(
        files.c.store == loose_objects.c.store, files.c.object_key == loose_objects.c.object_key
    )
    is_done = loose_objects.c.owner.in_(list(dead)) | (
        (loose_objects.c.owner == NOBODY) & (loose_objects.c.since <= dropped_before)
    )
    is_done |= loose_objects.c.since <= announced_before
    wanted = select(loose_objects).where(is_done, ~named.exists()).order_by(loose_objects.c.key).limit(most)
    return [LooseObject(row.key, row.store, row.object_key) for row in connection.execute(wanted)]


def remove(connection: Connection, rows: Sequence[int]) -> None:
    """Forget objects that are deleted."""
    connection.execute(delete(loose_objects).where(loose_objects.c.key.in_(rows)))

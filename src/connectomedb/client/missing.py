"""Says what is there where something is not: one sentence instead of a bare 404."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from connectomedb.client.transport import Connection
from connectomedb.errors import NotFound, RequestError
from connectomedb.xnat.address import Address, Level, parse_file_uri

MOST_NAMES = 8

NAME_COLUMNS = {
    Level.PROJECTS: ("ID",),
    Level.SUBJECTS: ("label", "ID"),
    Level.EXPERIMENTS: ("label", "ID"),
    Level.SCANS: ("ID", "type"),
    Level.RECONSTRUCTIONS: ("ID",),
    Level.ASSESSORS: ("label", "ID"),
    Level.RESOURCES: ("label", "xnat_abstractresource_id"),
}
"""Columns of a listing whose values stand for an object in addresses; the first is for people."""

_ONE = {level: level.value.removesuffix("s") for level in Level}


@contextmanager
def explained(connection: Connection, address: Address) -> Iterator[None]:
    """Let NotFound say which step of `address` is missing, and what stands there instead.

    Costs nothing unless something is missing; then one listing per step.
    """
    try:
        yield
    except NotFound as fault:
        try:
            explanation = explain(connection, address)
        except RequestError:
            raise fault from None  # who cannot be asked cannot explain
        if explanation is None:
            raise
        raise NotFound(explanation, method=fault.method, address=fault.address, status=fault.status) from fault


def explain(connection: Connection, address: Address) -> str | None:
    """Which step of an address names nothing, in a sentence; None when all are there. One listing per step."""
    for number, step in enumerate(address.steps):
        above = Address(address.steps[:number])
        names = _names(connection, above, step.level)
        if names is not None and step.id not in {name for row in names for name in row}:
            where = "".join(f" of {_ONE[upper.level]} {upper.id}" for upper in reversed(above.steps))
            there = _what_is_there(step.id, [next(filter(None, row), "") for row in names], step.level)
            return (
                f"Asked {connection.name} for {_ONE[step.level]} {step.id}{where}. "
                f"There is none, or none that you may see. {there}"
            )
    return None


def _names(connection: Connection, above: Address, level: Level) -> list[tuple[str, ...]] | None:
    """The names of each object; None where accession IDs stand without a project, which cannot be listed in short."""
    if not above.steps and level is not Level.PROJECTS:
        return None
    if level is Level.FILES:
        table = connection.list_files(above)
        return [(parse_file_uri(row[table.columns.index("URI")]),) for row in table.rows]
    table = connection.get_table(above.list(level), {"columns": ",".join(NAME_COLUMNS[level])})
    places = [table.columns.index(column) for column in NAME_COLUMNS[level] if column in table.columns]
    return [tuple(row[place] for place in places) for row in table.rows]


def _what_is_there(wanted: str, names: Sequence[str], level: Level) -> str:
    if not names:
        return f"There are no {level} at all."
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.8)
    shown = ", ".join(near or sorted(names)[:MOST_NAMES])
    if near:
        return f"Near it: {shown}. List all with .{level}()."
    more = f" and {len(names) - MOST_NAMES} more; list them with .{level}()" if len(names) > MOST_NAMES else ""
    return f"There: {shown}{more}."

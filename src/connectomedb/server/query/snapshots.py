"""Results that are paged through: rows kept as they were found, so that new data does not shift pages.

A snapshot belongs to the user who asked for it, for half an hour after its last use, and only as long as
that user's rights are what they were: a right that was taken away closes what it had opened.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from connectomedb.errors import Expired, QueryError
from connectomedb.server.access.auth import Rights
from connectomedb.server.access.visible import may_read
from connectomedb.server.query.results import BATCH, describe, read_rows
from connectomedb.server.query.sql import Page, Search, Sort
from connectomedb.server.tables.schema import projects, search_snapshot_rows, search_snapshots
from connectomedb.server.types.datatypes import Kind
from connectomedb.server.types.values import format_value
from connectomedb.xnat.resultset import ResultTable

LIFETIME = timedelta(minutes=30)
MAX_OF_USER = 20
"""Snapshots that one user has at once; a further one replaces the oldest."""

MAX_ROWS = 1_000_000
RENEW_AFTER = timedelta(minutes=5)
"""A page writes the snapshot's time only when it has changed by this much, so that reading stays reading."""

_NUMBERS = (Kind.INTEGER, Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One kept result. `frame` is its table without rows; `document` the search that made it."""

    key: int
    id: str
    document: bytes
    frame: ResultTable
    expires: datetime


def keep(reader: Connection, writer: Connection, rights: Rights, search: Search, document: bytes, now: datetime) -> str:
    """Run a search and keep its rows; the snapshot's id. Raises QueryError when there are too many.

    Args:
        reader: where the rows are read; another connection than `writer`, which needs a writing transaction.
        now: the present time in UTC, without zone.
    """
    _make_room(writer, rights, now)
    id = secrets.token_hex(16)
    facts = {"id": id, "user_key": rights.caller.key, "expires": now + LIFETIME, "rights": fingerprint(reader, rights)}
    facts |= {"document": document, "frame": _frame(describe(search)), "total": 0}
    key: int = writer.execute(insert(search_snapshots).returning(search_snapshots.c.key), facts).scalar_one()
    _fill(reader, writer, search, key)
    return id


def refill(reader: Connection, writer: Connection, rights: Rights, search: Search, kept: Snapshot) -> None:
    """Run the search of a snapshot anew and keep its rows in place of the old ones."""
    writer.execute(delete(search_snapshot_rows).where(search_snapshot_rows.c.snapshot_key == kept.key))
    facts = {"rights": fingerprint(reader, rights), "frame": _frame(describe(search))}
    writer.execute(update(search_snapshots).where(search_snapshots.c.key == kept.key).values(facts))
    _fill(reader, writer, search, kept.key)


def find(connection: Connection, rights: Rights, id: str, now: datetime) -> Snapshot:
    """A snapshot of the caller's. Raises Expired: one that never was looks like one that is gone."""
    rows = search_snapshots
    mine = (rows.c.id == id, rows.c.user_key == rights.caller.key, rows.c.expires > now)
    row = connection.execute(select(rows).where(*mine)).first()
    if row is None or row.rights != fingerprint(connection, rights):
        raise Expired("Asked for a page of a search that is not kept any more. Run the search again.", status=410)
    frame = ResultTable(
        columns=tuple(column["key"] for column in row.frame["columns"]),
        rows=(),
        total=row.total,
        meta={**row.frame["meta"], "ID": row.id},
        columns_meta=row.frame["columns"],
    )
    return Snapshot(row.key, row.id, row.document, frame, row.expires)


def renew(connection: Connection, kept: Snapshot, now: datetime) -> None:
    """Keep a snapshot for as long again. Needs a writing transaction."""
    mine = search_snapshots.c.key == kept.key
    connection.execute(update(search_snapshots).where(mine).values(expires=now + LIFETIME))


def read_page(
    connection: Connection, kept: Snapshot, sorts: Sequence[Sort], page: Page
) -> Iterator[Sequence[Sequence[object]]]:
    """Rows of a snapshot in batches. Nulls come last, in descending order first."""
    rows = search_snapshot_rows
    described = kept.frame.columns_meta or ()
    places = {column["key"]: number for number, column in enumerate(described[:-1])}
    terms = [
        _term(places[sort.column], Kind(described[places[sort.column]]["type"]), sort)
        for sort in sorts
        if sort.column in places
    ]
    found = select(rows.c.cells).where(rows.c.snapshot_key == kept.key).order_by(*terms, rows.c.position)
    if not page.is_all:
        found = found.limit(page.limit).offset(page.offset)
    yield from connection.execution_options(yield_per=BATCH).execute(found).scalars().partitions()


def fingerprint(connection: Connection, rights: Rights) -> str:
    """What the caller may read, as one short text: another one says that it changed."""
    readable = select(projects.c.key).where(may_read(rights.caller, projects.c.key)).order_by(projects.c.key)
    granted = sorted((key, tier.value) for key, tier in rights.grants.items())
    known = (rights.caller.is_admin, granted, list(connection.execute(readable).scalars()))
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _make_room(writer: Connection, rights: Rights, now: datetime) -> None:
    rows = search_snapshots
    writer.execute(delete(rows).where(rows.c.expires <= now))
    mine = select(rows.c.key).where(rows.c.user_key == rights.caller.key).order_by(rows.c.key.desc())
    writer.execute(delete(rows).where(rows.c.key.in_(writer.execute(mine.offset(MAX_OF_USER - 1)).scalars().all())))


def _fill(reader: Connection, writer: Connection, search: Search, key: int) -> None:
    total = 0
    for rows in read_rows(reader, search):
        kept = [
            {"snapshot_key": key, "position": position, "cells": [_plain(value) for value in row]}
            for position, row in enumerate(rows, total)
        ]
        total += len(kept)
        if total > MAX_ROWS:
            raise QueryError(f"The search finds more than {MAX_ROWS} rows, too many to be kept. Ask for fewer.")
        if kept:
            writer.execute(insert(search_snapshot_rows), kept)
    writer.execute(update(search_snapshots).where(search_snapshots.c.key == key).values(total=total))


def _frame(table: ResultTable) -> dict[str, object]:
    return {"columns": list(table.columns_meta or ()), "meta": dict(table.meta)}


def _plain(value: object) -> object:
    """A value as JSON has it; times are text, whose order is theirs."""
    return format_value(value) if isinstance(value, date | time | datetime) else value


def _term(place: int, kind: Kind, sort: Sort) -> ColumnElement[Any]:
    cell = search_snapshot_rows.c.cells[place]
    value: ColumnElement[Any] = cell.as_float() if kind in _NUMBERS else cell.as_string()
    return value.desc().nulls_first() if sort.descending else value.asc().nulls_last()

"""Tables, and how they are read from XNAT's ResultSet JSON and CSV; `xnat.writers` writes them.

    {"ResultSet": {"Columns": [...], "Result": [{"ID": "P1", ...}], "title": "Projects", "totalRecords": "1"}}

Every cell is text, null is "". Source: XNAT's table representations; pyxnat reads the CSV and
xnatpy the JSON.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connectomedb.errors import UnexpectedReply

STATUS_COLUMN = "quarantine_status"
"""The column that stands last in the result of every search."""

MAX_REASON = 120
"""Longest explanation of a broken reply, in characters: the reply itself may stand in it."""

_KEYS = ("title", "totalRecords")


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table of text. `meta` holds further texts of the ResultSet object, `columns_meta` its `Columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    total: int | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    columns_meta: Sequence[Mapping[str, str]] | None = None


def parse_json(document: bytes) -> ResultTable:
    """Read ResultSet JSON; columns come in the order of `Columns`, which rows need not keep, others as they appear.

    A table without rows has the columns that `Columns` names. Raises UnexpectedReply.
    """
    try:
        result = json.loads(document)["ResultSet"]
        records: list[dict[str, object]] = result["Result"]
        columns_meta = _columns_meta(result.get("Columns"))
        named = [column["key"] for column in columns_meta or ()]
        found = dict.fromkeys(key for record in records for key in record)
        columns = tuple(dict.fromkeys([*(key for key in named if key in found or not records), *found]))
        rows = tuple(tuple(_text(record.get(column)) for column in columns) for record in records)
        total = result.get("totalRecords")
        meta = {key: value for key, value in result.items() if isinstance(value, str) and key not in _KEYS}
        return ResultTable(
            columns, rows, str(result.get("title", "")), None if total is None else int(total), meta, columns_meta
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        reason = f"{type(fault).__name__}: {fault}"[:MAX_REASON]
        raise UnexpectedReply(f"Asked for a table. The reply is no ResultSet ({reason}).") from fault


def _columns_meta(columns: Iterable[Mapping[str, object]] | None) -> tuple[dict[str, str], ...] | None:
    """The `Columns` of a ResultSet, as text; properties that are no plain value (`linkProps`) are left out."""
    if columns is None:
        return None
    plain = (str, int, float)
    return tuple({key: _text(part) for key, part in column.items() if isinstance(part, plain)} for column in columns)


def parse_csv(document: bytes) -> ResultTable:
    """Read CSV with a header line; empty lines are skipped.

    Raises UnexpectedReply when it is no UTF-8 or a row has another number of cells.
    """
    try:
        lines = [line for line in csv.reader(io.StringIO(document.decode("utf-8-sig"), newline="")) if line]
    except (csv.Error, UnicodeDecodeError) as fault:
        raise UnexpectedReply(f"Asked for a CSV table. The reply is none: {fault}.") from fault
    if not lines:
        raise UnexpectedReply("Asked for a CSV table. The reply is empty, without even a header line.")
    columns = tuple(lines[0])
    for number, row in enumerate(lines[1:], start=2):
        if len(row) != len(columns):
            raise UnexpectedReply(f"Line {number} of the CSV has {len(row)} cells where the header has {len(columns)}.")
    return ResultTable(columns, tuple(tuple(row) for row in lines[1:]), total=len(lines) - 1)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)

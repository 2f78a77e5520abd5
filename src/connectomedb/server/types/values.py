"""Values ⇄ text, by kind: cells of tables, and values in criteria and filters.

    integer 42 · float 42.0 · date 2024-01-02 · time 09:30:00 (in JSON 09:30:00.000) · timestamp 2024-01-02 09:30:00.123

Null is "". Source: XNAT's tables; dates are also read as 01/02/2024 (month first), as xnatpy writes them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import TypeAlias

from connectomedb.errors import QueryError
from connectomedb.server.types.datatypes import Kind

Value: TypeAlias = str | int | float | date | time | datetime
MAX_INTEGER = 2**63 - 1
"""Largest integer that a database holds."""

_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%m.%d.%Y", "%Y%m%d")
_TIMES = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M")


def format_value(value: object) -> str:
    """Write one cell."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")
    if isinstance(value, time):
        return value.isoformat("seconds")
    return str(value)


def format_json_value(value: object) -> str:
    """Write one cell of a JSON table, which has times with milliseconds. Source: XNAT's JSON tables."""
    return value.isoformat("milliseconds") if isinstance(value, time) else format_value(value)


def format_column(values: Sequence[object], form: Callable[[object], str] = format_value) -> Sequence[str]:
    """Write the cells of one column. Text, which most columns are, is not touched cell by cell."""
    if all(type(value) is str for value in values):
        return values  # type: ignore[return-value]  # the line above says so, mypy does not follow `all`
    return [value if type(value) is str else form(value) for value in values]


def format_rows(rows: Sequence[Sequence[object]]) -> list[tuple[str, ...]]:
    """Write the cells of a table."""
    return list(zip(*(format_column(column) for column in zip(*rows, strict=True)), strict=True))


def parse_value(kind: Kind, text: str) -> Value:
    """Read a value to compare with. Raises QueryError when the text is none of that kind."""
    return _READERS[kind](text.strip()) if kind is not Kind.STRING else text


def _read_number(text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        raise QueryError(f"{text!r} is no number. Compare a column of numbers with a number.")
    if not number.is_integer() or abs(number) > MAX_INTEGER:
        return number
    return int(text) if text.lstrip("+-").isdecimal() and abs(int(text)) <= MAX_INTEGER else int(number)


def _read_date(text: str) -> date:
    for pattern in _DATES:
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    raise QueryError(f"{text!r} is no date. Write 2024-01-31 or 01/31/2024.")


def _read_time(text: str) -> time:
    for pattern in _TIMES:
        try:
            return datetime.strptime(text, pattern).time()
        except ValueError:
            continue
    raise QueryError(f"{text!r} is no time. Write 09:30:00.")


def _read_timestamp(text: str) -> datetime:
    day, _, clock = text.replace("T", " ").removesuffix("Z").partition(" ")
    return datetime.combine(_read_date(day), _read_time(clock) if clock else time())


_READERS: Mapping[Kind, Callable[[str], Value]] = {
    Kind.INTEGER: _read_number,
    Kind.FLOAT: _read_number,
    Kind.DATE: _read_date,
    Kind.TIME: _read_time,
    Kind.TIMESTAMP: _read_timestamp,
}

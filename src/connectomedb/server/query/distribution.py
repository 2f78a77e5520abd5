"""How the values of one column are spread, among all rows and among those that pass → statements, and their answers.

Numbers fall into bins of a round width; each holds its lower edge, the last one its upper edge, too. Words are
counted each, the most frequent ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select

from connectomedb.errors import QueryError

MIN_BINS, MAX_BINS = 2, 200
"""Fewest and most bins and bars."""

_STEPS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Counted:
    """So many rows, and so many of them that pass."""

    all: int
    passed: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Numbers by bin: bin `i` is from edge `i` to edge `i + 1`; without values there are no edges."""

    low: float | None
    high: float | None
    edges: tuple[float, ...]
    counts: tuple[Counted, ...]
    missing: Counted


@dataclass(frozen=True, slots=True)
class Bars:
    """Words with their counts, in order of the words; `others` are all that are rarer, `other_values` words."""

    counts: tuple[tuple[str, Counted], ...]
    missing: Counted
    other_values: int
    others: Counted


def read_histogram(connection: Connection, measured: Select[Any], most: int, *, is_whole: bool) -> Histogram:
    """The histogram of a column of numbers, given each row's `value` and whether it `passes`.

    Args:
        most: bins.
        is_whole: all numbers are integers, so that no bin is narrower than 1.
    Raises: QueryError when there are numbers without end.
    """
    rows = measured.subquery()
    value, passes = rows.c.value, rows.c.passes
    lacking = case((value.is_(None), 1), else_=0)
    sums = (func.sum(lacking), func.sum(lacking * passes))
    low, high, *lacked = connection.execute(select(func.min(value), func.max(value), *sums)).one()
    missing = Counted(*(number or 0 for number in lacked))
    if low is None:
        return Histogram(None, None, (), (), missing)
    edges = round_edges(low, high, most, is_whole=is_whole)
    place = _place(value, edges[1:-1]).label("place")
    binned = select(place, passes).where(value.is_not(None)).subquery()
    counting = select(binned.c.place, func.count(), func.sum(binned.c.passes)).group_by(binned.c.place)
    found = {number: Counted(every, passed) for number, every, passed in connection.execute(counting)}
    counts = tuple(found.get(number, Counted(0, 0)) for number in range(len(edges) - 1))
    return Histogram(low, high, edges, counts, missing)


def read_bars(connection: Connection, measured: Select[Any], most: int) -> Bars:
    """The counts of a column of words; empty ones are missing."""
    rows = measured.subquery()
    word = func.nullif(rows.c.value, "").label("word")
    every, passed = func.count().label("every"), func.sum(rows.c.passes).label("passed")
    counted = select(word, every, passed).group_by(word).order_by(every.desc(), word.asc().nulls_last())
    words: list[tuple[str, Counted]] = []
    missing, others, other_values = Counted(0, 0), Counted(0, 0), 0
    for found, count, passing in connection.execute(counted):
        if found is None:
            missing = Counted(count, passing)
        elif len(words) < most:
            words.append((found, Counted(count, passing)))
        else:
            others, other_values = Counted(others.all + count, others.passed + passing), other_values + 1
    return Bars(tuple(sorted(words)), missing, other_values, others)


def round_edges(low: float, high: float, most: int, *, is_whole: bool = False) -> tuple[float, ...]:
    """Edges of at most `most` bins that cover low to high: multiples of 1, 2 or 5 times a power of ten.

    Raises QueryError for numbers without end.
    """
    width = high - low
    if not math.isfinite(width):
        raise QueryError("The column holds numbers without end, which have no histogram.")
    power = math.floor(math.log10(width / most)) if width / most else 0
    power = max(power, 0) if is_whole else power
    for step in (base * 10.0**power for base in _STEPS):
        first, last = math.floor(low / step), math.ceil(high / step)
        last += is_whole and last * step == high  # the largest integer begins a bin of its own
        last = max(last, first + 1)
        if last - first <= most:
            break
    digits = max(0, -power)
    edges = (round(number * step, digits) for number in range(first, last + 1))
    return tuple(dict.fromkeys(int(edge) if is_whole else edge for edge in edges))


def _place(value: ColumnElement[Any], inner: Sequence[float], first: int = 0) -> ColumnElement[Any]:
    """Number of the bin by the edges between bins, halving what is left: few comparisons, the same everywhere."""
    if not inner:
        return literal(first)
    middle = len(inner) // 2
    below = _place(value, inner[:middle], first)
    above = _place(value, inner[middle + 1 :], first + middle + 1)
    return case((value < inner[middle], below), else_=above)

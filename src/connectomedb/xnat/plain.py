"""Conditions in XNAT's words: the comparisons of ours that its search engine lacks, translated.

    DIFFERS v            != v and is not null
    NOT IN a, b          != a and != b and is not null
    NOT BETWEEN a AND b  < a or > b
    HAS A                = A or like 'A,%' or like '%,A' ... : the code between separators or ends
    NOT LIKE, NOT HAS, EXISTS, NOT EXISTS       cannot be said

XNAT has no NOT, and nothing of it says that a text does not match. Such a condition is sent weaker than it is
(`weaken`), and whoever sent it leaves out the rows that came too many (`cohort.evaluate`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

from connectomedb.errors import QueryError
from connectomedb.xnat.query import (
    PLAIN,
    Comparison,
    Criterion,
    Group,
    Method,
    between_bounds,
    in_items,
)

SEPARATORS = (",", ";", " ")
"""What may stand between the codes in a cell."""

_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)
_CODE = re.compile(r"[^\s,;%*'\"]+")


@dataclass(frozen=True, slots=True)
class Weakened:
    """A condition in XNAT's words that is true wherever the wanted one is; `is_exact`: and nowhere else."""

    where: Group
    is_exact: bool


def to_plain(where: Group) -> Group:
    """The condition in XNAT's words, meaning the same. Raises QueryError where XNAT has no words."""
    return Group(where.method, tuple(_exactly(member) for member in where.members))


def weaken(where: Group) -> Weakened:
    """The strongest condition in XNAT's words that leaves out nothing wanted."""
    members: list[Criterion | Group] = []
    is_exact = True
    for member in where.members:
        weak = _weaken(member)
        if weak is None:
            is_exact = False
            if where.method is Method.OR:
                return Weakened(Group(), False)
            continue
        said, said_exactly = weak
        members.append(said)
        is_exact = is_exact and said_exactly
    return Weakened(Group(where.method, tuple(members)), is_exact)


def check_code(code: str) -> str:
    """The code itself, if HAS can look for it. Raises QueryError."""
    if not _CODE.fullmatch(code):
        raise QueryError(f"Asked for the code {code!r}. A code holds no blanks, commas, semicolons, quotes, % or *.")
    return code


def fold(text: str) -> str:
    """Text without case, as databases compare it: A to Z become a to z, other letters stay."""
    return text.translate(_FOLDED)


def split_codes(cell: str) -> frozenset[str]:
    """The codes in a cell, without case: `A,B`, `A; B` and `r177 r227` hold two."""
    for separator in SEPARATORS[1:]:
        cell = cell.replace(separator, SEPARATORS[0])
    return frozenset(fold(code) for code in cell.split(SEPARATORS[0]) if code)


def _weaken(condition: Criterion | Group) -> tuple[Criterion | Group, bool] | None:
    """In XNAT's words, and whether exactly; None when nothing but everything is implied."""
    if isinstance(condition, Group):
        weak = weaken(condition)
        return (weak.where, weak.is_exact) if weak.where.members or not condition.members else None
    try:
        return _exactly(condition), True
    except _Unsayable:
        return None


class _Unsayable(QueryError):
    """XNAT has no words for a criterion."""


def _exactly(condition: Criterion | Group) -> Criterion | Group:
    if isinstance(condition, Group):
        return to_plain(condition)
    if condition.comparison in PLAIN:
        return condition
    translate = _TRANSLATIONS.get(condition.comparison)
    if translate is None:
        raise _unsayable(condition)
    return translate(condition)


def _unsayable(criterion: Criterion) -> _Unsayable:
    return _Unsayable(
        f"Asked for {criterion.field} {criterion.comparison} {criterion.value}. XNAT's search has no such comparison. "
        "Search without it, and filter what comes."
    )


def _differs(criterion: Criterion) -> Group:
    return _none_of(criterion, [criterion.value])


def _not_in(criterion: Criterion) -> Group:
    return _none_of(criterion, in_items(criterion.value))


def _none_of(criterion: Criterion, values: list[str]) -> Group:
    if any(value.strip() in ("", "*", "NULL") for value in values):  # with these, XNAT's != asks for something else
        raise _unsayable(criterion)
    different = tuple(Criterion(criterion.field, Comparison.NOT_EQUAL, value) for value in values)
    return Group(Method.AND, (*different, Criterion(criterion.field, Comparison.IS_NOT_NULL)))


def _not_between(criterion: Criterion) -> Group:
    low, high = between_bounds(criterion.value)
    below = Criterion(criterion.field, Comparison.LESS, low)
    return Group(Method.OR, (below, Criterion(criterion.field, Comparison.GREATER, high)))


def _has(criterion: Criterion) -> Group:
    """The code alone, first, last or in the middle of a list, whatever separates it."""
    codes = in_items(criterion.value)
    if not codes:
        raise QueryError("HAS looks for codes, joined by commas. None was given.")
    patterns = []
    for code in map(check_code, codes):
        ends = [f"{code}{after}%" for after in SEPARATORS] + [code]
        patterns += [*ends, *(f"%{before}{end}" for before in SEPARATORS for end in ends)]
    return Group(Method.OR, tuple(Criterion(criterion.field, Comparison.LIKE, pattern) for pattern in patterns))


_TRANSLATIONS: Mapping[Comparison, Callable[[Criterion], Group]] = {
    Comparison.DIFFERS: _differs,
    Comparison.NOT_IN: _not_in,
    Comparison.NOT_BETWEEN: _not_between,
    Comparison.HAS: _has,
}

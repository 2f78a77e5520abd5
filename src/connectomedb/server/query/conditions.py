"""A condition of the query language as one expression of SQL: true, false, or null where a value is missing.

What it means is told by `cohort.evaluate`, and tests hold every database to that. The comparisons of XNAT's search
engine, which knows true and false only, are in `comparisons`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, false, func, literal, not_, null, or_, true

from connectomedb.errors import QueryError
from connectomedb.server.query.comparisons import Operand, like
from connectomedb.server.tables.texts import as_text
from connectomedb.server.types.datatypes import Kind
from connectomedb.server.types.values import parse_value
from connectomedb.xnat.logic import plainly
from connectomedb.xnat.plain import SEPARATORS
from connectomedb.xnat.query import Comparison, Criterion, Group, Method, between_bounds, in_items

MAX_CODES = 200
"""Most codes of one HAS: each is a condition of its own, and databases limit how many there are."""

ValueOf = Callable[[str], tuple[ColumnElement[Any], Kind]]
"""Field of a criterion → its value in the statement, and its kind. Raises QueryError."""

HasFile = Callable[[str], ColumnElement[bool]]
"""Glob → whether a subject has such a file."""


def compile_condition(condition: Criterion | Group, value_of: ValueOf, has_file: HasFile) -> ColumnElement[bool]:
    """The expression of a condition; an empty group is true. Raises QueryError for a field or value that cannot be."""
    if isinstance(condition, Group):
        members = [compile_condition(member, value_of, has_file) for member in condition.members]
        return (and_ if condition.method is Method.AND else or_)(*members) if members else true()
    criterion = plainly(condition)
    wanted = _OPPOSITES.get(criterion.comparison, criterion.comparison)
    if wanted is Comparison.EXISTS:
        found = has_file(criterion.value)
    else:
        value, kind = value_of(criterion.field)
        present: ColumnElement[Any] = func.nullif(value, "", type_=String()) if kind is Kind.STRING else value
        found = _TESTS[wanted](Operand(present, kind, null_differs=True), criterion.value)
    return found if wanted is criterion.comparison else not_(found)


def is_certain(condition: Criterion | Group) -> bool:
    """Whether a condition is true or false of everybody, never unknown."""
    if isinstance(condition, Group):
        return all(is_certain(member) for member in condition.members)
    return plainly(condition).comparison in _CERTAIN


def _other(operand: Operand, text: str) -> ColumnElement[object]:
    """The other side of a comparison."""
    return operand.bind(parse_value(operand.kind, text.strip()))


def _in(operand: Operand, text: str) -> ColumnElement[bool]:
    wanted = [parse_value(operand.kind, item) for item in in_items(text)]
    if operand.kind is Kind.INTEGER:  # no integer equals a fraction, and a database may round one to match
        wanted = [value for value in wanted if not isinstance(value, float)]
    return operand.value.in_(wanted) if wanted else case((operand.value.is_(None), null()), else_=false())


def _between(operand: Operand, text: str) -> ColumnElement[bool]:
    low, high = (_other(operand, bound) for bound in between_bounds(text))
    return and_(operand.value >= low, operand.value <= high)


def _like(operand: Operand, text: str) -> ColumnElement[bool]:
    return like(operand.value, operand.kind, text.strip())


def _has(operand: Operand, text: str) -> ColumnElement[bool]:
    """One of the codes stands between separators; a missing cell holds none."""
    codes = in_items(text)
    if len(codes) > MAX_CODES:
        raise QueryError(f"HAS looks for {len(codes)} codes. Name at most {MAX_CODES} at once.")
    is_text = operand.kind is Kind.STRING
    cell: ColumnElement[Any] = operand.value if is_text else as_text(operand.value, is_float=operand.kind is Kind.FLOAT)
    comma, *others = SEPARATORS
    for separator in others:
        cell = func.replace(cell, separator, comma)
    listed: ColumnElement[Any] = literal(comma) + cell + literal(comma)
    found = [like(listed, Kind.STRING, f"%{comma}{code}{comma}%") for code in codes]
    return and_(operand.value.is_not(None), or_(*found)) if found else false()


Test = Callable[[Operand, str], ColumnElement[bool]]

_TESTS: Mapping[Comparison, Test] = {
    Comparison.EQUAL: lambda operand, text: operand.value == _other(operand, text),
    Comparison.NOT_EQUAL: lambda operand, text: or_(operand.value != _other(operand, text), operand.value.is_(None)),
    Comparison.LESS: lambda operand, text: operand.value < _other(operand, text),
    Comparison.LESS_EQUAL: lambda operand, text: operand.value <= _other(operand, text),
    Comparison.GREATER: lambda operand, text: operand.value > _other(operand, text),
    Comparison.GREATER_EQUAL: lambda operand, text: operand.value >= _other(operand, text),
    Comparison.LIKE: _like,
    Comparison.IN: _in,
    Comparison.BETWEEN: _between,
    Comparison.IS_NULL: lambda operand, text: operand.value.is_(None),
    Comparison.HAS: _has,
}

_OPPOSITES: Mapping[Comparison, Comparison] = {
    Comparison.DIFFERS: Comparison.EQUAL,
    Comparison.NOT_LIKE: Comparison.LIKE,
    Comparison.NOT_IN: Comparison.IN,
    Comparison.NOT_BETWEEN: Comparison.BETWEEN,
    Comparison.IS_NOT_NULL: Comparison.IS_NULL,
    Comparison.HAS_NOT: Comparison.HAS,
    Comparison.EXISTS_NOT: Comparison.EXISTS,
}
"""Comparisons that are the opposite of one that has a test."""

_CERTAIN = frozenset(
    {
        *(Comparison.NOT_EQUAL, Comparison.IS_NULL, Comparison.IS_NOT_NULL),
        *(Comparison.HAS, Comparison.HAS_NOT, Comparison.EXISTS, Comparison.EXISTS_NOT),
    }
)

"""The comparisons of the search engine, as rows of a table: comparison → condition.

| comparison         | condition                                                                      |
|--------------------|--------------------------------------------------------------------------------|
| `=`                | equal; text with case; blank or NULL as value: is null; `*`: is not null       |
| `!=`               | the opposite; null counts as different for display fields, not for paths       |
| `<` `<=` `>` `>=`  | typed; never true of null                                                      |
| LIKE               | whole value, without case; `%` and `*` are any run of characters               |
| IN                 | one of a comma list; quotes and blanks around items are ignored                |
| BETWEEN            | `lo AND hi`, both included                                                     |
| IS NULL, IS NOT NULL | null and empty text are alike                                                |

Source: XNAT's search engine and its acceptance tests.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Double, String, and_, literal, not_, or_, type_coerce

from connectomedb.errors import QueryError
from connectomedb.server.tables.texts import as_text
from connectomedb.server.types.datatypes import Kind
from connectomedb.server.types.values import Value, parse_value
from connectomedb.xnat.query import Comparison

MAX_ITEMS = 20_000
"""Most values that one field is compared with; databases limit how many one statement takes."""

_ANY_RUN = re.compile(r"[%*]")
_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class Operand:
    """What is compared: an expression, its kind, and whether a null of it counts as different."""

    value: ColumnElement[object]
    kind: Kind
    null_differs: bool

    def parse(self, text: str) -> ColumnElement[object]:
        """The other side of a comparison. Raises QueryError."""
        if not text.strip():
            raise QueryError("A comparison has no value. Give one, or use IS NULL.")
        return self.bind(parse_value(self.kind, text))

    def bind(self, value: Value) -> ColumnElement[object]:
        """A value as a parameter of the statement, never as text in it."""
        return literal(value, Double()) if isinstance(value, float) else literal(value)

    def is_null(self) -> ColumnElement[bool]:
        """True of null, and of empty text."""
        missing = self.value.is_(None)
        return or_(missing, type_coerce(self.value, String) == "") if self.kind is Kind.STRING else missing

    def is_not_null(self) -> ColumnElement[bool]:
        """The opposite."""
        present = self.value.is_not(None)
        return and_(present, type_coerce(self.value, String) != "") if self.kind is Kind.STRING else present


def compare(operand: Operand, comparison: Comparison, text: str) -> ColumnElement[bool]:
    """The condition of one criterion. Raises QueryError when the value does not fit."""
    return _OPERATORS[comparison](operand, text)


def equals_one_of(operand: Operand, texts: Sequence[str]) -> ColumnElement[bool]:
    """Whether `=` is true of one of the values, which `is_plain`. Raises QueryError when one does not fit."""
    return _is_one_of(operand, [parse_value(operand.kind, text) for text in texts])


def is_plain(text: str) -> bool:
    """Whether `=` compares with this value itself; it says of others whether there is a value at all."""
    return text.strip() not in ("", "NULL", "*")


def like(value: ColumnElement[object], kind: Kind, pattern: str) -> ColumnElement[bool]:
    """Whole value against a pattern, without case: `%` and `*` stand for any run of characters, nothing else does."""
    escaped = re.sub(r"([\\_])", r"\\\1", pattern)
    text: ColumnElement[str] = (
        type_coerce(value, String) if kind is Kind.STRING else as_text(value, is_float=kind is Kind.FLOAT)
    )
    return text.ilike(_ANY_RUN.sub("%", escaped), escape=_ESCAPE)


def _equal(operand: Operand, text: str) -> ColumnElement[bool]:
    if text.strip() in ("", "NULL"):
        return operand.is_null()
    if text.strip() == "*":
        return operand.is_not_null()
    return operand.value == operand.parse(text)


def _not_equal(operand: Operand, text: str) -> ColumnElement[bool]:
    if text.strip() in ("", "NULL", "*"):
        return not_(_equal(operand, text))
    differs = operand.value != operand.parse(text)
    return or_(differs, operand.value.is_(None)) if operand.null_differs else differs


def _like(operand: Operand, text: str) -> ColumnElement[bool]:
    return like(operand.value, operand.kind, text)


def _in(operand: Operand, text: str) -> ColumnElement[bool]:
    items = [item.strip().strip("'\"").strip() for item in text.strip().strip("()").split(",")]
    wanted = [parse_value(operand.kind, item) for item in items if item]
    if not wanted:
        raise QueryError("IN compares with values, joined by commas. None was given.")
    return _is_one_of(operand, wanted)


def _is_one_of(operand: Operand, wanted: Sequence[Value]) -> ColumnElement[bool]:
    if len(wanted) > MAX_ITEMS:
        raise QueryError(f"The search compares a field with {len(wanted)} values. Ask for at most {MAX_ITEMS} at once.")
    if operand.kind is Kind.INTEGER:  # no integer equals a fraction, and a database may round one to match
        wanted = [value for value in wanted if not isinstance(value, float)]
    return operand.value.in_(wanted)


def _between(operand: Operand, text: str) -> ColumnElement[bool]:
    bounds = re.split(r"\s+AND\s+", text.strip(), flags=re.IGNORECASE)
    if len(bounds) != 2:
        raise QueryError(f"BETWEEN compares with {text!r}. Write two bounds, as in '20 AND 30'.")
    low, high = (operand.parse(bound.strip().strip("'\"")) for bound in bounds)
    return and_(operand.value >= low, operand.value <= high)


Operator = Callable[[Operand, str], ColumnElement[bool]]

_OPERATORS: Mapping[Comparison, Operator] = {
    Comparison.EQUAL: _equal,
    Comparison.NOT_EQUAL: _not_equal,
    Comparison.LESS: lambda operand, text: operand.value < operand.parse(text),
    Comparison.LESS_EQUAL: lambda operand, text: operand.value <= operand.parse(text),
    Comparison.GREATER: lambda operand, text: operand.value > operand.parse(text),
    Comparison.GREATER_EQUAL: lambda operand, text: operand.value >= operand.parse(text),
    Comparison.LIKE: _like,
    Comparison.IN: _in,
    Comparison.BETWEEN: _between,
    Comparison.IS_NULL: lambda operand, text: operand.is_null(),
    Comparison.IS_NOT_NULL: lambda operand, text: operand.is_not_null(),
}

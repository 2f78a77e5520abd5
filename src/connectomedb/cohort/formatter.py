"""Prints a condition as a predicate, so that reading it gives an equal condition (`cohort.predicate`)."""

import re
from collections.abc import Callable, Mapping

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.tokens import quote, quote_code, quote_name
from connectomedb.xnat.logic import plainly, simplify
from connectomedb.xnat.query import Comparison, Criterion, Group, between_bounds, in_items

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def format_predicate(where: Group, columns: Columns | None = None) -> str:
    """Write a condition in one line, without needless parentheses; an empty one is empty. Raises QueryError."""
    group = simplify(where)
    return _group(group, columns or Columns()) if group.members else ""


def format_condition(condition: Criterion | Group, columns: Columns | None = None) -> str:
    """Write one member of a group, as `format_predicate` does."""
    if isinstance(condition, Group):
        return format_predicate(condition, columns)
    return _criterion(condition, columns or Columns())


def _group(group: Group, columns: Columns) -> str:
    members = []
    for member in group.members:
        if isinstance(member, Group):
            inner = _group(member, columns) if member.members else ""
            members.append(f"({inner})")
        else:
            members.append(_criterion(member, columns))
    return f" {group.method.lower()} ".join(members)


def _criterion(criterion: Criterion, columns: Columns) -> str:
    plain = plainly(criterion)
    name = quote_name(columns.name(plain.field))
    return _FORMATS[plain.comparison](name, plain.value.strip())


def _value(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else quote(text)


def _sign(sign: str, after: str = "") -> Callable[[str, str], str]:
    return lambda name, value: f"{name} {sign} {_value(value)}{after}"


def _list(name: str, word: str, value: str) -> str:
    return f"{name} {word} ({', '.join(_value(item) for item in in_items(value))})"


def _between(name: str, word: str, value: str) -> str:
    low, high = between_bounds(value)
    return f"{name} {word} {_value(low)} and {_value(high)}"


def _codes(value: str) -> str:
    return ",".join(quote_code(code) for code in in_items(value))


_FORMATS: Mapping[Comparison, Callable[[str, str], str]] = {
    Comparison.EQUAL: _sign("="),
    Comparison.DIFFERS: _sign("!="),
    Comparison.NOT_EQUAL: _sign("!=", " or empty"),
    Comparison.LESS: _sign("<"),
    Comparison.LESS_EQUAL: _sign("<="),
    Comparison.GREATER: _sign(">"),
    Comparison.GREATER_EQUAL: _sign(">="),
    Comparison.LIKE: lambda name, value: f"{name} like {quote(value)}",
    Comparison.NOT_LIKE: lambda name, value: f"{name} not like {quote(value)}",
    Comparison.IN: lambda name, value: _list(name, "in", value),
    Comparison.NOT_IN: lambda name, value: _list(name, "not in", value),
    Comparison.BETWEEN: lambda name, value: _between(name, "between", value),
    Comparison.NOT_BETWEEN: lambda name, value: _between(name, "not between", value),
    Comparison.IS_NULL: lambda name, value: f"{name} is empty",
    Comparison.IS_NOT_NULL: lambda name, value: f"{name} is not empty",
    Comparison.HAS: lambda name, value: f"{name} has {_codes(value)}",
    Comparison.HAS_NOT: lambda name, value: f"not {name} has {_codes(value)}",
    Comparison.EXISTS: lambda name, value: f'exists "{value.replace(chr(34), chr(34) * 2)}"',
    Comparison.EXISTS_NOT: lambda name, value: f'not exists "{value.replace(chr(34), chr(34) * 2)}"',
}

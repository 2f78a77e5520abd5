"""Values as text inside statements, the same text from every database."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, case, cast, func, literal

_EXACT = 1e15
"""Below this a fraction with no decimals fits an integer, and is written without an exponent."""


def as_text(value: ColumnElement[Any], *, is_float: bool) -> ColumnElement[str]:
    """A value as it is shown: `42.0`, as SQLite and Python write it, where PostgreSQL would write `42`."""
    plain = cast(value, Text)
    if not is_float:
        return plain
    whole = cast(cast(value, BigInteger), Text) + literal(".0")
    return case((func.abs(value) >= _EXACT, plain), (value == cast(value, BigInteger), whole), else_=plain)

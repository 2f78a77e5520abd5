"""What a condition says of one subject: true, false, or unknown (None) where a value is missing. Pure.

This is the meaning of a Query; SQL and XNAT's search must agree with it, and tests hold them to it.

| comparison                      | of a value                                        | of a missing one |
|---------------------------------|---------------------------------------------------|------------------|
| `=` `DIFFERS` `<` `<=` `>` `>=` | numbers by value; text with case, by code points   | unknown          |
| `!=`                            | as DIFFERS                                        | true             |
| IN, NOT IN, BETWEEN, NOT BETWEEN| as `=` and `<=`                                    | unknown          |
| LIKE, NOT LIKE                  | whole value, without case; `%` `*` are any run     | unknown          |
| HAS, NOT HAS                    | any of the codes is in the cell, without case      | false, true      |
| IS NULL, IS NOT NULL            |                                                   | true, false      |
| EXISTS, NOT EXISTS              | a file fits the glob; unknown if no files are known|                  |

Missing are None and empty text. Without case means that A to Z are a to z, as in databases.

AND is false if a part is, else unknown if a part is; OR the other way round
(Kleene's logic, SQL's). An empty group is true.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from operator import ge, gt, le, lt

from connectomedb.cohort.columns import ALIASES
from connectomedb.errors import QueryError
from connectomedb.hcp.glob import anywhere, compile_glob
from connectomedb.xnat.logic import plainly
from connectomedb.xnat.plain import fold, split_codes
from connectomedb.xnat.query import Comparison, Criterion, Group, Method, between_bounds, in_items

Value = int | float | str | None
Row = Mapping[str, Value]
Truth = bool | None

Files = Collection[str] | None
"""Paths of a subject's files, inside the subject; None where they are not known."""

Judge = Callable[[Row, Files], Truth]


def evaluate(where: Criterion | Group, row: Row, files: Files = None) -> Truth:
    """What a condition says of one subject: its values by column, and its files. Raises QueryError.

    A column is looked up by the field's whole spelling, by its name, and as tables call it (`Subject`).
    """
    return judge_of(where)(row, files)


def judge_of(condition: Criterion | Group) -> Judge:
    """The condition as a function of values and files, for many subjects."""
    return _group(condition) if isinstance(condition, Group) else _criterion(plainly(condition))


def _group(group: Group) -> Judge:
    judges = [judge_of(member) for member in group.members]
    decisive = group.method is Method.OR and bool(judges)  # one such member decides

    def judge(row: Row, files: Files) -> Truth:
        found: Truth = not decisive
        for one in judges:
            truth = one(row, files)
            if truth is decisive:
                return decisive
            if truth is None:
                found = None
        return found

    return judge


def _criterion(criterion: Criterion) -> Judge:
    comparison = criterion.comparison
    if comparison in (Comparison.EXISTS, Comparison.EXISTS_NOT):
        return _exists(criterion.value, comparison is Comparison.EXISTS)
    of_missing = _OF_MISSING.get(comparison)
    if comparison in (Comparison.IS_NULL, Comparison.IS_NOT_NULL):
        return lambda row, files: (_value(row, criterion.field) is None) is (comparison is Comparison.IS_NULL)
    compare = _TESTS[comparison]

    def judge(row: Row, files: Files) -> Truth:
        value = _value(row, criterion.field)
        return of_missing if value is None else compare(value, criterion.value)

    return judge


def _value(row: Row, field: str) -> Value:
    name = field.partition("/")[2]
    for spelling in (field, name, _TABLE_NAMES.get(name, name)):
        if spelling in row:
            value = row[spelling]
            return None if value == "" else value
    raise QueryError(f"Asked for the column {name or field}, which the table has not. Read it along with the others.")


_TABLE_NAMES = {field: name for name, field in ALIASES.items()}


def _exists(pattern: str, wanted: bool) -> Judge:
    glob = compile_glob(anywhere(pattern))

    def judge(row: Row, files: Files) -> Truth:
        if files is None:
            return None
        return any(glob.fullmatch(f"{_ANY_SUBJECT}/{path}") for path in files) is wanted

    return judge


_ANY_SUBJECT = "000000"
"""Globs are compiled for whole paths, which begin with a subject."""


@lru_cache(maxsize=4096)
def _number(text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        raise QueryError(f"{text!r} is no number. Compare a column of numbers with a number.")
    return int(text) if text.strip().lstrip("+-").isdecimal() else number


def _literal(value: int | float | str, text: str) -> int | float | str:
    """The other side of a comparison, of the kind of the value."""
    return text.strip() if isinstance(value, str) else _number(text)


def _ordered(order: Callable[[int | float | str, int | float | str], bool]) -> Callable[[int | float | str, str], bool]:
    return lambda value, text: order(value, _literal(value, text))


def _equal(value: int | float | str, text: str) -> bool:
    return value == _literal(value, text)


def _in(value: int | float | str, text: str) -> bool:
    return any(_equal(value, item) for item in in_items(text))


def _between(value: int | float | str, text: str) -> bool:
    low, high = (_literal(value, bound) for bound in between_bounds(text))
    return low <= value <= high  # type: ignore[operator]  # bounds are of the value's own kind


@lru_cache(maxsize=4096)
def _like_pattern(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"[%*]", fold(pattern))
    return re.compile(".*".join(map(re.escape, parts)), re.DOTALL)


def _like(value: int | float | str, text: str) -> bool:
    return _like_pattern(text.strip()).fullmatch(fold(str(value))) is not None


def _has(value: int | float | str, text: str) -> bool:
    return not split_codes(str(value)).isdisjoint(fold(item) for item in in_items(text))


Test = Callable[[int | float | str, str], bool]


def _not(test: Test) -> Test:
    return lambda value, text: not test(value, text)


_OF_MISSING: Mapping[Comparison, bool] = {
    Comparison.NOT_EQUAL: True,
    Comparison.HAS: False,
    Comparison.HAS_NOT: True,
}
"""What comparisons say of missing values; the others say nothing."""

_TESTS: Mapping[Comparison, Test] = {
    Comparison.EQUAL: _equal,
    Comparison.DIFFERS: _not(_equal),
    Comparison.NOT_EQUAL: _not(_equal),
    Comparison.LESS: _ordered(lt),
    Comparison.LESS_EQUAL: _ordered(le),
    Comparison.GREATER: _ordered(gt),
    Comparison.GREATER_EQUAL: _ordered(ge),
    Comparison.LIKE: _like,
    Comparison.NOT_LIKE: _not(_like),
    Comparison.IN: _in,
    Comparison.NOT_IN: _not(_in),
    Comparison.BETWEEN: _between,
    Comparison.NOT_BETWEEN: _not(_between),
    Comparison.HAS: _has,
    Comparison.HAS_NOT: _not(_has),
}

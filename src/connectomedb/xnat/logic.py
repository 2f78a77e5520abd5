"""Opposites and normal form of conditions, in three-valued logic.

A comparison with a missing value is neither true nor false but unknown, as in SQL: `not` of it is unknown too, and
only what is true is found. So a condition and its opposite together do not find everybody: who lacks the value is in
neither. Comparisons that know missing values (IS NULL, HAS, EXISTS, XNAT's `!=`) are always true or false.

Since every comparison has an opposite, `not` moves inwards (De Morgan) until it is gone, and nothing is lost.
"""

from collections.abc import Mapping

from connectomedb.errors import QueryError
from connectomedb.xnat.query import Comparison, Criterion, Group, Method

_OPPOSITES: Mapping[Comparison, Comparison] = {
    one: other
    for pair in (
        (Comparison.EQUAL, Comparison.DIFFERS),
        (Comparison.LESS, Comparison.GREATER_EQUAL),
        (Comparison.GREATER, Comparison.LESS_EQUAL),
        (Comparison.LIKE, Comparison.NOT_LIKE),
        (Comparison.IN, Comparison.NOT_IN),
        (Comparison.BETWEEN, Comparison.NOT_BETWEEN),
        (Comparison.IS_NULL, Comparison.IS_NOT_NULL),
        (Comparison.HAS, Comparison.HAS_NOT),
        (Comparison.EXISTS, Comparison.EXISTS_NOT),
    )
    for one, other in (pair, pair[::-1])
}


def plainly(criterion: Criterion) -> Criterion:
    """The criterion without XNAT's special values: `= ''` and `= NULL` are IS NULL, `= *` is IS NOT NULL."""
    if criterion.comparison not in (Comparison.EQUAL, Comparison.NOT_EQUAL):
        return criterion
    value = criterion.value.strip()
    if value not in ("", "NULL", "*"):
        return criterion
    is_null = (value == "*") is (criterion.comparison is Comparison.NOT_EQUAL)
    return Criterion(criterion.field, Comparison.IS_NULL if is_null else Comparison.IS_NOT_NULL)


def opposite(condition: Criterion | Group) -> Criterion | Group:
    """What is true where the condition is false, false where it is true, and unknown where it is unknown.

    Raises QueryError for an empty group: it is true of everything, and nothing is its opposite.
    """
    if isinstance(condition, Group):
        if not condition.members:
            raise QueryError("Asked for the opposite of no condition at all. Name one.")
        method = Method.OR if condition.method is Method.AND else Method.AND
        return Group(method, tuple(opposite(member) for member in condition.members))
    criterion = plainly(condition)
    if criterion.comparison is Comparison.NOT_EQUAL:  # true of missing values, so its opposite is false of them
        same = Criterion(criterion.field, Comparison.EQUAL, criterion.value)
        return Group(Method.AND, (same, Criterion(criterion.field, Comparison.IS_NOT_NULL)))
    return Criterion(criterion.field, _OPPOSITES[criterion.comparison], criterion.value)


def simplify(group: Group) -> Group:
    """The same condition without needless nesting: no group of one, no AND in an AND, no OR in an OR.

    Two ways to write one condition become equal, when they differ in nothing but parentheses.
    """
    members: list[Criterion | Group] = []
    for member in group.members:
        inner = simplify(member) if isinstance(member, Group) else member
        if not isinstance(inner, Group):
            members.append(inner)
        elif len(inner.members) == 1 or (inner.method is group.method and inner.members):
            members.extend(inner.members)
        else:
            members.append(inner)
    if len(members) == 1:
        only = members[0]
        return only if isinstance(only, Group) else Group(Method.AND, (only,))
    return Group(group.method, tuple(members))

"""One field that may equal one of many values: pyxnat narrows a search to subjects by naming each, joined by OR.

Databases limit how deep conditions nest, not how many values one of them has.
"""

from dataclasses import dataclass
from typing import TypeAlias

from connectomedb.server.query.comparisons import is_plain
from connectomedb.xnat.query import Comparison, Criterion, Group, Method


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A field that equals one of several values."""

    field: str
    values: tuple[str, ...]


Condition: TypeAlias = Criterion | Alternatives | Group


def join_alternatives(group: Group) -> tuple[Condition, ...]:
    """Members of a group; in an OR those that compare one field with `=` become one."""
    if group.method is Method.AND:
        return group.members
    equal: dict[str, list[str]] = {}
    others: list[Condition] = []
    for member in group.members:
        if isinstance(member, Criterion) and member.comparison is Comparison.EQUAL and is_plain(member.value):
            equal.setdefault(member.field, []).append(member.value)
        else:
            others.append(member)
    return (*(Alternatives(field, tuple(values)) for field, values in equal.items()), *others)


def count_conditions(group: Group) -> int:
    """How many conditions a group comes to, nested ones included."""
    members = join_alternatives(group)
    return sum(count_conditions(member) if isinstance(member, Group) else 1 for member in members)

"""Says what is searched: a frozen value shared by client and server.

    Query
    ├─ root      data type, one row per object of it             "xnat:subjectData"
    ├─ fields    columns asked for, in order                     SearchField
    ├─ where     a Group of Criterion and Group, AND or OR       None: everything
    └─ sort      column to sort by, if any                       SearchField

One spelling is read here: pyxnat's nested list, `[("T/F", ">=", "29"), [...], "AND"]`.
XNAT's search XML is in `xnat.bundle`, our one-line language in `cohort.predicate`.

Every comparison has an opposite (`xnat.logic`), so a query needs no NOT. XNAT knows `PLAIN` ones only; the others are
ours, and `xnat.plain` says them in XNAT's words where that can be done.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from connectomedb.errors import QueryError


class Method(StrEnum):
    """How the members of a group are joined."""

    AND = "AND"
    OR = "OR"


class Comparison(StrEnum):
    """The comparisons of XNAT's search engine, as written on the wire, and below them those that are ours.

    XNAT's `!=` is true of missing values of display fields; `DIFFERS` is not. `HAS` looks for codes in a list in one
    cell, any of several; an empty cell is a list without codes. `EXISTS` looks for a file; its field is `FILE_PATH`.
    """

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    LIKE = "LIKE"
    IN = "IN"
    BETWEEN = "BETWEEN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"

    DIFFERS = "DIFFERS"
    NOT_LIKE = "NOT LIKE"
    NOT_IN = "NOT IN"
    NOT_BETWEEN = "NOT BETWEEN"
    HAS = "HAS"
    HAS_NOT = "NOT HAS"
    EXISTS = "EXISTS"
    EXISTS_NOT = "NOT EXISTS"

    @property
    def takes_value(self) -> bool:
        """Whether it compares with something."""
        return self not in (Comparison.IS_NULL, Comparison.IS_NOT_NULL)


PLAIN = frozenset(list(Comparison)[: list(Comparison).index(Comparison.DIFFERS)])
"""The comparisons that XNAT has."""

FILE_PATH = "release:file/PATH"
"""The field of EXISTS: paths of a subject's files, inside the subject; the value is a glob."""

_OTHER_SPELLINGS = {"NOT NULL": Comparison.IS_NOT_NULL, "==": Comparison.EQUAL, "<>": Comparison.NOT_EQUAL}


@dataclass(frozen=True, slots=True)
class SearchField:
    """A column: a display field or schema path of a data type, with its value when parameterised.

    `is_visible` is for those who show the table: a hidden column is there for links only.
    """

    element: str
    field_id: str
    value: str | None = None
    type: str = "string"
    header: str = ""
    is_visible: bool = True


@dataclass(frozen=True, slots=True)
class Criterion:
    """One comparison. `field` is `type/FIELD`, `type.FIELD` or a schema path; `value` is text."""

    field: str
    comparison: Comparison
    value: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Members joined by one method; an empty group is true."""

    method: Method = Method.AND
    members: tuple["Criterion | Group", ...] = ()

    def criteria(self) -> Iterator[Criterion]:
        """All criteria, nested ones included, from left to right."""
        for member in self.members:
            if isinstance(member, Group):
                yield from member.criteria()
            else:
                yield member


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched. Two equal queries ask the same."""

    root: str
    fields: tuple[SearchField, ...] = ()
    where: Group | None = None
    sort: SearchField | None = None


_BETWEENS = (Comparison.BETWEEN, Comparison.NOT_BETWEEN)
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)

Constraint: TypeAlias = Sequence[object]
"""A triple (field, comparison, value), or a nested list of them with a trailing AND or OR."""


def parse_comparison(text: str) -> Comparison:
    """Read a comparison, whatever its case, blanks or `+` for blank. Raises QueryError."""
    words = " ".join(text.replace("+", " ").split()).upper()
    if words in _OTHER_SPELLINGS:
        return _OTHER_SPELLINGS[words]
    try:
        return Comparison(words)
    except ValueError:
        raise QueryError(
            f"Asked to compare with {text!r}, which is no comparison. Use one of: {', '.join(Comparison)}."
        ) from None


def in_items(value: str) -> list[str]:
    """The items of IN and HAS: a comma list; quotes and blanks around items are ignored, empty items dropped."""
    items = (item.strip().strip("'\"").strip() for item in value.strip().strip("()").split(","))
    return [item for item in items if item]


def between_bounds(value: str) -> tuple[str, str]:
    """The bounds of BETWEEN, `20 AND 30`. Raises QueryError."""
    bounds = [bound.strip().strip("'\"") for bound in _AND.split(value.strip())]
    if len(bounds) != 2 or not all(bounds):
        raise QueryError(f"BETWEEN compares with {value!r}. Write two bounds, as in '20 AND 30'.")
    return bounds[0], bounds[1]


def parse_field(text: str) -> SearchField:
    """Read `type/FIELD` into a column. Raises QueryError."""
    element, slash, field_id = text.partition("/")
    if not slash or ":" not in element or not field_id:
        raise QueryError(f"Asked for the field {text!r}. Write it as type/FIELD, like xnat:subjectData/SUBJECT_ID.")
    return SearchField(element, field_id, header=text)


def parse_constraints(constraints: Constraint) -> Group:
    """Read pyxnat's nested list; without a trailing AND or OR the members are joined by AND.

    Tuples are criteria, lists are groups. Values may be text or numbers, None for no value, and a list
    or tuple where several are compared (`IN`). Raises QueryError.
    """
    if not isinstance(constraints, list | tuple):
        raise QueryError(f"Constraints are a list of triples (field, comparison, value), not {constraints!r}.")
    members = list(constraints)
    method = Method.AND
    if members and isinstance(members[-1], str):
        word = members.pop()
        try:
            method = Method(str(word).upper())
        except ValueError:
            raise QueryError(f"Constraints end in {word!r}. The last entry joins the others: 'AND' or 'OR'.") from None
    return Group(method, tuple(_parse_member(member) for member in members))


def _parse_member(member: object) -> Criterion | Group:
    if isinstance(member, tuple) and len(member) == 3:
        field, comparison, value = member
        parse_field(str(field))
        compared = parse_comparison(str(comparison))
        if compared in _BETWEENS and isinstance(value, list | tuple):
            return Criterion(str(field), compared, " AND ".join(_value_text(bound) for bound in value))
        return Criterion(str(field), compared, _value_text(value))
    if isinstance(member, list):
        return parse_constraints(member)
    raise QueryError(f"Constraint {member!r} is neither a triple (field, comparison, value) nor a nested list.")


def _value_text(value: object) -> str:
    """A value as the wire has it: several are joined by commas."""
    if isinstance(value, list | tuple):
        return ",".join(_value_text(part) for part in value)
    return "" if value is None else str(value)

"""Subjects of one data type and the criteria that they are to meet → statements: counts, a page, values, labels.

A row is an object of the type (of measures: one per subject), in every project or at home in one. A criterion may also
be about another type; where that repeats the row, the row passes if one of its repetitions passes all criteria.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, case, func, literal, not_, select

from connectomedb.cohort.funnel import criteria_of
from connectomedb.cohort.named import LABEL, PROJECT
from connectomedb.errors import QueryError
from connectomedb.server.query.conditions import compile_condition, is_certain
from connectomedb.server.query.joins import Joins
from connectomedb.server.query.sql import MAX_CRITERIA, MAX_TYPES, Page
from connectomedb.server.query.tree_files import has_file
from connectomedb.server.types.columns import Names
from connectomedb.server.types.datatypes import DataType, Entity, Kind
from connectomedb.xnat.query import FILE_PATH, Criterion, Group


@dataclass(frozen=True, slots=True)
class Shown:
    """A column to be shown or sorted by: how people name it, and the field of the type."""

    name: str
    field: str


@dataclass(frozen=True, slots=True)
class Exploration:
    """What is explored, by whom, and what the subjects are to meet; methods give statements.

    Attributes:
        project: key of the project whose own rows are meant, which the caller must have been found to read; None
            for all that the caller may see.
    """

    data_type: DataType
    names: Names
    details: Mapping[str, Table]
    where: Group
    project: int | None

    def __post_init__(self) -> None:
        fields = [criterion.field for criterion in self.where.criteria() if criterion.field != FILE_PATH]
        types = {field.replace(".", "/").partition("/")[0].lower() for field in fields}
        for what, count, most in (("criteria", len(fields), MAX_CRITERIA), ("data types", len(types), MAX_TYPES)):
            if count > most:
                raise QueryError(f"The predicate has {count} {what}. Ask for at most {most} at once.")

    def count_ends(self) -> Select[int, int]:
        """How many rows end where, as `cohort.funnel` numbers the ends. Raises QueryError."""
        joins = self._joins()
        end = _end(self.where, joins, self.names).label("end")
        rows = select(joins.key.label("key"), end).select_from(joins.clause).where(self._scope(joins))
        if joins.repeating:
            every = rows.subquery()
            rows = select(every.c.key, func.max(every.c.end).label("end")).group_by(every.c.key)
        ends = rows.subquery()
        return select(ends.c.end, func.count()).group_by(ends.c.end)

    def keys(self, sort: Shown, page: Page, *, is_descending: bool = False) -> Select[Any]:
        """Keys of the rows that pass, in order: missing values last, equal ones by key. Raises QueryError."""
        joins = self._joins()
        by = self._value(joins, sort)
        passes = compile_where(self.where, joins, self.names)
        found = select(joins.key.label("key"), by.label("by")).select_from(joins.clause)
        found = found.where(self._scope(joins), passes)
        if joins.repeating:
            found = found.distinct()
        rows = found.subquery()
        order = rows.c.by.desc() if is_descending else rows.c.by.asc()
        ordered = select(rows.c.key).order_by(order.nulls_last(), rows.c.key)
        return ordered if page.is_all else ordered.limit(page.limit).offset(page.offset)

    def values(self, columns: Sequence[Shown], keys: Sequence[int]) -> Select[Any]:
        """Key and values of these rows, in no order."""
        joins = self._joins()
        shown = [self._value(joins, column).label(f"c{number}") for number, column in enumerate(columns)]
        found = select(joins.key.label("key"), *shown).select_from(joins.clause)
        return found.where(self._scope(joins), joins.key.in_(keys))

    def places(self) -> Select[Any]:
        """Label and project of the subjects that pass, sorted, each once."""
        joins = self._joins()
        place = [self._value(joins, Shown(field, field)).label(field.lower()) for field in (LABEL, PROJECT)]
        passes = compile_where(self.where, joins, self.names)
        found = select(*place).select_from(joins.clause).where(self._scope(joins), passes).distinct()
        return found.order_by(*place)

    def measured(self, column: Shown) -> Select[Any]:
        """Of every row its `value` of a column, and whether it `passes`: 1 or 0."""
        joins = self._joins()
        value = self._value(joins, column).label("value")
        passes = case((compile_where(self.where, joins, self.names), 1), else_=0).label("passes")
        rows = select(joins.key.label("key"), value, passes).select_from(joins.clause).where(self._scope(joins))
        if not joins.repeating:
            return rows
        every = rows.subquery()
        one = select(every.c.key, every.c.value, func.max(every.c.passes).label("passes"))
        return one.group_by(every.c.key, every.c.value)

    def kind(self, column: Shown) -> Kind:
        """Of the values of a column."""
        return self.names.criterion(f"{self.data_type.name}/{column.field}").field.kind

    def _joins(self) -> Joins:
        return Joins(self.names.registry, self.data_type, self.names.rights, self.details)

    def _scope(self, joins: Joins) -> ColumnElement[bool]:
        if self.project is None:
            return joins.scope()
        return and_(joins.of_root_type(), joins.root_node.rows.c.project_key == self.project)

    def _value(self, joins: Joins, column: Shown) -> ColumnElement[Any]:
        asked = self.names.criterion(f"{self.data_type.name}/{column.field}")
        return joins.value(asked.data_type, asked.field, asked.argument)


def compile_where(condition: Criterion | Group, joins: Joins, names: Names) -> ColumnElement[bool]:
    """The expression of a condition over joined rows. Raises QueryError."""

    def value_of(field: str) -> tuple[ColumnElement[object], Kind]:
        asked = names.criterion(field)
        return joins.value(asked.data_type, asked.field, asked.argument), asked.field.kind

    def exists(glob: str) -> ColumnElement[bool]:
        subject = joins.above(joins.root_node, Entity.SUBJECT).rows
        return has_file(names.rights.caller, subject, joins.root_node.rows.c.project_key, glob)

    return compile_condition(condition, value_of, exists)


def _end(where: Group, joins: Joins, names: Names) -> ColumnElement[int]:
    """Where a row ends: `2i` fails the criterion `i`, `2i + 1` lacks a value of it."""
    ends: list[tuple[ColumnElement[bool], int]] = []
    criteria = criteria_of(where)
    for place, criterion in enumerate(criteria):
        truth = compile_where(criterion, joins, names)
        ends.append((not_(truth), 2 * place))
        if not is_certain(criterion):
            ends.append((truth.is_(None), 2 * place + 1))
    last = 2 * len(criteria)
    return case(*ends, else_=last) if ends else literal(last)

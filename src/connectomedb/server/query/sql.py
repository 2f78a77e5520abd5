"""Query and data types → SELECT statement. No connection, no text of SQL: expressions only.

The root's key stands first, then one column per field. Objects come in the order of their keys unless
another was asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select, true

from connectomedb.errors import QueryError
from connectomedb.server.query.alternatives import Alternatives, count_conditions, join_alternatives
from connectomedb.server.query.comparisons import Operand, compare, equals_one_of
from connectomedb.server.query.joins import Joins
from connectomedb.server.types.columns import LAST_COLUMN, Asked, Names, column_name
from connectomedb.server.types.datatypes import DataType, Display, Kind
from connectomedb.xnat.query import Criterion, Group, Method, Query, SearchField

MAX_COLUMNS = 1_500
MAX_CRITERIA = 500
MAX_TYPES = 12
"""Most columns, criteria and data types in one search; databases have limits of their own, not far above."""


@dataclass(frozen=True, slots=True)
class SearchColumn:
    """One column of a search's result: its name on the wire, and what it shows."""

    name: str
    asked: Asked
    header: str
    id: str
    is_visible: bool = True

    @property
    def kind(self) -> Kind:
        """Type of its values."""
        return self.asked.field.kind


@dataclass(frozen=True, slots=True)
class Search:
    """A compiled search: rows are the root's key, the columns' values, and its status. `is_paged`: they are not all."""

    root: DataType
    columns: tuple[SearchColumn, ...]
    statement: Select[*tuple[Any, ...]]
    is_paged: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """Order of results, by the name of a column."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the rows; without a limit all from the offset on."""

    limit: int | None = None
    offset: int = 0

    @property
    def is_all(self) -> bool:
        """Whether it leaves nothing out."""
        return self.limit is None and not self.offset


def compile_search(
    query: Query, names: Names, details: Mapping[str, Table], sorts: Sequence[Sort] = (), page: Page = Page()
) -> Search:
    """The statement of a search. Raises QueryError for an unknown type, field or value."""
    root = names.registry.find(query.root)
    if root is None or root.is_abstract:
        raise QueryError(f"Asked to search for {query.root!r}. There is no such data type to search for.")
    columns = tuple(_columns(query, root, names))
    _check_size(columns, query.where or Group(), {column.asked.data_type.name for column in columns})
    joins = Joins(names.registry, root, names.rights, details)
    values = [joins.value(column.asked.data_type, column.asked.field, column.asked.argument) for column in columns]
    repeating = joins.repeating
    where = _where(query.where, joins, names) if query.where else true()
    scope = joins.scope()
    shown = [value.label(f"c{number}") for number, value in enumerate(values)]
    order = _order(query, sorts, dict(zip((column.name for column in columns), shown, strict=True)), joins, names)
    status = joins.status().label("status")
    key, rows = joins.measures_first()
    statement = select(key.label("key"), *shown, status, *order.extra).select_from(rows).where(scope, where)
    if joins.repeating != repeating:
        statement = statement.distinct()
    ties = shown if joins.repeating else []
    statement = statement.order_by(*order.terms, key, *ties)
    if not page.is_all:
        statement = statement.limit(page.limit).offset(page.offset)
    return Search(root, columns, statement, not page.is_all)


def default_fields(root: DataType, names: Names) -> list[SearchField]:
    """The columns of a search that asks for none: of measures all that the caller may see."""
    ids: Iterable[str] = root.listing
    if root.is_measures:
        ids = [display.id for display in names.fields_of(root) if not display.takes_value]
    return [SearchField(root.name, id) for id in ids]


def _columns(query: Query, root: DataType, names: Names) -> Iterable[SearchColumn]:
    """Columns asked for, each once; unknown ones are dropped."""
    seen = {LAST_COLUMN}
    for field in query.fields or default_fields(root, names):
        asked = names.column(field)
        if asked is None:
            continue
        name = column_name(root, asked, field.field_id.removeprefix(f"{field.element}/"))
        if name not in seen:
            seen.add(name)
            shown = asked.field if isinstance(asked.field, Display) else None
            header = field.header or (shown.header if shown else name)
            yield SearchColumn(name, asked, header, _id(asked, name), field.is_visible)


def _id(asked: Asked, name: str) -> str:
    """The `id` of a column in the result's description: the display field's, else the column's name in upper case."""
    field = asked.field
    value = f"={asked.argument}" if asked.argument else ""
    return f"{field.id}{value}" if isinstance(field, Display) else name.upper()


def _check_size(columns: Sequence[SearchColumn], where: Group, types: set[str]) -> None:
    types = {name.lower() for name in types} | {
        criterion.field.replace(".", "/").partition("/")[0].lower() for criterion in where.criteria()
    }
    for what, count, most in (
        ("columns", len(columns), MAX_COLUMNS),
        ("criteria", count_conditions(where), MAX_CRITERIA),
        ("data types", len(types), MAX_TYPES),
    ):
        if count > most:
            raise QueryError(f"The search has {count} {what}. Ask for at most {most} at once.")


def _where(group: Group, joins: Joins, names: Names) -> ColumnElement[bool]:
    """An empty group is true."""
    conditions = [_condition(member, joins, names) for member in join_alternatives(group)]
    if not conditions:
        return true()
    return (and_ if group.method is Method.AND else or_)(*conditions)


def _condition(member: Criterion | Alternatives | Group, joins: Joins, names: Names) -> ColumnElement[bool]:
    if isinstance(member, Group):
        return _where(member, joins, names)
    asked = names.criterion(member.field)
    value = joins.value(asked.data_type, asked.field, asked.argument)
    is_display = names.registry.display(asked.data_type, _last(member.field)) is not None
    operand = Operand(value, asked.field.kind, is_display)
    if isinstance(member, Alternatives):
        return equals_one_of(operand, member.values)
    return compare(operand, member.comparison, member.value)


def _last(field: str) -> str:
    return field.partition("/" if "/" in field else ".")[2]


@dataclass(frozen=True, slots=True)
class _Order:
    """Terms to order by, and values needed for them that no column shows."""

    terms: Sequence[ColumnElement[Any]]
    extra: Sequence[ColumnElement[Any]] = ()


def _order(
    query: Query, sorts: Sequence[Sort], shown: Mapping[str, ColumnElement[Any]], joins: Joins, names: Names
) -> _Order:
    """Nulls come last, in descending order first. Unknown columns to sort by are ignored, as unknown columns are.

    The terms name columns of the result: PostgreSQL orders distinct rows by nothing else.
    """
    terms = [
        shown[sort.column].desc().nulls_first() if sort.descending else shown[sort.column].asc().nulls_last()
        for sort in sorts
        if sort.column in shown
    ]
    asked = names.column(query.sort) if query.sort and not terms else None
    if asked is None:
        return _Order(terms)
    value = joins.value(asked.data_type, asked.field, asked.argument).label("by")
    return _Order([value.asc().nulls_last()], [value])

"""A list as its parameters ask for it → SELECT statement, with the names of its columns.

| parameter                  | effect                                                                       |
|----------------------------|------------------------------------------------------------------------------|
| `columns=a,b`              | aliases, schema paths (with a `/`), `DEFAULT`; unknown ones are dropped      |
| any alias or path          | filter: `a,b` either, `%` or `*` pattern, `lo-hi` range of numbers or dates  |
| `xsiType=`                 | data type to list, of experiments and assessors                              |
| `sortBy=`, `sortOrder=DESC`| by columns of the result                                                     |
| `limit=`, `offset=`        | of subjects and experiments; `*` is no limit                                 |

Source: XNAT's list resources. A column asked by the path of an alias bears the alias; other paths come
back in lower case. Below a project stand also the objects shared into it, with their labels there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select

from connectomedb.errors import AddressError, QueryError
from connectomedb.server.query.comparisons import Operand, compare, like
from connectomedb.server.query.entries import SHARES
from connectomedb.server.query.frames import FRAMES, Frame
from connectomedb.server.query.joins import Joins
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.types import builtin
from connectomedb.server.types.columns import Names
from connectomedb.server.types.datatypes import Column, DataType, Entity, Kind, Path
from connectomedb.xnat.address import Level
from connectomedb.xnat.query import Comparison

DEFAULT_LIMIT = 100
MAX_FILTERS = 50
MOST_NAMED = 500

_SHARED: Mapping[Level, Entity] = {Level.SUBJECTS: Entity.SUBJECT, Level.EXPERIMENTS: Entity.EXPERIMENT}
"""Levels whose objects may be shared, as they are listed below a project."""

_RESERVED = {"columns", "format", "xsitype", "sortby", "sortorder", "limit", "offset"}
_RANGE = re.compile(r"(-?[\d.]+|\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{4})-(-?[\d.]+|\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{4})")


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column: its header, and the field it shows."""

    header: str
    data_type: DataType
    path: Path


@dataclass(frozen=True, slots=True)
class Listing:
    """A compiled list. Rows are: key, ID, ID of the experiment (of scans), then the columns.

    Attributes:
        type_column: header of one more column that repeats the ID, of experiments.
        is_paged: a limit was asked for, so the rows are not all there are.
    """

    frame: Frame
    columns: tuple[ListColumn, ...]
    statement: Select[*tuple[Any, ...]]
    type_column: str = ""
    is_paged: bool = False


def compile_listing(
    level: Level,
    parameters: Parameters,
    names: Names,
    details: Mapping[str, Table],
    within: Mapping[str, int],
    shared: Sequence[int] | None = None,
) -> Listing:
    """The statement of a list; `within` are columns of the listed rows that must hold a key, as `project_key`.

    Objects shared into a project are within it too: `shared`, or if it is None whatever the statement finds.
    Raises AddressError when a parameter makes no sense.
    """
    frame = FRAMES[level]
    root = _listed_type(frame, parameters, names, nested=bool(within))
    columns = _columns(frame, root, parameters, names)
    joins = Joins(names.registry, root, names.rights, details)
    values = [_value(joins, column, within.get("project_key")) for column in columns]
    repeating = joins.repeating
    conditions = [_belongs(joins, name, key, shared) for name, key in within.items()]
    conditions += _filters(root, parameters, joins, names)
    conditions.append(joins.scope())
    of_session = level in (Level.SCANS, Level.RECONSTRUCTIONS)
    id_of_experiment = joins.above(joins.root_node, Entity.EXPERIMENT).rows.c.id if of_session else joins.key
    shown = [value.label(f"c{number}") for number, value in enumerate(values)]
    statement = select(
        joins.key.label("key"), joins.root_node.rows.c.id.label("id"), id_of_experiment.label("of"), *shown
    )
    statement = statement.select_from(joins.clause).where(*conditions)
    if joins.repeating != repeating:
        statement = statement.distinct()
    statement = statement.order_by(*_order(parameters, columns, values), joins.key)
    is_paged = frame.may_page and (parameters.has("limit") or parameters.has("offset"))
    type_column = f"{root.name}/id".lower() if level is Level.EXPERIMENTS else ""
    return Listing(frame, columns, _page(statement, parameters) if is_paged else statement, type_column, is_paged)


def _listed_type(frame: Frame, parameters: Parameters, names: Names, *, nested: bool) -> DataType:
    asked = parameters.get("xsiType") if frame.title in ("Experiments", "Assessors") else ""
    if not asked:
        return names.registry.get(
            builtin.SUBJECT_ASSESSOR if nested and frame.root == builtin.EXPERIMENT else frame.root
        )
    found = names.registry.find(asked)
    if found is None or found.entity is not Entity.EXPERIMENT:
        raise AddressError(f"Asked to list experiments of type {asked!r}. There is no such type here.")
    return found


def few_shared(connection: Connection, level: Level, project_key: int) -> tuple[int, ...] | None:
    """Keys of the objects of a level that are shared into a project; None if there are too many to name each.

    Where they are named, a database finds the rows of the project by its index. With a subquery beside the project's
    key PostgreSQL reads the rows of all projects.
    """
    shares = SHARES[_SHARED[level]]
    found = select(shares.c.owner_key).where(shares.c.project_key == project_key).limit(MOST_NAMED + 1)
    keys = tuple(connection.execute(found).scalars())
    return keys if len(keys) <= MOST_NAMED else None


def _belongs(joins: Joins, name: str, key: int, shared: Sequence[int] | None) -> ColumnElement[bool]:
    """Whether a row belongs to what it is listed below: a project, a subject or an experiment."""
    rows, shares = joins.root_node.rows, SHARES.get(joins.root.entity)
    belongs = rows.c[name] == key
    if name != "project_key" or shares is None or (shared is not None and not shared):
        return belongs
    others = select(shares.c.owner_key).where(shares.c.project_key == key) if shared is None else shared
    return or_(belongs, rows.c.key.in_(others))


def _value(joins: Joins, column: ListColumn, project_key: int | None) -> ColumnElement[object]:
    """What a column shows; of the label below a project the one that the object has there."""
    value = joins.value(column.data_type, column.path)
    root, source = joins.root, column.path.source
    if project_key is None or root.entity not in SHARES or source != Column(root.entity, "label"):
        return value
    shares = SHARES[root.entity]
    here = (shares.c.owner_key == joins.key, shares.c.project_key == project_key)
    return func.coalesce(select(shares.c.label).where(*here).correlate(joins.root_node.rows).scalar_subquery(), value)


def _columns(frame: Frame, root: DataType, parameters: Parameters, names: Names) -> tuple[ListColumn, ...]:
    """Columns asked for, the ones that are always there among them, each once."""
    default = (*frame.default, *_default_of_type(root, parameters, names))
    words: list[str] = []
    for word in parameters.get("columns", "DEFAULT").split(","):
        words.extend(default if word.strip() == "DEFAULT" else [word.strip()])
    missing = [word for word in frame.always if word not in words]
    if root.is_abstract and root.entity is Entity.EXPERIMENT:
        words += ["xsiType", "project"]
    found: dict[str, ListColumn] = {}
    for word in (*missing, *words):
        column = _column(word, root, names)
        if column is not None:
            found.setdefault(column.header, column)
    return tuple(found.values())


def _default_of_type(root: DataType, parameters: Parameters, names: Names) -> tuple[str, ...]:
    if root.entity is not Entity.EXPERIMENT or not parameters.has("xsiType"):
        return ()
    aliases = names.registry.aliases(root)
    return tuple(name for name in ("subject_ID", "subject_label", "session_ID", "session_label") if name in aliases)


def _column(word: str, root: DataType, names: Names) -> ListColumn | None:
    """The column of an alias or path; None when there is no such field or the caller may not use it."""
    aliases = _aliases(root, names)
    spelling = word if word in aliases else next((alias for alias in aliases if alias.lower() == word.lower()), None)
    full = aliases[spelling] if spelling else word
    found = names.registry.split_path(full) if "/" in full else None
    if found is None or not names.rights.may_use(found[1].tier):
        return None
    if spelling is None:
        spelling = next((alias for alias, path in aliases.items() if path.lower() == word.lower()), word.lower())
    return ListColumn(spelling, *found)


def _aliases(root: DataType, names: Names) -> Mapping[str, str]:
    """Short names of the fields that a list may show."""
    registry = names.registry
    if root.name == builtin.EXPERIMENT:  # all experiments here belong to a subject, which may be named too
        return registry.aliases(registry.get(builtin.SUBJECT_ASSESSOR))
    if root.name != builtin.IMAGE_SCAN:
        return registry.aliases(root)
    joined: dict[str, str] = {}
    for kind in reversed(registry.descendants(root)):  # a list of scans shows what only some kinds have
        joined |= registry.aliases(kind)
    return joined | registry.aliases(root)


def _filters(root: DataType, parameters: Parameters, joins: Joins, names: Names) -> list[ColumnElement[bool]]:
    """One condition per parameter that names a field; other names are ignored."""
    conditions: list[ColumnElement[bool]] = []
    for name, text in parameters.pairs:
        column = _column(name, root, names) if name.lower() not in _RESERVED else None
        if column is None:
            continue
        operand = Operand(joins.value(column.data_type, column.path), column.path.kind, null_differs=False)
        try:
            conditions.append(or_(*(_filter(operand, part) for part in text.split(","))))
        except QueryError as fault:
            raise AddressError(f"Asked to filter by {name}: {fault}") from fault
    if len(conditions) > MAX_FILTERS:
        raise AddressError(f"Asked to filter by {len(conditions)} fields. Give at most {MAX_FILTERS}.")
    return conditions


def _filter(operand: Operand, text: str) -> ColumnElement[bool]:
    if "%" in text or "*" in text:
        return like(operand.value, operand.kind, text)
    span = _RANGE.fullmatch(text.strip()) if operand.kind is not Kind.STRING else None
    if span:
        low, high = (operand.parse(bound) for bound in span.groups())
        return and_(operand.value >= low, operand.value <= high)
    return compare(operand, Comparison.EQUAL, text)


def _order(
    parameters: Parameters, columns: Sequence[ListColumn], values: Sequence[ColumnElement[object]]
) -> Iterator[ColumnElement[object]]:
    by_name = {column.header.lower(): value for column, value in zip(columns, values, strict=True)}
    is_descending = parameters.get("sortOrder").upper() == "DESC"
    for word in parameters.get("sortBy").split(","):
        value = by_name.get(word.strip().lower())
        if value is not None:
            yield value.desc().nulls_first() if is_descending else value.asc().nulls_last()


def _page(statement: Select[*tuple[Any, ...]], parameters: Parameters) -> Select[*tuple[Any, ...]]:
    return statement.limit(parameters.count("limit", DEFAULT_LIMIT)).offset(parameters.count("offset", None))

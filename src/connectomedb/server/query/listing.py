"""A list as its parameters ask for it → SELECT statement, with the names of its columns.

| parameter                  | effect                                                                       |
|----------------------------|------------------------------------------------------------------------------|
| `columns=a,b`              | aliases, schema paths (with a `/`), `DEFAULT`; unknown ones are dropped      |
| any alias or path          | filter: `a,b` either, `%` or `*` pattern, `lo-hi` range of numbers or dates  |
| `xsiType=`                 | data type to list, of experiments                                            |
| `sortBy=`, `sortOrder=DESC`| by columns of the result                                                     |
| `limit=`, `offset=`        | of subjects and experiments; `*` is no limit                                 |

Source: XNAT's list resources. A column asked by the path of an alias bears the alias; other paths come
back in lower case.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select

from connectomedb.errors import AddressError, QueryError
from connectomedb.server.query.comparisons import Operand, compare, like
from connectomedb.server.query.joins import Joins
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.types import builtin
from connectomedb.server.types.columns import Names
from connectomedb.server.types.datatypes import DataType, Entity, Kind, Path
from connectomedb.xnat.address import Level
from connectomedb.xnat.query import Comparison

DEFAULT_LIMIT = 100
MAX_FILTERS = 50

_RESERVED = {"columns", "format", "xsitype", "sortby", "sortorder", "limit", "offset"}
_RANGE = re.compile(r"(-?[\d.]+|\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{4})-(-?[\d.]+|\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{4})")


@dataclass(frozen=True, slots=True)
class Frame:
    """What lists of one level have: title, columns always there, columns when none are named."""

    title: str
    root: str
    always: tuple[str, ...]
    default: tuple[str, ...]
    may_page: bool = False


FRAMES: Mapping[Level, Frame] = {
    Level.PROJECTS: Frame(
        "Projects",
        builtin.PROJECT,
        ("ID",),
        ("ID", "secondary_ID", "name", "description", "pi_firstname", "pi_lastname"),
    ),
    Level.SUBJECTS: Frame(
        "Subjects", builtin.SUBJECT, ("ID",), ("ID", "project", "label", "insert_date", "insert_user"), may_page=True
    ),
    Level.EXPERIMENTS: Frame(
        "Experiments",
        builtin.EXPERIMENT,
        ("ID",),
        ("ID", "project", "date", "xsiType", "label", "insert_date"),
        may_page=True,
    ),
    Level.SCANS: Frame(
        "Scans",
        builtin.IMAGE_SCAN,
        ("xnat_imagescandata_id",),
        ("xnat_imagescandata_id", "ID", "type", "quality", "xsiType", "note", "series_description"),
    ),
}


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
) -> Listing:
    """The statement of a list; `within` are columns of the listed rows that must hold a key, as `project_key`.

    Raises AddressError when a parameter makes no sense.
    """
    frame = FRAMES[level]
    root = _listed_type(frame, parameters, names, nested=bool(within))
    columns = _columns(frame, root, parameters, names)
    joins = Joins(names.registry, root, names.rights, details)
    values = [joins.value(column.data_type, column.path) for column in columns]
    repeating = joins.repeating
    conditions = [joins.root_node.rows.c[name] == key for name, key in within.items()]
    conditions += _filters(root, parameters, joins, names)
    conditions.append(joins.scope())
    id_of_experiment = joins.above(joins.root_node, Entity.EXPERIMENT).rows.c.id if level is Level.SCANS else joins.key
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
    asked = parameters.get("xsiType") if frame.title == "Experiments" else ""
    if not asked:
        return names.registry.get(
            builtin.SUBJECT_ASSESSOR if nested and frame.root == builtin.EXPERIMENT else frame.root
        )
    found = names.registry.find(asked)
    if found is None or found.entity is not Entity.EXPERIMENT:
        raise AddressError(f"Asked to list experiments of type {asked!r}. There is no such type here.")
    return found


def _columns(frame: Frame, root: DataType, parameters: Parameters, names: Names) -> tuple[ListColumn, ...]:
    """Columns asked for, the ones that are always there among them, each once."""
    default = (*frame.default, *_default_of_type(root, parameters))
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


def _default_of_type(root: DataType, parameters: Parameters) -> tuple[str, ...]:
    is_asked = root.entity is Entity.EXPERIMENT and parameters.has("xsiType")
    return ("subject_ID", "subject_label") if is_asked and root.name != builtin.EXPERIMENT else ()


def _column(word: str, root: DataType, names: Names) -> ListColumn | None:
    """The column of an alias or path; None when there is no such field or the caller may not use it."""
    # All experiments here belong to a subject, so lists of experiments at large may name it too.
    aliases = names.registry.aliases(
        names.registry.get(builtin.SUBJECT_ASSESSOR) if root.name == builtin.EXPERIMENT else root
    )
    spelling = word if word in aliases else next((alias for alias in aliases if alias.lower() == word.lower()), None)
    full = aliases[spelling] if spelling else word
    found = names.registry.split_path(full) if "/" in full else None
    if found is None or not names.rights.may_use(found[1].tier):
        return None
    if spelling is None:
        spelling = next((alias for alias, path in aliases.items() if path.lower() == word.lower()), word.lower())
    return ListColumn(spelling, *found)


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

"""All plain fields of one data type as one statement. Making it costs more than running it, so it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Select, Table, bindparam, select

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Caller, Rights
from connectomedb.server.query.joins import Joins
from connectomedb.server.types.datatypes import DataType, Fact, Path, Registry

KEYS = "keys"
"""Name of the statement's parameter: keys of the objects."""

MOST_KEPT = 2_000
"""Statements that are kept of one catalogue, over all callers."""


@dataclass(frozen=True, slots=True)
class FieldStatement:
    """Rows are: key, time of making, then the values of `selected`.

    Attributes:
        paths: all fields that the caller may see, those that are facts too.
        known: names of all fields of the type that the caller may see; others are as if there were none.
        restricted: names of columns above the open tier, for the audit log.
    """

    paths: tuple[Path, ...]
    selected: tuple[Path, ...]
    known: frozenset[str]
    statement: Select[*tuple[Any, ...]]
    restricted: frozenset[str]


_Kept = dict[tuple[str, Caller, frozenset[tuple[int, Tier]], Tier], FieldStatement]
_kept: WeakKeyDictionary[Registry, _Kept] = WeakKeyDictionary()


def field_statement(
    registry: Registry, data_type: DataType, rights: Rights, details: Mapping[str, Table]
) -> FieldStatement:
    """The statement of a type for one caller; what is restricted in it is noted in the rights."""
    kept = _kept.setdefault(registry, {})
    who = (data_type.name, rights.caller, frozenset(rights.grants.items()), rights.ceiling)
    found = kept.get(who)
    if found is None:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        found = kept[who] = _make(registry, data_type, replace(rights, read=set()), details)
    rights.read.update(found.restricted)
    return found


def _make(registry: Registry, data_type: DataType, rights: Rights, details: Mapping[str, Table]) -> FieldStatement:
    known = registry.paths(data_type)
    paths = tuple(path for path in known if _is_shown(path) and rights.may_use(path.tier))
    selected = tuple(path for path in paths if not isinstance(path.source, Fact))
    joins = Joins(registry, data_type, rights, details)
    values = [joins.value(data_type, path).label(f"c{number}") for number, path in enumerate(selected)]
    scope = joins.scope()
    made = joins.root_node.rows.c.insert_date.label("made")
    statement = select(joins.key.label("key"), made, *values).select_from(joins.clause)
    statement = statement.where(joins.key.in_(bindparam(KEYS, expanding=True)), scope)
    names = frozenset(path.path for path in known if rights.may_use(path.tier))
    return FieldStatement(paths, selected, names, statement, frozenset(rights.read))


def _is_shown(path: Path) -> bool:
    return path.is_stored or path.path == "imageSession_ID"

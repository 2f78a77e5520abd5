"""Rows → items: one object with its fields, and below it what stands in its document.

project         aliases, custom variables and their definitions, resources
subject         demographics, custom variables, shares, experiments, resources
experiment      custom variables, shares, scans, reconstructions, assessors, resources
scan            parameters, custom variables, files (its resources)
reconstruction  custom variables, files

All objects of one type are read by one statement, their facts and resources by one more each.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select

from connectomedb.server.access.auth import Caller
from connectomedb.server.access.visible import may_list, may_read
from connectomedb.server.query.entries import FACTS, ROWS, entries
from connectomedb.server.query.fields import KEYS, field_statement
from connectomedb.server.query.homes import OWNERS
from connectomedb.server.query.places import MOST_KEPT, Found
from connectomedb.server.routes.call import View
from connectomedb.server.routes.inner import StoredFact, inner_items
from connectomedb.server.tables.schema import experiments, files, projects, reconstructions, resources, scans
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import DataType, Entity, Kind, Path
from connectomedb.server.types.protocols import DEFINITIONS, PROTOCOL, protocols_of
from connectomedb.xnat.address import Level
from connectomedb.xnat.document import FieldValue, Item

RESOURCE = "xnat:resourceCatalog"

ENTITIES: Mapping[Level, Entity] = {
    Level.PROJECTS: Entity.PROJECT,
    Level.SUBJECTS: Entity.SUBJECT,
    Level.EXPERIMENTS: Entity.EXPERIMENT,
    Level.ASSESSORS: Entity.EXPERIMENT,
    Level.SCANS: Entity.SCAN,
    Level.RECONSTRUCTIONS: Entity.RECONSTRUCTION,
}
"""Level of an address → the level whose rows its objects are."""

_LEVELS = {entity: level for level, entity in ENTITIES.items() if level is not Level.ASSESSORS}
_FIXED = {Entity.PROJECT: builtin.PROJECT, Entity.SUBJECT: builtin.SUBJECT}

_NUMBERS: Mapping[Kind, Callable[[str], int | float]] = {Kind.INTEGER: int, Kind.FLOAT: float}

_Items = dict[int, Item]
"""By the keys of their rows."""

_Facts = Mapping[int, Sequence[StoredFact]]

_OF_NO_SESSION = func.coalesce(experiments.c.session_key, 0) == 0
"""Not IS NULL, of which nearly all rows are: for it SQLite takes the index of sessions, and reads all experiments."""

Children = dict[int, tuple[Item, ...]]
"""Key of the object above → items."""


def load_item(view: View, found: Found) -> tuple[Item, DataType]:
    """One object that the caller may read, and its type."""
    item = load_items(view, ENTITIES[found.level], [found.key])[found.key]
    return item, view.registry.get(item.type)


def load_items(view: View, entity: Entity, keys: Sequence[int], types: Mapping[int, str] | None = None) -> _Items:
    """Objects of one level with all below them; those that the caller may not read are left out.

    `types` are the names of their types, where these are known already.
    """
    if not keys:
        return {}
    facts = _facts(view, entity, keys)
    types = _types(view, entity, keys) if types is None else types
    items = {
        key: item
        for name in sorted(set(types.values()))
        for key, item in _plain_items(view, name, [key for key in keys if types.get(key) == name], facts).items()
    }
    seen = [key for key in keys if key in items]
    below = _below(view, entity, seen, facts)
    return {
        key: replace(
            items[key], children={**items[key].children, **{name: of[key] for name, of in below.items() if key in of}}
        )
        for key in seen
    }


def _below(view: View, entity: Entity, keys: Sequence[int], facts: _Facts) -> dict[str, Children]:
    """What stands below objects of a level, by the name of the list."""
    found: dict[str, Children] = {}
    if entity is Entity.PROJECT:
        found[PROTOCOL] = _protocols(view, keys, facts)
        found["aliases/alias"] = _named(view, entity, "aliases", keys, "xnat:projectData_alias", ("alias",))
    if entity in (Entity.SUBJECT, Entity.EXPERIMENT):
        type = "xnat:projectParticipant" if entity is Entity.SUBJECT else "xnat:experimentData_share"
        found["sharing/share"] = _named(view, entity, "shares", keys, type, ("project", "label"))
    if entity is Entity.SUBJECT:
        of_subject = experiments.c.subject_key
        found["experiments/experiment"] = _nested(view, Entity.EXPERIMENT, of_subject, keys, _OF_NO_SESSION)
    if entity is Entity.EXPERIMENT:
        found["scans/scan"] = _nested(view, Entity.SCAN, scans.c.experiment_key, keys)
        reconstructed = reconstructions.c.experiment_key
        found["reconstructions/reconstructedImage"] = _nested(view, Entity.RECONSTRUCTION, reconstructed, keys)
        found["assessors/assessor"] = _nested(view, Entity.EXPERIMENT, experiments.c.session_key, keys)
    of_output = {Entity.SCAN: "file", Entity.RECONSTRUCTION: "out/file"}.get(entity, "resources/resource")
    opened = _open(view, keys) if entity is Entity.PROJECT else keys
    found[of_output] = _resources(view, _LEVELS[entity], opened, is_input=False)
    if entity in (Entity.EXPERIMENT, Entity.RECONSTRUCTION):
        found["in/file"] = _resources(view, _LEVELS[entity], keys, is_input=True)
    return found


def _nested(
    view: View, entity: Entity, above: ColumnElement[int], keys: Sequence[int], *limits: ColumnElement[bool]
) -> Children:
    rows = view.connection.execute(_below_of(entity, above, limits), {KEYS: [*keys]}).all()
    owners = {row.key: row.above for row in rows}
    found: dict[int, list[Item]] = defaultdict(list)
    for key, item in load_items(view, entity, sorted(owners), {row.key: row.data_type for row in rows}).items():
        found[owners[key]].append(item)
    return {key: tuple(items) for key, items in found.items()}


@cache
def _below_of(entity: Entity, above: ColumnElement[int], limits: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    table = ROWS[entity]
    wanted = select(table.c.key, table.c.data_type, above.label("above"))
    return wanted.where(above.in_(_keys()), *limits).order_by(table.c.key)


def _named(view: View, entity: Entity, list: str, keys: Sequence[int], type: str, columns: tuple[str, ...]) -> Children:
    """Entries of a list that are nothing but texts."""
    found: dict[int, tuple[Item, ...]] = {}
    for key, *values in view.connection.execute(_entries(view.caller, entity, list, columns), {KEYS: [*keys]}):
        found[key] = (*found.get(key, ()), Item(type, dict(zip(columns, values, strict=True))))
    return found


@lru_cache(MOST_KEPT)
def _entries(caller: Caller, entity: Entity, list: str, columns: tuple[str, ...]) -> Select[Any]:
    rows = entries(entity, list)
    statement = select(rows.c.owner_key, *(rows.c[name] for name in columns)).where(rows.c.owner_key.in_(_keys()))
    if "project_key" in rows.c:
        statement = statement.where(may_list(caller, rows.c.project_key))
    return statement.order_by(rows.c[columns[0]])


def _resources(view: View, level: Level, keys: Sequence[int], *, is_input: bool) -> Children:
    found: dict[int, tuple[Item, ...]] = {}
    for row in view.connection.execute(_counted(level, is_input), {KEYS: [*keys]}) if keys else ():
        fields = {"label": row.label, "format": row.format, "content": row.content}
        sums: dict[str, FieldValue] = {"file_count": row.file_count, "file_size": int(row.file_size or 0)}
        item = Item(RESOURCE, {name: value for name, value in fields.items() if value} | sums)
        found[row.owner] = (*found.get(row.owner, ()), item)
    return found


@cache
def _counted(level: Level, is_input: bool) -> Select[Any]:
    owner = OWNERS[level]
    return (
        select(
            owner.label("owner"),
            *(resources.c.key, resources.c.label, resources.c.format, resources.c.content),
            func.count(files.c.key).label("file_count"),
            func.sum(files.c.size).label("file_size"),
        )
        .select_from(resources.outerjoin(files))
        .where(owner.in_(_keys()), resources.c.is_input == is_input)
        .group_by(resources.c.key)
        .order_by(resources.c.key)
    )


def _open(view: View, keys: Sequence[int]) -> Sequence[int]:
    """Projects of which the caller may read more than the record."""
    readable = select(projects.c.key).where(projects.c.key.in_(keys), may_read(view.caller, projects.c.key))
    return view.connection.execute(readable).scalars().all()


def _types(view: View, entity: Entity, keys: Sequence[int]) -> dict[int, str]:
    if entity in _FIXED:
        return dict.fromkeys(keys, _FIXED[entity])
    table = ROWS[entity]
    rows = view.connection.execute(select(table.c.key, table.c.data_type).where(table.c.key.in_(keys)))
    return {row.key: row.data_type for row in rows}


def _protocols(view: View, keys: Sequence[int], facts: _Facts) -> Children:
    ids = view.connection.execute(select(projects.c.key, projects.c.id).where(projects.c.key.in_(keys)))
    groups = {key: {fact.name: fact.value for fact in facts.get(key, ()) if fact.path == DEFINITIONS} for key in keys}
    return {row.key: protocols_of(view.registry, row.id, groups[row.key]) for row in ids}


def _facts(view: View, entity: Entity, keys: Sequence[int]) -> _Facts:
    """Key → its facts, entries of lists in their order."""
    rows = view.connection.execute(_facts_of(entity), {KEYS: [*keys]})
    found: dict[int, list[StoredFact]] = defaultdict(list)
    for key, path, name, value in rows:
        found[key].append(StoredFact(path, name, value))
    return found


@cache
def _facts_of(entity: Entity) -> Select[Any]:
    facts = FACTS[entity]
    wanted = select(facts.c.owner_key, facts.c.path, facts.c.name, facts.c.value).where(facts.c.owner_key.in_(_keys()))
    return wanted.order_by(facts.c.path, func.coalesce(facts.c.position, 0), facts.c.name)


def _keys() -> BindParameter[Any]:
    return bindparam(KEYS, expanding=True)


def _plain_items(view: View, type: str, keys: Sequence[int], facts: _Facts) -> _Items:
    """Objects of one type without what stands below them; fields that are missing are left out."""
    wanted = field_statement(view.registry, view.registry.get(type), view.rights, view.details)
    found: _Items = {}
    for key, made, *row in view.connection.execute(wanted.statement, {KEYS: list(keys)}):
        mine = facts.get(key, ())
        cells: dict[str, object] = dict(zip((path.path for path in wanted.selected), row, strict=True))
        cells |= {fact.path: fact.value for fact in mine if not fact.name and fact.path not in cells}
        shown = {
            _plain(path): _field(cells[path.path], path.kind)
            for path in wanted.paths
            if cells.get(path.path) not in (None, "")
        }
        foreign = {
            fact.path: fact.value for fact in mine if not fact.name and fact.path not in wanted.known and fact.value
        }
        fields, children = inner_items(type, {**shown, **foreign}, mine)
        found[key] = Item(type, fields, children, made)
    return found


def _plain(path: Path) -> str:
    return path.path.replace(builtin.DEMOGRAPHICS, "demographics/")


def _field(value: object, kind: Kind) -> FieldValue:
    """A value of an item; numbers that are kept as texts are numbers again."""
    if isinstance(value, str) and kind in _NUMBERS:
        return _NUMBERS[kind](value)
    if isinstance(value, str | int | float):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)

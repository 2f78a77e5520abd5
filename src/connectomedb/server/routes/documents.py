"""Rows → items: one object with its fields, and below it what stands in its document.

project         aliases, custom variables, resources
subject         demographics, custom variables, shares, experiments, resources
experiment      custom variables, shares, scans, reconstructions, assessors, resources
scan            parameters, custom variables, files (its resources)
reconstruction  custom variables, files

All objects of one type are read by one statement, their facts and resources by one more each.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time

from sqlalchemy import ColumnElement, func, select

from connectomedb.server.access.visible import may_list, may_read
from connectomedb.server.query.entries import FACTS, ROWS, entries
from connectomedb.server.query.homes import OWNERS
from connectomedb.server.query.joins import Joins
from connectomedb.server.query.places import Found
from connectomedb.server.routes.call import View
from connectomedb.server.tables.schema import experiments, files, projects, reconstructions, resources, scans
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import ENTRIES, DataType, Entity, Fact, Path, local_name
from connectomedb.xnat.address import Level
from connectomedb.xnat.document import FieldValue, Item

RESOURCE = "xnat:resourceCatalog"
DEMOGRAPHIC = "xnat:demographicData"

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
_DEMOGRAPHICS = "demographics/"

Children = dict[int, tuple[Item, ...]]
"""Key of the object above → items."""


def load_item(view: View, found: Found) -> tuple[Item, DataType]:
    """One object that the caller may read, and its type."""
    item = load_items(view, ENTITIES[found.level], [found.key])[found.key]
    return item, view.registry.get(item.type)


def load_items(view: View, entity: Entity, keys: Sequence[int]) -> dict[int, Item]:
    """Objects of one level with all below them; those that the caller may not read are left out."""
    if not keys:
        return {}
    facts = _facts(view, entity, keys)
    types = _types(view, entity, keys)
    fields = {
        key: found
        for name in sorted(set(types.values()))
        for key, found in _fields(
            view, view.registry.get(name), [key for key in keys if types.get(key) == name], facts
        ).items()
    }
    seen = [key for key in keys if key in fields]
    below = _below(view, entity, seen)
    return {key: _item(types[key], fields[key], facts.get(key, ()), key, below) for key in seen}


def _item(
    type: str,
    fields: dict[str, FieldValue],
    facts: Iterable[tuple[str, str, str]],
    key: int,
    below: dict[str, Children],
) -> Item:
    children: dict[str, tuple[Item, ...]] = {}
    person = {name: value for name, value in fields.items() if name.startswith(_DEMOGRAPHICS)}
    if person:
        fields = {name: value for name, value in fields.items() if name not in person}
        inner = {name.removeprefix(_DEMOGRAPHICS): value for name, value in person.items()}
        children["demographics"] = (Item(DEMOGRAPHIC, inner),)
    for list, text in ENTRIES.items():
        found = tuple(
            Item(f"{type}_{local_name(list.replace('/', ':'))}", {"name": name, text: value})
            for path, name, value in facts
            if path == list
        )
        if found:
            children[list] = found
    children |= {name: items[key] for name, items in below.items() if key in items}
    return Item(type, fields, children)


def _below(view: View, entity: Entity, keys: Sequence[int]) -> dict[str, Children]:
    """What stands below objects of a level, by the name of the list."""
    found: dict[str, Children] = {}
    if entity is Entity.PROJECT:
        found["aliases/alias"] = _named(view, entity, "aliases", keys, "xnat:projectData_alias", ("alias",))
    if entity in (Entity.SUBJECT, Entity.EXPERIMENT):
        type = "xnat:projectParticipant" if entity is Entity.SUBJECT else "xnat:experimentData_share"
        found["sharing/share"] = _named(view, entity, "shares", keys, type, ("project", "label"))
    if entity is Entity.SUBJECT:
        of_subject = experiments.c.session_key.is_(None)
        found["experiments/experiment"] = _nested(view, Entity.EXPERIMENT, experiments.c.subject_key, keys, of_subject)
    if entity is Entity.EXPERIMENT:
        found["scans/scan"] = _nested(view, Entity.SCAN, scans.c.experiment_key, keys)
        reconstructed = reconstructions.c.experiment_key
        found["reconstructions/reconstructedImage"] = _nested(view, Entity.RECONSTRUCTION, reconstructed, keys)
        found["assessors/assessor"] = _nested(view, Entity.EXPERIMENT, experiments.c.session_key, keys)
    name = "file" if entity in (Entity.SCAN, Entity.RECONSTRUCTION) else "resources/resource"
    found[name] = _resources(view, _LEVELS[entity], _open(view, keys) if entity is Entity.PROJECT else keys)
    return found


def _nested(
    view: View, entity: Entity, above: ColumnElement[int], keys: Sequence[int], *limits: ColumnElement[bool]
) -> Children:
    table = ROWS[entity]
    rows = view.connection.execute(select(table.c.key, above.label("above")).where(above.in_(keys), *limits)).all()
    owners = {row.key: row.above for row in rows}
    found: dict[int, list[Item]] = defaultdict(list)
    for key, item in load_items(view, entity, sorted(owners)).items():
        found[owners[key]].append(item)
    return {key: tuple(items) for key, items in found.items()}


def _named(view: View, entity: Entity, list: str, keys: Sequence[int], type: str, columns: tuple[str, ...]) -> Children:
    """Entries of a list that are nothing but texts."""
    rows = entries(entity, list)
    found: dict[int, tuple[Item, ...]] = {}
    statement = select(rows.c.owner_key, *(rows.c[name] for name in columns)).where(rows.c.owner_key.in_(keys))
    if "project_key" in rows.c:
        statement = statement.where(may_list(view.caller, rows.c.project_key))
    for key, *values in view.connection.execute(statement.order_by(rows.c[columns[0]])):
        found[key] = (*found.get(key, ()), Item(type, dict(zip(columns, values, strict=True))))
    return found


def _resources(view: View, level: Level, keys: Sequence[int]) -> Children:
    owner = OWNERS[level]
    counted = (
        select(
            owner.label("owner"),
            *(resources.c.key, resources.c.label, resources.c.format, resources.c.content),
            func.count(files.c.key).label("file_count"),
            func.sum(files.c.size).label("file_size"),
        )
        .select_from(resources.outerjoin(files))
        .where(owner.in_(keys))
        .group_by(resources.c.key)
        .order_by(resources.c.key)
    )
    found: dict[int, tuple[Item, ...]] = {}
    for row in view.connection.execute(counted) if keys else ():
        fields = {"label": row.label, "format": row.format, "content": row.content}
        sums: dict[str, FieldValue] = {"file_count": row.file_count, "file_size": int(row.file_size or 0)}
        item = Item(RESOURCE, {name: value for name, value in fields.items() if value} | sums)
        found[row.owner] = (*found.get(row.owner, ()), item)
    return found


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


def _facts(view: View, entity: Entity, keys: Sequence[int]) -> dict[int, list[tuple[str, str, str]]]:
    """Key → path, name and text of its facts."""
    facts = FACTS[entity]
    rows = view.connection.execute(
        select(facts).where(facts.c.owner_key.in_(keys)).order_by(facts.c.path, facts.c.name)
    )
    found: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for key, *fact in rows:
        found[key].append((fact[0], fact[1], fact[2]))
    return found


def _fields(
    view: View, data_type: DataType, keys: Sequence[int], facts: Mapping[int, Sequence[tuple[str, str, str]]]
) -> dict[int, dict[str, FieldValue]]:
    """Key → values by schema path, without those that are missing or whose tier the caller lacks."""
    paths = [path for path in view.registry.paths(data_type) if _is_shown(path) and view.rights.may_use(path.tier)]
    selected = [path for path in paths if not isinstance(path.source, Fact)]
    joins = Joins(view.registry, data_type, view.rights, view.details)
    values = [joins.value(data_type, path).label(f"c{number}") for number, path in enumerate(selected)]
    scope = joins.scope()
    statement = select(joins.key.label("key"), *values).select_from(joins.clause)
    known = {path.path for path in view.registry.paths(data_type) if view.rights.may_use(path.tier)}
    found: dict[int, dict[str, FieldValue]] = {}
    for key, *row in view.connection.execute(statement.where(joins.key.in_(keys), scope)):
        cells: dict[str, object] = dict(zip((path.path for path in selected), row, strict=True))
        cells |= {path: text for path, name, text in facts.get(key, ()) if not name and path not in cells}
        fields = {_plain(path): _field(cells[path.path]) for path in paths if cells.get(path.path) not in (None, "")}
        foreign: dict[str, FieldValue] = {
            path: text for path, name, text in facts.get(key, ()) if not name and path not in known and text
        }
        found[key] = fields | foreign
    return found


def _is_shown(path: Path) -> bool:
    return path.is_stored or path.path == "imageSession_ID"


def _plain(path: Path) -> str:
    return path.path.replace(builtin.DEMOGRAPHICS, _DEMOGRAPHICS)


def _field(value: object) -> FieldValue:
    if isinstance(value, str | int | float):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)

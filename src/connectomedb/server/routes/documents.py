"""Rows → items: one object with its fields, and below it what stands in its document.

project      resources
subject      demographics, experiments, resources
experiment   scans, resources
scan         files (its resources)
"""

from datetime import date, time

from sqlalchemy import func, select

from connectomedb.server.access.visible import may_read
from connectomedb.server.query.homes import OWNERS
from connectomedb.server.query.joins import Joins
from connectomedb.server.query.places import Found
from connectomedb.server.routes.call import View
from connectomedb.server.tables.schema import experiments, files, projects, resources, scans
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import DataType, Path
from connectomedb.xnat.address import Level
from connectomedb.xnat.document import FieldValue, Item

RESOURCE = "xnat:resourceCatalog"
DEMOGRAPHIC = "xnat:demographicData"

_HIDDEN = ("meta/", "sharing/")
_DEMOGRAPHICS = "demographics/"


def load_item(view: View, found: Found) -> tuple[Item, DataType]:
    """One object that the caller may read, and its type."""
    match found.level:
        case Level.PROJECTS:
            return _project(view, found.key)
        case Level.SUBJECTS:
            return _subject(view, found.key)
        case Level.EXPERIMENTS:
            return _experiment(view, found.key)
        case _:
            return _scan(view, found.key)


def _project(view: View, key: int) -> tuple[Item, DataType]:
    data_type = view.registry.get(builtin.PROJECT)
    readable = select(projects.c.key).where(projects.c.key == key, may_read(view.caller, projects.c.key))
    is_open = view.connection.execute(readable).first() is not None  # of a protected project only the record is
    children = {"resources/resource": _resources(view, Level.PROJECTS, key) if is_open else ()}
    return Item(data_type.name, _fields(view, data_type, key), children), data_type


def _subject(view: View, key: int) -> tuple[Item, DataType]:
    data_type = view.registry.get(builtin.SUBJECT)
    fields = _fields(view, data_type, key)
    own = {name: value for name, value in fields.items() if not name.startswith(_DEMOGRAPHICS)}
    person = {name.removeprefix(_DEMOGRAPHICS): value for name, value in fields.items() if name not in own}
    keys = view.connection.execute(
        select(experiments.c.key).where(experiments.c.subject_key == key).order_by(experiments.c.key)
    ).scalars()
    children = {
        "demographics": (Item(DEMOGRAPHIC, person),) if person else (),
        "experiments/experiment": tuple(_experiment(view, experiment)[0] for experiment in keys.all()),
        "resources/resource": _resources(view, Level.SUBJECTS, key),
    }
    return Item(data_type.name, own, children), data_type


def _experiment(view: View, key: int) -> tuple[Item, DataType]:
    name = view.connection.execute(select(experiments.c.data_type).where(experiments.c.key == key)).scalar_one()
    data_type = view.registry.get(name)
    keys = view.connection.execute(
        select(scans.c.key).where(scans.c.experiment_key == key).order_by(scans.c.key)
    ).scalars()
    children = {
        "scans/scan": tuple(_scan(view, scan)[0] for scan in keys.all()),
        "resources/resource": _resources(view, Level.EXPERIMENTS, key),
    }
    return Item(data_type.name, _fields(view, data_type, key), children), data_type


def _scan(view: View, key: int) -> tuple[Item, DataType]:
    name = view.connection.execute(select(scans.c.data_type).where(scans.c.key == key)).scalar_one()
    data_type = view.registry.get(name)
    children = {"file": _resources(view, Level.SCANS, key)}
    return Item(data_type.name, _fields(view, data_type, key), children), data_type


def _resources(view: View, level: Level, key: int) -> tuple[Item, ...]:
    counted = (
        select(resources, func.count(files.c.key).label("file_count"), func.sum(files.c.size).label("file_size"))
        .select_from(resources.outerjoin(files))
        .where(OWNERS[level] == key)
        .group_by(resources.c.key)
        .order_by(resources.c.key)
    )
    found = []
    for row in view.connection.execute(counted):
        fields = {"label": row.label, "format": row.format, "content": row.content}
        sums: dict[str, FieldValue] = {"file_count": row.file_count, "file_size": int(row.file_size or 0)}
        found.append(Item(RESOURCE, {name: value for name, value in fields.items() if value} | sums))
    return tuple(found)


def _fields(view: View, data_type: DataType, key: int) -> dict[str, FieldValue]:
    """Values by schema path, without those that are missing or whose tier the caller lacks."""
    paths = [path for path in view.registry.paths(data_type) if _is_shown(path) and view.rights.may_use(path.tier)]
    joins = Joins(view.registry, data_type, view.rights, view.details)
    values = [joins.value(data_type, path).label(f"c{number}") for number, path in enumerate(paths)]
    scope = joins.scope()
    row = view.connection.execute(select(*values).select_from(joins.clause).where(joins.key == key, scope)).one()
    return {
        _plain(path): _field(value) for path, value in zip(paths, row, strict=True) if value is not None and value != ""
    }


def _is_shown(path: Path) -> bool:
    return not path.path.startswith(_HIDDEN)


def _plain(path: Path) -> str:
    return path.path.replace(builtin.DEMOGRAPHICS, _DEMOGRAPHICS)


def _field(value: object) -> FieldValue:
    if isinstance(value, str | int | float):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)

"""Sharing: an object seen in a project that is not its home, under a label of its own there.

Sharing gives nobody a right to change the object: that stays with its home. Who may change an object may
share it into any project to which he may add; who owns both projects may move it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, delete, insert, select, update

from connectomedb.errors import Conflict, NotFound
from connectomedb.server.access.rules import Action
from connectomedb.server.access.visible import may_list
from connectomedb.server.changes.rights import home_of, require
from connectomedb.server.changes.writer import Writer, check_id
from connectomedb.server.query.entries import ROWS, SHARES
from connectomedb.server.query.places import Found
from connectomedb.server.routes.call import View
from connectomedb.server.tables.schema import experiments, projects
from connectomedb.server.types.datatypes import Entity


@dataclass(frozen=True, slots=True)
class SharedInto:
    """One project in which an object is seen, and its label there."""

    label: str
    id: str
    secondary_id: str
    name: str


def list_shares(view: View, entity: Entity, found: Found) -> Sequence[SharedInto]:
    """Home first, then the others that the caller may know; of a home that is closed to them they know the ID only,
    which every list of the object tells."""
    shares, rows = SHARES[entity], ROWS[entity]
    is_known = may_list(view.caller, projects.c.key)
    names = (case((is_known, column)).label(column.name) for column in (projects.c.secondary_id, projects.c.name))
    columns = (projects.c.id, *names)
    home = select(*columns).where(projects.c.key == home_of(view, entity, found.key))
    label = rows.c.id if entity is Entity.SCAN else rows.c.label
    own = view.connection.execute(select(label).where(rows.c.key == found.key)).scalar_one()
    shared = select(shares.c.label, *columns).join(projects).where(shares.c.owner_key == found.key)
    known = shared.where(is_known).order_by(projects.c.key)
    listed = [(own, *view.connection.execute(home).one()), *view.connection.execute(known)]
    return [SharedInto(*(cell or "" for cell in row)) for row in listed]


def share(writer: Writer, entity: Entity, found: Found, project: Found, label: str) -> None:
    """Show an object in a further project, or give it another label there. Raises AccessDenied, Conflict, Unusable."""
    view = writer.view
    home = home_of(view, entity, found.key)
    require(view, home, Action.EDIT)
    require(view, project.key, Action.CREATE)
    if project.key == home:
        raise Conflict(f"Asked to share {found.label} into {project.id}. It is at home there.")
    shares = SHARES[entity]
    same = (shares.c.owner_key == found.key, shares.c.project_key == project.key)
    before: str | None = writer.connection.execute(select(shares.c.label).where(*same)).scalar()
    if before is not None and label in ("", before):
        raise Conflict(f"Asked to share {found.label} into {project.id}. It is shared there already.")
    label = label or (found.id if entity is Entity.SCAN else found.label)
    _check_label(writer, entity, project.key, label, found.key)
    if before is None:
        row = {"owner_key": found.key, "project_key": project.key, "label": label}
        writer.connection.execute(insert(shares).values(row))
    else:
        writer.connection.execute(update(shares).where(*same).values(label=label))
    writer.update(entity, found.key)


def unshare(writer: Writer, entity: Entity, found: Found, project: Found) -> None:
    """Show an object no longer in a project. Raises NotFound when it is not shared there, AccessDenied."""
    shares = SHARES[entity]
    same = (shares.c.owner_key == found.key, shares.c.project_key == project.key)
    if writer.connection.execute(select(shares.c.label).where(*same)).first() is None:
        raise NotFound(f"{found.label} is not shared into {project.id}. List its projects to see where it is.")
    require(writer.view, project.key, Action.DELETE)
    writer.connection.execute(delete(shares).where(*same))
    writer.update(entity, found.key)


def move(writer: Writer, entity: Entity, found: Found, project: Found, label: str) -> None:
    """Make another project the home: of a subject with its experiments, of a session with its assessors.

    Raises AccessDenied, Conflict, Unusable.
    """
    view = writer.view
    home = home_of(view, entity, found.key)
    require(view, home, Action.DELETE)
    require(view, project.key, Action.CREATE)
    if project.key == home:
        raise Conflict(f"Asked to move {found.label} to {project.id}. It is at home there.")
    if entity is Entity.SCAN:
        raise Conflict("Asked to move a scan. Scans stay with their session: move that.")
    rows = ROWS[entity]
    label = label or view.connection.execute(select(rows.c.label).where(rows.c.key == found.key)).scalar_one()
    _settle(writer, entity, found.key, project.key, label)
    above = experiments.c.subject_key if entity is Entity.SUBJECT else experiments.c.session_key
    for row in _at_home(writer, above == found.key, home):
        _settle(writer, Entity.EXPERIMENT, row[0], project.key, row[1])


def _at_home(writer: Writer, below: ColumnElement[bool], home: int) -> Sequence[tuple[int, str]]:
    columns = select(experiments.c.key, experiments.c.label).where(below, experiments.c.project_key == home)
    return [(row.key, row.label) for row in writer.connection.execute(columns).all()]


def _settle(writer: Writer, entity: Entity, key: int, project_key: int, label: str) -> None:
    """Give an object a home; where it was shared into that project it no longer needs to be."""
    writer.check_label(entity, project_key, label, key)
    shares = SHARES[entity]
    writer.connection.execute(delete(shares).where(shares.c.owner_key == key, shares.c.project_key == project_key))
    writer.update(entity, key, project_key=project_key, label=label)


def _check_label(writer: Writer, entity: Entity, project_key: int, label: str, key: int) -> None:
    if entity is Entity.SCAN:
        check_id(label)
    else:
        writer.check_label(entity, project_key, label, key)

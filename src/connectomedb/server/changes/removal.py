"""Deleting: rows of an object and of all below it in one transaction; the bytes of its files after that."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, insert, or_, select, tuple_

from connectomedb.server.access.rules import Action
from connectomedb.server.changes.rights import home_of, require
from connectomedb.server.changes.sharing import unshare
from connectomedb.server.changes.status import check_unlocked
from connectomedb.server.changes.writer import Writer
from connectomedb.server.query.entries import ROWS
from connectomedb.server.query.places import Found
from connectomedb.server.routes.call import View
from connectomedb.server.tables.schema import (
    experiments,
    files,
    projects,
    reconstructions,
    resources,
    retired_projects,
    scans,
    subjects,
)
from connectomedb.server.types.datatypes import Entity

Stored = Sequence[tuple[str, str]]
"""Store and key of objects."""


def remove(writer: Writer, entity: Entity, found: Found, project: Found | None) -> Stored:
    """Delete an object, or end its share where the address names a project that it is only shared into.

    Returns the bytes that no row tells of any longer. Raises AccessDenied.
    """
    home = home_of(writer.view, entity, found.key)
    if project is not None and is_only_shared(writer.view, entity, found, project):
        unshare(writer, entity, found, project)
        return ()
    require(writer.view, home, Action.DELETE)
    check_unlocked(writer.connection, entity, found.key)
    held = _files_below(writer, entity, found.key)
    if entity is Entity.PROJECT:
        id = select(projects.c.id).where(projects.c.key == found.key)
        gone = writer.connection.execute(id).scalar_one().lower()
        writer.connection.execute(insert(retired_projects).values(id=gone))
    rows = ROWS[entity]
    writer.connection.execute(delete(rows).where(rows.c.key == found.key))
    return _unheld(writer, held)


def is_only_shared(view: View, entity: Entity, found: Found, project: Found) -> bool:
    """Whether an object is in the project that an address names, and at home elsewhere."""
    return entity in (Entity.SUBJECT, Entity.EXPERIMENT) and project.key != home_of(view, entity, found.key)


def _files_below(writer: Writer, entity: Entity, key: int) -> Stored:
    """Store and key of the files of an object and of all below it."""
    subject_keys = select(subjects.c.key).where(subjects.c.project_key == key)
    of: ColumnElement[bool] = experiments.c.key == key
    if entity is Entity.PROJECT:
        of = or_(experiments.c.project_key == key, experiments.c.subject_key.in_(subject_keys))
    elif entity is Entity.SUBJECT:
        of = experiments.c.subject_key == key
    sessions = select(experiments.c.key).where(of)
    session_keys = select(experiments.c.key).where(or_(of, experiments.c.session_key.in_(sessions)))
    owners: list[ColumnElement[bool]] = []
    if entity is Entity.PROJECT:
        owners = [resources.c.project_key == key, resources.c.subject_key.in_(subject_keys)]
    elif entity is Entity.SUBJECT:
        owners = [resources.c.subject_key == key]
    elif entity is Entity.SCAN:
        owners = [resources.c.scan_key == key]
    elif entity is Entity.RECONSTRUCTION:
        owners = [resources.c.reconstruction_key == key]
    if entity in (Entity.PROJECT, Entity.SUBJECT, Entity.EXPERIMENT):
        of_sessions = (scans.c.experiment_key.in_(session_keys), reconstructions.c.experiment_key.in_(session_keys))
        owners += [
            resources.c.experiment_key.in_(session_keys),
            resources.c.scan_key.in_(select(scans.c.key).where(of_sessions[0])),
            resources.c.reconstruction_key.in_(select(reconstructions.c.key).where(of_sessions[1])),
        ]
    held = select(files.c.store, files.c.object_key).join(resources).where(or_(*owners)).distinct()
    return [(row.store, row.object_key) for row in writer.connection.execute(held)]


def _unheld(writer: Writer, held: Stored) -> Stored:
    """Those of which no other row tells: several objects may have the same bytes."""
    pair = tuple_(files.c.store, files.c.object_key)
    left: set[tuple[str, str]] = set()
    for start in range(0, len(held), _BATCH):
        known = select(files.c.store, files.c.object_key).where(pair.in_(held[start : start + _BATCH]))
        left |= {(row.store, row.object_key) for row in writer.connection.execute(known)}
    return [stored for stored in held if stored not in left]


_BATCH = 500

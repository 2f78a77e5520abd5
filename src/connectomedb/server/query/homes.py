"""What owns a resource, and which project that belongs to: one table for all levels."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from connectomedb.server.query.places import Found, Place
from connectomedb.server.tables.schema import experiments, projects, reconstructions, resources, scans, subjects
from connectomedb.xnat.address import Level

OWNERS: Mapping[Level, ColumnElement[int]] = {
    Level.PROJECTS: resources.c.project_key,
    Level.SUBJECTS: resources.c.subject_key,
    Level.EXPERIMENTS: resources.c.experiment_key,
    Level.SCANS: resources.c.scan_key,
    Level.ASSESSORS: resources.c.experiment_key,
    Level.RECONSTRUCTIONS: resources.c.reconstruction_key,
}
"""Level → the column of a resource that says which object of that level owns it."""

_HOMES: Mapping[Level, Select[Any]] = {
    Level.PROJECTS: select(projects.c.key.label("owner"), projects.c.key.label("project")),
    Level.SUBJECTS: select(subjects.c.key.label("owner"), subjects.c.project_key.label("project")),
    Level.EXPERIMENTS: select(experiments.c.key.label("owner"), experiments.c.project_key.label("project")),
    Level.SCANS: select(scans.c.key.label("owner"), experiments.c.project_key.label("project")).join_from(
        scans, experiments
    ),
    Level.ASSESSORS: select(experiments.c.key.label("owner"), experiments.c.project_key.label("project")),
    Level.RECONSTRUCTIONS: select(
        reconstructions.c.key.label("owner"), experiments.c.project_key.label("project")
    ).join_from(reconstructions, experiments),
}
"""Level → its objects with their home projects."""


def owned_by(owner: Found) -> ColumnElement[bool]:
    """Whether a resource is one of the object's: of what came out of it, or of what it was made from."""
    return and_(OWNERS[owner.level] == owner.key, resources.c.is_input == owner.is_input)


def home_project(connection: Connection, owner: Found) -> int:
    """Key of the project in which an object is at home: rights to change it come from there."""
    homes = _HOMES[owner.level].subquery()
    found: int = connection.execute(select(homes.c.project).where(homes.c.owner == owner.key)).scalar_one()
    return found


def names_above(connection: Connection, place: Place) -> tuple[str, str]:
    """ID of the project and label of the subject that an address names, else of those above its object at home."""
    project = place.project.id if place.project else ""
    subject = place.subject.label if place.subject else ""
    if place.experiment and not (project and subject):
        columns = select(projects.c.id, subjects.c.label).select_from(experiments)
        above = columns.join(projects, projects.c.key == experiments.c.project_key).join(
            subjects, subjects.c.key == experiments.c.subject_key, isouter=True
        )
        home = connection.execute(above.where(experiments.c.key == place.experiment.key)).one()
        return project or home.id, subject or home.label or ""
    if place.subject and not project:
        home_of = select(projects.c.id).select_from(subjects.join(projects)).where(subjects.c.key == place.subject.key)
        project = connection.execute(home_of).scalar_one()
    return project, subject


def resources_of_project(project: int) -> Select[int]:
    """Keys of all resources of a project and of everything in it."""
    owned = []
    for level, column in OWNERS.items():
        homes = _HOMES[level].subquery()
        owned.append(column.in_(select(homes.c.owner).where(homes.c.project == project)))
    return select(resources.c.key).where(or_(*owned))

"""Addresses → rows: which project, subject, experiment or scan an address names, for one caller.

With a project in the address a label or an accession ID names an object; without one only the ID does.
Below a project stand its own objects and those that are shared into it, under the labels they have there.
What the caller may not see is answered like what is not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, case, null, or_, select

from connectomedb.errors import AccessDenied, NotFound, TermsNotAccepted
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.visible import may_enter, may_list, may_reach, may_read, may_see
from connectomedb.server.query.entries import ROWS, SHARES
from connectomedb.server.tables.schema import experiments, project_aliases, projects, reconstructions, scans
from connectomedb.server.types.datatypes import Entity
from connectomedb.xnat.address import Address, Level, Step, format_address

MOST_KEPT = 1_000
"""Statements of so many callers are kept: making them takes longer than running them."""


@dataclass(frozen=True, slots=True)
class Found:
    """One object: key of its row, ID (accession ID; of scans the ID in the session), label for people.

    `is_input`: the address means what it was made from.
    """

    level: Level
    key: int
    id: str
    label: str
    is_input: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The objects that an address names, from the top down. Scans may be several.

    `derived` is an assessor or a reconstruction of the experiment.
    """

    project: Found | None = None
    subject: Found | None = None
    experiment: Found | None = None
    scans: tuple[Found, ...] = ()
    derived: Found | None = None

    @property
    def last(self) -> tuple[Found, ...]:
        """The lowest: scans, or the one assessor, reconstruction, experiment, subject or project."""
        if self.scans:
            return self.scans
        found = self.derived or self.experiment or self.subject or self.project
        return (found,) if found else ()


def find_place(connection: Connection, caller: Caller, address: Address, *, is_inside: bool = False) -> Place:
    """Rows of the address, down to its scans; resources and files are not looked up here.

    `is_inside` says that more than the record of a project is wanted, though the address ends there.
    Raises NotFound, and AccessDenied below a project whose record is open and whose contents are not.
    """
    place = Place()
    for step in address.steps:
        match step.level:
            case Level.PROJECTS:
                below = is_inside or len(address.steps) > 1 or address.listing is not None
                place = Place(_project(connection, caller, step, below, address))
            case Level.SUBJECTS:
                place = Place(place.project, _subject(connection, caller, step, place))
            case Level.EXPERIMENTS:
                experiment = _experiment(connection, caller, step, place)
                place = Place(place.project, place.subject, experiment)
            case Level.SCANS:
                found = _scans(connection, step, place)
                place = Place(place.project, place.subject, place.experiment, found)
            case Level.RECONSTRUCTIONS | Level.ASSESSORS:
                find = _assessor if step.level is Level.ASSESSORS else _reconstruction
                found_derived = find(connection, caller, step, place)
                place = replace(place, derived=replace(found_derived, is_input=address.is_input))
    return place


def _project(connection: Connection, caller: Caller, step: Step, is_inside: bool, address: Address) -> Found:
    row = connection.execute(_projects(caller), {"id": step.id}).first()
    if row is None:
        raise _missing(step)
    if is_inside and row.enterable and not row.readable:
        raise terms_stand_before(row.id, format_address(address))
    if is_inside and not row.readable:
        asked = format_address(address)
        raise AccessDenied(
            f"Project {step.id} shows its record to everybody, its contents only to its people. Ask an owner.",
            address=asked,
            status=403,
        )
    return Found(Level.PROJECTS, row.key, row.id, row.id)


@lru_cache(MOST_KEPT)
def _projects(caller: Caller) -> Select[Any]:
    """The project of an ID or alias, if the caller may know of it."""
    readable, enterable = may_read(caller, projects.c.key), may_enter(caller, projects.c.key)
    found = select(projects.c.key, projects.c.id, readable.label("readable"), enterable.label("enterable"))
    other_name = select(project_aliases.c.project_key).where(project_aliases.c.alias == bindparam("id"))
    named = or_(projects.c.id == bindparam("id"), projects.c.key.in_(other_name))
    return found.where(named, may_list(caller, projects.c.key))


def _subject(connection: Connection, caller: Caller, step: Step, place: Place) -> Found:
    return _one(connection, caller, step, Entity.SUBJECT, place.project)


def _experiment(connection: Connection, caller: Caller, step: Step, place: Place) -> Found:
    if place.subject and not place.project:
        raise NotFound("Experiments of a subject stand below a project: /data/projects/P/subjects/S/experiments.")
    return _one(connection, caller, step, Entity.EXPERIMENT, place.project, place.subject)


def _assessor(connection: Connection, caller: Caller, step: Step, place: Place) -> Found:
    """An assessor of a session, which has a home of its own."""
    assert place.experiment is not None, "assessors stand below an experiment in every address"
    named = or_(experiments.c.label == step.id, experiments.c.id == step.id)
    mine = _columns(caller, Entity.EXPERIMENT, experiments.c.label).where(named)
    return _first(connection, step, mine.where(experiments.c.session_key == place.experiment.key))


def _reconstruction(connection: Connection, caller: Caller, step: Step, place: Place) -> Found:
    assert place.experiment is not None, "reconstructions stand below an experiment in every address"
    names = (reconstructions.c.key, reconstructions.c.id, reconstructions.c.type.label("label"))
    columns = select(*names, null().label("closed"))
    of_session = columns.where(reconstructions.c.experiment_key == place.experiment.key)
    return _first(connection, step, of_session.where(reconstructions.c.id == step.id))


def _one(
    connection: Connection,
    caller: Caller,
    step: Step,
    entity: Entity,
    project: Found | None,
    subject: Found | None = None,
) -> Found:
    """A subject or experiment by ID; in a project first by its label, at home and then where it is shared."""
    tries = _tries(caller, entity, in_project=project is not None, of_subject=subject is not None)
    above = {name: found.key for name, found in (("project", project), ("subject", subject)) if found}
    return _first(connection, step, *tries, asked={"id": step.id, **above})


@lru_cache(MOST_KEPT)
def _tries(caller: Caller, entity: Entity, *, in_project: bool, of_subject: bool) -> tuple[Select[Any], ...]:
    """Statements that look for a subject or experiment, one after the other."""
    table, shares = ROWS[entity], SHARES[entity]
    id: BindParameter[Any] = bindparam("id")
    project: BindParameter[Any] = bindparam("project")
    columns = _columns(caller, entity, table.c.label)
    tries = [columns.where(table.c.id == id)]
    if in_project:
        at_home = table.c.project_key == project
        shared_here = and_(shares.c.owner_key == table.c.key, shares.c.project_key == project)
        elsewhere = _columns(caller, entity, shares.c.label).select_from(table.join(shares, shared_here))
        tries = [
            columns.where(at_home, table.c.label == id),
            columns.where(at_home, table.c.id == id),
            elsewhere.where(or_(shares.c.label == id, table.c.id == id)),
        ]
    limits = [experiments.c.subject_key == bindparam("subject")] if of_subject else []
    return tuple(statement.where(*limits) for statement in tries)


def _columns(caller: Caller, entity: Entity, label: ColumnElement[str]) -> Select[Any]:
    """Subjects or experiments that the caller may reach; `closed` is the home whose terms stand before one."""
    table = ROWS[entity]
    home = select(projects.c.id).where(projects.c.key == table.c.project_key).correlate(table).scalar_subquery()
    closed = case((may_see(caller, entity, table), null()), else_=home)
    columns = select(table.c.key, table.c.id, label.label("label"), closed.label("closed"))
    return columns.where(may_reach(caller, entity, table))


def _first(connection: Connection, step: Step, *tries: Select[Any], asked: Mapping[str, object] | None = None) -> Found:
    """The object of the first statement that finds one. Raises NotFound, TermsNotAccepted."""
    for statement in tries:
        row = connection.execute(statement, asked or {}).first()
        if row is not None and row.closed:
            raise terms_stand_before(row.closed, f"/data/{step.level}/{step.id}")
        if row is not None:
            return Found(step.level, row.key, row.id, row.label or "")
    raise _missing(step)


def _scans(connection: Connection, step: Step, place: Place) -> tuple[Found, ...]:
    """A scan by ID; several by comma; by type; `ALL` or `*`; `NULL`, those without a type."""
    assert place.experiment is not None, "scans stand below an experiment in every address"
    of_session = select(scans.c.key, scans.c.id, scans.c.type).where(scans.c.experiment_key == place.experiment.key)
    rows = connection.execute(of_session.order_by(scans.c.key)).all()
    if step.id in ("ALL", "*"):
        chosen = rows
    elif step.id == "NULL":
        chosen = [row for row in rows if not row.type]
    else:
        words = [word.replace("[SLASH]", "/").replace("[COMMA]", ",") for word in step.id.split(",")]
        chosen = [row for row in rows if row.id in words] or [row for row in rows if row.type in words]
    if not chosen:
        raise _missing(step)
    return tuple(Found(Level.SCANS, row.key, row.id, row.type or "") for row in chosen)


def terms_stand_before(project: str, address: str) -> TermsNotAccepted:
    """The refusal of somebody who may enter a project and has not accepted its terms."""
    return TermsNotAccepted(
        f"Project {project} has data-use terms, which you have not accepted. "
        f"Read them at /data/projects/{project}/terms, accept them with: cdb terms accept {project}",
        address=address,
        status=403,
    )


def _missing(step: Step) -> NotFound:
    kind = step.level.value.removesuffix("s")
    return NotFound(f"There is no {kind} {step.id!r} here, or none that you may see. List them to see what there is.")

"""Addresses → rows: which project, subject, experiment or scan an address names, for one caller.

With a project in the address a label or an accession ID names an object; without one only the ID does.
What the caller may not see is answered like what is not there.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from connectomedb.errors import AccessDenied, NotFound, TermsNotAccepted
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.visible import may_enter, may_list, may_read
from connectomedb.server.tables.schema import experiments, projects, scans, subjects
from connectomedb.xnat.address import Address, Level, Step, format_address


@dataclass(frozen=True, slots=True)
class Found:
    """One object: key of its row, ID (accession ID; of scans the ID in the session), label for people."""

    level: Level
    key: int
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Place:
    """The objects that an address names, from the top down. Scans may be several."""

    project: Found | None = None
    subject: Found | None = None
    experiment: Found | None = None
    scans: tuple[Found, ...] = ()

    @property
    def last(self) -> tuple[Found, ...]:
        """The lowest: scans, or the one experiment, subject or project."""
        if self.scans:
            return self.scans
        found = self.experiment or self.subject or self.project
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
                raise _missing(step)
    return place


def _project(connection: Connection, caller: Caller, step: Step, is_inside: bool, address: Address) -> Found:
    readable = may_read(caller, projects.c.key)
    enterable = may_enter(caller, projects.c.key)
    found = select(projects.c.key, projects.c.id, readable.label("readable"), enterable.label("enterable"))
    row = connection.execute(found.where(projects.c.id == step.id, may_list(caller, projects.c.key))).first()
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


def _subject(connection: Connection, caller: Caller, step: Step, place: Place) -> Found:
    return _one(connection, caller, step, subjects, _named(subjects, step.id, place.project))


def _experiment(connection: Connection, caller: Caller, step: Step, place: Place) -> Found:
    if place.subject and not place.project:
        raise NotFound("Experiments of a subject stand below a project: /data/projects/P/subjects/S/experiments.")
    condition = _named(experiments, step.id, place.project)
    if place.subject:
        condition = and_(condition, experiments.c.subject_key == place.subject.key)
    return _one(connection, caller, step, experiments, condition)


def _named(table: Table, id: str, project: Found | None) -> ColumnElement[bool]:
    """Label or accession ID in a project, the ID alone without one."""
    if project is None:
        return table.c.id == id
    return and_(table.c.project_key == project.key, or_(table.c.label == id, table.c.id == id))


def _one(connection: Connection, caller: Caller, step: Step, table: Table, condition: ColumnElement[bool]) -> Found:
    wanted = select(table.c.key, table.c.id, table.c.label).where(condition)
    rows = connection.execute(wanted.where(may_read(caller, table.c.project_key))).all()
    if not rows:
        home = select(projects.c.id).select_from(table.join(projects, table.c.project_key == projects.c.key))
        closed = connection.execute(home.where(condition, may_enter(caller, table.c.project_key))).scalar()
        raise terms_stand_before(closed, f"/data/{step.level}/{step.id}") if closed else _missing(step)
    row = next((row for row in rows if row.label == step.id), rows[0])
    return Found(step.level, row.key, row.id, row.label)


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

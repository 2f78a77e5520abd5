"""Computed values of fields, by name: what a display field shows beyond a plain column.

Each takes the statement's frame, the node whose object it is about, and an argument.
A count of nothing is null, as XNAT shows it.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    null,
    or_,
    select,
)

from connectomedb.server.access.visible import may_list, may_read, may_see
from connectomedb.server.query.entries import entries
from connectomedb.server.query.nodes import Frame, Node
from connectomedb.server.tables.schema import experiment_shares, experiments, members, projects, scans, users
from connectomedb.server.types.datatypes import Entity


def _nothing(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    return cast(null(), String)


def _investigator(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    last, first = node.rows.c.pi_lastname, node.rows.c.pi_firstname
    return case((first.is_(None), last), else_=last + literal(", ") + first)


def _people(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    """Users with one role in the project: `First Last <br/> First Last`, as XNAT writes them."""
    name = func.trim(func.coalesce(users.c.firstname, "") + literal(" ") + func.coalesce(users.c.lastname, ""))
    shown = case((name == "", users.c.login), else_=name)
    people = select(func.aggregate_strings(shown, " <br/> ")).select_from(members.join(users))
    mine = may_read(frame.rights.caller, members.c.project_key)
    return people.where(members.c.project_key == node.rows.c.key, members.c.role == argument, mine).scalar_subquery()


def _experiments_in_project(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    rows = experiments.alias()
    return _count_experiments(frame, rows, rows.c.project_key == node.rows.c.key, argument)


def _experiments_of_subject(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    rows = experiments.alias()
    return _count_experiments(frame, rows, rows.c.subject_key == node.rows.c.key, argument)


def _sessions_in_project(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    """Experiments of a subject by type and project, `xnat:mrSessionData P1`: at home there, or shared into it."""
    data_type, _, project = argument.partition(" ")
    rows = experiments.alias()
    belongs = rows.c.subject_key == node.rows.c.key
    if project:
        known = may_list(frame.rights.caller, projects.c.key)
        wanted = select(projects.c.key).where(projects.c.id == project, known).scalar_subquery()
        shared = select(experiment_shares.c.owner_key).where(experiment_shares.c.project_key == wanted)
        belongs = and_(belongs, or_(rows.c.project_key == wanted, rows.c.key.in_(shared)))
    return _count_experiments(frame, rows, belongs, data_type)


def _scans_of_type(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    rows = scans.alias()
    of_session = rows.c.experiment_key == node.rows.c.key
    return _count(select(func.count()).select_from(rows).where(of_session, rows.c.type == argument))


def _scan_summary(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    """Scans of a session by type: `T1w_MPR1(1), rfMRI_REST1_LR(1)`."""
    rows = scans.alias()
    counted = (
        select((rows.c.type + literal("(") + cast(func.count(), String) + literal(")")).label("part"))
        .where(rows.c.experiment_key == node.rows.c.key)
        .group_by(rows.c.type)
        .correlate(node.rows)
        .subquery()
    )
    return select(func.aggregate_strings(counted.c.part, ", ")).scalar_subquery()


def _initial(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    """First letter in upper case: `female` is shown as `F`."""
    return func.upper(func.substr(node.rows.c[argument], 1, 1))


def _year_of_birth(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    """Of a subject with a date of birth alone, that date's year."""
    return func.coalesce(node.rows.c.yob, extract("year", node.rows.c.dob))


def _label_in_project(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    """The object's label in the project that is the argument; without one, in its own."""
    if not argument:
        return node.rows.c.label
    home = frame.above(node, Entity.PROJECT).rows
    shared = entries(node.entity, "shares").alias()
    known = may_list(frame.rights.caller, shared.c.project_key)
    there = select(shared.c.label).where(shared.c.owner_key == node.rows.c.key, shared.c.project == argument, known)
    elsewhere = there.correlate(node.rows).scalar_subquery()
    return case((home.c.id == argument, node.rows.c.label), else_=elsewhere)


def _of_session(frame: Frame, node: Node, argument: str) -> ColumnElement[object]:
    """Of an assessor: ID, label or project of the session that it was made from."""
    rows = experiments.alias()
    column = projects.c.id if argument == "project" else rows.c[argument]
    session = select(column).select_from(rows.join(projects, projects.c.key == rows.c.project_key))
    mine = may_see(frame.rights.caller, Entity.EXPERIMENT, rows)
    return session.where(rows.c.key == node.rows.c.session_key, mine).correlate(node.rows).scalar_subquery()


def _count_experiments(
    frame: Frame, rows: FromClause, belongs: ColumnElement[bool], data_type: str
) -> ColumnElement[object]:
    readable = may_see(frame.rights.caller, Entity.EXPERIMENT, rows)
    return _count(select(func.count()).select_from(rows).where(belongs, rows.c.data_type == data_type, readable))


def _count(counting: Select[int]) -> ColumnElement[object]:
    return func.nullif(counting.scalar_subquery(), 0)


Formula = Callable[[Frame, Node, str], ColumnElement[object]]

FORMULAS: Mapping[str, Formula] = {
    "nothing": _nothing,
    "investigator": _investigator,
    "people": _people,
    "experiments_in_project": _experiments_in_project,
    "experiments_of_subject": _experiments_of_subject,
    "sessions_in_project": _sessions_in_project,
    "scans_of_type": _scans_of_type,
    "scan_summary": _scan_summary,
    "initial": _initial,
    "year_of_birth": _year_of_birth,
    "label_in_project": _label_in_project,
    "of_session": _of_session,
}

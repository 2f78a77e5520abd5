"""What a user may see, as one relation that every list, item, file and search joins.

The relation is the set of projects whose contents, or whose mere record, a caller may read. Every object
has a home project; subjects, experiments and scans may be shared into others, where they are seen too.
Sharing one does not share what stands above or below it, but the scans of an experiment go with it.
"""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, or_, select, true

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Accessibility, Caller, Rights
from connectomedb.server.tables.schema import experiment_shares, grants, members, projects, subject_shares
from connectomedb.server.types.datatypes import Entity

_SHARES: Mapping[Entity, Table] = {Entity.SUBJECT: subject_shares, Entity.EXPERIMENT: experiment_shares}


def may_read(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the caller may read the contents of the project of that key."""
    return true() if caller.is_admin else project_key.in_(_projects(caller, Accessibility.PUBLIC))


def may_see(caller: Caller, entity: Entity, rows: FromClause) -> ColumnElement[bool]:
    """True of the rows, of subjects or experiments, that the caller may read at home or where they are shared."""
    if caller.is_admin:
        return true()
    shares = _SHARES[entity]
    mine = _projects(caller, Accessibility.PUBLIC)
    shared = select(shares.c.owner_key).where(shares.c.project_key.in_(mine))
    return or_(rows.c.project_key.in_(mine), rows.c.key.in_(shared))


def may_list(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the caller may know that the project of that key exists."""
    if caller.is_admin:
        return true()
    return project_key.in_(_projects(caller, Accessibility.PUBLIC, Accessibility.PROTECTED))


def reads_anything(connection: Connection, caller: Caller) -> bool:
    """Whether there is a project whose contents the caller may read."""
    found = select(projects.c.key).where(may_read(caller, projects.c.key)).limit(1)
    return caller.is_admin or connection.execute(found).first() is not None


def load_rights(connection: Connection, caller: Caller) -> Rights:
    """The caller's grants of tiers."""
    granted = select(grants.c.project_key, grants.c.tier).where(grants.c.user_key == caller.key)
    return Rights(caller, {row.project_key: Tier(row.tier) for row in connection.execute(granted)})


def _projects(caller: Caller, *open_to_all: Accessibility) -> Select[int]:
    mine = select(members.c.project_key).where(members.c.user_key == caller.key)
    return select(projects.c.key).where(
        or_(projects.c.accessibility.in_([word.value for word in open_to_all]), projects.c.key.in_(mine))
    )

"""What a user may see, as one relation that every list, item, file and search joins.

The relation is the set of projects whose contents, or whose mere record, a caller may read. Every object
has a home project. Contents take two things: a way in, which is a role or a public project, and the project's
data-use terms, if it demands any.

Subjects and experiments may be shared into other projects, which is a further way in: whoever may read such
a project may enter what is shared there, under the terms of its home. Sharing one does not share what stands
above or below it, but the scans of an experiment go with it.
"""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, and_, not_, or_, select, true

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Accessibility, Caller, Rights, Role
from connectomedb.server.access.terms import has_agreed
from connectomedb.server.tables.schema import (
    experiment_shares,
    experiments,
    grants,
    members,
    project_groups,
    projects,
    subject_shares,
    subjects,
)
from connectomedb.server.types.datatypes import Entity

_SHARES: Mapping[Entity, tuple[Table, Table]] = {
    Entity.SUBJECT: (subjects, subject_shares),
    Entity.EXPERIMENT: (experiments, experiment_shares),
}


def may_read(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the caller may read the contents of the project of that key."""
    return and_(may_enter(caller, project_key), has_agreed(caller, project_key))


def may_enter(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the caller may read the contents once the project's terms are accepted."""
    return true() if caller.is_admin else project_key.in_(_projects(caller, Accessibility.PUBLIC))


def may_see(caller: Caller, entity: Entity, rows: FromClause) -> ColumnElement[bool]:
    """True of the rows, of subjects or experiments, that the caller may read at home or where they are shared."""
    return and_(may_reach(caller, entity, rows), has_agreed(caller, rows.c.project_key))


def may_reach(caller: Caller, entity: Entity, rows: FromClause) -> ColumnElement[bool]:
    """True of the rows that the caller may read once the terms of their home are accepted."""
    if caller.is_admin:
        return true()
    _, shares = _SHARES[entity]
    shared = select(shares.c.owner_key).where(may_read(caller, shares.c.project_key))
    return or_(may_enter(caller, rows.c.project_key), rows.c.key.in_(shared))


def may_agree(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the project's terms stand before something: its contents, or what is shared out of it."""
    shared = [
        select(rows.c.project_key)
        .join(shares, shares.c.owner_key == rows.c.key)
        .where(may_read(caller, shares.c.project_key))
        for rows, shares in _SHARES.values()
    ]
    return or_(may_enter(caller, project_key), *(project_key.in_(homes) for homes in shared))


def may_list(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the caller may know that the project of that key exists."""
    if caller.is_admin:
        return true()
    return project_key.in_(_projects(caller, Accessibility.PUBLIC, Accessibility.PROTECTED))


def reads_anything(connection: Connection, caller: Caller) -> bool:
    """Whether there is a project whose contents the caller may read."""
    found = select(projects.c.key).where(may_read(caller, projects.c.key)).limit(1)
    return caller.is_admin or connection.execute(found).first() is not None


def closed_by_terms(connection: Connection, caller: Caller) -> list[str]:
    """IDs of the projects that only wait for the caller to accept their terms."""
    waiting = and_(may_enter(caller, projects.c.key), not_(has_agreed(caller, projects.c.key)))
    return list(connection.execute(select(projects.c.id).where(waiting).order_by(projects.c.id)).scalars())


def list_shared(connection: Connection, caller: Caller) -> list[tuple[str, int]]:
    """Level and key of what the caller sees because it is shared; administrators need no share."""
    found: list[tuple[str, int]] = []
    for entity, (rows, shares) in () if caller.is_admin else _SHARES.items():
        joined = select(rows.c.key).join(shares, shares.c.owner_key == rows.c.key).distinct().order_by(rows.c.key)
        seen = joined.where(may_read(caller, shares.c.project_key), has_agreed(caller, rows.c.project_key))
        found += [(entity.value, key) for key in connection.execute(seen).scalars()]
    return found


def load_rights(connection: Connection, caller: Caller) -> Rights:
    """The caller's grants of tiers; one of a tier that nobody knows opens nothing."""
    mine = (grants.c.user_key == caller.key, grants.c.tier.in_([tier.value for tier in Tier]))
    granted = select(grants.c.project_key, grants.c.tier).where(*mine)
    return Rights(caller, {row.project_key: Tier(row.tier) for row in connection.execute(granted)})


def list_roles(connection: Connection, caller: Caller) -> list[dict[str, str]]:
    """The projects that the caller may read, with the name of her group in each, else how she comes to see it."""
    columns = [projects.c[name] for name in ("id", "secondary_id", "name", "description", "accessibility")]
    mine = and_(members.c.project_key == projects.c.key, members.c.user_key == caller.key)
    own = project_groups.c.key == members.c.group_key
    joined = projects.outerjoin(members, mine).outerjoin(project_groups, own)
    wanted = select(*columns, members.c.role, project_groups.c.displayname).select_from(joined)
    rows = connection.execute(wanted.where(may_read(caller, projects.c.key)).order_by(projects.c.key)).all()
    without = "Administrator" if caller.is_admin else ""
    return [
        {
            "ID": row.id,
            "secondary_ID": row.secondary_id or "",
            "name": row.name or "",
            "description": row.description or "",
            "role": row.displayname or (Role(row.role).group if row.role else without),
            "accessibility": row.accessibility,
            "URI": f"/data/projects/{row.id}",
        }
        for row in rows
    ]


def _projects(caller: Caller, *open_to_all: Accessibility) -> Select[int]:
    mine = select(members.c.project_key).where(members.c.user_key == caller.key)
    return select(projects.c.key).where(
        or_(projects.c.accessibility.in_([word.value for word in open_to_all]), projects.c.key.in_(mine))
    )

"""What a user may see, as one relation that every list, item, file and search joins.

The relation is the set of projects whose contents, or whose mere record, a caller may read. Every object
has a home project, so no statement needs another rule. Contents take two things: a way in, which is a role
or a public project, and the project's data-use terms, if it demands any.
"""

from sqlalchemy import ColumnElement, Connection, Select, and_, not_, or_, select, true

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Accessibility, Caller, Rights, Role
from connectomedb.server.access.terms import has_agreed
from connectomedb.server.tables.schema import grants, members, project_groups, projects


def may_read(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the caller may read the contents of the project of that key."""
    return and_(may_enter(caller, project_key), has_agreed(caller, project_key))


def may_enter(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the caller may read the contents once the project's terms are accepted."""
    return true() if caller.is_admin else project_key.in_(_projects(caller, Accessibility.PUBLIC))


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

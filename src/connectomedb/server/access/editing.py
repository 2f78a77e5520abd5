"""Who may change what: pure decisions, and the role that they look at.

Collaborators read; members also make and edit; only owners delete.
"""

from sqlalchemy import Connection, select

from connectomedb.server.access.auth import Caller, Role
from connectomedb.server.tables.schema import members


def may_edit(caller: Caller, role: Role | None) -> bool:
    """Whether somebody of that role in a project, or of none, may make and change objects of it."""
    return caller.is_admin or role in (Role.OWNER, Role.MEMBER)


def may_delete(caller: Caller, role: Role | None) -> bool:
    """Whether somebody of that role in a project, or of none, may delete objects of it."""
    return caller.is_admin or role is Role.OWNER


def load_role(connection: Connection, caller: Caller, project: int) -> Role | None:
    """What the caller is in a project."""
    mine = select(members.c.role).where(members.c.project_key == project, members.c.user_key == caller.key)
    found: str | None = connection.execute(mine).scalar()
    return Role(found) if found else None

"""Refusals that several routes share."""

from sqlalchemy import Connection

from connectomedb.errors import AccessDenied
from connectomedb.server.access.auth import Role
from connectomedb.server.access.groups import role_in
from connectomedb.server.routes.call import Call


def check_admin(call: Call) -> None:
    """Raises AccessDenied for all but administrators."""
    if not call.user.is_admin:
        raise AccessDenied("This is for administrators.", status=403)


def check_owner(call: Call, connection: Connection, project_key: int) -> None:
    """Raises AccessDenied for all but the owners of a project, and administrators."""
    if role_in(connection, call.user, project_key) is not Role.OWNER:
        raise AccessDenied("This is for owners of the project.", status=403)

"""Whether the caller may change something in a project, and which project an object belongs to."""

from sqlalchemy import select

from connectomedb.errors import AccessDenied
from connectomedb.server.access.groups import role_in
from connectomedb.server.access.rules import Action, may
from connectomedb.server.query.entries import ROWS
from connectomedb.server.routes.call import View
from connectomedb.server.tables.schema import experiments
from connectomedb.server.types.datatypes import Entity


def require(view: View, project_key: int, action: Action) -> None:
    """Let pass who may do that in a project. Raises AccessDenied."""
    if not may(role_in(view.connection, view.caller, project_key), action):
        raise AccessDenied(f"You may not {action.value} this project. Ask one of its owners.", status=403)


def home_of(view: View, entity: Entity, key: int) -> int:
    """Key of the project that an object belongs to, whose rights decide who may change it."""
    if entity is Entity.PROJECT:
        return key
    rows = ROWS[entity]
    home = select(rows.c.project_key).where(rows.c.key == key) if "project_key" in rows.c else None
    if home is None:
        home = select(experiments.c.project_key).join(rows, rows.c.experiment_key == experiments.c.key)
        home = home.where(rows.c.key == key)
    found: int = view.connection.execute(home).scalar_one()
    return found

"""Refusals and bounds that several routes share."""

from sqlalchemy import Connection

from connectomedb.errors import AccessDenied, AddressError
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.groups import role_in
from connectomedb.server.access.rules import Action, may
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.parameters import Parameters


def check_admin(call: Call) -> None:
    """Raises AccessDenied for all but administrators."""
    if not call.user.is_admin:
        raise AccessDenied("This is for administrators.", status=403)


def check_owner(call: Call, connection: Connection, project_key: int) -> None:
    """Raises AccessDenied for all but the owners of a project, and administrators."""
    if not may(role_in(connection, call.user, project_key), Action.MANAGE):
        raise AccessDenied("This is for owners of the project.", status=403)


def ceiling(parameters: Parameters) -> Tier:
    """`tier=`: the highest tier to be looked at; more than was granted is never seen. Raises AddressError."""
    word = parameters.get("tier", Tier.SENSITIVE)
    if word not in list(Tier):
        raise AddressError(f"Asked for tier={word!r}. There are {', '.join(Tier)}.")
    return Tier(word)

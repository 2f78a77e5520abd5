"""Who may change what: pure decisions, by role in the object's home project.

| role         | create | edit | delete | manage (people, accessibility, the project itself) |
|--------------|--------|------|--------|-----------------------------------------------------|
| owner        | yes    | yes  | yes    | yes                                                 |
| member       | yes    | yes  | -      | -                                                   |
| collaborator | -      | -    | -      | -                                                   |
| nobody there | -      | -    | -      | -                                                   |

Administrators are owners of all projects (`access.groups.role_in`), guests have no role. Sharing an object
gives nobody a right to change it.
"""

from collections.abc import Mapping
from enum import StrEnum

from connectomedb.server.access.auth import Caller, Role


class Action(StrEnum):
    """What somebody wants to do with an object of a project, in words for messages."""

    CREATE = "add to"
    EDIT = "change"
    DELETE = "delete from"
    MANAGE = "manage"


_ALLOWED: Mapping[Role | None, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.MEMBER: frozenset({Action.CREATE, Action.EDIT}),
    Role.COLLABORATOR: frozenset(),
    None: frozenset(),
}


def may(role: Role | None, action: Action) -> bool:
    """Whether somebody with that role in a project may do that there; None is no role."""
    return action in _ALLOWED[role]


def may_create_projects(caller: Caller) -> bool:
    """Whether the caller may make new projects: all who have an account."""
    return not caller.is_guest

"""Groups of a project and who is in them: one group per user and project.

Every project has Owners, Members and Collaborators. It may have groups of its own, each with the rights of one of
these roles: a user in such a group has the role in `members`, so nothing else needs to know of groups.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from connectomedb.errors import AddressError, Conflict, NotFound
from connectomedb.server.access.audit import Action, Actor, Event, record
from connectomedb.server.access.auth import Caller, Role
from connectomedb.server.tables.schema import members, project_groups, projects, users

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class Project:
    """The project in question: key of its row, and its ID."""

    key: int
    id: str


@dataclass(frozen=True, slots=True)
class Group:
    """One group. `key` is of the project's own ones; `users` counts who is in it."""

    id: str
    displayname: str
    role: Role
    key: int | None = None
    users: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """Who is in which group."""

    group: Group
    login: str
    firstname: str
    lastname: str
    email: str


def role_in(connection: Connection, caller: Caller, project_key: int) -> Role | None:
    """The caller's role in a project; administrators are owners of all."""
    if caller.is_admin:
        return Role.OWNER
    mine = (members.c.user_key == caller.key, members.c.project_key == project_key)
    word: str | None = connection.execute(select(members.c.role).where(*mine)).scalar()
    return Role(word) if word else None


def list_groups(connection: Connection, project: Project) -> list[Group]:
    """All groups of a project with the number of users in each."""
    counted = select(members.c.role, members.c.group_key, func.count().label("users"))
    rows = connection.execute(
        counted.where(members.c.project_key == project.key).group_by(members.c.role, members.c.group_key)
    ).all()
    counts: Mapping[object, int] = {row.group_key or row.role: row.users for row in rows}
    found = [Group(f"{project.id}_{role.value}", role.group, role, None, counts.get(role.value, 0)) for role in Role]
    own = select(project_groups).where(project_groups.c.project_key == project.key).order_by(project_groups.c.key)
    for row in connection.execute(own):
        id = f"{project.id}_{row.id}"
        found.append(Group(id, row.displayname, Role(row.role), row.key, counts.get(row.key, 0)))
    return found


def find_group(connection: Connection, project: Project, word: str) -> Group:
    """A group by ID (`P_owner`), by the last part of it (`owner`) or by display name, case ignored. Raises NotFound."""
    asked = word.lower()
    for group in list_groups(connection, project):
        bare = group.id.removeprefix(f"{project.id}_")
        if asked in (group.id.lower(), bare.lower(), group.displayname.lower()):
            return group
    raise NotFound(f"Asked for the group {word!r} of {project.id}. There is none: list them at .../groups.")


def make_group(connection: Connection, project: Project, id: str, displayname: str, role: Role, actor: Actor) -> None:
    """Make a group of a project's own, or change its name and rights. Raises AddressError, Conflict."""
    bare = id.removeprefix(f"{project.id}_")
    if not _ID.fullmatch(bare) or not 0 < len(displayname) <= MAX_NAME:
        raise AddressError(f"Asked to make the group {id!r}. Its ID is letters, digits, '_' and '-', at most 64.")
    groups = list_groups(connection, project)
    old = next((group for group in groups if group.id.lower() == f"{project.id}_{bare}".lower()), None)
    taken = [group for group in groups if group is not old]
    words = {word.lower() for group in taken for word in (group.displayname, group.id.removeprefix(f"{project.id}_"))}
    if (old and old.key is None) or displayname.lower() in words or bare.lower() in words:
        raise Conflict(f"Asked to make the group {id!r}. There is one of that name. Choose another one.")
    values = {"displayname": displayname, "role": role.value}
    if old is None:
        connection.execute(insert(project_groups).values(project_key=project.key, id=bare, **values))
    else:
        connection.execute(update(project_groups).where(project_groups.c.key == old.key).values(values))
        connection.execute(update(members).where(members.c.group_key == old.key).values(role=role.value))
    record(connection, Event(actor, Action.GROUP_MADE, project.id, f"{project.id}_{bare}", role.value))


def delete_group(connection: Connection, project: Project, group: Group, actor: Actor) -> None:
    """Delete a group of a project's own; who is in it leaves the project. Raises Conflict for the three of all."""
    if group.key is None:
        raise Conflict(f"Asked to delete the group {group.displayname}. Every project has it.")
    connection.execute(delete(members).where(members.c.group_key == group.key))
    connection.execute(delete(project_groups).where(project_groups.c.key == group.key))
    record(connection, Event(actor, Action.GROUP_DELETED, project.id, group.id))


def list_members(connection: Connection, project: Project) -> list[Member]:
    """Who is in which group of a project."""
    groups = list_groups(connection, project)
    columns = (members.c.role, members.c.group_key, *(users.c[name] for name in _PERSON))
    joined = select(*columns).select_from(members.join(users)).where(members.c.project_key == project.key)
    found = []
    for row in connection.execute(joined.order_by(users.c.key)):
        group = next(group for group in groups if group.key == row.group_key and group.role == row.role)
        found.append(Member(group, *(getattr(row, name) or "" for name in _PERSON)))
    return found


def put_member(connection: Connection, project: Project, group: Group, login: str, actor: Actor) -> None:
    """Put a user, by login or mail address, into a group and out of any other. Raises NotFound."""
    key, login = _user(connection, login)
    mine = (members.c.project_key == project.key, members.c.user_key == key)
    row = {"role": group.role.value, "group_key": group.key}
    old = connection.execute(select(members.c.role, members.c.group_key).where(*mine)).first()
    if old is not None and old._mapping == row:
        return
    connection.execute(delete(members).where(*mine))
    connection.execute(insert(members).values(project_key=project.key, user_key=key, **row))
    record(connection, Event(actor, Action.MEMBER_ADDED, project.id, login, group.displayname))


def take_member(connection: Connection, project: Project, group: Group, login: str, actor: Actor) -> None:
    """Take a user out of a group; one who is not in it is no error. Raises NotFound for unknown users."""
    key, login = _user(connection, login)
    in_group = members.c.group_key.is_(None) if group.key is None else members.c.group_key == group.key
    mine = (members.c.project_key == project.key, members.c.user_key == key, members.c.role == group.role.value)
    if connection.execute(delete(members).where(*mine, in_group)).rowcount:
        record(connection, Event(actor, Action.MEMBER_REMOVED, project.id, login, group.displayname))


def groups_of(connection: Connection, user_key: int) -> list[str]:
    """IDs of a user's groups in all projects."""
    joined = members.join(projects).outerjoin(project_groups, members.c.group_key == project_groups.c.key)
    columns = select(projects.c.id, members.c.role, project_groups.c.id.label("own")).select_from(joined)
    rows = connection.execute(columns.where(members.c.user_key == user_key).order_by(projects.c.key))
    return [f"{row.id}_{row.own or row.role}" for row in rows]


_PERSON = ("login", "firstname", "lastname", "email")


def _user(connection: Connection, word: str) -> tuple[int, str]:
    by_login = connection.execute(select(users.c.key, users.c.login).where(users.c.login == word)).first()
    if by_login is not None:
        return by_login.key, by_login.login
    if "@" in word:
        by_mail = select(users.c.key, users.c.login).where(func.lower(users.c.email) == word.lower())
        rows = connection.execute(by_mail.limit(2)).all()
        if len(rows) == 1:
            return rows[0].key, rows[0].login
    raise NotFound(f"Asked for the user {word}. There is none: nobody is invited by mail here.")

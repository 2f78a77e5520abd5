"""Users, their roles in projects, and what was granted to them: plain functions on a database.

Each is one transaction, and leaves a line in the audit log in it. `actor` is who does it.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from connectomedb.errors import ConfigError, Conflict, NotFound
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.audit import OPERATOR, Action, Actor, Event, record
from connectomedb.server.access.auth import GUEST, Accessibility, Role
from connectomedb.server.access.clock import now
from connectomedb.server.access.passwords import hash_password
from connectomedb.server.access.tokens import is_alias
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import grants, logins, members, projects, tokens, users

_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}")


def create_user(
    database: Database,
    login: str,
    password: str,
    *,
    is_admin: bool = False,
    is_enabled: bool = True,
    is_verified: bool = True,
    firstname: str = "",
    lastname: str = "",
    email: str = "",
    actor: Actor = OPERATOR,
) -> None:
    """Make a user. Raises ConfigError (no proper login or password) or Conflict (there is one)."""
    if not _LOGIN.fullmatch(login) or login.lower() == GUEST.login or is_alias(login.lower()):
        raise ConfigError(f"A login is letters, digits and any of '_.@+-', at most 64, and not guest; not {login!r}.")
    time = now()
    row = {
        "login": login,
        "password_hash": hash_password(password),
        "firstname": firstname,
        "lastname": lastname,
        "email": email,
        "is_enabled": is_enabled,
        "is_verified": is_verified,
        "is_admin": is_admin,
        "insert_date": time,
        "last_modified": time,
    }
    with database.write() as connection:
        if connection.execute(select(users.c.key).where(func.lower(users.c.login) == login.lower())).first():
            raise Conflict(f"Asked to make the user {login}. There is one already. Choose another login.")
        connection.execute(insert(users).values(row))
        record(connection, Event(actor, Action.USER_MADE, target=login, detail="administrator" if is_admin else ""))


def set_password(database: Database, login: str, password: str, *, actor: Actor = OPERATOR) -> None:
    """Give a user a new password; all of the user's sessions and tokens end. Raises NotFound, ConfigError."""
    hashed = hash_password(password)
    with database.write() as connection:
        key = user_key(connection, login)
        connection.execute(update(users).where(users.c.key == key).values(password_hash=hashed, last_modified=now()))
        shut_out(connection, key)
        record(connection, Event(actor, Action.PASSWORD_CHANGED, target=login))


def set_enabled(database: Database, login: str, is_enabled: bool, *, actor: Actor = OPERATOR) -> None:
    """Let a user sign in or not; all of the user's sessions and tokens end. Raises NotFound."""
    with database.write() as connection:
        key = user_key(connection, login)
        connection.execute(update(users).where(users.c.key == key).values(is_enabled=is_enabled, last_modified=now()))
        shut_out(connection, key)
        detail = "enabled" if is_enabled else "disabled"
        record(connection, Event(actor, Action.USER_CHANGED, target=login, detail=detail))


def has_admin(database: Database) -> bool:
    """Whether there is an administrator."""
    with database.read() as connection:
        return connection.execute(select(users.c.key).where(users.c.is_admin).limit(1)).first() is not None


def add_member(database: Database, project: str, login: str, role: Role, *, actor: Actor = OPERATOR) -> None:
    """Give a user a role in a project, in place of any other. Raises NotFound."""
    with database.write() as connection:
        _replace(connection, members, project, login, {"role": role.value})
        record(connection, Event(actor, Action.MEMBER_ADDED, project, login, role.value))


def remove_member(database: Database, project: str, login: str, *, actor: Actor = OPERATOR) -> None:
    """Take a user's role in a project away. Raises NotFound."""
    with database.write() as connection:
        _replace(connection, members, project, login, None)
        record(connection, Event(actor, Action.MEMBER_REMOVED, project, login))


def grant_tier(database: Database, project: str, login: str, tier: Tier, *, actor: Actor = OPERATOR) -> None:
    """Let a user see measures of a tier, and of lower ones, in a project. Raises NotFound.

    `Tier.OPEN` takes away what was granted.
    """
    is_revoked = tier is Tier.OPEN
    with database.write() as connection:
        _replace(connection, grants, project, login, None if is_revoked else {"tier": tier.value})
        action, detail = (Action.REVOKE, "") if is_revoked else (Action.GRANT, tier.value)
        record(connection, Event(actor, action, project, login, detail))


def set_accessibility(
    database: Database, project: str, accessibility: Accessibility, *, actor: Actor = OPERATOR
) -> None:
    """Open or close a project. Raises NotFound."""
    with database.write() as connection:
        mine = projects.c.key == _project_key(connection, project)
        before = connection.execute(select(projects.c.accessibility).where(mine)).scalar_one()
        if before != accessibility.value:
            values: Mapping[str, str | datetime] = {"accessibility": accessibility.value, "last_modified": now()}
            connection.execute(update(projects).where(mine).values(values))
            record(
                connection,
                Event(actor, Action.ACCESSIBILITY, project, detail=f"{before} to {accessibility.value}"),
            )


def shut_out(connection: Connection, key: int) -> None:
    """End a user's sessions and tokens, in the transaction at hand."""
    connection.execute(delete(logins).where(logins.c.user_key == key))
    connection.execute(delete(tokens).where(tokens.c.user_key == key))


def user_key(connection: Connection, login: str) -> int:
    """Key of a user's row. Raises NotFound."""
    key: int | None = connection.execute(select(users.c.key).where(users.c.login == login)).scalar()
    if key is None:
        raise NotFound(f"Asked for the user {login}. There is none. Make one first.")
    return key


def _replace(connection: Connection, table: Table, project: str, login: str, row: dict[str, str] | None) -> None:
    keys = {"project_key": _project_key(connection, project), "user_key": user_key(connection, login)}
    connection.execute(delete(table).where(*(table.c[name] == key for name, key in keys.items())))
    if row is not None:
        connection.execute(insert(table).values(**keys, **row))


def _project_key(connection: Connection, project: str) -> int:
    key: int | None = connection.execute(select(projects.c.key).where(projects.c.id == project)).scalar()
    if key is None:
        raise NotFound(f"Asked for the project {project}. There is none. Bring its data in first.")
    return key

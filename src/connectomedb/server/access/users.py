"""Users, their roles in projects, and what was granted to them: plain functions on a database."""

import re
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from connectomedb.errors import ConfigError, Conflict, NotFound
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.passwords import hash_password
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import grants, logins, members, projects, users

_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}")


def now() -> datetime:
    """The present time as the database has it: UTC without zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def create_user(
    database: Database,
    login: str,
    password: str,
    *,
    is_admin: bool = False,
    firstname: str = "",
    lastname: str = "",
    email: str = "",
) -> None:
    """Make a user. Raises ConfigError (no proper login or password) or Conflict (there is one)."""
    if not _LOGIN.fullmatch(login):
        raise ConfigError(f"A login is letters, digits and any of '_.@+-', at most 64; not {login!r}.")
    row = {
        "login": login,
        "password_hash": hash_password(password),
        "firstname": firstname,
        "lastname": lastname,
        "email": email,
        "is_enabled": True,
        "is_admin": is_admin,
        "insert_date": now(),
    }
    with database.write() as connection:
        if connection.execute(select(users.c.key).where(func.lower(users.c.login) == login.lower())).first():
            raise Conflict(f"Asked to make the user {login}. There is one already. Choose another login.")
        connection.execute(insert(users).values(row))


def set_password(database: Database, login: str, password: str) -> None:
    """Give a user a new password and end all of the user's sessions. Raises NotFound, ConfigError."""
    hashed = hash_password(password)
    with database.write() as connection:
        key = _user_key(connection, login)
        connection.execute(update(users).where(users.c.key == key).values(password_hash=hashed))
        connection.execute(delete(logins).where(logins.c.user_key == key))


def set_enabled(database: Database, login: str, is_enabled: bool) -> None:
    """Let a user sign in or not; ending it ends all of the user's sessions. Raises NotFound."""
    with database.write() as connection:
        key = _user_key(connection, login)
        connection.execute(update(users).where(users.c.key == key).values(is_enabled=is_enabled))
        connection.execute(delete(logins).where(logins.c.user_key == key))


def has_admin(database: Database) -> bool:
    """Whether there is an administrator."""
    with database.read() as connection:
        return connection.execute(select(users.c.key).where(users.c.is_admin).limit(1)).first() is not None


def add_member(database: Database, project: str, login: str, role: Role) -> None:
    """Give a user a role in a project, in place of any other. Raises NotFound."""
    with database.write() as connection:
        _replace(connection, members, project, login, {"role": role.value})


def remove_member(database: Database, project: str, login: str) -> None:
    """Take a user's role in a project away. Raises NotFound."""
    with database.write() as connection:
        _replace(connection, members, project, login, None)


def grant_tier(database: Database, project: str, login: str, tier: Tier) -> None:
    """Let a user see measures of a tier, and of lower ones, in a project. Raises NotFound.

    `Tier.OPEN` takes away what was granted.
    """
    with database.write() as connection:
        _replace(connection, grants, project, login, None if tier is Tier.OPEN else {"tier": tier.value})


def set_accessibility(database: Database, project: str, accessibility: Accessibility) -> None:
    """Open or close a project. Raises NotFound."""
    with database.write() as connection:
        key = _project_key(connection, project)
        connection.execute(update(projects).where(projects.c.key == key).values(accessibility=accessibility.value))


def _replace(connection: Connection, table: Table, project: str, login: str, row: dict[str, str] | None) -> None:
    keys = {"project_key": _project_key(connection, project), "user_key": _user_key(connection, login)}
    connection.execute(delete(table).where(*(table.c[name] == key for name, key in keys.items())))
    if row is not None:
        connection.execute(insert(table).values(**keys, **row))


def _user_key(connection: Connection, login: str) -> int:
    key: int | None = connection.execute(select(users.c.key).where(users.c.login == login)).scalar()
    if key is None:
        raise NotFound(f"Asked for the user {login}. There is none. Make one first.")
    return key


def _project_key(connection: Connection, project: str) -> int:
    key: int | None = connection.execute(select(projects.c.key).where(projects.c.id == project)).scalar()
    if key is None:
        raise NotFound(f"Asked for the project {project}. There is none. Bring its data in first.")
    return key

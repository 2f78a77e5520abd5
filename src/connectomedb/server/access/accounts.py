"""What is known of users, and how it changes: profiles, roles, sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from connectomedb.errors import AccessDenied, ConfigError, NotFound
from connectomedb.server.access.audit import Action, Actor, Event, record
from connectomedb.server.access.clock import now
from connectomedb.server.access.login import mark_of
from connectomedb.server.access.passwords import hash_password
from connectomedb.server.access.users import shut_out
from connectomedb.server.settings import AccessSettings
from connectomedb.server.tables.schema import logins, users

ADMINISTRATOR = "Administrator"
"""The one role of a site. Source: XNAT's name for it."""

MAX_TEXT = 256
"""Longest name or mail address, in characters."""


@dataclass(frozen=True, slots=True)
class Account:
    """One user as others may know her."""

    key: int
    login: str
    firstname: str
    lastname: str
    email: str
    is_enabled: bool
    is_verified: bool
    is_admin: bool
    last_modified: datetime

    @property
    def roles(self) -> list[str]:
        """Names of her roles on the site."""
        return [ADMINISTRATOR] if self.is_admin else []


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One session of a user who is signed in."""

    login: str
    mark: str
    opened: datetime
    seen: datetime


def list_accounts(connection: Connection) -> list[Account]:
    """All users, in the order in which they came."""
    return [_account(row) for row in connection.execute(select(*_COLUMNS).order_by(users.c.key))]


def find_account(connection: Connection, login: str) -> Account:
    """One user. Raises NotFound."""
    row = connection.execute(select(*_COLUMNS).where(users.c.login == login)).first()
    if row is None:
        raise NotFound(f"Asked for the user {login}. There is none.")
    return _account(row)


def change_account(
    connection: Connection,
    account: Account,
    changes: Mapping[str, str | bool],
    password: str | None,
    actor: Actor,
) -> bool:
    """Write what differs, and say whether anything did. Who may no longer sign in is signed out everywhere.

    Args:
        changes: names of `Account` with new values.
        password: a new one, or None.
    Raises: AccessDenied when the last administrator would be shut out.
    """
    different: dict[str, str | bool] = {
        name: value for name, value in changes.items() if getattr(account, name) != value
    }
    if not different and password is None:
        return False
    is_shut = any(different.get(name) is False for name in ("is_enabled", "is_verified"))
    if account.is_admin and (is_shut or different.get("is_admin") is False):
        _check_not_last(connection, account)
    written: dict[str, str | bool | datetime] = {**different, "last_modified": now()}
    if password is not None:
        written["password_hash"] = hash_password(password)
    connection.execute(update(users).where(users.c.key == account.key).values(written))
    if is_shut or password is not None:
        shut_out(connection, account.key)
    told = ", ".join(f"{name}={value}" if isinstance(value, bool) else name for name, value in different.items())
    if password is not None:
        record(connection, Event(actor, Action.PASSWORD_CHANGED, target=account.login))
    if "is_admin" in different:
        action = Action.ROLE_GIVEN if different["is_admin"] else Action.ROLE_TAKEN
        record(connection, Event(actor, action, target=account.login, detail=ADMINISTRATOR))
    elif different:
        record(connection, Event(actor, Action.USER_CHANGED, target=account.login, detail=told))
    return True


def check_password(password: str, login: str, settings: AccessSettings) -> None:
    """Raises ConfigError for a password that anybody would try."""
    least = settings.password_min_length
    if len(password) < least or password.lower() == login.lower():
        raise ConfigError(f"A password has at least {least} characters and is not the login. Choose another one.")


def list_sessions(connection: Connection, settings: AccessSettings, login: str | None = None) -> list[OpenSession]:
    """Living sessions, of one user or all, the oldest first."""
    time = now()
    columns = (users.c.login, logins.c.id_hash, logins.c.opened, logins.c.seen)
    living = (logins.c.expires > time, logins.c.seen >= time - settings.session_idle)
    found = select(*columns).select_from(logins.join(users)).where(*living)
    if login is not None:
        found = found.where(users.c.login == login)
    rows = connection.execute(found.order_by(users.c.login, logins.c.opened))
    return [OpenSession(row.login, mark_of(row.id_hash), row.opened, row.seen) for row in rows]


def _check_not_last(connection: Connection, account: Account) -> None:
    others = select(func.count()).where(users.c.is_admin, users.c.is_enabled, users.c.is_verified)
    if not connection.execute(others.where(users.c.key != account.key)).scalar_one():
        raise AccessDenied(f"{account.login} is the last administrator. Make another one first.", status=403)


_COLUMNS = (
    *(users.c[name] for name in ("key", "login", "firstname", "lastname", "email", "is_enabled", "is_verified")),
    users.c.is_admin,
    func.coalesce(users.c.last_modified, users.c.insert_date).label("last_modified"),
)


def _account(row: Row[*tuple[Any, ...]]) -> Account:
    return Account(
        key=row.key,
        login=row.login,
        firstname=row.firstname or "",
        lastname=row.lastname or "",
        email=row.email or "",
        is_enabled=row.is_enabled,
        is_verified=row.is_verified,
        is_admin=row.is_admin,
        last_modified=row.last_modified,
    )

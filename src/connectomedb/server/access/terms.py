"""Data-use terms: which words a project demands, who accepted them, and the receipt for it.

A project's terms have a version; changed words are a new version, which everybody must accept anew. What
was accepted stays on record with time, version and checksum of the text. Administrators and owners of the
project are not asked: they run the server, and they wrote the terms.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, insert, select, true, update

from connectomedb.errors import ConfigError, Conflict, NotFound
from connectomedb.server.access.auth import Caller, Role
from connectomedb.server.access.clock import now
from connectomedb.server.access.groups import role_in
from connectomedb.server.tables.agreements import acceptances, terms
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import members, projects, users

MAX_TEXT_BYTES = 256 << 10
"""Longest terms."""

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Wording:
    """Terms as somebody writes them: version (`1`, `2013-04-26`), title, and text. Raises ConfigError."""

    version: str
    title: str
    text: str

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.version):
            raise ConfigError(
                f"Terms have the version {self.version!r}. Use letters, digits and any of '._-', at most 64."
            )
        if not self.title.strip() or len(self.title) > _MAX_TITLE or not self.title.isprintable():
            raise ConfigError(f"Terms need a title: one line of at most {_MAX_TITLE} characters.")
        if not self.text.strip() or len(self.text.encode(errors="replace")) > MAX_TEXT_BYTES:
            raise ConfigError(f"Terms need a text, of at most {MAX_TEXT_BYTES >> 10} KiB.")
        if "\x00" in self.text or self.text.encode(errors="replace").decode() != self.text:
            raise ConfigError("The text of the terms holds characters that are no text. Write it as UTF-8.")

    @property
    def digest(self) -> str:
        """SHA-256 of the text as UTF-8, 64 lower-case hex digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms that a project demands. `since` is UTC without zone."""

    key: int
    project: str
    wording: Wording
    digest: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """Who accepted which words, and when (UTC without zone)."""

    login: str
    version: str
    digest: str
    accepted: datetime


def has_agreed(caller: Caller, project_key: ColumnElement[int]) -> ColumnElement[bool]:
    """True where no terms keep the caller out of the project of that key."""
    if caller.is_admin:
        return true()
    accepted = select(acceptances.c.terms_key).where(acceptances.c.user_key == caller.key)
    waiting = select(terms.c.project_key).where(
        terms.c.is_current, terms.c.key.not_in(accepted), terms.c.project_key.not_in(_owned(caller))
    )
    return project_key.not_in(waiting)


def owns(connection: Connection, caller: Caller, project_key: int) -> bool:
    """Whether the caller decides about the project: as its owner, or as an administrator."""
    return role_in(connection, caller, project_key) is Role.OWNER


def current_terms(connection: Connection, project_key: int) -> Terms | None:
    """What the project demands now; None for nothing."""
    wanted = select(terms, projects.c.id).select_from(terms.join(projects))
    row = connection.execute(wanted.where(terms.c.project_key == project_key, terms.c.is_current)).first()
    return _terms(row) if row else None


def set_terms(connection: Connection, project_key: int, wording: Wording, login: str) -> None:
    """Demand these terms from now on. Raises Conflict: the version has another text already."""
    mine = terms.c.project_key == project_key
    known = connection.execute(select(terms).where(mine, terms.c.version == wording.version)).first()
    if known is not None and (known.text, known.title) != (wording.text, wording.title):
        raise Conflict(
            f"Asked to change the words of version {wording.version} of the terms, which may have been accepted "
            "as they are. Give the new words a new version.",
            status=409,
        )
    connection.execute(update(terms).where(mine, terms.c.is_current).values(is_current=False))
    if known is not None:
        connection.execute(update(terms).where(terms.c.key == known.key).values(is_current=True))
        return
    row = {
        "project_key": project_key,
        "version": wording.version,
        "title": wording.title,
        "text": wording.text,
        "digest": wording.digest,
        "is_current": True,
        "insert_date": now(),
        "insert_user": login,
    }
    connection.execute(insert(terms).values(row))


def withdraw_terms(connection: Connection, project_key: int) -> None:
    """Demand nothing any more; what was accepted stays on record."""
    connection.execute(update(terms).where(terms.c.project_key == project_key).values(is_current=False))


def accept_terms(connection: Connection, user_key: int, current: Terms) -> None:
    """Record that a user accepts; accepting twice keeps the first record."""
    mine = (acceptances.c.terms_key == current.key, acceptances.c.user_key == user_key)
    if connection.execute(select(acceptances.c.terms_key).where(*mine)).first():
        return
    row = {"terms_key": current.key, "user_key": user_key, "accepted": now()}
    row |= {"version": current.wording.version, "digest": current.digest}
    connection.execute(insert(acceptances).values(row))


def find_receipt(connection: Connection, user_key: int, current: Terms) -> Receipt | None:
    """The user's acceptance of these terms, if there is one."""
    row = connection.execute(_receipts(current).where(acceptances.c.user_key == user_key)).first()
    return _receipt(row) if row else None


def list_receipts(connection: Connection, project_key: int) -> list[Receipt]:
    """All acceptances of a project's terms, of all versions, the oldest first."""
    wanted = select(users.c.login, acceptances).select_from(acceptances.join(users).join(terms))
    wanted = wanted.where(terms.c.project_key == project_key).order_by(acceptances.c.accepted, users.c.login)
    return [_receipt(row) for row in connection.execute(wanted)]


def accept_project_terms(database: Database, project: str, login: str) -> None:
    """Record that a user accepts what a project demands now, by their names. Raises NotFound."""
    with database.write() as connection:
        user = connection.execute(select(users.c.key).where(users.c.login == login)).scalar()
        key = connection.execute(select(projects.c.key).where(projects.c.id == project)).scalar()
        current = current_terms(connection, key) if key is not None else None
        if user is None or current is None:
            raise NotFound(f"Asked to accept the terms of {project} for {login}. There is no such user, or no terms.")
        accept_terms(connection, user, current)


def _owned(caller: Caller) -> Select[int]:
    mine = members.c.user_key == caller.key
    return select(members.c.project_key).where(mine, members.c.role == Role.OWNER.value)


def _receipts(current: Terms) -> Select[str]:
    joined = select(users.c.login, acceptances).select_from(acceptances.join(users))
    return joined.where(acceptances.c.terms_key == current.key)


def _terms(row: Row[*tuple[object, ...]]) -> Terms:
    return Terms(row.key, row.id, Wording(row.version, row.title, row.text), row.digest, row.insert_date)


def _receipt(row: Row[*tuple[object, ...]]) -> Receipt:
    return Receipt(row.login, row.version, row.digest, row.accepted)

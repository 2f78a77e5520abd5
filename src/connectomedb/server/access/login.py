"""Opens, renews and ends a JSESSION.

Sessions of signed-in users lie in the database, so that every process knows them; only a hash of the
session's id is kept there. A session of nobody is just an id that bears its own mark: no row knows it, it costs
nothing, and signing in always gives a new one.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from sqlalchemy import Connection, delete, insert, select, update

from connectomedb.errors import AuthenticationFailed, LedgerBusy
from connectomedb.server.access.attempts import Door, check_open, count_failure, doors, forget_failures
from connectomedb.server.access.audit import Action, Actor, Event, record
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.clock import now
from connectomedb.server.access.passwords import hash_of_nobody, verify_password
from connectomedb.server.access.tokens import check_token, is_alias
from connectomedb.server.settings import AccessSettings
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import logins, users

RENEW_AFTER = timedelta(minutes=1)
"""A request writes the session's time only when the last one is older, so that reading stays reading."""

REFUSED = "The request requires user authentication"
"""Body of every 401. pyxnat knows an authentication error by exactly this sentence."""

_ID = re.compile(r"[0-9A-F]{32}")
_MARK_DIGITS = 8


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A caller with the id of the session that was opened."""

    caller: Caller
    session_id: str


@dataclass(frozen=True, slots=True)
class _Proven:
    """Who proved to be whom: by a password, or by a token, which ends the session with itself."""

    caller: Caller
    token_alias: str | None = None
    until: datetime | None = None


def new_session_id() -> str:
    """32 hexadecimal digits that nobody can guess."""
    while True:
        id = secrets.token_hex(16).upper()
        if not is_anonymous(id):
            return id


def anonymous_session_id() -> str:
    """The id of a session of nobody."""
    stem = secrets.token_hex(16 - _MARK_DIGITS // 2).upper()
    return stem + _mark(stem)


def is_anonymous(session_id: str) -> bool:
    """Whether an id is of a session of nobody; whoever makes one up gains nothing."""
    return _ID.fullmatch(session_id) is not None and session_id.endswith(_mark(session_id[:-_MARK_DIGITS]))


class Logins:
    """The sessions of one database. `clock` gives UTC without zone."""

    def __init__(
        self, database: Database, settings: AccessSettings | None = None, clock: Callable[[], datetime] = now
    ) -> None:
        self._database = database
        self._settings = settings or AccessSettings()
        self._clock = clock
        hash_of_nobody()

    def find(self, session_id: str) -> Caller | None:
        """Who opened the session, if it lives; that renews it, unless the database is busy."""
        if not _ID.fullmatch(session_id) or is_anonymous(session_id):
            return None
        columns = (users.c.key, users.c.login, users.c.is_admin, logins.c.seen, logins.c.expires)
        joined = select(*columns).select_from(logins.join(users))
        mine = logins.c.id_hash == _hash(session_id)
        time = self._clock()
        with self._database.read() as connection:
            row = connection.execute(joined.where(mine, users.c.is_enabled, users.c.is_verified)).first()
        if row is None or row.expires <= time or row.seen < time - self._settings.session_idle:
            return None
        if row.seen < time - min(RENEW_AFTER, self._settings.session_idle / 4):
            with suppress(LedgerBusy), self._database.write(wait=False) as connection:
                connection.execute(update(logins).where(mine).values(seen=time))
        return Caller(row.key, row.login, row.is_admin)

    def sign_in(self, login: str, password: str, address: str = "") -> SignedIn:
        """Open a session, for a user or by an alias token.

        Raises AuthenticationFailed, which takes as long for unknown users as for wrong passwords, and
        TooManyRequests after too many of these.
        """
        tried = doors(self._settings, login, address)
        with self._database.read() as connection:
            check_open(connection, tried, self._clock())
        proven = self._prove(login, password)
        if proven is None:
            self._refuse(login, address, tried)
        session_id = new_session_id()
        with self._database.write() as connection:
            forget_failures(connection, tried[0])
            self._open(connection, proven, session_id)
            actor = Actor(proven.caller.login, address)
            record(connection, Event(actor, Action.SIGN_IN, detail="by a token" if proven.token_alias else ""))
        return SignedIn(proven.caller, session_id)

    def end(self, session_id: str, actor: Actor | None = None) -> None:
        """End a session. One that does not live is no error. `actor`: who ends it, for the audit log."""
        if is_anonymous(session_id):
            return
        with self._database.write() as connection:
            ended = connection.execute(delete(logins).where(logins.c.id_hash == _hash(session_id)))
            if ended.rowcount and actor:
                record(connection, Event(actor, Action.SIGN_OUT))

    def _prove(self, login: str, password: str) -> _Proven | None:
        """Tokens first: their names cannot be logins."""
        columns = (users.c.key, users.c.login, users.c.is_admin, users.c.password_hash)
        with self._database.read() as connection:
            token = check_token(connection, login, password, self._clock()) if is_alias(login) else None
            mine = users.c.key == token.user_key if token else users.c.login == login
            row = connection.execute(select(*columns).where(mine, users.c.is_enabled, users.c.is_verified)).first()
        if token is None and not verify_password(row.password_hash if row else None, password):
            return None
        if row is None:
            return None
        caller = Caller(row.key, row.login, row.is_admin)
        return _Proven(caller, token.alias, token.expires) if token else _Proven(caller)

    def _refuse(self, login: str, address: str, tried: tuple[Door, ...]) -> NoReturn:
        """Names that nobody has are not written down: they may be passwords in the wrong place."""
        with self._database.write() as connection:
            count_failure(connection, tried, self._settings, self._clock())
            known = connection.execute(select(users.c.login).where(users.c.login == login)).scalar()
            record(connection, Event(Actor(known or "(unknown)", address), Action.SIGN_IN_REFUSED))
        raise AuthenticationFailed(REFUSED, status=401)

    def _open(self, connection: Connection, proven: _Proven, session_id: str) -> None:
        """Add the session; those that are over, and the oldest of too many, go."""
        time, settings = self._clock(), self._settings
        over = (logins.c.seen < time - settings.session_idle) | (logins.c.expires <= time)
        connection.execute(delete(logins).where(over))
        mine = logins.c.user_key == proven.caller.key
        newest = select(logins.c.id_hash).where(mine).order_by(logins.c.seen.desc()).limit(settings.most_sessions - 1)
        connection.execute(delete(logins).where(mine, logins.c.id_hash.not_in(newest)))
        expires = min(time + settings.session_lifetime, proven.until or datetime.max)
        row = {"id_hash": _hash(session_id), "user_key": proven.caller.key, "token_alias": proven.token_alias}
        connection.execute(insert(logins).values(**row, opened=time, seen=time, expires=expires))


def end_sessions(connection: Connection, user_key: int) -> list[str]:
    """End all sessions of a user; gives a mark of each: a part of its hash, for nobody keeps the ids."""
    mine = logins.c.user_key == user_key
    marks = connection.execute(select(logins.c.id_hash).where(mine).order_by(logins.c.opened)).scalars().all()
    connection.execute(delete(logins).where(mine))
    return [mark_of(mark) for mark in marks]


def mark_of(id_hash: str) -> str:
    """What a session is called where its id is not known: 32 digits of its hash."""
    return id_hash[:32].upper()


def csrf_token(session_id: str) -> str:
    """The token that belongs to a session."""
    return hashlib.sha256(f"csrf {session_id}".encode()).hexdigest()[:32]


def _hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


def _mark(stem: str) -> str:
    return hashlib.sha256(f"nobody {stem}".encode()).hexdigest()[:_MARK_DIGITS].upper()

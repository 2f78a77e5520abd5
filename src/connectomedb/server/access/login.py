"""Opens, renews and ends a JSESSION.

Sessions of signed-in users lie in the database, so that every process knows them; only a hash of the
session's id is kept there. A session of nobody is just an id that no row knows: it costs nothing, and
signing in always gives a new one.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from connectomedb.errors import AuthenticationFailed, LedgerBusy
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.passwords import hash_of_nobody, verify_password
from connectomedb.server.access.users import now
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import logins, users

COOKIE = "JSESSIONID"
IDLE_TIMEOUT = timedelta(minutes=30)
"""A session ends after this time without a request. Source: ConnectomeDB's web pages."""

RENEW_AFTER = timedelta(minutes=1)
"""A request writes the session's time only when the last one is older, so that reading stays reading."""

REFUSED = "The request requires user authentication"
"""Body of every 401. pyxnat knows an authentication error by exactly this sentence."""

_ID = re.compile(r"[0-9A-F]{32}")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A caller with the id of the session that was opened."""

    caller: Caller
    session_id: str


def new_session_id() -> str:
    """32 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(16).upper()


class Logins:
    """The sessions of one database. `clock` gives UTC without zone."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._clock = clock
        hash_of_nobody()

    def find(self, session_id: str) -> Caller | None:
        """Who opened the session, if it lives; that renews it, unless the database is busy."""
        if not _ID.fullmatch(session_id):
            return None
        joined = select(users.c.key, users.c.login, users.c.is_admin, logins.c.seen).select_from(logins.join(users))
        mine = logins.c.id_hash == _hash(session_id)
        time = self._clock()
        with self._database.read() as connection:
            row = connection.execute(joined.where(mine, users.c.is_enabled)).first()
        if row is None or row.seen < time - IDLE_TIMEOUT:
            return None
        if row.seen < time - RENEW_AFTER:
            with suppress(LedgerBusy), self._database.write(wait=False) as connection:
                connection.execute(update(logins).where(mine).values(seen=time))
        return Caller(row.key, row.login, row.is_admin)

    def sign_in(self, login: str, password: str) -> SignedIn:
        """Open a session. Raises AuthenticationFailed, and takes as long for unknown users as for wrong passwords."""
        columns = select(users.c.key, users.c.login, users.c.is_admin, users.c.password_hash)
        with self._database.read() as connection:
            row = connection.execute(columns.where(users.c.login == login, users.c.is_enabled)).first()
        if not verify_password(row.password_hash if row else None, password) or row is None:
            raise AuthenticationFailed(REFUSED, status=401)
        session_id = new_session_id()
        time = self._clock()
        with self._database.write() as connection:
            connection.execute(delete(logins).where(logins.c.seen < time - IDLE_TIMEOUT))
            opened = {"id_hash": _hash(session_id), "user_key": row.key, "opened": time, "seen": time}
            connection.execute(insert(logins).values(opened))
        return SignedIn(Caller(row.key, row.login, row.is_admin), session_id)

    def end(self, session_id: str) -> None:
        """End a session. One that does not live is no error."""
        with self._database.write() as connection:
            connection.execute(delete(logins).where(logins.c.id_hash == _hash(session_id)))


def cookie(session_id: str, base_url: str) -> str:
    """`Set-Cookie` of a session: out of reach of scripts and of other sites' requests."""
    secure = "; Secure" if base_url.startswith("https:") else ""
    return f"{COOKIE}={session_id}; Path=/; HttpOnly; SameSite=Lax{secure}"


def csrf_token(session_id: str) -> str:
    """The token that belongs to a session."""
    return hashlib.sha256(f"csrf {session_id}".encode()).hexdigest()[:32]


def _hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()

"""Who has which S3 keys, and what they open: always what the user may read at present, and nothing more.

A key opens whole prefixes. A prefix of a store is a user's when the user may read a project whose release
lies there, and no project that the user may not read reaches into it. Rights change in many places, so
nobody tells us which: `limit_all` compares every key with its user's rights, before a request that may end a
right is answered (`Way.changes_rights`), and every half minute besides, in every process.
"""

import hashlib
import logging
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from connectomedb.errors import AccessDenied, Conflict, ConnectomeDBError
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.clock import now
from connectomedb.server.access.visible import closed_by_terms, may_read
from connectomedb.server.keys.issuer import Issuer, KeyPair
from connectomedb.server.query.places import terms_stand_before
from connectomedb.server.tables.agreements import prefixes, s3_keys
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import projects, users

LIMIT_EVERY_S = 30.0
"""How often keys are compared with the rights of their users."""

STOP_TIMEOUT_S = 5.0
"""How long a stop waits for a store that does not answer."""

MAX_NAME = 64
"""Longest name of an identity. Source: IAM's API reference."""

_UNSURE = "/"
"""Begins what stands in place of prefixes while a policy is being changed: no prefix begins so."""

_ROUNDS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UserKey:
    """The public half of a user's key pair, and what it opens. `created` is UTC without zone."""

    access_key: str
    prefixes: tuple[str, ...]
    created: datetime


class KeyRing:
    """The keys of one store's users."""

    def __init__(self, database: Database, store: str, issuer: Issuer) -> None:
        self._database = database
        self._issuer = issuer
        self._stopped = threading.Event()
        self._watch: threading.Thread | None = None
        self._turns = threading.RLock()
        self.store = store

    def find(self, caller: Caller) -> UserKey | None:
        """The caller's key, if there is one."""
        with self._database.read() as connection:
            row = connection.execute(select(s3_keys).where(*self._of(caller))).first()
        return UserKey(row.access_key, _split(row.prefixes), row.created) if row else None

    def create(self, caller: Caller) -> tuple[KeyPair, UserKey]:
        """A new key pair for the caller, in place of any older one.

        Raises AccessDenied (there is nothing to open, or terms stand before it), Conflict, StoreError.
        """
        with self._database.read() as connection:
            opened = readable_prefixes(connection, caller, self.store)
            if not opened and (waiting := closed_by_terms(connection, caller)):
                raise terms_stand_before(waiting[0], "")
        if not opened:
            raise AccessDenied("No release in the bucket is yours to read. Ask a project's owner.", status=403)
        with self._turns:
            return self._create(caller)

    def revoke(self, caller: Caller) -> None:
        """End the caller's key. Without one nothing happens. Raises StoreError."""
        with self._turns:
            self._issuer.limit(identity_of(caller), ())
            with self._database.write() as connection:
                connection.execute(delete(s3_keys).where(*self._of(caller)))
            self._end_others(caller)

    def limit_all(self, *, is_thorough: bool = False) -> None:
        """Make every key open what its user may read now; those that may be right already too, if thorough.

        Raises StoreError for the last one that could not be.
        """
        with self._database.read() as connection:
            held = connection.execute(select(s3_keys).where(s3_keys.c.store == self.store)).all()
            holders = [(Caller(row.user_key, row.login), row.prefixes) for row in held]
            callers = [
                caller
                for caller, opened in holders
                if is_thorough
                or _load_user(connection, caller) is None
                or opened != "\n".join(self._opened(connection, caller))
            ]
        fault: ConnectomeDBError | None = None
        for caller in callers:
            try:
                with self._turns:
                    self._limit(caller)
                    self._end_if_gone(caller)
            except ConnectomeDBError as refused:
                fault = refused
        if fault is not None:
            raise fault

    def try_limit_all(self, *, is_thorough: bool = False) -> None:
        """As `limit_all`; faults are logged, and tried again at the next round."""
        try:
            self.limit_all(is_thorough=is_thorough)
        except ConnectomeDBError as fault:
            logger.error("S3 keys could not be brought in line with rights; trying again: %s", fault)

    def strays(self) -> list[str]:
        """Identities that read files by keys of which no row tells, as when older rows were restored; sorted.

        Safe beside a running server: an identity has its row before it may read anything. Raises StoreError.
        """
        return sorted(name for name in self._issuer.names() if self._stray_keys(name))

    def end_stray(self, name: str) -> None:
        """End the keys of an identity of which no row tells. Raises StoreError."""
        for access_key in self._stray_keys(name):
            self._issuer.end(name, access_key)

    def _stray_keys(self, name: str) -> list[str]:
        found = self._issuer.list(name)
        mine = (s3_keys.c.identity == name, s3_keys.c.store == self.store)
        with self._database.read() as connection:
            recorded = set(connection.execute(select(s3_keys.c.access_key).where(*mine)).scalars())
        return [access_key for access_key in found if access_key not in recorded]

    def start(self) -> None:
        """Compare keys with rights from now on, again and again, until `stop`."""
        self._watch = threading.Thread(target=self._keep_limiting, name="connectomedb-keys", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Stop comparing."""
        self._stopped.set()
        if self._watch is not None:
            self._watch.join(STOP_TIMEOUT_S)

    def _keep_limiting(self) -> None:
        self.try_limit_all(is_thorough=True)
        while not self._stopped.wait(LIMIT_EVERY_S):
            self.try_limit_all()

    def _create(self, caller: Caller) -> tuple[KeyPair, UserKey]:
        """Threads of this process take turns; of other processes the one that writes its row last wins."""
        name = identity_of(caller)
        self._issuer.limit(name, ())
        pair = self._issuer.create(name)
        row = {"user_key": caller.key, "login": caller.login, "store": self.store, "identity": name}
        row |= {"access_key": pair.access_key, "created": now(), "prefixes": _UNSURE}
        with self._database.write() as connection:
            connection.execute(delete(s3_keys).where(s3_keys.c.identity == name))
            connection.execute(insert(s3_keys).values(row))
        self._end_others(caller)
        self._limit(caller)
        made = self.find(caller)
        if made is None or made.access_key != pair.access_key or pair.access_key not in self._issuer.list(name):
            raise Conflict("Another request just made keys for you, which ended these. Try again.", status=409)
        return pair, made

    def _limit(self, caller: Caller) -> None:
        """Bring one user's policy in line. Several processes may be at it: the row says that it is unsure before the
        policy changes, and what it is only if nobody else began meanwhile; else it is done again."""
        for _ in range(_ROUNDS):
            mark = f"{_UNSURE}{secrets.token_hex(8)}"
            with self._database.write() as connection:
                begun = connection.execute(update(s3_keys).where(*self._of(caller)).values(prefixes=mark))
                if not begun.rowcount:
                    return
                opened = self._opened(connection, caller)
            self._issuer.limit(identity_of(caller), opened)
            with self._database.write() as connection:
                mine = (*self._of(caller), s3_keys.c.prefixes == mark)
                if connection.execute(update(s3_keys).where(*mine).values(prefixes="\n".join(opened))).rowcount:
                    return
        raise Conflict(f"The rights of {caller.login} change all the time. Try again.", status=409)

    def _opened(self, connection: Connection, caller: Caller) -> tuple[str, ...]:
        """What a user may read now; nothing once the account is closed or gone."""
        row = _load_user(connection, caller)
        if row is None or not (row.is_enabled and row.is_verified):
            return ()
        return readable_prefixes(connection, Caller(row.key, row.login, row.is_admin), self.store)

    def _end_if_gone(self, caller: Caller) -> None:
        """End the keys of a user who is no more, so that nobody of the same name inherits them."""
        with self._database.read() as connection:
            is_gone = _load_user(connection, caller) is None
        if is_gone:
            self.revoke(caller)

    def _end_others(self, caller: Caller) -> None:
        """End all keys of the identity but the one on record."""
        kept = self.find(caller)
        for access_key in self._issuer.list(identity_of(caller)):
            if kept is None or access_key != kept.access_key:
                self._issuer.end(identity_of(caller), access_key)

    def _of(self, caller: Caller) -> tuple[ColumnElement[bool], ...]:
        return (s3_keys.c.identity == identity_of(caller), s3_keys.c.store == self.store)


def _load_user(connection: Connection, caller: Caller) -> Row[*tuple[object, ...]] | None:
    """The row of a user; None when it is somebody else's by now."""
    mine = (users.c.key == caller.key, users.c.login == caller.login)
    return connection.execute(select(users).where(*mine)).first()


def readable_prefixes(connection: Connection, caller: Caller, store: str) -> tuple[str, ...]:
    """The prefixes of a store, each ending in `/`, in which all is the caller's to read; sorted."""
    readable = may_read(caller, projects.c.key).label("readable")
    wanted = select(prefixes.c.prefix, readable).select_from(prefixes.join(projects))
    rows = connection.execute(wanted.where(prefixes.c.store == store)).all()
    closed = {row.prefix for row in rows if not row.readable}
    return tuple(sorted({row.prefix for row in rows if row.readable and not _reaches_into(closed, row.prefix)}))


def identity_of(caller: Caller) -> str:
    """Name of a user's identity: `cdb-7-bob`; of a long login its beginning, and what tells it from others."""
    name = f"cdb-{caller.key}-{caller.login}"
    if len(name) <= MAX_NAME:
        return name
    return f"{name[: MAX_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _reaches_into(closed: Iterable[str], prefix: str) -> bool:
    return any(other.startswith(prefix) or prefix.startswith(other) for other in closed)


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text and not text.startswith(_UNSURE) else ()

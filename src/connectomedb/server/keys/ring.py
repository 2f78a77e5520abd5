"""Who has which S3 keys, and what they open: always what the user may read at present, and nothing more.

A key opens whole prefixes. A prefix of a store is a user's when the user may read a project whose release
lies there, and no project that the user may not read reaches into it. Rights change in many places, so
nobody tells us: `limit_all` compares every key with its user's rights, at once where terms change and every
half minute besides, in every process.
"""

import hashlib
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select, update

from connectomedb.errors import AccessDenied, Conflict, ConnectomeDBError
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.users import now
from connectomedb.server.access.visible import closed_by_terms, may_read
from connectomedb.server.keys.issuer import Issuer, KeyPair
from connectomedb.server.query.places import terms_stand_before
from connectomedb.server.tables.agreements import prefixes, s3_keys
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import projects, users

LIMIT_EVERY_S = 30.0
"""How often keys are compared with the rights of their users."""

MAX_NAME = 64
"""Longest name of an identity. Source: IAM's API reference."""

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
        self.store = store

    def find(self, caller: Caller) -> UserKey | None:
        """The caller's key, if there is one."""
        with self._database.read() as connection:
            row = connection.execute(select(s3_keys).where(*self._of(caller.key))).first()
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
        name = identity_of(caller)
        self._issuer.limit(name, opened)
        pair = self._issuer.create(name)
        made = UserKey(pair.access_key, opened, now())
        with self._database.write() as connection:
            connection.execute(delete(s3_keys).where(s3_keys.c.user_key == caller.key))
            row = {"user_key": caller.key, "store": self.store, "access_key": made.access_key}
            connection.execute(s3_keys.insert().values(**row, prefixes="\n".join(opened), created=made.created))
        if pair.access_key not in self._end_others(caller):
            raise Conflict("Another request just made keys for you, which ended these. Try again.", status=409)
        self.limit_all()
        return pair, made

    def revoke(self, caller: Caller) -> None:
        """End the caller's key. Without one nothing happens. Raises StoreError."""
        self._issuer.limit(identity_of(caller), ())
        with self._database.write() as connection:
            connection.execute(delete(s3_keys).where(*self._of(caller.key)))
        self._end_others(caller)

    def limit_all(self) -> None:
        """Make every key open what its user may read now. Raises StoreError for the last one that could not be."""
        with self._database.read() as connection:
            held = connection.execute(select(s3_keys, users).select_from(s3_keys.join(users)).where(self._here)).all()
            wanted = {
                row.user_key: readable_prefixes(connection, Caller(row.user_key, row.login, row.is_admin), self.store)
                for row in held
                if row.is_enabled
            }
        fault: ConnectomeDBError | None = None
        for row in held:
            opened = wanted.get(row.user_key, ())
            if opened == _split(row.prefixes):
                continue
            try:
                self._issuer.limit(identity_of(Caller(row.user_key, row.login)), opened)
            except ConnectomeDBError as refused:
                fault = refused
                continue
            mine = (*self._of(row.user_key), s3_keys.c.access_key == row.access_key)
            with self._database.write() as connection:
                connection.execute(update(s3_keys).where(*mine).values(prefixes="\n".join(opened)))
        if fault is not None:
            raise fault

    def start(self) -> None:
        """Compare keys with rights from now on, again and again, until `stop`."""
        self._watch = threading.Thread(target=self._keep_limiting, name="connectomedb-keys", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Stop comparing."""
        self._stopped.set()
        if self._watch is not None:
            self._watch.join()

    def _keep_limiting(self) -> None:
        while True:
            try:
                self.limit_all()
            except ConnectomeDBError as fault:
                logger.error("S3 keys could not be brought in line with rights; trying again: %s", fault)
            if self._stopped.wait(LIMIT_EVERY_S):
                return

    def _end_others(self, caller: Caller) -> list[str]:
        """End all keys of the identity but the one on record; those that lived before."""
        name = identity_of(caller)
        kept = self.find(caller)
        living = self._issuer.list(name)
        for access_key in living:
            if kept is None or access_key != kept.access_key:
                self._issuer.end(name, access_key)
        return [key for key in living if kept is not None and key == kept.access_key]

    @property
    def _here(self) -> ColumnElement[bool]:
        """Keys of this store."""
        return s3_keys.c.store == self.store

    def _of(self, user_key: int) -> tuple[ColumnElement[bool], ...]:
        return (s3_keys.c.user_key == user_key, self._here)


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
    return tuple(text.split("\n")) if text else ()

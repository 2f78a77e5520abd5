"""The audit log: who did what, when and from where. Rows are only ever added; the database refuses the rest.

A change is recorded in the transaction that makes it: both are kept or neither. Reading is recorded by way of a
queue, so that it stays as fast as reading: one thread writes what came together in the last moments, and at the
end of the site all that is left. A killed process may lose the reads of its last half second, never a change.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert

from connectomedb.errors import ConnectomeDBError
from connectomedb.server.access.clock import now
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import audit

INTERVAL_S = 0.5
"""How long a read may wait before it is written."""

LONGEST_PAUSE_S = 15.0
"""While the database refuses, the pause doubles up to this."""

MOST_WAITING = 20_000
"""Reads that may wait; who adds one more writes them all first."""

MAX_TEXT = 2_000
"""Longest target or detail, in characters."""

logger = logging.getLogger(__name__)


class Action(StrEnum):
    """What can be done that is worth remembering."""

    SIGN_IN = "sign-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGN_OUT = "sign-out"
    SESSIONS_ENDED = "sessions-end"
    TOKEN_ISSUED = "token-issue"
    TOKEN_ENDED = "token-invalidate"
    USER_MADE = "user-make"
    USER_CHANGED = "user-change"
    PASSWORD_CHANGED = "password-change"
    ROLE_GIVEN = "role-give"
    ROLE_TAKEN = "role-take"
    MEMBER_ADDED = "member-add"
    MEMBER_REMOVED = "member-remove"
    GROUP_MADE = "group-make"
    GROUP_DELETED = "group-delete"
    ACCESSIBILITY = "accessibility"
    GRANT = "grant"
    REVOKE = "revoke"
    TERMS_SET = "terms-set"
    TERMS_WITHDRAWN = "terms-withdraw"
    TERMS_ACCEPTED = "terms-accept"
    KEYS_MADE = "keys-make"
    KEYS_ENDED = "keys-end"
    MADE = "make"
    CHANGED = "change"
    SHARED = "share"
    SHARE_ENDED = "unshare"
    MOVED = "move"
    DELETED = "delete"
    RESTRICTED_READ = "restricted-read"
    DOWNLOAD = "download"
    INGEST = "ingest"
    UPLOAD = "upload"
    RESOURCE_MADE = "resource-make"
    RESOURCES_DELETED = "resources-delete"
    FILES_DELETED = "files-delete"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and the network address that it comes from."""

    login: str
    address: str = ""


OPERATOR = Actor("(operator)", "(local)")
"""Whoever holds the data folder: the command line, and what the server does by itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log. `target` is whom or what it was done to: a login, a path."""

    actor: Actor
    action: Action
    project: str = ""
    target: str = ""
    detail: str = ""
    time: datetime = field(default_factory=now)


def record(connection: Connection, *events: Event) -> None:
    """Add events in the transaction at hand."""
    if events:
        connection.execute(insert(audit), [_row(event) for event in events])


def lines_of(names: Iterable[str]) -> list[str]:
    """Names as details of as many events as it takes to have all of them in the log, whole."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + 1 + len(name) <= MAX_TEXT:
            lines[-1] += f" {name}"
        else:
            lines.append(name)
    return lines


class Audit:
    """The log of one site, for reads. Safe to share among threads; the writing thread starts with the first event."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[tuple[object, ...], Event] = {}
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def note(self, event: Event) -> None:
        """Remember a read; it is written soon. The same once more before that (parts of one file) is one line."""
        with self._changed:
            self._waiting.setdefault(_what(event), event)
            self._changed.notify()
            is_full = len(self._waiting) > MOST_WAITING
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="connectomedb-audit", daemon=True)
                self._thread.start()
        if is_full or self._is_closed:
            self.flush()

    def flush(self) -> None:
        """Write all that waits. Raises what the database raises; the events then wait on."""
        with self._writing:
            with self._changed:
                events, self._waiting = self._waiting, {}
            if not events:
                return
            try:
                with self._database.write() as connection:
                    record(connection, *events.values())
            except BaseException:
                with self._changed:
                    self._waiting = {**events, **self._waiting}
                raise

    def close(self) -> None:
        """End the thread and write what is left. What the database does not take now is lost, and the log says so."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        try:
            self.flush()
        except ConnectomeDBError as fault:
            logger.error("%d lines of the audit log are lost: %s", len(self._waiting), fault)

    def _run(self) -> None:
        pause_s = INTERVAL_S
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._changed.wait_for(lambda: self._is_closed, timeout=pause_s):
                    return
            try:
                self.flush()
                pause_s = INTERVAL_S
            except ConnectomeDBError as fault:
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                logger.warning("The audit log cannot be written now, and waits: %s", fault)


def _what(event: Event) -> tuple[object, ...]:
    return (event.actor, event.action, event.project, event.target, event.detail)


def _row(event: Event) -> dict[str, object]:
    return {
        "time": event.time,
        "login": event.actor.login,
        "address": event.actor.address,
        "action": event.action.value,
        "project": event.project,
        "target": _plain(event.target),
        "detail": _plain(event.detail),
    }


def _plain(text: str) -> str:
    """One line of bounded length."""
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_TEXT]

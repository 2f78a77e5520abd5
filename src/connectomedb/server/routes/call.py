"""One request as a handler sees it, and what a handler gives back. Handlers are plain functions."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable
from urllib.parse import unquote

from sqlalchemy import Connection, Table
from starlette.datastructures import Headers
from starlette.responses import Response

from connectomedb.errors import AuthenticationFailed
from connectomedb.hcp.dictionary import Dictionary, Tier
from connectomedb.server.access.audit import Action, Actor, Event, lines_of
from connectomedb.server.access.auth import Caller, Rights
from connectomedb.server.access.login import REFUSED
from connectomedb.server.access.visible import load_rights
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.site import Site
from connectomedb.server.types.catalogue import Catalogue
from connectomedb.server.types.columns import Names
from connectomedb.server.types.datatypes import DataType, Path, Registry

_PROJECT = re.compile(r"/(?:data/projects|spring/download)/([^/]+)")


@dataclass(frozen=True, slots=True)
class View:
    """The database as one caller may see it, in one snapshot."""

    connection: Connection
    rights: Rights
    registry: Registry
    details: Mapping[str, Table]
    dictionaries: Mapping[str, Dictionary]

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.rights.caller

    def path(self, data_type: DataType, name: str) -> Path | None:
        """A field of a type by its schema path; None where there is none, or none for the caller: its tier hides it."""
        found = self.registry.path(data_type, name)
        return found if found and self.rights.may_use(found.tier) else None

    @property
    def names(self) -> Names:
        """What the words of the caller's searches mean."""
        return Names(self.registry, self.rights)

    def dictionary(self, data_type: str, rights: Rights | None = None) -> Dictionary:
        """The measures of a data type that exist for the caller, or for somebody with fewer rights."""
        may_use = (rights or self.rights).may_use
        open_tiers = {tier for tier in Tier if may_use(tier)}
        known = self.dictionaries.get(data_type, Dictionary())
        return Dictionary(tuple(field for field in known if field.tier in open_tiers))


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        path: as sent, percent-encoded, in its plain form (`/data/...` without `archive`).
        words: parts of the path that the route names, decoded.
        body: what was sent, as far as the route takes a body.
        session_id: the session that the caller has, or just came to have; None when the caller brought none.
        caller: who is signed in; the guest on a site that is open to guests; else None.
        client_address: where the request comes from in the network, as far as it is known.
    """

    site: Site
    method: str
    path: str
    words: Mapping[str, str]
    parameters: Parameters
    headers: Headers
    body: bytes
    base_url: str
    session_id: str | None
    caller: Caller | None
    client_address: str = ""

    @property
    def user(self) -> Caller:
        """Who is signed in, or the guest of a site that has one. Raises AuthenticationFailed when nobody is."""
        if self.caller is None:
            raise AuthenticationFailed(REFUSED, status=401)
        return self.caller

    @property
    def signed_in(self) -> Caller:
        """Who is signed in; a guest is not. Raises AuthenticationFailed."""
        self.refuse_guests()
        return self.user

    def refuse_guests(self) -> None:
        """Raises AuthenticationFailed where nobody is signed in."""
        if self.user.is_guest:
            raise AuthenticationFailed(REFUSED, status=401)

    @property
    def actor(self) -> Actor:
        """Who asks, for the audit log."""
        return Actor(self.user.login, self.client_address)

    def note(self, action: Action, detail: str = "") -> None:
        """Leave a line in the audit log: this address was read. Changes are recorded in their own transactions."""
        self.site.audit.note(self.event(action, detail))

    def event(self, action: Action, detail: str = "") -> Event:
        """What the caller does to this address, as a line of the audit log."""
        found = _PROJECT.match(self.path)
        project = unquote(found[1]) if found else ""
        return Event(self.actor, action, project, unquote(self.path), detail)

    @contextmanager
    def view(self) -> Iterator[View]:
        """The database, for this caller. Columns above the open tier that were read go to the audit log."""
        with self.site.database.read() as connection:
            catalogue = self.site.catalogue.load(connection)
            view = _view(connection, load_rights(connection, self.user), catalogue)
            yield view
        for names in lines_of(sorted(view.rights.read)):
            self.note(Action.RESTRICTED_READ, names)

    @contextmanager
    def change(self) -> Iterator[View]:
        """The database, for this caller, to be written: all of it is kept at the end, or nothing after an error.

        Raises AuthenticationFailed for guests, who change nothing.
        """
        caller = self.signed_in
        with self.site.database.write() as connection:
            yield self.view_of(connection, caller)

    def view_of(self, connection: Connection, caller: Caller) -> View:
        """The database as somebody may see it, in a transaction that is open already."""
        return _view(connection, load_rights(connection, caller), self.site.catalogue.load(connection))


def _view(connection: Connection, rights: Rights, catalogue: Catalogue) -> View:
    return View(connection, rights, catalogue.registry, catalogue.details, catalogue.dictionaries)


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that may be slow: begun outside the threads that read the database.

    `stores`: names of those that it is made from, in whose threads it begins; none when it takes its time by itself.
    `is_long`: it reads much before its first byte, so that few of its kind may run.
    """

    begin: Callable[[], Response]
    stores: frozenset[str] = frozenset()
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer for which many rows are read, outside the threads of short questions, before it may need a store."""

    begin: Callable[[], Response | Later]


@runtime_checkable
class Intake(Protocol):
    """Takes a body of any length piece by piece, then answers. Runs in threads that neither read rows nor passwords."""

    def feed(self, piece: bytes) -> None:
        """Take the next piece; may raise to refuse the rest."""
        ...

    def finish(self) -> Response:
        """The answer, when all has come."""
        ...

    def drop(self) -> None:
        """Let go of everything; called in every case, at the end."""
        ...


Handler: TypeAlias = Callable[[Call], Response | Later | Reading | Intake]


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the route table.

    Attributes:
        is_open: also for nobody.
        is_for_machines: nobody is asked who they are, so it answers when the database does not.
        is_slow: checks a password, or waits to write.
        changes_rights: may close what S3 keys of users open; they are brought in line before the answer.
        is_change: changes something even by GET, as XNAT's tokens do.
    """

    methods: str
    path: str
    handler: Handler
    is_open: bool = False
    is_for_machines: bool = False
    is_slow: bool = False
    is_change: bool = False
    changes_rights: bool = False
    max_body_bytes: int = 0

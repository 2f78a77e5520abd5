"""One request as a handler sees it, and what a handler gives back. Handlers are plain functions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from sqlalchemy import Connection, Table
from starlette.datastructures import Headers
from starlette.responses import Response

from connectomedb.errors import AuthenticationFailed
from connectomedb.server.access.auth import Caller, Rights
from connectomedb.server.access.login import REFUSED
from connectomedb.server.access.visible import load_rights
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.site import Site
from connectomedb.server.types.columns import Names
from connectomedb.server.types.datatypes import Registry


@dataclass(frozen=True, slots=True)
class View:
    """The database as one caller may see it, in one snapshot."""

    connection: Connection
    rights: Rights
    registry: Registry
    details: Mapping[str, Table]

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.rights.caller

    @property
    def names(self) -> Names:
        """What the words of the caller's searches mean."""
        return Names(self.registry, self.rights)


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        path: as sent, percent-encoded, in its plain form (`/data/...` without `archive`).
        words: parts of the path that the route names, decoded.
        body: what was sent, as far as the route takes a body.
        session_id: the session that the caller has, or just came to have; None when the caller brought none.
        caller: who is signed in, or None.
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

    @property
    def user(self) -> Caller:
        """Who is signed in. Raises AuthenticationFailed when nobody is."""
        if self.caller is None:
            raise AuthenticationFailed(REFUSED, status=401)
        return self.caller

    @contextmanager
    def view(self) -> Iterator[View]:
        """The database, for this caller."""
        with self.site.database.read() as connection:
            catalogue = self.site.catalogue.load(connection)
            yield View(connection, load_rights(connection, self.user), catalogue.registry, catalogue.details)


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that needs a store, which may be slow: begun outside the threads that read the database."""

    begin: Callable[[], Response]


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


Handler: TypeAlias = Callable[[Call], Response | Later | Intake]


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the route table. `is_open`: also for nobody; `is_slow`: checks a password, or waits to write."""

    methods: str
    path: str
    handler: Handler
    is_open: bool = False
    is_slow: bool = False
    max_body_bytes: int = 0

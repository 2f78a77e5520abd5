"""A store that is an XNAT or ConnectomeDB: a subject's CREST resource, which shows its release tree.

Keys are those of the release's bucket, so that one file has one key in every store. A listing is one
request per subject.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from connectomedb.errors import (
    AccessDenied,
    AddressError,
    AuthenticationFailed,
    NotConnected,
    NotFound,
    ObjectMissing,
    RequestError,
    ServerFault,
    StoreDenied,
    StoreError,
    StoreUnreachable,
    TooManyRequests,
)
from connectomedb.hcp.layout import crest_resource, format_crest, format_key, parse_study_key, path_of
from connectomedb.hcp.paths import fault_of_path
from connectomedb.hcp.release import Release
from connectomedb.stores._levels import level_of
from connectomedb.stores.base import Level, ObjectInfo, pour_pieces
from connectomedb.transfer.checksum import md5_of_etag
from connectomedb.transfer.source import OnVersion, Sink, Span, Streams, ignore
from connectomedb.xnat.address import Address, parse_file_uri
from connectomedb.xnat.address import Level as XnatLevel
from connectomedb.xnat.resultset import ResultTable


class FileConnection(Protocol):
    """What this store needs of a connection to a server."""

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        ...

    def list_files(self, address: Address) -> ResultTable:
        """The table of files below a resource."""
        ...

    def open_file(
        self, address: Address, offset: int = 0, length: int | None = None, on_version: OnVersion = ignore
    ) -> Iterator[bytes]:
        """A file's bytes from `offset`, at most `length`; which version they are of, where the server tells it."""
        ...


@dataclass(frozen=True, slots=True)
class XnatSource:
    """A server as a source of a mirror: gives the store of one release; no request is made."""

    connection: FileConnection

    def __call__(self, release: Release) -> "XnatStore":
        """The store of a release."""
        return XnatStore(self.connection, release)


class XnatStore:
    """The files of one release, as a server's CREST resources show them."""

    def __init__(self, connection: FileConnection, release: Release) -> None:
        self.connection = connection
        self.release = release

    @property
    def name(self) -> str:
        """The server's address."""
        return self.connection.name

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The files of one subject whose key begins with `prefix`, which must name the subject; one request."""
        subject = prefix.removeprefix(f"{self.release.prefix}/").partition("/")[0]
        if not prefix.startswith(f"{self.release.prefix}/") or not subject:
            raise StoreError(f"Asked {self.name} for {prefix!r}. Name one subject.", store=self.name, key=prefix)
        with translated(self.name, prefix):
            table = self.connection.list_files(crest_resource(self.release.project, subject).list(XnatLevel.FILES))
        for row in table.rows:
            info = self._describe(subject, dict(zip(table.columns, row, strict=True)))
            if info.key.startswith(prefix):
                yield info

    def list_level(self, prefix: str = "") -> Level:
        """What stands directly below `prefix`, which must name the subject."""
        return level_of(self.list(prefix), prefix)

    def head(self, key: str) -> ObjectInfo:
        """One file's facts, out of its subject's listing. Raises ObjectMissing."""
        for info in self.list(key):
            if info.key == key:
                return info
        raise ObjectMissing(f"Asked {self.name} for {key}. There is no such file.", store=self.name, key=key)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The file's bytes from `offset`. Raises ObjectMissing."""
        return self._open(key, offset, length, ignore)

    def _open(self, key: str, offset: int, length: int | None, on_version: OnVersion) -> Iterator[bytes]:
        address = format_crest(self.release.project, parse_study_key(self.release, key))
        with translated(self.name, key):
            yield from self.connection.open_file(address, offset, length, on_version)

    def pour(self, key: str, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand the bytes to a sink; the version is what the server tells of it, if it does. Raises ObjectMissing."""
        pour_pieces(self._open(key, span.offset, span.length, on_version), sink)

    @property
    def streams(self) -> Streams:
        """One stream is as fast as several."""
        return Streams.ONE

    @property
    def is_copy(self) -> bool:
        """A server knows all of its files."""
        return False

    def close(self) -> None:
        """The connection belongs to the caller, who closes it."""

    def _describe(self, subject: str, cells: dict[str, str]) -> ObjectInfo:
        """A row of a file listing; its path is what follows the resource's number."""
        try:
            return ObjectInfo(self._key(subject, cells["URI"]), int(cells["Size"]), md5=md5_of_etag(cells["digest"]))
        except (KeyError, ValueError) as fault:
            message = f"Asked {self.name} for the files of {subject}. A row of its listing is malformed: {cells}."
            raise StoreError(message, store=self.name, key=subject) from fault

    def _key(self, subject: str, uri: str) -> str:
        """The key of a row. One that can be no path is given as it is: it is for the reader to leave it out."""
        try:
            return format_key(self.release, path_of(self.release, subject, parse_file_uri(uri)))
        except AddressError:
            key = f"{self.release.prefix}/{subject}/{unquote(uri.partition('/files/')[2])}"
            if fault_of_path(key) is None:
                raise
            return key


@contextmanager
def translated(store: str, key: str) -> Iterator[None]:
    """Turn errors of requests into errors of stores, keeping their words."""
    try:
        yield
    except RequestError as fault:
        kind = _translate(fault)
        if isinstance(fault, TooManyRequests):
            raise StoreUnreachable(str(fault), store=store, key=key, retry_after_s=fault.retry_after_s) from fault
        raise kind(str(fault), store=store, key=key) from fault


_KINDS: tuple[tuple[type[RequestError], type[StoreError]], ...] = (
    (NotFound, ObjectMissing),
    (NotConnected, StoreUnreachable),
    (ServerFault, StoreUnreachable),
    (TooManyRequests, StoreUnreachable),
    (AuthenticationFailed, StoreDenied),
    (AccessDenied, StoreDenied),
)


def _translate(fault: RequestError) -> type[StoreError]:
    return next((kind for request, kind in _KINDS if isinstance(fault, request)), StoreError)

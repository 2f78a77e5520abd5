"""Everything that can go wrong, as one tree.

    ConnectomeDBError
    ├─ ConfigError                             a setting is missing or makes no sense
    ├─ AddressError, QueryError, DocumentError   also ValueError: the caller can fix it
    │   └─ PredicateError                      .predicate .column .near
    ├─ RequestError                            .method .address .status
    │   ├─ NotConnected · AuthenticationFailed · NotFound · Conflict · Unusable · Expired · TooManyRequests
    │   ├─ AccessDenied → TermsNotAccepted
    │   └─ ServerFault · UnexpectedReply       a page where data was due
    ├─ StoreError                              .store .key
    │   └─ ObjectMissing · StoreDenied · StoreUnreachable · VersionChanged
    ├─ TransferError                           .path
    │   └─ SizeMismatch · ChecksumMismatch · WrongContent · DiskFull · DiskRefused
    ├─ ManifestError
    ├─ TooLarge                                more bytes, or more files, than the receiver takes
    ├─ LedgerBusy
    ├─ ServiceFailed                           a program started by us died or never answered
    ├─ Interrupted                             the user stopped the run; it can go on later
    └─ MirrorIncomplete                        .failures: path → reason; the rest is on disk and recorded

A message says what was asked, what happened and what to do. It holds no secret and no page of HTML.
`transient` says whether the same call may succeed later; only `transfer.pool` acts on it.
"""

from collections.abc import Mapping


class ConnectomeDBError(Exception):
    """The base of all errors that this package raises on purpose."""

    transient = False


class ConfigError(ConnectomeDBError):
    """A setting is missing, contradicts another or cannot be read."""


class AddressError(ConnectomeDBError, ValueError):
    """An address, key or path is not one of ours."""


class QueryError(ConnectomeDBError, ValueError):
    """A search names an unknown field or comparison, or is not well formed."""


class DocumentError(ConnectomeDBError, ValueError):
    """A document describes no object: it is not well formed, or of another kind than was due."""


class PredicateError(QueryError):
    """A predicate cannot be read; the message's last two lines show it and point at the place.

    Attributes:
        predicate: what was read.
        column: where it is wrong, the first character is 1.
        near: what may have been meant there, the likeliest first.
    """

    def __init__(self, message: str, *, predicate: str = "", column: int = 1, near: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.predicate = predicate
        self.column = column
        self.near = near


class RequestError(ConnectomeDBError):
    """A request to a server did not give what was asked.

    Attributes:
        method: HTTP method, or the verb that was tried.
        address: path below the server, without host and without query.
        status: HTTP status, or None when no reply came.
    """

    def __init__(self, message: str, *, method: str = "", address: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.method = method
        self.address = address
        self.status = status


class NotConnected(RequestError):
    """The server could not be reached."""

    transient = True


class AuthenticationFailed(RequestError):
    """User name, password or token were refused."""


class AccessDenied(RequestError):
    """Signed in, but not allowed: a right, a tier or accepted terms are missing."""


class TermsNotAccepted(AccessDenied):
    """The project's data-use terms stand before what was asked, and the user has not accepted them."""


class NotFound(RequestError):
    """There is no such object, or none that the caller may see."""


class Conflict(RequestError):
    """The label, identifier or file is taken already."""


class Unusable(RequestError):
    """The request lacks what it needs, or holds an identifier that nothing may have."""


class TooManyRequests(RequestError):
    """The server asks to come back later, for instance after too many wrong passwords.

    Attributes:
        retry_after_s: how long it asks us to stay away, in seconds; None when it did not say.
    """

    transient = True

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        address: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, method=method, address=address, status=status)
        self.retry_after_s = retry_after_s


class Expired(RequestError):
    """What was asked for was there for some time only, and is gone."""


class ServerFault(RequestError):
    """The server failed on a request that looked right."""

    transient = True


class UnexpectedReply(RequestError):
    """The reply is not what the protocol promises, for instance a login page where data was due."""


class StoreError(ConnectomeDBError):
    """A store of objects did not give what was asked.

    Attributes:
        store: name of the store, for people.
        key: the object or prefix that was asked for.
    """

    def __init__(self, message: str, *, store: str = "", key: str = "") -> None:
        super().__init__(message)
        self.store = store
        self.key = key


class ObjectMissing(StoreError):
    """The store answers, and has no such object, bucket or folder."""


class StoreDenied(StoreError):
    """The store answers, and refuses: keys, terms, region or clock."""


class StoreUnreachable(StoreError):
    """The store does not answer, broke off, or asked to come back later.

    Attributes:
        retry_after_s: how long the store asked us to stay away, in seconds; None when it did not say.
    """

    transient = True

    def __init__(self, message: str, *, store: str = "", key: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, store=store, key=key)
        self.retry_after_s = retry_after_s


class VersionChanged(StoreError):
    """The object was replaced while it was being read; reading must begin anew."""

    transient = True


class TransferError(ConnectomeDBError):
    """A file could not be brought to disk. `path` is the final path, which does not exist."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class SizeMismatch(TransferError):
    """The bytes received are fewer or more than the file has."""

    transient = True


class ChecksumMismatch(TransferError):
    """The bytes received are not the bytes that were published."""

    transient = True


class WrongContent(TransferError):
    """What came cannot be the file: a web page, an error document, a pointer, or a file that breaks off."""

    transient = True


class DiskFull(TransferError):
    """The disk has no room for the file."""


class DiskRefused(TransferError):
    """The folder cannot be written: read-only, or not ours."""


class ManifestError(ConnectomeDBError):
    """A manifest is not well formed, contradicts itself or names a foreign file."""


class TooLarge(ConnectomeDBError):
    """What is sent, or what it unpacks to, is more than the receiver takes or the project may hold."""


class LedgerBusy(ConnectomeDBError):
    """Another run holds what this one needs to write."""


class ServiceFailed(ConnectomeDBError):
    """A program that we start (object store, server) died or did not answer in time."""


class Interrupted(ConnectomeDBError):
    """The run was stopped on request. What is done is on disk and recorded."""


class MirrorIncomplete(ConnectomeDBError):
    """Some files could not be had; the others are on disk and recorded.

    Attributes:
        failures: path inside the mirror → the error that kept it away.
    """

    def __init__(self, message: str, failures: Mapping[str, ConnectomeDBError]) -> None:
        super().__init__(message)
        self.failures = dict(failures)

    def __reduce__(self) -> tuple[object, ...]:
        """Errors travel between processes, too."""
        return type(self), (str(self), self.failures)

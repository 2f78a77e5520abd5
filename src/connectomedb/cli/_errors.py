"""Error → sentence → exit code, in one table; the first row that fits counts."""

import json

from connectomedb.errors import (
    AccessDenied,
    AddressError,
    AuthenticationFailed,
    ChecksumMismatch,
    ConfigError,
    ConnectomeDBError,
    DiskFull,
    Interrupted,
    ManifestError,
    MirrorIncomplete,
    NotConnected,
    NotFound,
    ObjectMissing,
    QueryError,
    ServerFault,
    SizeMismatch,
    StoreDenied,
    StoreUnreachable,
    TooManyRequests,
    WrongContent,
)

OK, GENERAL, USAGE, AUTH, NETWORK, NOT_FOUND, DENIED, INTEGRITY, SOME_FAILED, NO_SPACE, INTERRUPTED = (
    *(0, 1, 2, 3, 4, 5, 6),
    *(8, 9, 10, 130),
)

EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (ConfigError, USAGE),
    (AddressError, USAGE),
    (QueryError, USAGE),
    (AuthenticationFailed, AUTH),
    (NotConnected, NETWORK),
    (ServerFault, NETWORK),
    (TooManyRequests, NETWORK),
    (StoreUnreachable, NETWORK),
    (NotFound, NOT_FOUND),
    (ObjectMissing, NOT_FOUND),
    (AccessDenied, DENIED),
    (StoreDenied, DENIED),
    (ChecksumMismatch, INTEGRITY),
    (SizeMismatch, INTEGRITY),
    (WrongContent, INTEGRITY),
    (ManifestError, INTEGRITY),
    (DiskFull, NO_SPACE),
    (MirrorIncomplete, SOME_FAILED),
    (Interrupted, INTERRUPTED),
    (KeyboardInterrupt, INTERRUPTED),
    (ConnectomeDBError, GENERAL),
)


def exit_code(fault: BaseException) -> int:
    """The exit code of an error. Files that all failed for want of room count as no space."""
    if isinstance(fault, MirrorIncomplete) and any(isinstance(error, DiskFull) for error in fault.failures.values()):
        return NO_SPACE
    return next((code for kind, code in EXIT_CODES if isinstance(fault, kind)), GENERAL)


def format_fault(fault: BaseException) -> str:
    """The error for programs: a JSON object in one line, whose `error` is the name of its class.

    `failures`: paths of files that failed, each with the name of its error and its message.
    """
    document: dict[str, object] = {
        "error": type(fault).__name__,
        "message": sentence(fault),
        "exit_code": exit_code(fault),
        "transient": bool(getattr(fault, "transient", False)),
    }
    if isinstance(fault, MirrorIncomplete):
        document["failures"] = {
            path: {"error": type(error).__name__, "message": str(error)} for path, error in fault.failures.items()
        }
    return json.dumps(document, ensure_ascii=False)


def sentence(fault: BaseException) -> str:
    """The error in words for a person."""
    if isinstance(fault, KeyboardInterrupt):
        return "Interrupted. What is done stays done: run the same command to go on."
    if isinstance(fault, ImportError):
        return f"{fault}. Install what it needs: pip install 'connectomedb[all]'."
    return str(fault) or type(fault).__name__

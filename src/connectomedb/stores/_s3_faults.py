"""What S3's refusals mean, in sentences: one table from its error codes.

Source: S3 API reference, error responses.
"""

import re
from collections.abc import Mapping

from connectomedb.config import is_proxied
from connectomedb.errors import ObjectMissing, StoreDenied, StoreError, StoreUnreachable, VersionChanged

_CURES = {
    "InvalidAccessKeyId": "The access key is not known: creating a new key ends the old one; enter the new one.",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key: enter both again.",
    "AccessDenied": "The key is valid but may not read this: accept the data-use terms, or ask for the right.",
    "ExpiredToken": "The session token has expired: sign in again.",
    "RequestTimeTooSkewed": "This machine's clock is wrong: set it.",
    "PermanentRedirect": "The bucket lies in another region: give region=.",
    "AuthorizationHeaderMalformed": "The bucket lies in another region: give region=.",
    "NoSuchBucket": "There is no such bucket at this endpoint: check its name and endpoint_url.",
}

_MISSING = ("NoSuchBucket", "NoSuchKey")
_BUSY = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable")
_CHANGED = (412, 416)


def fault_of_reply(store: str, key: str, status: int, body: str, headers: Mapping[str, str]) -> StoreError:
    """The error that a refusing reply stands for. `headers` have names in lower case."""
    code = _code(body)
    asked = _asked(store, key)
    if code in _MISSING or (status == 404 and not code):
        cure = _CURES.get(code, "There is no such object.")
        return ObjectMissing(f"{asked} It answered {code or status}. {cure}", store=store, key=key)
    if status >= 500 or status == 429 or code in _BUSY:
        message = f"{asked} It answered {code or status}. Check endpoint and network, then run again."
        return StoreUnreachable(message, store=store, key=key, retry_after_s=_seconds(headers.get("retry-after")))
    if code in _CURES or status in (301, 307, 400, 401, 403):
        cure = _CURES.get(code, "Check the access key, its rights and the data-use terms.")
        return StoreDenied(f"{asked} It answered {code or status}. {cure}", store=store, key=key)
    if status in _CHANGED:
        return VersionChanged(f"{asked} The object was replaced meanwhile: run again.", store=store, key=key)
    return StoreError(f"{asked} It answered {status} {code}.", store=store, key=key)


def fault_of_engine(store: str, key: str, fault: Exception) -> StoreError:
    """The error that a fault of the engine stands for: status and S3's code stand in its text."""
    text = str(fault)
    status = re.search(r"status code: (\d{3})", text)
    if status:
        return fault_of_reply(store, key, int(status.group(1)), text, {})
    if isinstance(fault, FileNotFoundError):
        return fault_of_reply(store, key, 404, "", {})
    return unreachable(store, key)


def unreachable(store: str, key: str) -> StoreUnreachable:
    """The store does not answer, or broke off."""
    proxy = ", and the proxy that the environment names" if is_proxied() else ""
    what = f"It does not answer, or broke off. Check endpoint and network{proxy}, then run again."
    return StoreUnreachable(f"{_asked(store, key)} {what}", store=store, key=key)


def _asked(store: str, key: str) -> str:
    return f"Asked {store} for {key or 'a listing'}."


def _code(body: str) -> str:
    found = re.search(r"<Code>(\w+)</Code>", body)
    return found.group(1) if found else ""


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds; a date there is passed over, the usual waiting serves as well."""
    return float(text) if text and text.isdecimal() else None

"""What S3's refusals mean, in sentences: one table from its error codes.

Source: S3 API reference, error responses.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from socket import gaierror
from urllib.parse import urlsplit

from connectomedb.config.proxies import is_proxied
from connectomedb.errors import ObjectMissing, StoreDenied, StoreError, StoreUnreachable, VersionChanged

_CLOCK = "This machine's clock is wrong: set it."

_CURES = {
    "InvalidAccessKeyId": "The access key is not known: creating a new key ends the old one; enter the new one.",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key: enter both again.",
    "AccessDenied": "Whoever has this key, or none, may not read it: accept the data-use terms, or ask for the right.",
    "ExpiredToken": "The session token has expired: sign in again.",
    "RequestTimeTooSkewed": _CLOCK,
    "PermanentRedirect": "The bucket lies in another region: give region=.",
    "AuthorizationHeaderMalformed": "The bucket lies in another region: give region=.",
    "NoSuchBucket": "There is no such bucket at this endpoint: check its name and endpoint_url.",
}

_CERTIFICATE_CURES = {
    "mismatch": "Write the address as the certificate has it.",
    "expired": "Ask who runs it to renew it, and look at this machine's clock.",
    "not yet valid": _CLOCK,
    "": "If you trust who runs it, name its authority in SSL_CERT_FILE.",
}
"""By what OpenSSL says of a certificate; the first that fits."""

_SKEW_S = 900.0
"""How far S3 lets clocks be apart. Source: S3 API reference, RequestTimeTooSkewed."""
_NOT_NOW = re.compile(r"<Message>[^<]*(?:expired|not (?:yet valid|valid yet))", re.IGNORECASE)
"""A signed address that is valid for an hour is expired, or not valid yet, by the store's clock alone."""
_REGION = re.compile(r"<Region>([a-z0-9-]+)</Region>")
_ABROAD = ("PermanentRedirect", "AuthorizationHeaderMalformed")

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
        return StoreUnreachable(message, store=store, key=key, retry_after_s=_retry_after_s(headers))
    if code in _CURES or status in (400, 401, 403) or 300 <= status < 400:
        cure = _cure(code, status, body, headers)
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


def unreachable(store: str, key: str, said: str = "") -> StoreUnreachable:
    """The store does not answer, or broke off; or what it sends, as `said` in a sentence, is no answer."""
    proxy = ", and the proxy that the environment names" if is_proxied() else ""
    said = said or "It does not answer, or broke off."
    what = f"{said} Check endpoint and network{proxy}, then run again."
    return StoreUnreachable(f"{_asked(store, key)} {what}", store=store, key=key)


def said_of(fault: BaseException | None) -> str:
    """What broke a connection, in a sentence; empty where nothing more can be said than that it broke."""
    from ssl import SSLCertVerificationError, SSLError

    match fault:
        case SSLCertVerificationError(verify_message=why):
            cure = next(cure for words, cure in _CERTIFICATE_CURES.items() if words in why)
            return f"Its certificate is not accepted: {why.rstrip('.')}. {cure}"
        case SSLError():
            return "It does not speak TLS as is due: does its address begin with https:// where it should be http://?"
        case gaierror():
            return "Its host's name is not known here."
    return ""


def _asked(store: str, key: str) -> str:
    return f"Asked {store} for {key or 'a listing'}."


def _host(address: str) -> str:
    """Where an address leads, without what may be secret in it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else "another path"


def _code(body: str) -> str:
    found = re.search(r"<Code>(\w+)</Code>", body)
    return found.group(1) if found else ""


def _cure(code: str, status: int, body: str, headers: Mapping[str, str]) -> str:
    """What to do about a refusal, by its code and what else it tells."""
    home = _REGION.search(body)
    region = home.group(1) if home else headers.get("x-amz-bucket-region")
    if region and (code in _ABROAD or status in (301, 307)):
        return f"The bucket lies in another region: give region={region!r}."
    if 300 <= status < 400 and code not in _CURES:
        where = f" to {_host(headers['location'])}" if "location" in headers else ""
        return f"It sends us on{where}. The bucket may lie in another region (region=), or the endpoint be no S3."
    apart_s = (datetime.now(UTC) - (_time(headers.get("date")) or datetime.now(UTC))).total_seconds()
    if code in ("AccessDenied", "RequestTimeTooSkewed", "") and abs(apart_s) > _SKEW_S:
        way = "ahead" if apart_s > 0 else "behind"
        return f"This machine's clock is {abs(apart_s) / 60:.0f} minutes {way}: set it."
    if code == "AccessDenied" and _NOT_NOW.search(body):
        return _CLOCK
    return _CURES.get(code, "Check the access key, its rights and the data-use terms.")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds; it is a number of them, or a date by the store's own clock."""
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdecimal():
        return float(text)
    until, now = _time(text), _time(headers.get("date")) or datetime.now(UTC)
    return None if until is None else max(0.0, (until - now).total_seconds())


def _time(text: str | None) -> datetime | None:
    """A date of HTTP; None for what is none."""
    from email.utils import parsedate_to_datetime  # costs more than the rest of this module, and only faults need it

    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

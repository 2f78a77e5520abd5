"""Signs single requests to S3 that the engine cannot send, in headers or in the address: AWS Signature Version 4.

Source: S3 API reference, authenticating requests.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

from connectomedb.config.s3 import S3Settings

DEFAULT_REGION = "us-east-1"
"""Region of HCP's bucket. Source: Registry of Open Data on AWS, hcp-openaccess."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_EMPTY = hashlib.sha256(b"").hexdigest()


def origin_of(settings: S3Settings) -> str:
    """Where a store is: scheme and host, without a slash at the end."""
    default = f"https://s3.{settings.region or DEFAULT_REGION}.amazonaws.com"
    return (settings.endpoint_url or default).rstrip("/")


def signed_headers(
    settings: S3Settings, method: str, host: str, path: str, query: str, now: datetime
) -> dict[str, str]:
    """Headers of a request without body; without a key in the settings only `host`.

    Args:
        path, query: percent-encoded, as they are sent; the query's parts sorted by name.
        now: in UTC.
    """
    if settings.access_key is None:
        return {"host": host}
    token = {"x-amz-security-token": settings.session_token} if settings.session_token else {}
    headers = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": _time(now), **token}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    signature = _signature(settings, now, f"{method}\n{path}\n{query}\n{lines}\n{names}\n{_EMPTY}")
    credential = f"{_ALGORITHM} Credential={settings.access_key}/{_scope(settings, now)}"
    return {**headers, "Authorization": f"{credential}, SignedHeaders={names}, Signature={signature}"}


def presigned(url: str, settings: S3Settings, lifetime: timedelta, now: datetime, answer: Mapping[str, str]) -> str:
    """The URL of an object, signed: anybody may GET it for so long.

    Args:
        url: without a query, its path percent-encoded.
        now: in UTC.
        answer: parameters that say how S3 is to answer, like `response-content-type`.
    """
    parts = urlsplit(url)
    given = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{settings.access_key}/{_scope(settings, now)}",
        "X-Amz-Date": _time(now),
        "X-Amz-Expires": str(int(lifetime.total_seconds())),
        "X-Amz-SignedHeaders": "host",
        **({"X-Amz-Security-Token": settings.session_token} if settings.session_token else {}),
        **answer,
    }
    query = urlencode(sorted(given.items()), quote_via=quote, safe="")
    request = f"GET\n{parts.path}\n{query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    return f"{url}?{query}&X-Amz-Signature={_signature(settings, now, request)}"


def _time(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%SZ}"


def _scope(settings: S3Settings, now: datetime) -> str:
    """What a signature of that time is good for."""
    return f"{now:%Y%m%d}/{settings.region or DEFAULT_REGION}/s3/aws4_request"


def _signature(settings: S3Settings, now: datetime, request: str) -> str:
    """The signature of a request in its canonical form: hex digits."""
    scope = _scope(settings, now)
    text = f"{_ALGORITHM}\n{_time(now)}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{settings.secret_key or ''}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()

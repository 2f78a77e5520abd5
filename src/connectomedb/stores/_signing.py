"""Requests to S3 signed here, where our engine cannot: listings, ones that say how to answer, keys that end in `/`.

Source: AWS's description of Signature Version 4.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

from connectomedb.config.s3 import S3Settings

ALGORITHM = "AWS4-HMAC-SHA256"
DEFAULT_REGION = "us-east-1"
"""Region of HCP's bucket. Source: Registry of Open Data on AWS, hcp-openaccess."""

_EMPTY = hashlib.sha256(b"").hexdigest()


def origin_of(settings: S3Settings) -> str:
    """Where a store is: scheme and host, without a slash at the end."""
    default = f"https://s3.{settings.region or DEFAULT_REGION}.amazonaws.com"
    return (settings.endpoint_url or default).rstrip("/")


def scope_of(region: str, now: datetime) -> str:
    """What a signature of that UTC time is good for."""
    return f"{now:%Y%m%d}/{region}/s3/aws4_request"


def signature_of(secret_key: str, scope: str, now: datetime, request: str) -> str:
    """The signature of a request in its canonical form: hex digits."""
    text = f"{ALGORITHM}\n{now:%Y%m%dT%H%M%SZ}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def presigned(
    url: str, settings: S3Settings, region: str, lifetime: timedelta, now: datetime, answer: Mapping[str, str]
) -> str:
    """The URL of an object, signed: anybody may GET it for so long.

    Args:
        url: without a query, its path percent-encoded.
        answer: parameters that say how S3 is to answer, like `response-content-type`.
    """
    parts = urlsplit(url)
    scope = scope_of(region, now)
    given = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{settings.access_key}/{scope}",
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(int(lifetime.total_seconds())),
        "X-Amz-SignedHeaders": "host",
        **({"X-Amz-Security-Token": settings.session_token} if settings.session_token else {}),
        **answer,
    }
    query = urlencode(sorted(given.items()), quote_via=quote, safe="")
    request = f"GET\n{parts.path}\n{query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    return f"{url}?{query}&X-Amz-Signature={signature_of(settings.secret_key or '', scope, now, request)}"


def signed_headers(
    settings: S3Settings, method: str, host: str, path: str, query: str, now: datetime
) -> dict[str, str]:
    """Headers of a request without body; without a key in the settings only `Host`.

    Args:
        path, query: percent-encoded, as they are sent; the query's parts sorted by name.
        now: in UTC.
    """
    if settings.access_key is None:
        return {"Host": host}
    scope = scope_of(settings.region or DEFAULT_REGION, now)
    token = {"x-amz-security-token": settings.session_token} if settings.session_token else {}
    headers = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}", **token}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{_EMPTY}"
    signature = signature_of(settings.secret_key or "", scope, now, request)
    credential = f"{ALGORITHM} Credential={settings.access_key}/{scope}"
    return {**headers, "Authorization": f"{credential}, SignedHeaders={names}, Signature={signature}"}

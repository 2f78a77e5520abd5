"""Requests to S3 signed here, where our engine cannot: ones that say how to answer, and keys that end in `/`.

Source: AWS's description of Signature Version 4.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

from connectomedb.config.s3 import S3Settings

ALGORITHM = "AWS4-HMAC-SHA256"


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

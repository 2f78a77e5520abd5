"""Signs single requests to S3, for those that the engine cannot send: AWS Signature Version 4, in headers.

Source: S3 API reference, authenticating requests with the Authorization header.
"""

import hashlib
import hmac
from datetime import datetime

from connectomedb.config.s3 import S3Settings

DEFAULT_REGION = "us-east-1"
"""Region of HCP's bucket. Source: Registry of Open Data on AWS, hcp-openaccess."""

_EMPTY = hashlib.sha256(b"").hexdigest()


def origin_of(settings: S3Settings) -> str:
    """Where a store is: scheme and host, without a slash at the end."""
    default = f"https://s3.{settings.region or DEFAULT_REGION}.amazonaws.com"
    return (settings.endpoint_url or default).rstrip("/")


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
    time, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/{settings.region or DEFAULT_REGION}/s3/aws4_request"
    token = {"x-amz-security-token": settings.session_token} if settings.session_token else {}
    headers = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": time, **token}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{_EMPTY}"
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{settings.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={settings.access_key}/{scope}"
    return {**headers, "Authorization": f"{credential}, SignedHeaders={names}, Signature={signature}"}

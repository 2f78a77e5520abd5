"""Puts the marker of a pseudo-directory: a zero-byte object whose key ends in a slash.

Old buckets have them, so listings show a folder inside itself. Our S3 engine cannot write such keys, hence
one request signed here. Source: AWS's description of Signature Version 4.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import httpx2

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import StoreDenied
from connectomedb.stores.s3 import DEFAULT_REGION

_EMPTY = hashlib.sha256(b"").hexdigest()
_SIGNED = "host;x-amz-content-sha256;x-amz-date"


def put_marker(settings: S3Settings, bucket: str, key: str) -> None:
    """Put the marker `key`, which ends in `/`. Raises StoreDenied when the store refuses it."""
    path = f"/{bucket}/{quote(key)}"
    endpoint = (settings.endpoint_url or "").rstrip("/")
    reply = httpx2.put(endpoint + path, headers=_headers(settings, urlsplit(endpoint).netloc, path, datetime.now(UTC)))
    if reply.status_code != httpx2.codes.OK:
        raise StoreDenied(f"Asked {endpoint} to keep {key}. It answered {reply.status_code}.", store=bucket, key=key)


def _headers(settings: S3Settings, host: str, path: str, now: datetime) -> dict[str, str]:
    """Headers of a PUT without body, signed."""
    time, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/{settings.region or DEFAULT_REGION}/s3/aws4_request"
    request = f"PUT\n{path}\n\nhost:{host}\nx-amz-content-sha256:{_EMPTY}\nx-amz-date:{time}\n\n{_SIGNED}\n{_EMPTY}"
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{settings.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={settings.access_key}/{scope}"
    return {
        "Host": host,
        "x-amz-content-sha256": _EMPTY,
        "x-amz-date": time,
        "Authorization": f"{credential}, SignedHeaders={_SIGNED}, Signature={signature}",
    }

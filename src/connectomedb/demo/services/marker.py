"""Puts the marker of a pseudo-directory: a zero-byte object whose key ends in a slash.

Old buckets have them, so listings show a folder inside itself. Our S3 engine cannot write such keys, hence
one request signed here.
"""

import hashlib
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import httpx2

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import StoreDenied
from connectomedb.stores._signing import ALGORITHM, scope_of, signature_of
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
    time = f"{now:%Y%m%dT%H%M%SZ}"
    scope = scope_of(settings.region or DEFAULT_REGION, now)
    request = f"PUT\n{path}\n\nhost:{host}\nx-amz-content-sha256:{_EMPTY}\nx-amz-date:{time}\n\n{_SIGNED}\n{_EMPTY}"
    signature = signature_of(settings.secret_key or "", scope, now, request)
    credential = f"{ALGORITHM} Credential={settings.access_key}/{scope}"
    return {
        "Host": host,
        "x-amz-content-sha256": _EMPTY,
        "x-amz-date": time,
        "Authorization": f"{credential}, SignedHeaders={_SIGNED}, Signature={signature}",
    }

"""Puts the marker of a pseudo-directory: a zero-byte object whose key ends in a slash.

Old buckets have them, so listings show a folder inside itself. Our S3 engine cannot write such keys, hence
one request of our own.
"""

from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import httpx2

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import StoreDenied
from connectomedb.stores._signing import signed_headers


def put_marker(settings: S3Settings, bucket: str, key: str) -> None:
    """Put the marker `key`, which ends in `/`. Raises StoreDenied when the store refuses it."""
    path = f"/{bucket}/{quote(key)}"
    endpoint = (settings.endpoint_url or "").rstrip("/")
    headers = signed_headers(settings, "PUT", urlsplit(endpoint).netloc, path, "", datetime.now(UTC))
    reply = httpx2.put(endpoint + path, headers=headers)
    if reply.status_code != httpx2.codes.OK:
        raise StoreDenied(f"Asked {endpoint} to keep {key}. It answered {reply.status_code}.", store=bucket, key=key)

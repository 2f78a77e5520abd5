"""A store that is an S3 bucket, through obstore: AWS, SeaweedFS, MinIO, Ceph or any other.

obstore cuts the `/` at the end of a pseudo-directory's zero-byte marker, and matches prefixes part by
part; both are put right here, so keys and prefixes mean what S3 says. Faults come as text from the
engine; `_CURES` turns S3's error codes into sentences.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from connectomedb.config import S3Settings
from connectomedb.errors import ObjectMissing, StoreDenied, StoreError, StoreUnreachable
from connectomedb.hcp.paths import check_path
from connectomedb.stores.base import Level, ObjectInfo
from connectomedb.transfer.checksum import CHUNK_BYTES, md5_of_etag

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ClientConfig, S3Config
    from obstore.store import S3Store as Engine

DEFAULT_REGION = "us-east-1"
"""Region of HCP's bucket. Source: Registry of Open Data on AWS, hcp-openaccess."""

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


class S3Store:
    """One bucket. `timeout_s` bounds connecting and each wait for bytes, not a whole transfer."""

    def __init__(self, bucket: str, settings: S3Settings, *, timeout_s: float = 20.0) -> None:
        self.bucket = bucket
        self.settings = settings
        self._timeout = timedelta(seconds=timeout_s)
        self._engine: Engine | None = None

    @property
    def name(self) -> str:
        """`s3://bucket`, and the endpoint when it is not AWS."""
        where = f" at {self.settings.endpoint_url}" if self.settings.endpoint_url else ""
        return f"s3://{self.bucket}{where}"

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key begins with `prefix`, page by page; markers of pseudo-directories left out."""
        import obstore

        folder = prefix.rpartition("/")[0]
        with self._translated(prefix):
            for page in obstore.list(self._store, f"{folder}/" if folder else None):
                found = [_describe(meta) for meta in page if meta["path"].startswith(prefix)]
                yield from (info for info in found if info.size or not self._is_marker(info.key))

    def list_level(self, prefix: str = "") -> Level:
        """What stands directly below `prefix`, its own marker (a key ending in `/`) included."""
        import obstore

        folder = prefix.rpartition("/")[0]
        with self._translated(prefix):
            listing = obstore.list_with_delimiter(self._store, f"{folder}/" if folder else None)
        objects = [_describe(meta) for meta in listing["objects"]]
        own = [ObjectInfo(f"{info.key}/", 0, info.etag, None, info.modified) for info in objects if info.key == folder]
        below = [info for info in objects if info.key.startswith(prefix) and info.key != folder]
        prefixes = (f"{path}/" for path in listing["common_prefixes"])
        return Level((*own, *below), tuple(path for path in prefixes if path.startswith(prefix)))

    def head(self, key: str) -> ObjectInfo:
        """One object's facts, by one request. Raises ObjectMissing."""
        import obstore

        with self._translated(key):
            return _describe(obstore.head(self._store, check_path(key)))

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The object's bytes from `offset`, in pieces of about 1 MiB. Raises ObjectMissing."""
        import obstore

        options: GetOptions = {}
        if length is not None:
            options["range"] = (offset, offset + length)
        elif offset:
            options["range"] = {"offset": offset}
        with self._translated(key):
            reply = obstore.get(self._store, check_path(key), options=options)
        return self._stream(key, reply.stream(min_chunk_size=CHUNK_BYTES))

    def put(self, key: str, content: Path | bytes) -> ObjectInfo:
        """Keep a file or bytes under `key` by one request, so that the ETag is an MD5."""
        import obstore

        with self._translated(key):
            reply = obstore.put(self._store, check_path(key), content, use_multipart=False)
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        return ObjectInfo(key, size, reply["e_tag"], md5_of_etag(reply["e_tag"]))

    def delete(self, key: str) -> None:
        """Remove an object. A missing one is no error."""
        import obstore

        with self._translated(key):
            obstore.delete(self._store, check_path(key))

    def close(self) -> None:
        """Let go of connections."""
        self._engine = None

    @property
    def _store(self) -> "Engine":
        if self._engine is None:
            self._engine = _open_engine(self.bucket, self.settings, self._timeout)
        return self._engine

    def _is_marker(self, path: str) -> bool:
        """Whether a zero-byte path of a listing stands for `path/`: then there is no object `path` itself."""
        import obstore

        try:
            obstore.head(self._store, path)
        except FileNotFoundError:
            return True
        return False

    def _stream(self, key: str, pieces: Iterable[object]) -> Iterator[bytes]:
        with self._translated(key):
            for piece in pieces:
                yield bytes(memoryview(piece))  # type: ignore[arg-type]  # obstore's Bytes offers the buffer protocol

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as fault:
            raise _translate(fault, self.name, key) from fault


def _open_engine(bucket: str, settings: S3Settings, timeout: timedelta) -> "Engine":
    from obstore.store import S3Store as Engine

    config: S3Config = {"region": settings.region or DEFAULT_REGION}
    if settings.anonymous:
        config["skip_signature"] = True
    if settings.access_key and settings.secret_key:
        config["access_key_id"] = settings.access_key
        config["secret_access_key"] = settings.secret_key
    if settings.session_token:
        config["session_token"] = settings.session_token
    if settings.endpoint_url:
        config["endpoint"] = settings.endpoint_url
    client: ClientConfig = {
        "allow_http": bool(settings.endpoint_url and settings.endpoint_url.startswith("http://")),
        "connect_timeout": timeout,
        "read_timeout": timeout,
        "timeout": timedelta(days=1),
    }
    return Engine(
        bucket,
        config=config,
        client_options=client,
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )


def _describe(meta: "ObjectMeta") -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], meta["e_tag"], md5_of_etag(meta["e_tag"]), meta["last_modified"])


def _translate(fault: Exception, store: str, key: str) -> StoreError:
    """One sentence for one fault of the engine; the status and S3's code stand in its text."""
    text = str(fault)
    code = _first(r"<Code>(\w+)</Code>", text)
    status = _first(r"status code: (\d{3})", text)
    asked = f"Asked {store} for {key or 'a listing'}."
    if code in _CURES or status in ("401", "403"):
        denied = ObjectMissing if code == "NoSuchBucket" else StoreDenied
        cure = _CURES.get(code, "Check the access key, its rights and the data-use terms.")
        return denied(f"{asked} It answered {code or status}. {cure}", store=store, key=key)
    if isinstance(fault, FileNotFoundError) or status == "404":
        return ObjectMissing(f"{asked} There is no such object.", store=store, key=key)
    if not status or status.startswith("5") or status == "429":
        reason = f"It answered {code or status}" if status else "It does not answer, or broke off"
        return StoreUnreachable(f"{asked} {reason}. Check endpoint and network, then run again.", store=store, key=key)
    return StoreError(f"{asked} It answered {status} {code}.", store=store, key=key)


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else ""

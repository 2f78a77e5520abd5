"""A store that is an S3 bucket, through obstore: AWS, SeaweedFS, MinIO, Ceph or any other.

Listings are requests of our own (`stores._s3_listing`), and reading for the transfer engine goes over `stores._wire`
with URLs that obstore signs (docs/decisions/0005); obstore does both where that cannot be, and all the rest.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from connectomedb.config.proxies import is_proxied
from connectomedb.config.s3 import S3Settings
from connectomedb.hcp.paths import check_path
from connectomedb.stores._answers import Misfit, is_whole, version_of
from connectomedb.stores._s3_faults import fault_of_engine, fault_of_reply, said_of, unreachable
from connectomedb.stores._signature import DEFAULT_REGION, origin_of, presigned
from connectomedb.stores._wire import Broken, Head, Unplain, Wire
from connectomedb.stores.base import Level, ObjectInfo, pour_pieces, window
from connectomedb.transfer.checksum import CHUNK_BYTES, md5_of_etag
from connectomedb.transfer.pace import at_pace
from connectomedb.transfer.source import OnVersion, Sink, Span, Streams

if TYPE_CHECKING:
    from obstore import BytesStream, GetOptions, GetResult
    from obstore.store import ClientConfig, S3Config
    from obstore.store import S3Store as Engine

    from connectomedb.stores._page import Page

PART_BYTES = 32 << 20
MAX_PARTS = 10_000
SIGNED_FOR = timedelta(hours=1)
NEAR_S = 0.00025
"""A connection made in less time leads to this machine or its neighbour; within a region of AWS it takes longer."""


class S3Store:
    """One bucket. `timeout_s` bounds connecting and each wait for bytes, not a whole transfer."""

    def __init__(self, bucket: str, settings: S3Settings, *, timeout_s: float = 20.0) -> None:
        self.bucket = bucket
        self.settings = settings
        self._timeout = timedelta(seconds=timeout_s)
        self._engine: Engine | None = None
        self._wires: dict[str, Wire] = {}
        self._lock = threading.Lock()
        self._is_proxied = is_proxied()  # which only the full engine can speak to

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled as what it takes to open it anew; the keys go along."""
        return partial(S3Store, timeout_s=self._timeout.total_seconds()), (self.bucket, self.settings)

    @property
    def name(self) -> str:
        """`s3://bucket`, and the endpoint when it is not AWS."""
        where = f" at {self.settings.endpoint_url}" if self.settings.endpoint_url else ""
        return f"s3://{self.bucket}{where}"

    @property
    def streams(self) -> Streams:
        """Connections to S3 are bounded each, and several carry more, unless it is next door."""
        is_near = any(wire.nearest_s < NEAR_S for wire in list(self._wires.values()))
        return Streams.FEW if is_near else Streams.MANY

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key begins with `prefix`, page by page; markers of pseudo-directories left out.

        A bucket may hold keys that can be no path: they are listed like others.
        """
        for page in self._pages(prefix):
            yield from (info for info in page.objects if not info.key.endswith("/"))

    def list_level(self, prefix: str = "") -> Level:
        """What stands directly below `prefix`, its own marker (a key ending in `/`) included."""
        pages = list(self._pages(prefix, "/"))
        objects = tuple(info for page in pages for info in page.objects)
        return Level(objects, tuple(dict.fromkeys(path for page in pages for path in page.prefixes)))

    def _pages(self, prefix: str, delimiter: str = "") -> "Iterator[Page]":
        """What begins with `prefix`, as it comes."""
        from connectomedb.stores import _engine_listing, _s3_listing
        from connectomedb.stores._page import Page

        if self._is_proxied or not (self.settings.anonymous or self.settings.access_key):
            # Only the full engine speaks to proxies, and asks machines for the keys of their roles.
            with self._translated(prefix):
                yield from _engine_listing.pages(self._store, prefix, delimiter)
            return
        wire = self._open_wire(origin_of(self.settings))
        for page in _s3_listing.Listing(self.name, self.bucket, self.settings, wire, prefix, delimiter):
            # A store that knows no prefixes, or not these, must not smuggle in what lies elsewhere.
            yield Page([info for info in page.objects if info.key.startswith(prefix)], page.prefixes)

    def head(self, key: str) -> ObjectInfo:
        """One object's facts, by one request. Raises ObjectMissing."""
        import obstore

        from connectomedb.stores._engine_listing import describe

        with self._translated(key):
            return describe(obstore.head(self._store, check_path(key)))

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The object's bytes from `offset`, in pieces of about 1 MiB. Raises ObjectMissing."""
        return self._stream(key, self._ask(key, Span(offset, length)).stream(min_chunk_size=CHUNK_BYTES))

    def _ask(self, key: str, span: Span) -> "GetResult":
        """The full engine's reply."""
        import obstore

        options: GetOptions = {"if_match": span.version} if span.version else {}
        if span.length is not None:
            options["range"] = (span.offset, span.offset + span.length)
        elif span.offset:
            options["range"] = {"offset": span.offset}
        with self._translated(key):
            return obstore.get(self._store, check_path(key), options=options)

    def pour(self, key: str, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand the object's bytes to a sink; the version is its ETag. Raises ObjectMissing, VersionChanged."""
        if not self._is_proxied:
            try:
                return self._pour_plainly(key, sink, span, on_version)
            except Unplain:
                pass  # raised before the first byte: the full engine reads such replies
        reply = self._ask(key, span)
        try:
            on_version(version_of(reply.meta["e_tag"]))
        except Misfit as fault:
            raise unreachable(self.name, key, str(fault)) from fault
        # In pieces of any size, as they come, or their pace could not be told.
        pour_pieces(self._stream(key, reply.stream(min_chunk_size=1)), sink)

    def put(self, key: str, content: Path | bytes) -> ObjectInfo:
        """Keep a file or bytes under `key` by one request, so that the ETag is an MD5."""
        import obstore

        with self._translated(key):
            reply = obstore.put(self._store, check_path(key), content, use_multipart=False)
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        return ObjectInfo(key, size, reply["e_tag"], md5_of_etag(reply["e_tag"]))

    def adopt(self, key: str, path: Path) -> ObjectInfo:
        """Keep a file of any size: long ones go in parts, a few of them in memory; their ETag is no MD5."""
        import obstore

        size = path.stat().st_size
        if size <= PART_BYTES:
            return self.put(key, path)
        with self._translated(key):
            # S3 takes at most 10,000 parts of one object.
            part_bytes = max(PART_BYTES, -(-size // MAX_PARTS))
            reply = obstore.put(self._store, check_path(key), path, chunk_size=part_bytes, max_concurrency=2)
        return ObjectInfo(key, size, reply["e_tag"], md5_of_etag(reply["e_tag"]))

    def presign(
        self, key: str, lifetime: timedelta, *, answer: Mapping[str, str] | None = None, endpoint_url: str | None = None
    ) -> str:
        """A URL under which anybody may GET the object for so long.

        Args:
            answer: how S3 is to answer, like `response-content-type`. Of a bucket that is open, or whose keys only the
                engine finds, it answers as it always does.
            endpoint_url: where whoever gets the URL reaches the store, if that is not where we do.
        """
        origin, target = self._signed(check_path(key), lifetime)
        if not (self.settings.access_key and self.settings.secret_key) or self.settings.anonymous:
            return f"{origin}{target}"
        plain = f"{origin}{target.partition('?')[0]}"
        if endpoint_url:
            plain = f"{endpoint_url.rstrip('/')}/{self.bucket}/{quote(key)}"
        return presigned(plain, self.settings, lifetime, datetime.now(UTC), answer or {})

    def delete(self, key: str) -> None:
        """Remove an object. A missing one is no error."""
        import obstore

        with self._translated(key):
            obstore.delete(self._store, check_path(key))

    @property
    def is_copy(self) -> bool:
        """A bucket is where a release is published."""
        return False

    def close(self) -> None:
        """Let go of connections."""
        self._engine = None
        for wire in self._wires.values():
            wire.close()

    @property
    def _store(self) -> "Engine":
        if self._engine is None:
            self._engine = _open_engine(self.bucket, self.settings, self._timeout)
        return self._engine

    def _pour_plainly(self, key: str, sink: Sink, span: Span, on_version: OnVersion) -> None:
        origin, target = self._signed(check_path(key))
        headers = {"If-Match": span.version} if span.version else {}
        if span.offset or span.length is not None:
            headers["Range"] = f"bytes={span.offset}-{'' if span.length is None else span.offset + span.length - 1}"

        def choose(head: Head) -> Sink:
            # S3 names the version of every object that it sends; bytes that are nobody's are not an answer to us.
            on_version(version_of(head.headers.get("etag")))
            is_cut = "Range" in headers and is_whole(head.status, head.headers, span)
            return window(sink, span) if is_cut else sink

        try:
            head = self._open_wire(origin).get(target, headers, choose)
        except Broken as fault:
            raise unreachable(self.name, key, said_of(fault.__cause__)) from fault
        except Misfit as fault:
            raise unreachable(self.name, key, str(fault)) from fault
        if not 200 <= head.status < 300:
            raise fault_of_reply(self.name, key, head.status, head.error, head.headers)

    def _signed(self, key: str, lifetime: timedelta = SIGNED_FOR) -> tuple[str, str]:
        """A URL for GETs of a key, valid for so long: origin, and path with query."""
        import obstore

        if self.settings.anonymous:
            return origin_of(self.settings), f"/{self.bucket}/{quote(key)}"
        with self._translated(key):
            url = obstore.sign(self._store, "GET", key, lifetime)
        scheme, _, rest = url.partition("://")
        host, _, target = rest.partition("/")
        return f"{scheme}://{host}", f"/{target}"

    def _open_wire(self, origin: str) -> Wire:
        parts = urlsplit(origin)
        with self._lock:
            wire = self._wires.get(parts.netloc)
            if wire is None:
                wire = self._wires[parts.netloc] = Wire(origin, timeout_s=self._timeout.total_seconds())
            return wire

    def _stream(self, key: str, pieces: "BytesStream") -> Iterator[bytes]:
        with self._translated(key):
            yield from at_pace(pieces, self._timeout.total_seconds())

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as fault:
            raise fault_of_engine(self.name, key, fault) from fault
        except Misfit as fault:
            raise unreachable(self.name, key, str(fault)) from fault


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

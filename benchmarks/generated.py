"""A store of objects that nobody keeps: S3's listing and ranged GET over bytes made as they are asked for.

For measuring a client's memory on objects too large to store beside their copy. It is no yardstick of speed.
Every object is one seeded block, repeated. Signatures are not looked at.
"""

import hashlib
import random
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

HOST = "127.0.0.1"
BLOCK = random.Random(1200).randbytes(1 << 20)
PAGE_KEYS = 1000
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_DATE = "2013-02-14T00:00:00.000Z"


@lru_cache(maxsize=100_000)
def md5_of(size: int) -> str:
    """MD5 of an object of so many bytes, 32 lower-case hex."""
    digest = hashlib.md5(usedforsecurity=False)
    for _ in range(size // len(BLOCK)):
        digest.update(BLOCK)
    digest.update(BLOCK[: size % len(BLOCK)])
    return digest.hexdigest()


class GeneratedStore(ThreadingHTTPServer):
    """Serves a bucket: key -> size of an object made up, in bytes, or the content of one given."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, objects: Mapping[str, int | bytes]) -> None:
        super().__init__((HOST, 0), _Handler)
        self.objects = dict(objects)
        self.keys = sorted(self.objects)
        self.endpoint_url = f"http://{HOST}:{self.server_port}"

    @classmethod
    @contextmanager
    def start(cls, objects: Mapping[str, int | bytes]) -> "Iterator[GeneratedStore]":
        """Serve until the end of the context."""
        with cls(objects) as running:
            thread = threading.Thread(target=running.serve_forever, name="generated-store")
            thread.start()
            try:
                yield running
            finally:
                running.shutdown()
                thread.join()

    def size(self, key: str) -> int:
        """Bytes of an object."""
        kept = self.objects[key]
        return kept if isinstance(kept, int) else len(kept)

    def etag(self, key: str) -> str:
        """What S3 would say of an object that was put by one request."""
        kept = self.objects[key]
        return md5_of(kept) if isinstance(kept, int) else hashlib.md5(kept, usedforsecurity=False).hexdigest()

    def pieces(self, key: str, start: int, stop: int) -> Iterator[memoryview]:
        """An object's bytes from `start` up to `stop`."""
        kept = self.objects[key]
        if isinstance(kept, bytes):
            yield memoryview(kept)[start:stop]
            return
        while start < stop:
            place = start % len(BLOCK)
            piece = memoryview(BLOCK)[place : place + stop - start]
            yield piece
            start += len(piece)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 << 10
    server: GeneratedStore

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        key = unquote(parts.path).lstrip("/").partition("/")[2]
        if "list-type" in parts.query:
            words = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._send(200, self._page(words.get("prefix", ""), int(words.get("continuation-token", "0"))))
        elif key not in self.server.objects:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._send_object(key)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""

    def _send_object(self, key: str) -> None:
        size = self.server.size(key)
        start, stop, status = 0, size, 200
        if found := _RANGE.fullmatch(self.headers.get("Range", "")):
            start, status = int(found[1]), 206
            stop = min(size, int(found[2]) + 1) if found[2] else size
        self.send_response(status)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("ETag", f'"{self.server.etag(key)}"')
        self.send_header("Last-Modified", "Thu, 14 Feb 2013 00:00:00 GMT")
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        if self.command == "GET":
            for piece in self.server.pieces(key, start, stop):
                self.wfile.write(piece)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _page(self, prefix: str, start: int) -> bytes:
        keys = [key for key in self.server.keys if key.startswith(prefix)]
        shown = keys[start : start + PAGE_KEYS]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{_DATE}</LastModified>"
            f'<ETag>"{self.server.etag(key)}"</ETag><Size>{self.server.size(key)}</Size></Contents>'
            for key in shown
        )
        following = start + len(shown)
        is_cut = following < len(keys)
        token = f"<NextContinuationToken>{following}</NextContinuationToken>" if is_cut else ""
        return (
            f"<ListBucketResult><Name>benchmark</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(shown)}</KeyCount>"
            f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
        ).encode()

"""Lists a bucket page by page, by requests of our own.

The engine's listing waits for ever where a store sends pages without end, and refuses all of a listing for one key
that it holds to be no path.
"""

import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlencode, urlsplit

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import StoreError
from connectomedb.stores._answers import Misfit
from connectomedb.stores._page import ENCODING, Page, read_page
from connectomedb.stores._s3_faults import fault_of_reply, said_of, unreachable
from connectomedb.stores._signature import origin_of, signed_headers
from connectomedb.transfer.pace import Pace
from connectomedb.transfer.retry import Patience

TRIES = 4
MOST_EMPTY = 100
"""Pages in a row without a key: a store may send some where many objects were deleted."""

MOST_BYTES = 32 << 20
"""Longest page: a thousand keys of a thousand characters, each percent-encoded, take ten MB."""

_PIECE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Listing:
    """What is below a prefix of a bucket; `store` is its name for people. Raises StoreError while it is iterated."""

    store: str
    bucket: str
    settings: S3Settings
    timeout_s: float
    prefix: str
    delimiter: str = ""

    def __iter__(self) -> Iterator[Page]:
        stop = threading.Event()
        with closing(_Line(origin_of(self.settings), self.timeout_s)) as line:
            try:
                yield from self._pages(line, stop)
            finally:
                stop.set()

    def _pages(self, line: "_Line", stop: threading.Event) -> Iterator[Page]:
        """Page by page; the next is on its way while one is read."""
        seen: set[object] = set()
        empty = 0
        coming = self._ask_ahead(line, "", stop)
        while True:
            page = coming.result()
            if not page.following:
                yield page
                return
            sights = {
                page.following,
                *((len(page.objects), page.objects[0].key, info.key) for info in page.objects[-1:]),
            }
            if sights & seen:
                raise self._unreachable("Its listing goes round in circles: a page came twice.")
            seen |= sights
            empty = 0 if page.objects or page.prefixes else empty + 1
            if empty >= MOST_EMPTY:
                raise self._unreachable(f"Its listing does not end: {empty} pages without a key came.")
            coming = self._ask_ahead(line, page.following, stop)
            yield page

    def _ask_ahead(self, line: "_Line", following: str, stop: threading.Event) -> "Future[Page]":
        coming: Future[Page] = Future()

        def ask() -> None:
            try:
                coming.set_result(self._patiently(line, following, stop))
            except BaseException as fault:
                coming.set_exception(fault)

        # Not by a pool: who stops listing need not wait for a page that is late.
        threading.Thread(target=ask, name="listing", daemon=True).start()
        return coming

    def _patiently(self, line: "_Line", following: str, stop: threading.Event) -> Page:
        patience = Patience(stop, TRIES)
        while True:
            try:
                return self._ask(line, following)
            except StoreError as fault:
                line.close()
                if not patience.wait_after(fault):
                    raise

    def _ask(self, line: "_Line", following: str) -> Page:
        words = {
            "continuation-token": following,
            "delimiter": self.delimiter,
            "encoding-type": ENCODING,
            "list-type": "2",
            "prefix": self.prefix,
        }
        query = urlencode({name: value for name, value in words.items() if value}, quote_via=quote, safe="~")
        path = f"{line.path}/{self.bucket}"
        headers = signed_headers(self.settings, "GET", line.host, path, query, datetime.now(UTC))
        try:
            status, said, body = line.get(f"{path}?{query}", headers)
            if status != 200:
                raise fault_of_reply(self.store, self.prefix, status, body.decode("utf-8", "replace"), said)
            return read_page(body)
        except (OSError, HTTPException, Misfit) as fault:
            raise self._unreachable(said_of(fault)) from fault

    def _unreachable(self, said: str) -> StoreError:
        return unreachable(self.store, self.prefix, said)


class _Line:
    """A kept connection to one host."""

    def __init__(self, origin: str, timeout_s: float) -> None:
        parts = urlsplit(origin)
        self.host, self.path = parts.netloc, parts.path
        self._timeout_s = timeout_s
        host = parts.hostname or ""
        self._connection = (
            HTTPSConnection(host, parts.port, timeout=timeout_s, context=ssl.create_default_context())
            if parts.scheme == "https"
            else HTTPConnection(host, parts.port, timeout=timeout_s)
        )

    def get(self, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with names in lower case, and body."""
        self._connection.request("GET", target, headers=headers)
        reply = self._connection.getresponse()
        pace, body = Pace(self._timeout_s), bytearray()
        asked = time.monotonic()
        while piece := reply.read1(_PIECE_BYTES):
            pace.came(len(piece), time.monotonic() - asked)
            body += piece
            if len(body) > MOST_BYTES:
                raise Misfit(f"It sends more than {MOST_BYTES >> 20} MiB as one page of a listing.")
            asked = time.monotonic()
        reply.read()  # nothing more, or it breaks off; after that the connection can be asked again
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, bytes(body)

    def close(self) -> None:
        self._connection.close()

"""Lists a bucket page by page, by requests of our own.

The engine's listing waits for ever where a store sends pages without end, and refuses all of a listing for one key
that it holds to be no path.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import StoreError
from connectomedb.stores._answers import Misfit
from connectomedb.stores._page import ENCODING, Page, read_page
from connectomedb.stores._s3_faults import fault_of_reply, said_of, unreachable
from connectomedb.stores._signature import origin_of, signed_headers
from connectomedb.stores._wire import Broken, Unplain, Wire
from connectomedb.transfer.retry import Patience

TRIES = 4
MOST_EMPTY = 100
"""Pages in a row without a key: a store may send some where many objects were deleted."""

MOST_BYTES = 32 << 20
"""Longest page: a thousand keys of a thousand characters, each percent-encoded, take ten MB."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is below a prefix of a bucket; `store` is its name for people. Raises StoreError while it is iterated."""

    store: str
    bucket: str
    settings: S3Settings
    wire: Wire
    prefix: str
    delimiter: str = ""

    def __iter__(self) -> Iterator[Page]:
        stop = threading.Event()
        try:
            yield from self._pages(stop)
        finally:
            stop.set()

    def _pages(self, stop: threading.Event) -> Iterator[Page]:
        """Page by page; the next is on its way while one is read."""
        seen: set[object] = set()
        empty = 0
        coming = self._ask_ahead("", stop)
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
            coming = self._ask_ahead(page.following, stop)
            yield page

    def _ask_ahead(self, following: str, stop: threading.Event) -> "Future[Page]":
        coming: Future[Page] = Future()

        def ask() -> None:
            try:
                coming.set_result(self._patiently(following, stop))
            except BaseException as fault:
                coming.set_exception(fault)

        # Not by a pool: who stops listing need not wait for a page that is late.
        threading.Thread(target=ask, name="listing", daemon=True).start()
        return coming

    def _patiently(self, following: str, stop: threading.Event) -> Page:
        patience = Patience(stop, TRIES)
        while True:
            try:
                return self._ask(following)
            except StoreError as fault:
                if not patience.wait_after(fault):
                    raise

    def _ask(self, following: str) -> Page:
        words = {
            "continuation-token": following,
            "delimiter": self.delimiter,
            "encoding-type": ENCODING,
            "list-type": "2",
            "prefix": self.prefix,
        }
        query = urlencode({name: value for name, value in words.items() if value}, quote_via=quote, safe="~")
        origin = urlsplit(origin_of(self.settings))
        path = f"{origin.path}/{self.bucket}"
        headers = signed_headers(self.settings, "GET", origin.netloc, path, query, datetime.now(UTC))
        body = bytearray()

        def take(piece: memoryview) -> None:
            body.extend(piece)
            if len(body) > MOST_BYTES:
                raise Misfit(f"It sends more than {MOST_BYTES >> 20} MiB as one page of a listing.")

        try:
            head = self.wire.get(f"{path}?{query}", headers, lambda head: take)
            if not 200 <= head.status < 300:
                raise fault_of_reply(self.store, self.prefix, head.status, head.error, head.headers)
            return read_page(bytes(body))
        except Broken as fault:
            raise self._unreachable(said_of(fault.__cause__)) from fault
        except Unplain as fault:
            raise self._unreachable(f"Its listing cannot be read: {fault}.") from fault
        except Misfit as fault:
            raise self._unreachable(str(fault)) from fault

    def _unreachable(self, said: str) -> StoreError:
        return unreachable(self.store, self.prefix, said)

"""HTTP on one connection, with bounds that uvicorn does not have: on headers, on time, on bodies nobody reads."""

from asyncio import BaseTransport, TimerHandle, Transport
from http import HTTPStatus
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connectomedb.server.settings import Limits

LINGER_S = 2.0
"""How long the rest of a body is thrown away after its answer, so that the client gets to read the answer."""


class LimitedHttp(HttpToolsProtocol):
    """One connection. `limits` are set by a subclass, see `protocol_of`."""

    limits = Limits()
    _head_due: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(cast(Transport, transport))
        self._is_refused = False
        self._is_whole = True
        self._stalled: TimerHandle | None = None
        self._lingering: TimerHandle | None = None
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all timers."""
        for timer in (self._head_due, self._stalled, self._lingering):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a request's line and headers, and refuse too much of it."""
        if self._is_refused:
            return
        if self._head_due is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_due is not None and self._head_bytes > self.limits.header_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request begins; its head must come soon."""
        super().on_message_begin()
        self._is_whole = False
        if self._head_due is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Hand the request on, unless its head is too long."""
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limits.header_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come in whole."""
        self._is_whole = True
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if not self._is_refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer ends; a body that goes on after it does not for long."""
        super().on_response_complete()
        if not self._is_whole:
            self._lingering = self.loop.call_later(LINGER_S, self.transport.close)

    def pause_writing(self) -> None:
        """The client does not read; it has its time."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.limits.pause_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_due = self.loop.call_later(self.limits.idle_s, self.timeout_keep_alive_handler)

    def _refuse(self, status: HTTPStatus) -> None:
        self._is_refused = True
        words = f"{status.phrase}.".encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain\r\n"
        self.transport.write(f"{head}content-length: {len(words)}\r\nconnection: close\r\n\r\n".encode() + words)
        self.loop.call_later(LINGER_S, self.transport.close)


def protocol_of(limits: Limits) -> type[LimitedHttp]:
    """The protocol with these limits."""
    return type("LimitedHttp", (LimitedHttp,), {"limits": limits})

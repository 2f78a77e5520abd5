"""Plain HTTP/1.1 GETs over kept connections, bytes received into one reused buffer.

The S3 engine allocates every piece of every body anew; on small files that, and the hop between languages,
costs more than the network. This does the one thing that the transfer engine needs thousands of times: GET a
signed URL, and hand each received piece to a sink before the buffer is used again. What is neither of known length nor
in chunks, or is encoded, is not read here: `Unplain` sends the caller back to the full engine.
"""

import math
import re
import select
import socket
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectomedb.transfer.pace import Pace
from connectomedb.transfer.source import Sink

if TYPE_CHECKING:
    import ssl

BUFFER_BYTES = 256 << 10
_HEAD_BYTES = 64 << 10
_ERROR_BYTES = 64 << 10
_CHUNK_LENGTH = re.compile(rb"[0-9A-Fa-f]{1,12}")


class Unplain(Exception):
    """The reply cannot be read here: encoded or without length."""


class Broken(Exception):
    """The connection could not be made, broke off or fell silent."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers (names in lower case) of a reply; `error` is the body of one that is not 2xx."""

    status: int
    headers: Mapping[str, str]
    error: str = ""


class Wire:
    """Kept connections to one host, used by many threads; the quickest was made in `nearest_s`."""

    def __init__(self, origin: str, *, timeout_s: float) -> None:
        parts = urlsplit(origin)
        self._host = parts.hostname or ""
        self._is_tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._authority = parts.netloc
        self._timeout_s = timeout_s
        self._tls: ssl.SSLContext | None = None
        self.nearest_s = math.inf
        self._idle: list[_Line] = []
        self._lock = threading.Lock()
        # A store that nobody closes must not leave open sockets to the garbage collector.
        weakref.finalize(self, _close_all, self._idle)

    def get(self, target: str, headers: Mapping[str, str], choose: Callable[[Head], Sink]) -> Head:
        """GET a path with query; a 2xx body goes, piece by piece, to the sink that is chosen for its head.

        Raises: Broken, Unplain, and whatever sink or choice raise; then the connection is dropped.
        """
        request = self._request(target, headers)
        line = self._take()
        try:
            try:
                line.send(request)
                head = line.read_head()
            except Broken:
                if not line.is_used:
                    raise
                # A kept connection may have been closed by the other side while idle: that is no fault of the store.
                line.close()
                line = self._open()
                line.send(request)
                head = line.read_head()
            head = line.read_body(head, choose)
        except BaseException:
            line.close()
            raise
        self._give_back(line, head)
        return head

    def close(self) -> None:
        """Let go of idle connections."""
        with self._lock:
            _close_all(self._idle)

    def _request(self, target: str, headers: Mapping[str, str]) -> bytes:
        fields = {"host": self._authority, "Accept-Encoding": "identity", **headers}
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _take(self) -> "_Line":
        while True:
            with self._lock:
                line = self._idle.pop() if self._idle else None
            if line is None:
                return self._open()
            if line.is_quiet():
                return line
            line.close()

    def _open(self) -> "_Line":
        try:
            started = time.perf_counter()
            connection = socket.create_connection((self._host, self._port), timeout=self._timeout_s)
            self.nearest_s = min(self.nearest_s, time.perf_counter() - started)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._is_tls:
                import ssl

                self._tls = self._tls or ssl.create_default_context()
                connection = self._tls.wrap_socket(connection, server_hostname=self._host)
        except OSError as fault:
            raise Broken(f"{self._authority} cannot be reached: {fault}") from fault
        return _Line(connection, self._timeout_s)

    def _give_back(self, line: "_Line", head: Head) -> None:
        if head.headers.get("connection", "").lower() == "close":
            line.close()
            return
        line.is_used = True
        with self._lock:
            self._idle.append(line)


def _close_all(lines: "list[_Line]") -> None:
    while lines:
        lines.pop().close()


class _Line:
    """One connection with its buffer. `_start` and `_end` mark what was received and not yet handed on."""

    def __init__(self, connection: socket.socket, timeout_s: float) -> None:
        self.is_used = False
        self._pace = Pace(timeout_s)
        self._connection = connection
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0

    def is_quiet(self) -> bool:
        """Whether nothing came that nobody asked for: then what comes next answers our next request."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return self._start == self._end and not poll.poll(0)

    def send(self, request: bytes) -> None:
        try:
            self._connection.sendall(request)
        except OSError as fault:
            raise Broken(f"sending failed: {fault}") from fault

    def read_head(self) -> Head:
        self._start = self._end = 0
        while (end := self._buffer.find(b"\r\n\r\n", 0, self._end)) < 0:
            if self._end > _HEAD_BYTES:
                raise Unplain("the reply's head is too long")
            self._receive()
        self._start = end + 4
        status, *fields = bytes(self._view[:end]).decode("latin-1").split("\r\n")
        parts = status.split(" ", 2)
        if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdecimal():
            raise Unplain("the reply is no HTTP/1")
        headers: dict[str, str] = {}
        for field in fields:
            name, _, value = field.partition(":")
            if name.lower() == "content-length" and headers.get("content-length", value.strip()) != value.strip():
                raise Unplain("two lengths")
            headers[name.lower()] = value.strip()
        if parts[0] == "HTTP/1.0":
            headers["connection"] = "close"
        return Head(int(parts[1]), headers)

    def read_body(self, head: Head, choose: Callable[[Head], Sink]) -> Head:
        if head.status == 304 or head.status < 200:
            raise Unplain("a reply without body")
        try:
            return self._read_body(head, choose)
        except Unplain:
            if 200 <= head.status < 300:
                raise
            return Head(head.status, {**head.headers, "connection": "close"})  # what it says of the error is lost

    def _read_body(self, head: Head, choose: Callable[[Head], Sink]) -> Head:
        length, coding = head.headers.get("content-length", ""), head.headers.get("transfer-encoding")
        if coding not in (None, "chunked") or head.headers.get("content-encoding", "identity") != "identity":
            raise Unplain("the body is encoded")
        if not (length.isdecimal() or coding):
            raise Unplain("the body's length is unknown")
        error = bytearray()

        def keep(piece: memoryview) -> None:
            error.extend(piece)
            if len(error) > _ERROR_BYTES:
                raise Unplain("a long error")

        sink = choose(head) if 200 <= head.status < 300 else keep
        if coding:
            self._hand_on_chunks(sink)
        else:
            self._hand_on(int(length), sink)
        return Head(head.status, head.headers, error.decode("utf-8", "replace"))

    def _hand_on_chunks(self, sink: Sink) -> None:
        """A body of chunks, each behind a line with its length; trailers are passed over (RFC 9112, 7.1)."""
        while length := self._read_length():
            self._hand_on(length, sink)
            if self._read_line():
                raise Broken("a chunk is longer than it says")
        while self._read_line():
            pass

    def _read_length(self) -> int:
        digits = self._read_line().partition(b";")[0].strip()
        if not _CHUNK_LENGTH.fullmatch(digits):
            raise Broken("a chunk does not say its length")
        return int(digits, 16)

    def _read_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n", self._start, self._end)) < 0:
            if self._end - self._start > _HEAD_BYTES:
                raise Broken("a line among chunks does not end")
            rest = bytes(self._view[self._start : self._end])
            self._start, self._end = 0, len(rest)
            self._view[: self._end] = rest
            self._receive()
        line = bytes(self._view[self._start : end])
        self._start = end + 2
        return line

    def _hand_on(self, left: int, sink: Sink) -> None:
        while left:
            if self._start == self._end:
                self._start = self._end = 0
            # Small bodies arrive whole before they are handed on; long ones fill the buffer.
            try:
                while self._end - self._start < left and self._end < BUFFER_BYTES:
                    self._receive()
            except Broken:
                sink(self._view[self._start : self._end])  # the next source goes on behind it
                raise
            piece = self._view[self._start : min(self._end, self._start + left)]
            sink(piece)
            self._start += len(piece)
            left -= len(piece)

    def _receive(self) -> None:
        asked = time.monotonic()
        try:
            count = self._connection.recv_into(self._view[self._end :])
            self._end += count
            self._pace.came(count, time.monotonic() - asked)
        except OSError as fault:
            raise Broken(f"receiving failed: {fault}") from fault
        if not count:
            raise Broken("the other side closed the connection")

    def close(self) -> None:
        with suppress(OSError):
            self._connection.close()

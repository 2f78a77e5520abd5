"""A proxy before an object store that spoils replies, on this machine only.

It reads one request after another from each connection, asks its rule for a fault, fetches the true reply over a
connection of its own and passes it on, spoilt. The Host header stays as it came, so signatures hold.
"""

import fcntl
import random
import socket
import struct
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import BinaryIO, TypeAlias
from urllib.parse import urlsplit

from tests.faults.faults import (
    BLOCK_BYTES,
    Answer,
    Call,
    Chunked,
    Cut,
    Delay,
    Drip,
    Fault,
    Flip,
    Headed,
    Lie,
    More,
    Request,
    Rule,
    Shift,
    Stall,
    Trail,
    Whole,
    passing,
)

HOST = "127.0.0.1"
DRAIN_S = 1.0
_Alarm: TypeAlias = tuple[int, Callable[[], None]]
_OWN_HEADERS = ("content-length", "transfer-encoding", "connection", "keep-alive")


class Proxy:
    """A running proxy. `rule` may be changed at any time; the counts say what happened so far.

    Attributes:
        rule: chooses the fault for each request.
        requests: all that came, in order.
        struck: how often each kind of fault really happened.
        sent: bytes of data that were passed on.
    """

    def __init__(self, upstream: str) -> None:
        self.rule: Rule = passing
        self.requests: list[Request] = []
        self.struck: Counter[type] = Counter()
        self.sent = 0
        self._alarm: _Alarm | None = None
        self._bell: _Alarm | None = None
        self._upstream = urlsplit(upstream)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._lines: dict[_Line, threading.Thread] = {}
        self._connections = 0
        self._listener = socket.create_server((HOST, 0), backlog=256)
        self.endpoint_url = f"http://{HOST}:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept, name="proxy")

    @classmethod
    @contextmanager
    def start(cls, upstream: str) -> "Iterator[Proxy]":
        """Run a proxy before `upstream` until the end of the context."""
        proxy = cls(upstream)
        proxy._acceptor.start()
        try:
            yield proxy
        finally:
            proxy._stop()

    @property
    def downloads(self) -> list[Request]:
        """The requests for data."""
        return [request for request in self.requests if request.wants_data]

    def forget(self) -> None:
        """Set the counts to nothing and let everything pass."""
        with self._lock:
            self.rule = passing
            self.requests = []
            self.struck = Counter()
            self.sent = 0
            self._alarm = self._bell = None

    def when_sent(self, size: int, action: Callable[[], None]) -> None:
        """Do something once, when `size` bytes of data were passed on."""
        with self._lock:
            self._alarm = (size, action)

    def when_asked(self, times: int, action: Callable[[], None]) -> None:
        """Do something once, when so many requests have come."""
        with self._lock:
            self._bell = (times, action)

    def hang_up(self) -> None:
        """End all connections, wherever they are."""
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.wake()

    def _accept(self) -> None:
        with self._listener:
            while not self._stopped.is_set():
                try:
                    client, _ = self._listener.accept()
                except OSError:
                    return
                self._connections += 1
                line = _Line(client, self._connections)
                thread = threading.Thread(target=self._serve, args=(line,), name=f"proxy-{line.number}")
                with self._lock:
                    self._lines[line] = thread
                    thread.start()

    def _stop(self) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        with self._lock:
            open_lines = dict(self._lines)
        for line, thread in open_lines.items():
            line.wake()
            thread.join()

    def _serve(self, line: "_Line") -> None:
        try:
            while (parts := line.read_request()) is not None:
                fault, request = self._choose(line, *parts)
                self._reply(line, request, fault)
        except (_Over, OSError, HTTPException):
            pass  # the client went away, or the fault was to send it away
        finally:
            line.close()
            with self._lock:
                del self._lines[line]

    def _choose(self, line: "_Line", method: str, target: str, headers: dict[str, str]) -> tuple[Fault, Request]:
        with self._lock:
            request = Request(method, target, headers, len(self.requests) + 1, line.number)
            self.requests.append(request)
            if self._bell and len(self.requests) >= self._bell[0]:
                self._bell[1]()
                self._bell = None
            return self.rule(request), request

    def _reply(self, line: "_Line", request: Request, fault: Fault) -> None:
        if isinstance(fault, Answer):
            self._strike(fault)
            line.send(_head(fault.status, {**fault.headers, "Connection": "close"}, len(fault.body)) + fault.body)
            raise _Over
        if isinstance(fault, Delay):
            self._strike(fault)
            self._stopped.wait(fault.seconds)
        connection = HTTPConnection(self._upstream.hostname or "", self._upstream.port, timeout=30)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self._headers_for(request, fault):
                connection.putheader(name, value)
            connection.endheaders(line.read_body(request.headers))
            self._relay(line, request, fault, connection.getresponse())
        finally:
            connection.close()

    def _headers_for(self, request: Request, fault: Fault) -> Iterator[tuple[str, str]]:
        for name, value in request.headers.items():
            if name == "range" and isinstance(fault, Whole):
                self._strike(fault)
            elif name == "range" and isinstance(fault, Shift):
                self._strike(fault)
                first, last = value.removeprefix("bytes=").split("-")
                yield name, f"bytes={int(first) + fault.by}-{int(last) + fault.by if last else ''}"
            else:
                yield name, value

    def _relay(self, line: "_Line", request: Request, fault: Fault, reply: HTTPResponse) -> None:
        headers = {name: value for name, value in reply.getheaders() if name.lower() not in _OWN_HEADERS}
        if isinstance(fault, Headed) and request.key:
            self._strike(fault)
            others = {name.lower(): value for name, value in fault.fields.items()}
            headers = {name: value for name, value in headers.items() if name.lower() not in others}
            headers |= {name: value for name, value in others.items() if value is not None}
        if request.method == "HEAD":
            return line.send(_head(reply.status, headers, int(reply.getheader("Content-Length") or 0)))
        if not request.key or reply.length is None:
            body = reply.read()
            return line.send(_head(reply.status, headers, len(body)) + body)
        if isinstance(fault, Chunked):
            return self._send_chunks(line, request, headers, reply)
        length = reply.length
        if isinstance(fault, Lie) and length + fault.by >= 0:
            self._strike(fault)
            length += fault.by
        if isinstance(fault, More):
            self._strike(fault)
            line.send(_head(reply.status, headers, length + fault.by))
            self._send_body(line, reply, request, fault, length)
            for left in range(fault.by, 0, -BLOCK_BYTES):
                line.send(b"x" * min(left, BLOCK_BYTES))
            return
        line.send(_head(reply.status, headers, length))
        self._send_body(line, reply, request, fault, length)

    def _send_body(self, line: "_Line", reply: HTTPResponse, request: Request, fault: Fault, length: int) -> None:
        left = length
        if isinstance(fault, Cut) and fault.of_this:
            fault = Cut(line.sent + fault.after, fault.reset)
        for block in _blocks(reply):
            piece = self._flip(block, request, fault)[:left] if isinstance(fault, Flip) else block[:left]
            if isinstance(fault, Cut | Stall | Drip | Call) and line.is_due(fault, len(piece)):
                first = max(0, fault.after - line.sent)
                self._pass_on(line, request, piece[:first])
                left -= first
                piece = piece[first:]
                self._strike(fault)
                if isinstance(fault, Drip):
                    piece = self._drip(line, request, piece, fault)
                else:
                    line.suffer(fault)
            self._pass_on(line, request, piece)
            left -= len(piece)
        if isinstance(fault, Trail):
            self._strike(fault)
            line.send(fault.rubbish)
        if left:
            raise _Over

    def _drip(self, line: "_Line", request: Request, piece: bytes, fault: Drip) -> bytes:
        """Byte by byte until the client has enough of it, or all was given."""
        for place in range(len(piece)):
            self._pass_on(line, request, piece[place : place + 1])
            if self._stopped.wait(fault.every_s):
                raise _Over
        return b""

    def _send_chunks(self, line: "_Line", request: Request, headers: dict[str, str], reply: HTTPResponse) -> None:
        self._strike(Chunked())
        line.send(_head(reply.status, {**headers, "Transfer-Encoding": "chunked"}, None))
        for block in _blocks(reply):
            line.send(b"%x\r\n" % len(block))
            self._pass_on(line, request, block)
            line.send(b"\r\n")
        line.send(b"0\r\n\r\n")

    def _flip(self, block: bytes, request: Request, fault: Flip) -> bytes:
        dice = random.Random(f"{fault.seed} {request.number} {block[:16].hex()}")
        if dice.random() >= fault.share:
            return block
        self._strike(fault)
        place = dice.randrange(len(block))
        return block[:place] + bytes([block[place] ^ (1 << dice.randrange(8))]) + block[place + 1 :]

    def _pass_on(self, line: "_Line", request: Request, piece: bytes) -> None:
        if not piece:
            return
        line.send(piece)
        line.sent += len(piece)
        with self._lock:
            self.sent += len(piece) if request.wants_data else 0
            due = self._alarm if self._alarm and self.sent >= self._alarm[0] else None
            if due:
                self._alarm = None
        if due:
            due[1]()

    def _strike(self, fault: Fault) -> None:
        with self._lock:
            self.struck[type(fault)] += 1


class _Over(Exception):
    """This connection has done its part."""


class _Line:
    """One connection of a client; `sent` counts bytes of contents that it has carried."""

    def __init__(self, client: socket.socket, number: int) -> None:
        self.number = number
        self.sent = 0
        self._client = client
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input: BinaryIO = client.makefile("rb")

    def read_request(self) -> tuple[str, str, dict[str, str]] | None:
        """Method, target and headers of the next request; None when there is none."""
        words = self._input.readline().decode("latin-1").split()
        if len(words) != 3:
            return None
        headers: dict[str, str] = {}
        while line := self._input.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return words[0], words[1], headers

    def read_body(self, headers: Mapping[str, str]) -> bytes | None:
        length = int(headers.get("content-length", "0"))
        return self._input.read(length) if length else None

    def send(self, content: bytes) -> None:
        self._client.sendall(content)

    def is_due(self, fault: Cut | Stall | Drip | Call, size: int) -> bool:
        """Whether a fault belongs into the next `size` bytes, or was due already; a call comes only once."""
        return fault.after < self.sent + size and not (isinstance(fault, Call) and fault.after < self.sent)

    def suffer(self, fault: Cut | Stall | Call) -> None:
        """The fault itself, at the byte where it belongs."""
        if isinstance(fault, Call):
            fault.action()
            return
        if isinstance(fault, Stall):
            self._input.read(1)  # returns when the client gives up, or the proxy ends
        elif fault.reset:
            self._drain()
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Over

    def _drain(self) -> None:
        """Wait, not for long, until the system has delivered what was sent: a reset drops what it still holds."""
        deadline = time.monotonic() + DRAIN_S
        while time.monotonic() < deadline:
            waiting = fcntl.ioctl(self._client, termios.TIOCOUTQ, b"\0" * 4)
            if not int.from_bytes(waiting, sys.byteorder):
                return
            time.sleep(0.001)

    def wake(self) -> None:
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._input.close()
        self._client.close()


def _blocks(reply: HTTPResponse) -> Iterator[bytes]:
    while block := reply.read(BLOCK_BYTES):
        yield block


def _head(status: int, headers: dict[str, str], length: int | None) -> bytes:
    fields = [f"{name}: {value}" for name, value in headers.items()]
    if length is not None:
        fields.append(f"Content-Length: {length}")
    return "\r\n".join([f"HTTP/1.1 {status} Reply", *fields, "", ""]).encode("latin-1")

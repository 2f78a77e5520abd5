"""Many clients at once that send one request again and again: how many answers a second, and how long each took."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from urllib.parse import urlsplit

import httptools

from benchmarks.process import CommandFailed

BUFFER_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: latencies in s, from a request's first byte to its answer's last, wall time in s, body bytes."""

    latencies: tuple[float, ...]
    wall_s: float
    received: int

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.wall_s

    @property
    def mb_per_s(self) -> float:
        """Bytes of bodies, in MB/s."""
        return self.received / 1e6 / self.wall_s

    def percentile_ms(self, percent: int) -> float:
        """A percentile of the latencies, in ms."""
        return quantiles(self.latencies, n=100, method="inclusive")[percent - 1] * 1e3


def format_request(
    address: str, method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
) -> bytes:
    """A request as it is sent, on a connection that stays open."""
    given = [("Host", urlsplit(address).netloc), ("Content-Length", str(len(body))), *headers]
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given)]
    return "\r\n".join([*head, "", ""]).encode() + body


def measure(address: str, request: bytes, *, clients: int, seconds: float) -> Load:
    """Send a request by so many clients, each on its own connection, for so many seconds, and then to the end.

    Raises CommandFailed when an answer is not 200, or a connection breaks.
    """
    return asyncio.run(_measure(address, request, clients, seconds))


async def _measure(address: str, request: bytes, clients: int, seconds: float) -> Load:
    loop, where = asyncio.get_running_loop(), urlsplit(address)
    begun = time.perf_counter()
    running = [_Client(request, begun + seconds, loop.create_future()) for _ in range(clients)]
    assert where.hostname is not None
    assert where.port is not None
    for client in running:
        await loop.create_connection(partial(_itself, client), where.hostname, where.port)
    await asyncio.gather(*(client.done for client in running))
    latencies = tuple(latency for client in running for latency in client.latencies)
    return Load(latencies, time.perf_counter() - begun, sum(client.received for client in running))


def _itself(client: "_Client") -> "_Client":
    return client


class _Client(asyncio.BufferedProtocol):
    def __init__(self, request: bytes, deadline: float, done: "asyncio.Future[None]") -> None:
        self.latencies: list[float] = []
        self.received = 0
        self.done = done
        self._request = request
        self._deadline = deadline
        self._buffer = memoryview(bytearray(BUFFER_BYTES))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._answer.feed_data(self._buffer[:nbytes])

    def on_body(self, body: bytes) -> None:
        self.received += len(body)

    def on_message_complete(self) -> None:
        self.latencies.append(time.perf_counter() - self._sent)
        status = self._answer.get_status_code()
        if status != 200:
            self._end(CommandFailed(f"{self._request[:100]!r} was answered with {status}"))
        elif time.perf_counter() < self._deadline:
            self._send()
        else:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(CommandFailed(f"{self._request[:100]!r}: the server closed the connection"))

    def _send(self) -> None:
        self._answer = httptools.HttpResponseParser(self)
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def _end(self, fault: Exception | None = None) -> None:
        if not self.done.done():
            self.done.set_exception(fault) if fault else self.done.set_result(None)
            self._transport.close()

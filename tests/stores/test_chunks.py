"""Bodies that come in chunks, as AWS sends listings: whole or not at all, however the network cuts them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectomedb.stores._wire import Broken, Wire

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b"5\r\nfirst\r\n6;note=x\r\n\r\nlast\r\n0\r\n\r\n"
WHOLE = b"first\r\nlast"


@contextmanager
def sending(*pieces: bytes, times: int = 1) -> Iterator[Wire]:
    """A host that answers each of so many requests with the pieces, one segment each, and then closes."""

    def serve() -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            for _ in range(times):
                connection.recv(4096)
                for piece in pieces:
                    connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=5)
        try:
            yield wire
        finally:
            wire.close()
            thread.join()


def get(wire: Wire) -> bytes:
    body = bytearray()
    wire.get("/", {}, lambda head: body.extend)
    return bytes(body)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000], ids=lambda size: f"in segments of {size}")
def test_chunks_are_joined_and_the_connection_is_kept(size: int) -> None:
    reply = HEAD + BODY
    with sending(*(reply[start : start + size] for start in range(0, len(reply), size)), times=2) as wire:
        assert [get(wire), get(wire)] == [WHOLE, WHOLE]


def test_trailers_are_passed_over() -> None:
    with sending(HEAD, BODY[:-2], b"X-Sum: 1\r\nX-More: 2\r\n\r\n") as wire:
        assert get(wire) == WHOLE


def test_chunks_may_be_longer_than_the_buffer() -> None:
    long = bytes(range(256)) * 4096
    with sending(HEAD, f"{len(long):X}\r\n".encode(), long, b"\r\n3\r\nend\r\n0\r\n\r\n") as wire:
        assert get(wire) == long + b"end"


CUT = {
    "in a chunk": BODY[:6],
    "behind a chunk": BODY[:10],
    "in a length": BODY[:11],
    "before the last chunk": BODY[:-5],
    "before the last line": BODY[:-2],
}
WRONG = {
    "no length": b"\r\nfirst\r\n0\r\n\r\n",
    "a sign": b"-5\r\nfirst\r\n0\r\n\r\n",
    "a word": b"five\r\nfirst\r\n0\r\n\r\n",
    "too short a length": b"4\r\nfirst\r\n0\r\n\r\n",
    "a line without end": b"5" * 100_000,
}


@pytest.mark.parametrize("body", [*CUT.values(), *WRONG.values()], ids=[*CUT, *WRONG])
def test_what_is_cut_or_wrong_is_no_answer(body: bytes) -> None:
    with sending(HEAD, body) as wire, pytest.raises(Broken):
        get(wire)


def test_a_long_error_is_not_kept() -> None:
    head = HEAD.replace(b"200 OK", b"500 No")
    with sending(head, b"20000\r\n", bytes(0x20000), b"\r\n0\r\n\r\n") as wire:
        reply = wire.get("/", {}, lambda head: pytest.fail("an error is no body"))
    assert (reply.status, reply.error) == (500, "")


UNREADABLE = {
    "no length": b"HTTP/1.1 403 No\r\n\r\n<Error/>",
    "encoded": b"HTTP/1.1 403 No\r\nContent-Length: 8\r\nContent-Encoding: gzip\r\n\r\n<Error/>",
}


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=UNREADABLE)
def test_an_error_that_cannot_be_read_is_told_by_its_status(reply: bytes) -> None:
    with sending(reply) as wire:
        assert wire.get("/", {}, lambda head: pytest.fail("an error is no body")).status == 403

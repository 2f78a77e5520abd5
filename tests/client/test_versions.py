"""A file of a server whose checksum nobody knows: gone on with if it is surely the same, begun anew if not."""

from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import pytest
from tests.client.conftest import Reply, Seen, Site

from connectomedb.client._versions import version_of
from connectomedb.client.source import ServerSource
from connectomedb.client.transport import Connection
from connectomedb.errors import StoreError
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.fetch import Engine, Fetched, fetch
from connectomedb.transfer.large import RANGE_BYTES

LONG_AGO = "Mon, 01 Jan 2024 00:00:00 GMT"
NOW = "Mon, 01 Jan 2024 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ({"ETag": '"a"'}, '"a"'),
        ({"ETag": 'W/"a"'}, None),
        ({"ETag": '""'}, None),
        ({"ETag": 'W/"a"', "Last-Modified": LONG_AGO, "Date": NOW}, LONG_AGO),
        ({"Last-Modified": LONG_AGO, "Date": NOW}, LONG_AGO),
        ({"Last-Modified": NOW, "Date": NOW}, None),
        ({"Last-Modified": LONG_AGO}, None),
        ({"Last-Modified": "long ago", "Date": NOW}, None),
        ({}, None),
    ],
)
def test_only_what_surely_tells_bytes_apart_is_a_version(headers: dict[str, str], version: str | None) -> None:
    assert version_of(headers) == version


SIZE = 2 * RANGE_BYTES + 5
OLD, NEW = (bytes([letter]) * SIZE for letter in b"on")


CAME = RANGE_BYTES + 1000
"""Bytes that pass before a connection breaks off."""


def served(content: bytes, headers: dict[str, str], sent: int | None = None) -> Callable[[Seen], Reply]:
    """Ranges of a file, each cut after so many bytes."""

    def answer(seen: Seen) -> Reply:
        first, last = (int(place) for place in seen.headers["range"].removeprefix("bytes=").split("-"))
        part = {"Content-Range": f"bytes {first}-{last}/{SIZE}"}
        return Reply(content[first : last + 1], 206, {**headers, **part}, sent)

    return answer


def in_turn(first: Callable[[Seen], Reply], then: Callable[[Seen], Reply]) -> Callable[[Seen], Reply]:
    """One answer, then the other for ever."""
    answers = chain([first], repeat(then))
    return lambda seen: next(answers)(seen)


def refused(seen: Seen) -> Reply:
    return Reply(b"no", 403)


def bring(site: Site, target: Path) -> Fetched:
    connection = Connection(site.address)
    try:
        with Engine() as engine:
            return fetch([ServerSource(connection, "/file")], target, Expected(SIZE, None, Proof.SIZE), engine=engine)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("first", "then", "content", "resumed"),
    [
        ({"ETag": '"1"'}, {"ETag": '"1"'}, OLD, RANGE_BYTES),
        ({"ETag": '"1"'}, {"ETag": '"2"'}, NEW, 0),
        ({}, {}, NEW, 0),
    ],
    ids=["the same", "another", "nobody knows"],
)
def test_a_later_run_goes_on_only_with_the_same_version(
    site: Site, tmp_path: Path, first: dict[str, str], then: dict[str, str], content: bytes, resumed: int
) -> None:
    site.on("GET", "/file", in_turn(served(OLD, first, CAME), refused))
    with pytest.raises(StoreError):
        bring(site, tmp_path / "f.bin")
    assert not (tmp_path / "f.bin").exists()
    site.on("GET", "/file", served(content, then))
    assert bring(site, tmp_path / "f.bin").resumed == resumed
    assert (tmp_path / "f.bin").read_bytes() == content


def test_a_file_replaced_between_two_requests_is_never_half_old(site: Site, tmp_path: Path) -> None:
    site.on("GET", "/file", in_turn(served(OLD, {"ETag": '"1"'}, CAME), served(NEW, {"ETag": '"2"'})))
    bring(site, tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == NEW

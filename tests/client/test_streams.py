"""Bytes of a file start where they were asked to, whatever the server makes of ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.client.asked import BYTES, FILE, ranged, resource

from connectomedb.client.transport import Connection
from connectomedb.errors import (
    RequestError,
    UnexpectedReply,
)
from connectomedb.xnat.address import Address, Level

if TYPE_CHECKING:
    from tests.client.conftest import Site


@pytest.mark.parametrize("offset", [0, 1, 4095, 65536, len(BYTES) - 1, len(BYTES)])
@pytest.mark.parametrize("honours_ranges", [True, False])
def test_bytes_start_at_the_offset_whether_or_not_ranges_are_known(
    site: Site, connection: Connection, offset: int, honours_ranges: bool
) -> None:
    if honours_ranges:
        ranged(site, BYTES)
    else:
        site.on("GET", FILE, BYTES)
    assert b"".join(connection.stream(FILE, offset)) == BYTES[offset:]


def test_an_offset_past_the_end_is_a_fault(site: Site, connection: Connection) -> None:
    ranged(site, BYTES)
    with pytest.raises(RequestError, match="shorter"):
        list(connection.stream(FILE, len(BYTES) + 1))
    site.on("GET", FILE, BYTES)
    with pytest.raises(UnexpectedReply, match="before byte"):
        list(connection.stream(FILE, len(BYTES) + 1))


@pytest.mark.parametrize("claim", ["bytes 0-9/10", "bytes 7-9/10", "items 5-9/10", "", "bytes " + "5" * 5000 + "-6/7"])
def test_another_part_than_asked_is_refused(site: Site, connection: Connection, claim: str) -> None:
    site.on("GET", FILE, site.reply(b"12345", 206, Content_Range=claim))
    with pytest.raises(UnexpectedReply, match="Another part"):
        list(connection.stream(FILE, 5))


def test_a_file_comes_as_it_is_stored_whatever_encoding_is_claimed(site: Site, connection: Connection) -> None:
    site.on("GET", FILE, site.reply(b"\x1f\x8b stored gzip", Content_Encoding="gzip"))
    assert b"".join(connection.stream(FILE)) == b"\x1f\x8b stored gzip"
    assert site.seen[-1].headers["accept-encoding"] == "identity"


def test_an_abandoned_stream_gives_its_connection_back(site: Site, connection: Connection) -> None:
    site.on("GET", FILE, BYTES)
    for _ in range(100):
        pieces = connection.open_file(Address((*resource().steps,)).child(Level.FILES, "a.nii.gz"))
        assert next(pieces)
        pieces.close()  # type: ignore[attr-defined]  # the promise is an iterator; ours is a generator

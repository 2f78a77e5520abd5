"""Where a server sends us, no credential goes along that was not meant for there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from tests.client.asked import BYTES, FILE, PASSWORD, PROJECTS, ranged

from connectomedb.client.transport import Connection
from connectomedb.errors import (
    UnexpectedReply,
)
from connectomedb.xnat.query import Query

if TYPE_CHECKING:
    from tests.client.conftest import Site


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_stay_at_home_when_a_file_lies_elsewhere(
    site: Site, other_site: Site, connection: Connection, status: int
) -> None:
    other_site.on("GET", "/bucket/key", BYTES)
    location = f"http://spy:secret@{other_site.address.removeprefix('http://')}/bucket/key?X-Signature=s1gned#x"
    site.on("GET", FILE, site.reply(b"", status, Location=location))
    assert b"".join(connection.stream(FILE)) == BYTES
    assert connection.get_bytes(FILE) == BYTES
    assert [seen.is_signed for seen in other_site.everything] == [False, False]
    assert other_site.everything[0].query == {"X-Signature": "s1gned"}


def test_the_range_goes_along_to_where_the_file_lies(site: Site, other_site: Site, connection: Connection) -> None:
    ranged(other_site, BYTES)
    site.on("GET", FILE, site.reply(b"", 302, Location=f"{other_site.address}{FILE}"))
    assert b"".join(connection.stream(FILE, 70_000)) == BYTES[70_000:]
    assert other_site.everything[0].headers["range"] == "bytes=70000-"


def test_a_signed_address_is_not_logged(
    site: Site, other_site: Site, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    other_site.on("GET", "/bucket/key", BYTES)
    site.on("GET", FILE, site.reply(b"", 302, Location=f"{other_site.address}/bucket/key?X-Signature=s1gned"))
    with caplog.at_level(logging.INFO):
        list(connection.stream(FILE))
    assert "/bucket/key" in caplog.text
    assert "s1gned" not in caplog.text
    assert PASSWORD not in caplog.text


def test_who_was_sent_away_never_comes_back_with_credentials(
    site: Site, other_site: Site, connection: Connection
) -> None:
    site.on("GET", FILE, site.reply(b"", 302, Location=f"{other_site.address}/x"))
    other_site.on("GET", "/x", other_site.reply(b"", 302, Location=f"{site.address}/data/secret"))
    site.on("GET", "/data/secret", b"bytes")
    list(connection.stream(FILE))
    assert [seen.is_signed for seen in site.seen if seen.path == "/data/secret"] == [False]


def test_tables_and_searches_are_not_fetched_from_another_server(
    site: Site, other_site: Site, connection: Connection
) -> None:
    other_site.on("GET", "/data/projects", other_site.table())
    away = site.reply(b"", 302, Location=f"{other_site.address}/data/projects?token=t0ken")
    site.on("GET", "/data/projects", away)
    site.on("POST", "/data/search", away)
    asks: list[Callable[[], object]] = [
        lambda: connection.get_table(PROJECTS),
        lambda: connection.post_search(Query("xnat:subjectData")),
    ]
    for ask in asks:
        with pytest.raises(UnexpectedReply, match="sends us on to") as caught:
            ask()
        assert "t0ken" not in str(caught.value)
        assert other_site.address in str(caught.value)
    assert other_site.everything == []


def test_the_sign_in_follows_nowhere(site: Site, other_site: Site, connection: Connection) -> None:
    site.on("POST", "/data/JSESSION", site.reply(b"", 307, Location=f"{other_site.address}/data/JSESSION"))
    with pytest.raises(UnexpectedReply, match="our credentials do not go"):
        connection.get_table(PROJECTS)
    assert other_site.everything == []


def test_redirects_on_the_same_server_are_followed_signed_in(site: Site, connection: Connection) -> None:
    site.on("GET", "/data/projects", site.reply(b"", 302, Location="/data/archive/projects?format=json"))
    site.on("GET", "/data/archive/projects", site.table({"ID": "P"}))
    assert connection.get_table(PROJECTS).rows == (("P",),)
    assert site.seen[-1].is_signed


@pytest.mark.parametrize(
    "location", ["/data/projects", "ftp://x/y", "javascript:alert(1)", "http://[::bad", "file:///etc/passwd"]
)
def test_circles_and_strange_targets_end_in_a_sentence(site: Site, connection: Connection, location: str) -> None:
    site.on("GET", "/data/projects", site.reply(b"", 302, Location=location))
    site.on("GET", FILE, site.reply(b"", 302, Location=location.replace("/data/projects", FILE)))
    with pytest.raises(UnexpectedReply):
        connection.get_table(PROJECTS)
    with pytest.raises(UnexpectedReply):
        list(connection.stream(FILE))

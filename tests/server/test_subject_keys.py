"""Subject keys of a project: who keeps them, who hears of them, and who is told which subject a coded id means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Served

KEYS = "/data/projects/HCP_Q1/subject_keys"
CODES = "Coded ID,HCP ID\nS2,100307\nS1,200614\n"
MADE_BY_CDB = f"Coded ID,HCP ID,Secret\nS2,100307,{'5f' * 32}\nS1,200614,{'ab' * 32}\n"


@pytest.fixture
def kept(served: Served) -> Iterator[str]:
    """A key of `reader`, not shared."""
    name = "handedness-paper"
    with served.client("reader") as reader:
        asked = {"title": "A paper", "description": "With words", "pmid": "23684880", "shared": "false"}
        reply = reader.put(f"{KEYS}/{name}", params=asked, content=MADE_BY_CDB)
        assert (reply.status_code, reply.text) == (200, name)
        yield name
        reader.delete(f"{KEYS}/{name}")


def listed(served: Served, login: str) -> list[dict[str, Any]]:
    with served.client(login) as client:
        rows: list[dict[str, Any]] = client.get(KEYS).raise_for_status().json()["ResultSet"]["Result"]
        return rows


def read(served: Served, login: str, name: str) -> tuple[int, str]:
    with served.client(login) as client:
        reply = client.get(f"{KEYS}/{name}")
        return reply.status_code, reply.text


def test_a_key_is_its_makers_until_it_is_shared(served: Served, kept: str) -> None:
    (row,) = listed(served, "reader")
    facts = {"name": kept, "title": "A paper", "description": "With words", "pmid": "23684880", "owner": "reader"}
    assert row == facts | {"shared": "false", "subjects": "2", "readable": "true", "own": "true"}
    sorted_codes = "Coded ID,HCP ID\nS1,200614\nS2,100307\n"
    assert [read(served, login, kept) for login in ("reader", "owner")] == [(200, sorted_codes)] * 2
    assert listed(served, "granted") == []
    assert read(served, "granted", kept)[0] == 404
    with served.client("reader") as reader:
        reader.put(f"{KEYS}/{kept}", params={"title": "A paper", "shared": "true"}).raise_for_status()
    assert read(served, "granted", kept) == (200, sorted_codes), "codes stay when only the rest is changed"
    with served.client("admin") as admin:
        log = admin.get("/data/audit", params={"login": "granted", "action": "restricted-read"}).text
    assert f"subject key {kept}" in log


def test_shared_keys_are_told_to_all_but_their_ids_are_not(served: Served, kept: str) -> None:
    with served.client("granted") as granted:
        codes = "Coded ID,HCP ID\nX,100307\n"
        assert granted.put(f"{KEYS}/shared", params={"title": "T", "shared": "1"}, content=codes).status_code == 200
        (row,) = [row for row in listed(served, "reader") if row["name"] == "shared"]
        assert (row["readable"], row["own"]) == ("false", "false")
        with served.client("reader") as reader:
            for reply, status in (
                (reader.get(f"{KEYS}/shared"), 403),
                (reader.delete(f"{KEYS}/shared"), 403),
                (reader.put(f"{KEYS}/shared", params={"title": "T"}, content=codes), 403),
            ):
                assert reply.status_code == status
                assert "100307" not in reply.text
        with served.client("owner") as owner:
            assert owner.delete(f"{KEYS}/shared").status_code == 200
        assert granted.get(f"{KEYS}/shared").status_code == 404
    with served.client("stranger") as stranger:
        for reply in (stranger.get(KEYS), stranger.get(f"{KEYS}/{kept}"), stranger.put(f"{KEYS}/s?title=T")):
            assert reply.status_code in (403, 404)


@pytest.mark.parametrize(
    ("name", "words", "body", "status"),
    [
        ("a b", {"title": "T"}, CODES, 400),
        ("key-100307", {"title": "T"}, CODES, 400),
        ("k", {}, CODES, 400),
        ("k", {"title": "About 100307"}, CODES, 400),
        ("k", {"title": "T", "pmid": "PMC1"}, CODES, 400),
        ("k", {"title": "T"}, "", 400),
        ("k", {"title": "T"}, "Coded ID,HCP ID\n", 422),
        ("k", {"title": "T"}, "HCP ID,Coded ID\n100307,S1\n", 422),
        ("k", {"title": "T"}, "Coded ID,HCP ID\nS1,100307\nS1,103515\n", 422),
        ("k", {"title": "T"}, "Coded ID,HCP ID\nS1,100307\nS2,100307\n", 422),
        ("k", {"title": "T"}, "Coded ID,HCP ID\n100307,100307\n", 422),
        ("k", {"title": "T"}, "Coded ID,HCP ID\nS1\n", 422),
        ("k", {"title": "T"}, "Coded ID,HCP ID\nS1,999999\n", 404),
        ("k", {"title": "T"}, b"\xff\xfe", 422),
    ],
)
def test_what_is_no_key_is_refused(
    served: Served, name: str, words: dict[str, str], body: str | bytes, status: int
) -> None:
    with served.client("reader") as reader:
        reply = reader.put(f"{KEYS}/{name}", params=words, content=body)
        assert reply.status_code == status, reply.text
        assert reader.get(f"{KEYS}/{name}").status_code == 404

"""A site that is open to guests: nobody's requests run as `guest`, who sees what is open and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def club(small_club: Club) -> Club:
    """On SQLite: nothing here depends on the database."""
    return small_club


@pytest.fixture(scope="module")
def open_house(small_open_house: Club) -> Club:
    """On SQLite: nothing here depends on the database."""
    return small_open_house


@pytest.fixture
def guest(open_house: Club) -> Iterator[httpx2.Client]:
    with open_house.client(None) as client:
        yield client


def test_a_guest_lists_only_what_is_open(guest: httpx2.Client) -> None:
    rows = guest.get("/data/projects?columns=ID").json()["ResultSet"]["Result"]
    assert [row["ID"] for row in rows] == ["RECORD", "OPEN"]
    assert guest.get("/data/subjects").json()["ResultSet"]["Result"] == []
    assert [row["ID"] for row in guest.get("/xapi/access/projects").json()] == ["OPEN"]


def test_a_guest_is_called_so(guest: httpx2.Client) -> None:
    assert guest.get("/xapi/users/username").text == "guest"
    words = '<span id="user_info">Logged in as: <span style="color:red;">Guest</span></span>'
    assert words in guest.get("/").text


def test_the_first_page_names_who_is_signed_in(open_house: Club, club: Club, nobody: httpx2.Client) -> None:
    with open_house.client("reader") as client:
        assert ">reader</a></span>" in client.get("/").text
    assert "Guest" not in nobody.get("/").text


def test_wrong_credentials_are_no_guest(guest: httpx2.Client) -> None:
    assert guest.get("/data/projects", auth=("reader", "wrong")).status_code == 401


def test_a_dead_session_is_a_guest(open_house: Club) -> None:
    headers = {"Cookie": "JSESSIONID=" + "A" * 32}
    assert httpx2.get(f"{open_house.address}/xapi/users/username", headers=headers).text == "guest"


def test_an_anonymous_session_stays_the_same_until_somebody_signs_in(guest: httpx2.Client) -> None:
    first = guest.get("/data/JSESSION").text
    assert re.fullmatch("[0-9A-F]{32}", first)
    assert guest.get("/data/JSESSION").text == first
    upgraded = guest.get("/data/JSESSION", auth=("reader", PASSWORD)).text
    assert upgraded != first
    assert guest.get("/data/JSESSION").text == upgraded
    assert guest.get("/xapi/users/username", headers={"Cookie": f"JSESSIONID={first}"}).text == "guest"


def test_signing_in_by_the_form_never_keeps_the_session_that_was_there(guest: httpx2.Client) -> None:
    planted = guest.get("/data/JSESSION").text
    signed_in = guest.post("/data/services/auth", data={"username": "reader", "password": PASSWORD}).text
    assert signed_in != planted
    assert guest.get("/xapi/users/username").text == "reader"
    with httpx2.Client(base_url=guest.base_url, cookies={"JSESSIONID": planted}) as attacker:
        assert attacker.get("/xapi/users/username").text == "guest"


@pytest.mark.parametrize("login", ["guest", "Guest", "GUEST"])
def test_nobody_can_be_called_guest(open_house: Club, login: str) -> None:
    with open_house.client("admin") as client:
        made = client.post("/xapi/users", json={"username": login, "password": "a long word"})
    assert made.status_code == 400


def test_users_may_list_each_other_where_the_site_says_so(open_house: Club, guest: httpx2.Client) -> None:
    with open_house.client("stranger") as client:
        assert "owner" in client.get("/xapi/users").json()
        assert client.get("/xapi/users/owner").json()["email"] == "owner@example.org"
    assert guest.get("/xapi/users").status_code == 403
    assert guest.get("/xapi/users/owner").status_code == 401


@pytest.mark.parametrize("page", ["/", "/projects/OPEN", "/projects/RECORD", "/dictionary", "/projects/OPEN/files"])
def test_a_guest_reads_pages_of_what_is_open(guest: httpx2.Client, page: str) -> None:
    reply = guest.get(page, headers={"Accept": "text/html"})
    assert reply.status_code == 200
    assert "You are a guest." in reply.text


@pytest.mark.parametrize("page", ["/account", "/admin", "/projects/OPEN/people", "/projects/CLOSED"])
def test_other_pages_are_refused_to_guests(guest: httpx2.Client, page: str) -> None:
    assert guest.get(page).status_code in (401, 403, 404)
    assert guest.get(page, headers={"Accept": "text/html"}).status_code in (303, 403, 404)

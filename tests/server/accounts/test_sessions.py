"""Sessions of users: how many, how long, how they end; and pages of other sites that try to use them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest

from connectomedb.server.access.clock import now
from connectomedb.server.access.login import Logins
from connectomedb.server.settings import AccessSettings

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def club(small_club: Club) -> Club:
    """On SQLite: nothing here depends on the database."""
    return small_club


FAVORITE = "/data/users/favorites/Project/CLOSED"


def test_an_administrator_ends_all_sessions_of_a_user(club: Club, admin: httpx2.Client) -> None:
    login = club.user()
    sessions = [club.site.logins.sign_in(login, PASSWORD).session_id for _ in range(2)]
    assert len(admin.get(f"/xapi/users/active/{login}").json()) == 2
    assert len(admin.get("/xapi/users/active").json()[login]) == 2
    ended = admin.delete(f"/xapi/users/active/{login}")
    assert ended.status_code == 200
    assert len(ended.json()) == 2
    assert not set(ended.json()) & set(sessions)
    for session in sessions:
        reply = httpx2.get(f"{club.address}/data/auth", headers={"Cookie": f"JSESSIONID={session}"})
        assert reply.status_code == 401
    assert admin.get(f"/xapi/users/active/{login}").json() == []


def test_users_end_their_own_sessions_everywhere(club: Club) -> None:
    login = club.user()
    with club.client(login) as client:
        assert len(client.delete(f"/xapi/users/active/{login}").json()) == 1
        assert client.get("/data/auth").status_code == 401


def test_a_session_that_is_used_ends_all_the_same_some_day(club: Club) -> None:
    login = club.user()
    rules = AccessSettings(session_lifetime=timedelta(hours=2))
    session = Logins(club.site.database, rules).sign_in(login, PASSWORD).session_id
    start = now()
    for minutes in range(0, 120, 20):
        moved = Logins(club.site.database, rules, clock=lambda step=minutes: start + timedelta(minutes=step))  # type: ignore[misc]
        assert moved.find(session) is not None
    late = Logins(club.site.database, rules, clock=lambda: start + timedelta(minutes=121))
    assert late.find(session) is None


def test_a_short_idle_time_is_renewed_by_use(club: Club) -> None:
    login = club.user()
    rules = AccessSettings(session_idle=timedelta(seconds=40))
    session = club.site.logins.sign_in(login, PASSWORD).session_id  # those of others shall not count as idle
    start = now()
    for seconds in range(0, 120, 30):
        moved = Logins(club.site.database, rules, clock=lambda step=seconds: start + timedelta(seconds=step))  # type: ignore[misc]
        assert moved.find(session) is not None


def test_the_oldest_of_too_many_sessions_ends(club: Club) -> None:
    login = club.user()
    logins = Logins(club.site.database, AccessSettings(most_sessions=2))
    sessions = [logins.sign_in(login, PASSWORD).session_id for _ in range(3)]
    assert [logins.find(session) is not None for session in sessions] == [False, True, True]


def test_the_cookie_of_the_timeout_reads_as_xnatpy_reads_it(nobody: httpx2.Client) -> None:
    nobody.get("/data/JSESSION")
    assert re.fullmatch(r'"\d{13},1800000"', nobody.cookies["SESSION_EXPIRATION_TIME"])


def test_signing_out_lets_the_client_forget_its_cookies(nobody: httpx2.Client) -> None:
    nobody.get("/data/auth", auth=("stranger", PASSWORD))
    assert nobody.delete("/data/JSESSION").status_code == 200
    assert "JSESSIONID" not in nobody.cookies


ORIGINS: list[tuple[dict[str, str], int]] = [
    ({}, 200),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind-a-proxy.example.org"}, 200),
    ({"Sec-Fetch-Site": "none"}, 200),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "nonsense"}, 403),
    ({"Origin": "https://evil.example.org"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "{own}"}, 200),
]


@pytest.mark.parametrize(("headers", "status"), ORIGINS)
def test_pages_of_other_sites_change_nothing(
    club: Club, owner: httpx2.Client, headers: dict[str, str], status: int
) -> None:
    sent = {name: value.format(own=club.address) for name, value in headers.items()}
    assert owner.put(FAVORITE, headers=sent).status_code == status
    assert owner.delete(FAVORITE, headers=sent).status_code == status
    assert owner.get("/data/services/tokens/issue", headers=sent).status_code == status
    assert owner.get("/data/projects", headers=sent).status_code == 200
    form = {"username": "stranger", "password": PASSWORD}
    with club.client(None) as client:
        assert client.post("/data/services/auth", data=form, headers=sent).status_code == status


def test_the_sessions_own_token_opens_the_door_to_a_page_elsewhere(owner: httpx2.Client, admin: httpx2.Client) -> None:
    def token(client: httpx2.Client) -> str:
        return client.get("/data/JSESSION?CSRF=true").text.partition("XNAT_CSRF=")[2]

    foreign = {"Origin": "https://portal.example.org"}
    assert owner.put(f"{FAVORITE}?XNAT_CSRF={token(owner)}", headers=foreign).status_code == 200
    assert owner.put(f"{FAVORITE}?XNAT_CSRF={token(admin)}", headers=foreign).status_code == 403
    assert owner.put(f"{FAVORITE}?XNAT_CSRF=%C3%BC", headers=foreign).status_code == 403

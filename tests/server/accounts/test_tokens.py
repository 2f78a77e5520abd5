"""Alias tokens: issued, used, shown, ended; never stronger than the user, never stored."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from connectomedb.errors import AuthenticationFailed
from connectomedb.server.access.login import Logins
from connectomedb.server.access.users import set_enabled, set_password
from connectomedb.server.settings import AccessSettings

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

TOKENS = "/data/services/tokens"


@pytest.fixture(scope="module")
def club(small_club: Club) -> Club:
    """On SQLite: nothing here depends on the database."""
    return small_club


def _issue(client: httpx2.Client, address: str = f"{TOKENS}/issue?format=json") -> tuple[str, str]:
    token = client.get(address).json()
    return token["alias"], token["secret"]


def test_a_token_looks_as_clients_expect(owner: httpx2.Client) -> None:
    token = owner.get(f"{TOKENS}/issue").json()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", token["alias"])
    assert re.fullmatch(r"[A-Za-z0-9]{64}", token["secret"])
    assert (token["xdatUserId"], token["singleUse"], token["validIPAddresses"]) == ("owner", False, [])
    two_days_ms = AccessSettings().token_lifetime.total_seconds() * 1000
    assert abs(token["estimatedExpirationTime"] - time.time() * 1000 - two_days_ms) < 60_000


def test_a_token_signs_in_for_its_user(owner: httpx2.Client, nobody: httpx2.Client) -> None:
    token = _issue(owner)
    assert nobody.get("/data/auth", auth=token).text == "User 'owner' is logged in"
    assert nobody.get("/data/projects/CLOSED").status_code == 200
    form = {"username": token[0], "password": token[1]}
    assert nobody.put("/data/services/auth", data=form).status_code == 200


@pytest.mark.parametrize("with_secret", [True, False])
def test_an_ended_token_ends_its_sessions(owner: httpx2.Client, nobody: httpx2.Client, with_secret: bool) -> None:
    alias, secret = _issue(owner)
    assert nobody.get("/data/auth", auth=(alias, secret)).status_code == 200
    ending = f"{TOKENS}/invalidate/{alias}/{secret}" if with_secret else f"{TOKENS}/invalidate/{alias}"
    assert owner.get(ending).json() == {"result": "OK"}
    assert nobody.get("/data/auth").status_code == 401
    nobody.cookies.clear()
    assert nobody.get("/data/auth", auth=(alias, secret)).status_code == 401
    assert owner.get(ending).status_code == 404
    assert owner.get("/data/auth").status_code == 200


def test_a_token_says_whose_it_is(owner: httpx2.Client) -> None:
    alias, secret = _issue(owner)
    assert owner.get(f"{TOKENS}/validate/{alias}/{secret}").json() == {"valid": "owner"}
    assert owner.get(f"{TOKENS}/validate/{alias}/wrong").json() == {"valid": None}
    assert owner.get(f"{TOKENS}/validate/unknown/{secret}").json() == {"valid": None}


def test_tokens_are_shown_to_their_user_without_secrets(club: Club) -> None:
    login = club.user()
    with club.client(login) as client, club.client("admin") as admin:
        assert client.get(f"{TOKENS}/show").json() == []
        mine = [_issue(client)[0], _issue(admin, f"{TOKENS}/issue/user/{login}")[0]]
        shown = client.get(f"{TOKENS}/show").json()
        assert [token["alias"] for token in shown] == mine
        assert all("secret" not in token for token in shown)
        assert not {token["alias"] for token in admin.get(f"{TOKENS}/show").json()} & set(mine)


def test_nobody_ends_the_token_of_another(club: Club, owner: httpx2.Client) -> None:
    alias, secret = _issue(owner)
    with club.client("stranger") as stranger, club.client("admin") as admin:
        for guess in (alias, f"{alias}/wrong"):
            assert stranger.get(f"{TOKENS}/invalidate/{guess}").status_code == 404
        assert owner.get(f"{TOKENS}/validate/{alias}/{secret}").json() == {"valid": "owner"}
        assert admin.get(f"{TOKENS}/invalidate/{alias}").status_code == 200


def test_the_token_of_an_unknown_user_is_not_found(admin: httpx2.Client) -> None:
    assert admin.get(f"{TOKENS}/issue/user/nobodyhere").status_code == 404


@pytest.mark.parametrize("end", ["password", "disabled"])
def test_tokens_end_with_the_password_or_the_account(club: Club, end: str) -> None:
    login = club.user()
    with club.client(login) as client:
        token = _issue(client)
    if end == "password":
        set_password(club.site.database, login, "another word")
    else:
        set_enabled(club.site.database, login, False)
    with pytest.raises(AuthenticationFailed):
        club.site.logins.sign_in(*token)


def test_a_token_and_its_sessions_end_with_its_time(club: Club) -> None:
    login = club.user()
    with club.client(login) as client:
        token = _issue(client)
    rules = AccessSettings(session_lifetime=timedelta(days=30), session_idle=timedelta(days=30))
    session = Logins(club.site.database, rules).sign_in(*token).session_id
    from connectomedb.server.access.clock import now

    almost = Logins(club.site.database, rules, clock=lambda: now() + timedelta(hours=47))
    after = Logins(club.site.database, rules, clock=lambda: now() + timedelta(hours=49))
    assert almost.find(session) is not None
    assert after.find(session) is None
    with pytest.raises(AuthenticationFailed):
        after.sign_in(*token)


def test_the_database_holds_no_secret_of_a_token(club: Club, owner: httpx2.Client) -> None:
    _, secret = _issue(owner)
    folder: Path = club.site.folder.root
    assert all(secret.encode() not in path.read_bytes() for path in folder.iterdir() if path.is_file())

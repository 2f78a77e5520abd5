"""Ways in and out: Basic, cookie, form; what each answer looks like on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import select

from connectomedb.errors import AuthenticationFailed
from connectomedb.server.access.login import RENEW_AFTER, Logins
from connectomedb.server.access.users import create_user, set_enabled, set_password
from connectomedb.server.settings import AccessSettings
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import metadata

if TYPE_CHECKING:
    from tests.server.conftest import Served

PASSWORD = "correct horse"
REFUSAL = "The request requires user authentication"


def test_basic_signs_in_and_starts_a_session(nobody: httpx2.Client) -> None:
    reply = nobody.get("/data/auth", auth=("reader", PASSWORD))
    assert (reply.status_code, reply.text) == (200, "User 'reader' is logged in")
    cookie = reply.headers["set-cookie"]
    assert re.fullmatch(
        r"JSESSIONID=[0-9A-F]{32}; Path=/; HttpOnly; SameSite=Lax, "
        r'SESSION_EXPIRATION_TIME="\d{13},1800000"; Path=/; SameSite=Lax',
        cookie,
    )
    assert nobody.get("/data/auth").text == "User 'reader' is logged in"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic bm9jb2xvbg=="},
        {"Authorization": "Bearer token"},
        {"Cookie": "JSESSIONID=" + "A" * 32},
        {"Cookie": "JSESSIONID=' OR 1=1 --"},
    ],
)
def test_who_is_not_signed_in_is_told_so_in_one_sentence(served: Served, headers: dict[str, str]) -> None:
    reply = httpx2.get(f"{served.address}/data/projects", headers=headers)
    assert (reply.status_code, reply.text) == (401, REFUSAL)
    assert reply.headers["www-authenticate"].startswith('Basic realm="')
    assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("credentials", [("reader", "wrong"), ("unknown", PASSWORD), ("reader", "x" * 2000)])
@pytest.mark.parametrize("path", ["/data/projects", "/data/JSESSION", "/data/version-of-nothing"])
def test_wrong_credentials_are_refused_on_open_addresses_too(
    nobody: httpx2.Client, credentials: tuple[str, str], path: str
) -> None:
    reply = nobody.get(path, auth=credentials)
    assert reply.status_code == (404 if "nothing" in path else 401)


def test_a_live_cookie_wins_over_basic(served: Served) -> None:
    with served.client("reader") as client:
        assert client.get("/xapi/users/username", auth=("reader", "wrong")).text == "reader"


def test_anybody_gets_a_session_and_basic_then_gives_a_new_one(nobody: httpx2.Client) -> None:
    anonymous = nobody.get("/data/JSESSION")
    assert re.fullmatch("[0-9A-F]{32}", anonymous.text)
    assert nobody.get("/data/projects").status_code == 401
    upgraded = nobody.get("/data/JSESSION", auth=("reader", PASSWORD))
    assert upgraded.text != anonymous.text
    assert nobody.get("/data/JSESSION").text == upgraded.text == nobody.cookies["JSESSIONID"]


def test_the_session_id_can_come_with_a_token(served: Served) -> None:
    with served.client("reader") as client:
        assert re.fullmatch("[0-9A-F]{32}; XNAT_CSRF=[0-9a-f]{32}", client.post("/data/JSESSION?CSRF=true").text)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("names", [("username", "password"), ("j_username", "j_password")])
def test_a_form_signs_in(nobody: httpx2.Client, method: str, names: tuple[str, str]) -> None:
    form = dict(zip(names, ("reader", PASSWORD), strict=True))
    reply = nobody.request(method, "/data/services/auth", data=form)
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.text == nobody.cookies["JSESSIONID"]
    assert nobody.get("/xapi/users/username").text == "reader"


@pytest.mark.parametrize(
    "body", [b"", b"username=reader", b"username=reader&password=no", b"\xff\xfe=%ff", b"a&" * 900]
)
def test_a_form_without_good_credentials_is_refused(nobody: httpx2.Client, body: bytes) -> None:
    reply = nobody.put("/data/services/auth", content=body)
    assert (reply.status_code, reply.text) == (401, REFUSAL)


def test_a_form_that_is_too_long_is_refused(nobody: httpx2.Client) -> None:
    assert nobody.put("/data/services/auth", content=b"x" * 100_000).status_code == 413


def test_the_form_address_cannot_be_read(nobody: httpx2.Client) -> None:
    assert nobody.get("/data/services/auth").status_code == 405


def test_signing_out_ends_the_session_for_good(nobody: httpx2.Client) -> None:
    session = nobody.get("/data/JSESSION", auth=("owner", PASSWORD)).text
    assert nobody.delete("/data/JSESSION").status_code == 200
    for _ in range(2):
        reply = nobody.get("/data/auth", headers={"Cookie": f"JSESSIONID={session}"})
        assert reply.status_code == 401


@pytest.mark.parametrize("path", ["/", "/xapi/siteConfig/buildInfo", "/data/JSESSION"])
def test_open_addresses_need_no_sign_in(nobody: httpx2.Client, path: str) -> None:
    assert nobody.get(path).status_code == 200


def test_the_version_is_one_that_clients_know(nobody: httpx2.Client) -> None:
    assert re.fullmatch(r"1\.[789]\.\d+", nobody.get("/xapi/siteConfig/buildInfo?format=json").json()["version"])
    gone = nobody.get("/data/version")
    assert gone.status_code == 404
    assert "Not Found" not in gone.text


@pytest.fixture
def database(database: Database) -> Database:
    create_user(database, "me", PASSWORD)
    return database


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 2, 3, 4, 5)

    def __call__(self) -> datetime:
        return self.time

    def move(self, step: timedelta) -> None:
        self.time += step


def test_a_session_lives_while_it_is_used_and_ends_when_it_is_not(database: Database) -> None:
    clock = Clock()
    logins = Logins(database, clock=clock)
    session = logins.sign_in("me", PASSWORD).session_id
    for _ in range(5):
        clock.move(AccessSettings().session_idle - RENEW_AFTER)
        assert logins.find(session) is not None
    clock.move(AccessSettings().session_idle + RENEW_AFTER)
    assert logins.find(session) is None


def test_another_process_knows_the_session(database: Database, open_database: Callable[[], Database]) -> None:
    session = Logins(database).sign_in("me", PASSWORD).session_id
    other = Logins(open_database())
    assert other.find(session) is not None
    other.end(session)
    assert Logins(database).find(session) is None


def test_a_session_is_found_while_somebody_writes(database: Database) -> None:
    clock = Clock()
    logins = Logins(database, clock=clock)
    session = logins.sign_in("me", PASSWORD).session_id
    clock.move(RENEW_AFTER * 2)
    with database.write():
        assert logins.find(session) is not None


def test_a_new_password_or_a_closed_account_ends_all_sessions(database: Database) -> None:
    logins = Logins(database)
    session = logins.sign_in("me", PASSWORD).session_id
    set_password(database, "me", "another")
    assert logins.find(session) is None
    session = logins.sign_in("me", "another").session_id
    set_enabled(database, "me", False)
    assert logins.find(session) is None
    with pytest.raises(AuthenticationFailed):
        logins.sign_in("me", "another")


def test_the_database_holds_neither_passwords_nor_session_ids(database: Database) -> None:
    session = Logins(database).sign_in("me", PASSWORD).session_id
    with database.read() as connection:
        content = str([connection.execute(select(table)).all() for table in metadata.sorted_tables])
    assert "me" in content
    assert session not in content
    assert PASSWORD not in content

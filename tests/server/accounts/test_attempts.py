"""Guessing passwords: each wrong one costs longer, for one login and for one address, in all processes at once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from connectomedb.errors import AuthenticationFailed, TooManyRequests
from connectomedb.server.access.attempts import check_open, count_failure, doors, forget_failures
from connectomedb.server.access.login import Logins
from connectomedb.server.access.users import create_user
from connectomedb.server.settings import AccessSettings
from connectomedb.server.tables.database import Database

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def club(small_club: Club) -> Club:
    """On SQLite: nothing here depends on the database."""
    return small_club


RULES = AccessSettings(free_failures=3, free_failures_of_address=5, longest_delay=timedelta(seconds=10))


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 2, 3, 4, 5)

    def __call__(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class Guesser:
    """Somebody who tries passwords: the counting alone, without the checking, which is slow on purpose."""

    database: Database
    clock: Clock

    def fail(self, login: str, address: str = "") -> int:
        """One wrong password; gives the seconds to wait, or 0 when it would have been looked at."""
        tried = doors(RULES, login, address)
        with self.database.write() as connection:
            try:
                check_open(connection, tried, self.clock())
            except TooManyRequests as refusal:
                assert refusal.retry_after_s is not None
                return int(refusal.retry_after_s)
            count_failure(connection, tried, RULES, self.clock())
        return 0

    def succeed(self, login: str, address: str = "") -> None:
        """The right password."""
        with self.database.write() as connection:
            check_open(connection, doors(RULES, login, address), self.clock())
            forget_failures(connection, doors(RULES, login, address)[0])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guesser(tmp_path: Path, clock: Clock) -> Guesser:
    return Guesser(Database.open(tmp_path / "database.sqlite"), clock)


@pytest.mark.parametrize("login", ["me", "ME", "nobody"])
def test_waiting_doubles_up_to_a_bound(guesser: Guesser, clock: Clock, login: str) -> None:
    assert [guesser.fail("me" if login == "ME" else login) for _ in range(3)] == [0, 0, 0]
    waits = []
    for _ in range(6):
        waits.append(guesser.fail(login))
        clock.time += timedelta(seconds=waits[-1])
        assert guesser.fail(login) == 0
    assert waits == [1, 2, 4, 8, 10, 10]


def test_the_right_password_begins_the_count_anew(guesser: Guesser) -> None:
    for _ in range(5):
        assert [guesser.fail("me"), guesser.fail("me")] == [0, 0]
        guesser.succeed("me")


def test_an_hour_without_failure_begins_the_count_anew(guesser: Guesser, clock: Clock) -> None:
    for _ in range(4):
        assert [guesser.fail("me"), guesser.fail("me")] == [0, 0]
        clock.time += timedelta(hours=1, seconds=1)


def test_an_address_that_tries_many_names_waits_too(guesser: Guesser, clock: Clock) -> None:
    assert [guesser.fail(f"name{number}", "192.0.2.1") for number in range(6)] == [0, 0, 0, 0, 0, 1]
    assert guesser.fail("name6", "192.0.2.2") == 0
    clock.time += timedelta(seconds=1)
    guesser.succeed("me", "192.0.2.1")
    assert guesser.fail("name7", "192.0.2.1") == 0
    assert guesser.fail("name8", "192.0.2.1") == 2


def test_another_process_knows_the_count(guesser: Guesser, clock: Clock, tmp_path: Path) -> None:
    other = Guesser(Database.open(tmp_path / "database.sqlite"), clock)
    assert [guesser.fail("me"), other.fail("me"), guesser.fail("me")] == [0, 0, 0]
    assert other.fail("me") == 1


def test_a_closed_door_is_closed_to_the_right_password_but_not_to_open_sessions(tmp_path: Path, clock: Clock) -> None:
    database = Database.open(tmp_path / "database.sqlite")
    create_user(database, "me", PASSWORD)
    logins = Logins(database, RULES, clock)
    session = logins.sign_in("me", PASSWORD).session_id
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            logins.sign_in("me", "wrong")
    with pytest.raises(TooManyRequests, match="1 s"):
        logins.sign_in("me", PASSWORD)
    assert logins.find(session) is not None
    clock.time += timedelta(seconds=1)
    assert logins.sign_in("me", PASSWORD).caller.login == "me"


def test_over_http_it_is_429_with_the_time_to_wait(open_club: Callable[[AccessSettings], Club]) -> None:
    strict = open_club(AccessSettings(free_failures=2, first_delay=timedelta(minutes=2)))
    with strict.client(None) as client:
        for status in (401, 401, 429):
            reply = client.get("/data/projects", auth=("reader", "wrong"))
            assert reply.status_code == status
        assert 110 < int(reply.headers["retry-after"]) <= 120
        assert reply.headers["content-type"].startswith("text/plain")
        form = {"username": "reader", "password": PASSWORD}
        assert client.post("/data/services/auth", data=form).status_code == 429
        assert client.get("/data/auth", auth=("member", PASSWORD)).status_code == 200


def test_an_unknown_user_takes_as_long_as_a_wrong_password(club: Club) -> None:
    def seconds(login: str) -> float:
        times = []
        for _ in range(3):
            begun = time.process_time()
            with pytest.raises(AuthenticationFailed):
                club.site.logins.sign_in(login, "wrong")
            times.append(time.process_time() - begun)
        return statistics.median(times)

    assert 0.5 < seconds("reader") / seconds("nobodyhere") < 2


def test_the_forms_of_a_refusal_do_not_tell_names_apart(nobody: httpx2.Client) -> None:
    replies = [nobody.get("/data/auth", auth=(login, "wrong")) for login in ("reader", "nobodyhere")]
    assert replies[0].text == replies[1].text
    dropped = {"date"}
    told = [{k: v for k, v in reply.headers.items() if k not in dropped} for reply in replies]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("unknown", "another", False),
    ],
)
def test_a_network_of_64_bits_is_one_address(one: str, other: str, is_same: bool) -> None:
    """Whoever has one address of IPv6 has 2^64 of them to guess from."""
    assert (doors(RULES, "bob", one)[1] == doors(RULES, "bob", other)[1]) is is_same

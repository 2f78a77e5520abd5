"""The audit log: what is in it, who reads it, that it cannot be changed, and that nothing is lost or slowed."""

from __future__ import annotations

import csv
import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import delete, func, select, update

from connectomedb.errors import ConnectomeDBError
from connectomedb.server.access.audit import MAX_TEXT, Action, Actor, Audit, Event, lines_of
from connectomedb.server.access.auth import Role
from connectomedb.server.access.users import add_member
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import audit, files, resources
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query, parse_field

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

P = "/data/projects/CLOSED"
PASSWORD = "correct horse"


def _log(admin: httpx2.Client, **wanted: str) -> list[dict[str, str]]:
    reply = admin.get("/data/audit", params={"format": "csv", "limit": "1000", **wanted})
    assert reply.status_code == 200
    return list(csv.DictReader(io.StringIO(reply.text)))


def test_signing_in_and_out_is_recorded(club: Club, admin: httpx2.Client, nobody: httpx2.Client) -> None:
    login = club.user()
    nobody.get("/data/auth", auth=(login, PASSWORD))
    nobody.delete("/data/JSESSION")
    nobody.get("/data/auth", auth=(login, "wrong"))
    lines = _log(admin, user=login)
    assert [line["action"] for line in lines] == ["sign-in-refused", "sign-out", "sign-in"]
    assert {line["address"] for line in lines} == {"127.0.0.1"}


def test_a_password_typed_as_a_name_is_not_written_down(admin: httpx2.Client, nobody: httpx2.Client) -> None:
    nobody.get("/data/auth", auth=("hunter2hunter2", "x"))
    assert _log(admin)[0]["user"] == "(unknown)"
    assert "hunter2" not in admin.get("/data/audit?limit=1000&format=csv").text


def test_changes_are_recorded_with_who_and_whom(club: Club, admin: httpx2.Client, owner: httpx2.Client) -> None:
    login = club.user()
    owner.put(f"{P}/users/member/{login}")
    owner.delete(f"{P}/users/member/{login}")
    owner.put(f"{P}/grants/{login}/restricted")
    owner.delete(f"{P}/grants/{login}")
    admin.put(f"/xapi/users/{login}", json={"email": "new@example.org", "password": "another word"})
    admin.put(f"/xapi/users/{login}/roles/Administrator")
    admin.delete(f"/xapi/users/{login}/roles/Administrator")
    admin.put(f"/xapi/users/{login}/enabled/false")
    told = [(line["user"], line["action"], line["project"], line["detail"]) for line in _log(admin, target=login)]
    assert told[::-1] == [
        ("(operator)", "user-make", "", ""),
        ("owner", "member-add", "CLOSED", "Members"),
        ("owner", "member-remove", "CLOSED", "Members"),
        ("owner", "grant", "CLOSED", "restricted"),
        ("owner", "revoke", "CLOSED", ""),
        ("admin", "password-change", "", ""),
        ("admin", "user-change", "", "email"),
        ("admin", "role-give", "", "Administrator"),
        ("admin", "role-take", "", "Administrator"),
        ("admin", "user-change", "", "is_enabled=False"),
    ]


def test_openness_is_recorded_when_it_changes(admin: httpx2.Client, owner: httpx2.Client) -> None:
    before = len(_log(admin, action="accessibility"))
    for level in ("public", "public", "private"):
        owner.put(f"{P}/accessibility/{level}")
    lines = _log(admin, action="accessibility", project="CLOSED")
    assert [line["detail"] for line in lines[: len(lines) - before]] == ["public to private", "private to public"]


def test_what_was_refused_or_changed_nothing_is_not_recorded(club: Club, admin: httpx2.Client) -> None:
    login = club.user()
    with club.client(login) as client:
        client.put(f"{P}/grants/{login}/restricted")
        client.put(f"{P}/users/owner/{login}")
    assert [line["action"] for line in _log(admin, target=login)] == ["user-make"]


@pytest.mark.parametrize("way", ["search", "criterion", "listing", "document"])
def test_reading_a_restricted_column_is_recorded(club: Club, admin: httpx2.Client, way: str) -> None:
    login = club.user()
    add_member(club.site.database, "CLOSED", login, Role.COLLABORATOR)
    with club.client("owner") as owner, club.client(login) as client:
        owner.put(f"{P}/grants/{login}/restricted")
        note, recall = parse_field("lab:memorydata/NOTE"), parse_field("lab:memorydata/RECALL")
        client.post("/data/search", content=format_bundle(Query("lab:memorydata", (recall,))))
        assert _log(admin, user=login, action="restricted-read") == []
        if way == "search":
            client.post("/data/search", content=format_bundle(Query("lab:memorydata", (note,))))
        elif way == "criterion":
            client.post("/data/search", content=format_bundle(Query("lab:memorydata", (recall,), sort=note)))
        elif way == "listing":
            assert client.get(f"{P}/experiments?columns=lab:memorydata/NOTE").status_code == 200
        else:
            (row,) = client.get(f"{P}/experiments").json()["ResultSet"]["Result"]
            assert client.get(f"{P}/experiments/{row['ID']}").status_code == 200
    (line,) = _log(admin, user=login, action="restricted-read")
    assert "note" in line["detail"].lower()
    assert "recall" not in line["detail"].lower()
    assert line["target"].startswith("/data/")


def test_downloads_are_recorded_listings_are_not(club: Club, admin: httpx2.Client) -> None:
    with club.site.database.write() as connection:
        inserted = connection.execute(resources.insert().values(project_key=1, label=f"R{next(club.numbers)}"))
        assert inserted.inserted_primary_key is not None
        key = inserted.inserted_primary_key[0]
        (club.site.folder.archive / f"a{key}.txt").write_bytes(b"bytes")
        row = {"path": "a b.txt", "size": 5, "store": "archive", "object_key": f"a{key}.txt"}
        connection.execute(files.insert().values(resource_key=key, **row))
    login = club.user()
    add_member(club.site.database, "CLOSED", login, Role.COLLABORATOR)
    with club.client(login) as client:
        for address in (f"{P}/resources/{key}/files", f"{P}/resources/{key}/files/none.txt", P, f"{P}/subjects"):
            client.get(address)
        assert client.get(f"{P}/resources/{key}/files/a%20b.txt").content == b"bytes"
        for start in range(4):
            client.get(f"{P}/resources/{key}/files/a%20b.txt", headers={"Range": f"bytes={start}-"})
        assert client.get(f"{P}/resources/{key}/files?format=zip").status_code == 200
    lines = _log(admin, user=login, action="download")
    assert {line["target"] for line in lines} == {f"{P}/resources/{key}/files/a b.txt", f"{P}/resources/{key}/files"}
    assert {line["project"] for line in lines} == {"CLOSED"}


def test_the_log_comes_in_pages_the_newest_first(admin: httpx2.Client) -> None:
    whole = [line["id"] for line in _log(admin)]
    assert whole == sorted(whole, key=int, reverse=True)
    pages = [_log(admin, limit="3", offset=str(offset)) for offset in (0, 3)]
    assert [line["id"] for page in pages for line in page] == whole[:6]
    table = admin.get("/data/audit?limit=2").json()["ResultSet"]
    assert (len(table["Result"]), table["title"]) == (2, "Audit")


def test_the_log_is_narrowed_by_day(admin: httpx2.Client) -> None:
    day = _log(admin)[0]["time"][:10]
    assert _log(admin, **{"from": day, "to": day})
    assert _log(admin, to="2001-01-01") == []
    assert _log(admin, **{"from": "2999-01-01"}) == []


@pytest.mark.parametrize(
    "query", ["limit=-1", "limit=x", "offset=1e9", "from=yesterday", "to=2026-13-01", "limit=%D9%A3"]
)
def test_a_page_that_makes_no_sense_is_refused(admin: httpx2.Client, query: str) -> None:
    assert admin.get(f"/data/audit?{query}").status_code == 400


def test_no_statement_changes_the_log(club: Club) -> None:
    for statement in (update(audit).values(login="somebody else"), delete(audit)):
        with pytest.raises(ConnectomeDBError), club.site.database.write() as connection:
            connection.execute(statement)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "database.sqlite")


def _count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(audit)).scalar_one()


def _event(number: int) -> Event:
    return Event(Actor("me"), Action.DOWNLOAD, target=f"/data/{number}")


def test_closing_writes_what_waits(database: Database) -> None:
    log = Audit(database)
    for number in range(1_000):
        log.note(_event(number))
    log.close()
    assert _count(database) == 1_000


def test_reads_are_written_soon_without_being_asked(database: Database) -> None:
    log = Audit(database)
    log.note(_event(1))
    for _ in range(100):
        if _count(database):
            break
        threading.Event().wait(0.05)
    assert _count(database) == 1
    log.close()


def test_noting_does_not_wait_for_a_writer(database: Database) -> None:
    log = Audit(database)
    with database.write():
        for number in range(100):
            log.note(_event(number))
    log.close()
    assert _count(database) == 100


def test_many_threads_lose_nothing(database: Database) -> None:
    log = Audit(database)

    def run(first: int) -> None:
        for number in range(first, first + 200):
            log.note(_event(number))
            if number % 50 == 0:
                log.flush()

    threads = [threading.Thread(target=run, args=(first,)) for first in range(0, 1_600, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert _count(database) == 1_600


def test_what_cannot_be_written_waits(database: Database, tmp_path: Path) -> None:
    log = Audit(database)
    other = Database.open(tmp_path / "database.sqlite")
    with other.write() as connection:
        connection.execute(audit.insert().values(**_ROW))
        log.note(_event(1))
    log.flush()
    assert _count(database) == 2
    log.close()


_ROW = {
    "time": Event(Actor("me"), Action.SIGN_IN).time,
    **dict.fromkeys(("login", "address", "action", "project", "target", "detail"), ""),
}


def test_an_event_is_one_line_of_bounded_length(database: Database) -> None:
    log = Audit(database)
    log.note(Event(Actor("me"), Action.DOWNLOAD, target="a\r\nb\x00" + "x" * 5_000))
    log.close()
    with database.read() as connection:
        target = connection.execute(select(audit.c.target)).scalar_one()
    assert target.startswith("a  b xxx")
    assert len(target) == 2_000


def test_no_cell_of_the_log_is_a_formula(club: Club, admin: httpx2.Client) -> None:
    club.site.audit.note(Event(Actor("=HYPERLINK(1)"), Action.DOWNLOAD, target="@x"))
    line = next(line for line in _log(admin) if "HYPERLINK" in line["user"])
    assert (line["user"], line["target"]) == ("'=HYPERLINK(1)", "'@x")


def test_however_many_columns_were_read_all_their_names_are_in_the_log(database: Database) -> None:
    names = [f"hcp:nontoolboxdata/Column_of_a_long_name_{number:03}" for number in range(200)]
    lines = lines_of(names)
    assert len(lines) > 1
    log = Audit(database)
    for line in lines:
        log.note(Event(Actor("bob"), Action.RESTRICTED_READ, detail=line))
    log.close()
    with database.read() as connection:
        details = connection.execute(select(audit.c.detail).order_by(audit.c.key)).scalars().all()
    assert " ".join(details).split() == names
    assert all(len(detail) <= MAX_TEXT for detail in details)
    assert lines_of([]) == []

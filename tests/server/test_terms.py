"""Data-use terms: until they are accepted, the project shows its record and nothing that it holds; on every route."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import insert, select

from connectomedb.cli.main import main
from connectomedb.client.interface import Interface
from connectomedb.errors import AccessDenied, ConfigError, Conflict, NotFound, TermsNotAccepted
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.clock import now
from connectomedb.server.access.passwords import hash_password
from connectomedb.server.access.terms import Wording, accept_project_terms
from connectomedb.server.access.users import add_member, create_user, set_accessibility
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.run import RunningServer, start
from connectomedb.server.settings import AccessSettings
from connectomedb.server.site import Site, open_site
from connectomedb.server.tables.agreements import acceptances
from connectomedb.server.tables.schema import audit, users
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query

if TYPE_CHECKING:
    from tests.server.conftest import Deliver

PASSWORD = "correct horse"
N = "hcp:nontoolboxdata"
TEXT = "Do not try to find out who took part.\nAcknowledge the study. Größe, ≥ 1.\n"
WORDS = {"version": "1", "title": "Open access terms", "text": TEXT}
P = "/data/projects/ONE"
CREST = f"{P}/subjects/100307/experiments/100307_CREST"

HASH = hash_password(PASSWORD)
CONTEXT = ssl.create_default_context()
"""Made once: both are slow on purpose, or by nature."""

CLOSED = [
    f"{P}/subjects",
    f"{P}/experiments",
    f"{P}/resources",
    f"{P}/files",
    f"{P}/users",
    f"{P}/subjects/100307",
    f"{P}/subjects/ConnectomeDB_S00001",
    f"{P}/subjects/nobody",
    CREST,
    f"{CREST}/status",
    f"{CREST}/scans",
    f"{CREST}/resources",
    f"{CREST}/resources/100307_CREST",
    f"{CREST}/resources/100307_CREST/files",
    f"{CREST}/resources/100307_CREST/files?format=zip",
    f"{CREST}/resources/100307_CREST/files/T1w/Diffusion/bvals",
    f"{P}/experiments/100307_3T/scans/1",
    "/data/subjects/ConnectomeDB_S00001",
    "/data/experiments/ConnectomeDB_E00001",
    "/data/experiments/ConnectomeDB_E00001/resources/1/files",
    "/spring/download?subjects=100307&project=ONE&view=subjects",
    "/spring/download/ONE/100307/100307_3T_Structural_preproc.zip",
    "/spring/download/ONE/100307/100307_3T_Structural_preproc.zip.md5",
]


@dataclass(frozen=True)
class Scene:
    """A server with the project ONE, which has terms, and TWO, which has none; `user` makes a user of a role."""

    site: Site
    server: RunningServer
    numbers: Iterator[int] = field(default_factory=count)

    def user(self, role: Role | None = Role.COLLABORATOR, projects: tuple[str, ...] = ("ONE", "TWO")) -> str:
        login = f"user{next(self.numbers)}"
        row = {"login": login, "password_hash": HASH, "is_enabled": True, "is_admin": False, "insert_date": now()}
        with self.site.database.write() as connection:
            connection.execute(insert(users).values(row))
        for project in projects if role else ():
            add_member(self.site.database, project, login, role or Role.MEMBER)
        return login

    def client(self, login: str) -> httpx2.Client:
        cookies = {"JSESSIONID": self.site.logins.sign_in(login, PASSWORD).session_id}
        return httpx2.Client(base_url=self.server.address, cookies=cookies, verify=CONTEXT)

    def open(self, login: str) -> Interface:
        return Interface(self.server.address, login, PASSWORD)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, deliver: Deliver) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("terms")
    site = deliver(folder, projects=("ONE", "TWO"))
    with start(site, admin_password=PASSWORD) as server:
        scene = Scene(site, server)
        with scene.client("admin") as admin:
            assert admin.put(f"{P}/terms", json=WORDS).status_code == 200
        yield scene


@pytest.fixture(scope="module")
def waiting(scene: Scene) -> Iterator[httpx2.Client]:
    """May enter ONE, and never accepts: one user for all tests that only look."""
    with scene.client(scene.user()) as client:
        yield client


@pytest.fixture
def member(scene: Scene) -> Iterator[httpx2.Client]:
    """May enter ONE, and has not accepted."""
    with scene.client(scene.user()) as client:
        yield client


@pytest.mark.parametrize("address", CLOSED)
def test_what_the_project_holds_is_closed_and_says_how_to_open_it(waiting: httpx2.Client, address: str) -> None:
    reply = waiting.get(address)
    assert reply.status_code == 403
    assert reply.text.startswith("Project ONE has data-use terms, which you have not accepted.")
    assert "cdb terms accept ONE" in reply.text and "/data/projects/ONE/terms" in reply.text


def test_kept_searches_and_exports_are_closed_too(member: httpx2.Client) -> None:
    export = "/REST/search/dict/Anything/results?project=ONE"
    assert "cdb terms accept ONE" in member.get(export).text
    kept = member.post("/data/search?cache=true", content=format_bundle(Query("xnat:subjectData"))).json()
    id = kept["ResultSet"]["ID"]
    assert member.get(f"/data/search/{id}").status_code == 200
    member.put(f"{P}/terms/acceptance?version=1")
    assert member.get(f"/data/search/{id}").status_code == 410, "it was made with other rights"
    assert member.get(export).status_code == 404, "there is no such category"


def test_the_record_of_the_project_stays_visible(member: httpx2.Client) -> None:
    assert member.get(P).status_code == 200
    listed = member.get("/data/projects?columns=ID").json()["ResultSet"]["Result"]
    assert [row["ID"] for row in listed] == ["ONE", "TWO"]
    assert "resources/resource" not in member.get(f"{P}?format=json").text


def _rows(reply: httpx2.Response) -> list[dict[str, str]]:
    assert reply.status_code == 200
    rows: list[dict[str, str]] = reply.json()["ResultSet"]["Result"]
    return rows


@pytest.mark.parametrize("root", ["xnat:subjectData", "xnat:mrSessionData", "xnat:mrScanData", N])
def test_searches_and_counts_leave_its_rows_out(member: httpx2.Client, root: str) -> None:
    def count() -> tuple[int, str]:
        found = _rows(member.post("/data/search", content=format_bundle(Query(root))))
        counts = {row["ELEMENT_NAME"]: row["COUNT"] for row in _rows(member.get("/data/search/elements"))}
        return len(found), counts[root]

    before = count()
    assert member.put(f"{P}/terms/acceptance?version=1").status_code == 200
    assert count() == (2 * before[0], str(2 * before[0]))
    assert before == (before[0], str(before[0])) and before[0]


def test_lists_over_projects_leave_its_rows_out(member: httpx2.Client) -> None:
    for address in ("/data/subjects?columns=ID,project", "/data/experiments?columns=ID,project"):
        assert {row["project"] for row in _rows(member.get(address))} == {"TWO"}
    member.put(f"{P}/terms/acceptance?version=1")
    for address in ("/data/subjects?columns=ID,project", "/data/experiments?columns=ID,project"):
        assert {row["project"] for row in _rows(member.get(address))} == {"ONE", "TWO"}


def test_with_nothing_else_to_read_a_search_says_why(scene: Scene) -> None:
    with scene.client(scene.user(projects=("ONE",))) as client:
        reply = client.post("/data/search", content=format_bundle(Query("xnat:subjectData")))
    assert reply.status_code == 403
    assert "cdb terms accept ONE" in reply.text


def test_accepting_opens_and_gives_a_receipt(member: httpx2.Client, scene: Scene) -> None:
    shown = member.get(f"{P}/terms").json()
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    assert {name: shown[name] for name in WORDS} == WORDS
    assert (shown["demanded"], shown["digest"], shown["accepted"], shown["is_exempt"]) == (True, digest, None, False)
    assert member.get(f"{P}/terms/acceptance").status_code == 404
    receipt = member.post(f"{P}/terms/acceptance?version=1").json()
    assert (receipt["project"], receipt["version"], receipt["digest"]) == ("ONE", "1", digest)
    assert abs(datetime.fromisoformat(receipt["accepted"]).replace(tzinfo=None) - now()) < timedelta(minutes=1)
    assert member.get(f"{P}/terms/acceptance").json() == receipt
    assert member.get(f"{P}/terms").json()["accepted"] == receipt["accepted"]
    for address in CLOSED:
        assert member.get(address).status_code == (404 if "nobody" in address else 200), address
    with scene.site.database.read() as connection:
        row = connection.execute(select(acceptances).where(acceptances.c.digest == digest)).first()
    assert row is not None and row.version == "1"


def test_accepting_twice_keeps_the_first_receipt(member: httpx2.Client) -> None:
    first = member.put(f"{P}/terms/acceptance?version=1").json()
    assert member.put(f"{P}/terms/acceptance?version=1").json() == first


def test_what_is_decided_and_accepted_stands_in_the_audit_log(scene: Scene) -> None:
    owner, user = scene.user(Role.OWNER), scene.user()
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    with scene.client(owner) as own, scene.client(user) as client:
        own.put("/data/projects/TWO/terms", json=WORDS)
        client.put("/data/projects/TWO/terms/acceptance?version=1")
        client.get("/spring/download/TWO/100307/100307_3T_Structural_preproc.zip")
        own.delete("/data/projects/TWO/terms")
    scene.site.audit.flush()
    wanted = select(audit.c.login, audit.c.action, audit.c.target, audit.c.detail).where(
        audit.c.project == "TWO", audit.c.login.in_([owner, user])
    )
    with scene.site.database.read() as connection:
        rows = [tuple(row) for row in connection.execute(wanted)]
    assert set(rows) == {
        (owner, "terms-set", "1", digest),
        (user, "terms-accept", "1", digest),
        (user, "download", "/spring/download/TWO/100307/100307_3T_Structural_preproc.zip", ""),
        (owner, "terms-withdraw", "", ""),
    }


@pytest.mark.parametrize(("version", "status"), [("?version=0", 409), ("", 400), ("?version=", 400)])
def test_only_the_words_that_were_read_are_accepted(member: httpx2.Client, version: str, status: int) -> None:
    assert member.put(f"{P}/terms/acceptance{version}").status_code == status
    assert member.get(f"{P}/subjects").status_code == 403


def test_owners_and_administrators_are_not_asked(scene: Scene) -> None:
    for login in (scene.user(Role.OWNER), "admin"):
        with scene.client(login) as client:
            assert client.get(f"{P}/terms").json()["is_exempt"] is True
            assert client.get(f"{P}/subjects").status_code == 200


BAD = [
    b"",
    b"[]",
    b"{",
    b"[" * 100_000,
    b'{"version": "1", "title": "t"}',
    b'{"version": 1, "title": "t", "text": "x"}',
    b'{"version": "1", "title": "t", "text": "x", "more": "y"}',
    b'{"version": "a b", "title": "t", "text": "x"}',
    b'{"version": "1", "title": "two\\nlines", "text": "x"}',
    b'{"version": "1", "title": "", "text": "x"}',
    b'{"version": "1", "title": "t", "text": " "}',
    b'{"version": "1", "title": "t", "text": "\\u0000"}',
    b'{"version": "1", "title": "t", "text": "\\ud800"}',
    b'{"version": "1", "title": "t", "text": "' + b"x" * 300_000 + b'"}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("body", BAD, ids=lambda body: str(body[:40]))
def test_what_is_no_terms_is_refused(scene: Scene, body: bytes) -> None:
    with scene.client("admin") as admin:
        reply = admin.put(f"{P}/terms", content=body)
        assert reply.status_code == 400
        assert admin.get(f"{P}/terms").json()["version"] == "1"


def test_new_words_are_a_new_version_that_everybody_accepts_anew(tmp_path: Path, deliver: Deliver) -> None:
    site = deliver(tmp_path, projects=("ONE",))
    with start(site, admin_password=PASSWORD) as server:
        scene = Scene(site, server)
        user, owner = scene.user(projects=("ONE",)), scene.user(Role.OWNER, projects=("ONE",))
        with scene.client(user) as client, scene.client(owner) as own:
            assert client.get(f"{P}/terms").json() == {"project": "ONE", "demanded": False}
            assert client.put(f"{P}/terms/acceptance?version=1").status_code == 404
            assert client.get(f"{P}/subjects").status_code == 200
            assert own.put(f"{P}/terms", json=WORDS).status_code == 200
            assert client.get(f"{P}/subjects").status_code == 403
            client.put(f"{P}/terms/acceptance?version=1")
            assert client.get(f"{P}/subjects").status_code == 200
            assert own.put(f"{P}/terms", json={**WORDS, "text": "other words"}).status_code == 409
            assert client.get(f"{P}/subjects").status_code == 200
            assert own.put(f"{P}/terms", json={**WORDS, "version": "2", "text": "other words"}).status_code == 200
            assert client.get(f"{P}/subjects").status_code == 403
            assert client.put(f"{P}/terms/acceptance?version=1").status_code == 409
            client.put(f"{P}/terms/acceptance?version=2")
            assert client.get(f"{P}/subjects").status_code == 200
            assert own.put(f"{P}/terms", json=WORDS).status_code == 200
            assert client.get(f"{P}/subjects").status_code == 200, "version 1 was accepted before"
            listed = own.get(f"{P}/terms/acceptances?format=csv").text.splitlines()
            assert [line.split(",")[:2] for line in listed] == [["login", "version"], [user, "1"], [user, "2"]]
            assert own.delete(f"{P}/terms").json() == {"project": "ONE", "demanded": False}
            assert len(own.get(f"{P}/terms/acceptances?format=csv").text.splitlines()) == 3


def test_terms_stand_before_public_projects_too_and_protected_ones_stay_closed(
    tmp_path: Path, deliver: Deliver
) -> None:
    site = deliver(tmp_path, projects=("ONE",))
    with start(site, admin_password=PASSWORD) as server:
        scene = Scene(site, server)
        with scene.client("admin") as admin, scene.client(scene.user(None)) as client:
            admin.put(f"{P}/terms", json=WORDS)
            set_accessibility(site.database, "ONE", Accessibility.PROTECTED)
            assert client.get(f"{P}/terms").json()["title"] == "Open access terms"
            assert client.put(f"{P}/terms/acceptance?version=1").status_code == 403
            assert "only to its people" in client.get(f"{P}/subjects").text
            set_accessibility(site.database, "ONE", Accessibility.PUBLIC)
            assert "cdb terms accept ONE" in client.get(f"{P}/subjects").text
            assert client.get("/data/subjects").json()["ResultSet"]["Result"] == []
            assert client.put(f"{P}/terms/acceptance?version=1").status_code == 200
            assert client.get(f"{P}/subjects").status_code == 200


def test_terms_come_in_with_the_data(tmp_path: Path, deliver: Deliver) -> None:
    site = deliver(tmp_path, projects=("ONE",))

    def ingest(terms: Wording | None) -> None:
        ingest_release(site.database, site.archive, Delivery(release_of("ONE"), "One", terms=terms))

    ingest(Wording(**WORDS))
    create_user(site.database, "me", PASSWORD)
    add_member(site.database, "ONE", "me", Role.MEMBER)
    accept_project_terms(site.database, "ONE", "me")
    ingest(None)
    ingest(Wording(**WORDS))
    with start(site, admin_password=PASSWORD) as server:
        with Scene(site, server).client("me") as client:
            assert client.get(f"{P}/terms").json()["accepted"]
            assert client.get(f"{P}/subjects").status_code == 200
        with pytest.raises(Conflict, match="new version"):
            ingest(Wording("1", "Open access terms", "other words"))
        for project, login in (("ONE", "nobody"), ("TWO", "me")):
            with pytest.raises(NotFound):
                accept_project_terms(site.database, project, login)
    with pytest.raises(ConfigError):
        Wording("", "", "")


def test_the_client_names_what_stands_in_the_way(scene: Scene, tmp_path: Path) -> None:
    with scene.open(scene.user()) as db:
        project = db.project("ONE")
        with pytest.raises(TermsNotAccepted, match="cdb terms accept"):
            list(project.subjects())
        with pytest.raises(TermsNotAccepted):
            db.packages.for_subjects("100307", project="ONE")
        found = project.terms.get()
        assert found is not None and found.text == TEXT and not found.accepted
        with pytest.raises(NotFound):
            project.terms.receipt()
        with pytest.raises(Conflict):
            project.terms.accept("7")
        with pytest.raises(AccessDenied, match="matter of its owners"):
            project.terms.set("2", "t", "x")
        receipt = project.terms.accept(found.version)
        assert project.terms.receipt() == receipt
        assert len(list(project.subjects())) == 4
        assert db.project("TWO").terms.get() is None
        with pytest.raises(NotFound):
            db.project("NONE").terms.get()


def _cdb(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_command_line_shows_and_accepts(
    scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XNAT_HOST", scene.server.address)
    monkeypatch.setenv("XNAT_USER", scene.user())
    monkeypatch.setenv("XNAT_PASS", PASSWORD)
    code, _, err = _cdb(capsys, "ls", "ONE")
    assert code == 6 and "cdb terms accept" in err
    code, _, err = _cdb(capsys, "get", "ONE/100307/T1w", "--to", str(tmp_path / "files"))
    assert code == 6 and "cdb terms accept" in err
    code, out, err = _cdb(capsys, "terms", "show", "ONE")
    assert code == 0 and TEXT.rstrip() in out and "You have not accepted them" in err
    code, _, err = _cdb(capsys, "terms", "accept", "ONE")
    assert code == 2 and "--yes" in err
    assert _cdb(capsys, "terms", "receipt", "ONE")[0] == 5
    code, out, _ = _cdb(capsys, "terms", "accept", "ONE", "--yes")
    assert code == 0 and hashlib.sha256(TEXT.encode()).hexdigest() in out
    assert _cdb(capsys, "terms", "receipt", "ONE")[1] == out
    assert "You accepted them on" in _cdb(capsys, "terms", "show", "ONE")[2]
    assert _cdb(capsys, "ls", "ONE")[0] == 0
    assert _cdb(capsys, "terms", "show", "TWO")[0] == 5
    (tmp_path / "terms.txt").write_text("words")
    words = ("--version", "one", "--title", "Terms", "--text-from", str(tmp_path / "terms.txt"))
    assert _cdb(capsys, "terms", "set", "TWO", *words)[0] == 6
    monkeypatch.setenv("XNAT_USER", scene.user(Role.OWNER, projects=("TWO",)))
    assert _cdb(capsys, "terms", "set", "TWO", *words)[0] == 0
    assert "as an owner" in _cdb(capsys, "terms", "show", "TWO")[2]
    assert _cdb(capsys, "terms", "acceptances", "TWO")[1].startswith("login\tversion\taccepted\tdigest\n")
    assert _cdb(capsys, "terms", "withdraw", "TWO")[0] == 0
    assert _cdb(capsys, "terms", "show", "TWO")[0] == 5


def test_a_guest_can_accept_nothing_and_has_no_keys(tmp_path: Path) -> None:
    site = open_site(tmp_path, access=AccessSettings(is_open_to_guests=True))
    delivery = Delivery(release_of("ONE"), "One", accessibility=Accessibility.PUBLIC, terms=Wording(**WORDS))
    ingest_release(site.database, site.archive, delivery)
    with start(site) as server, httpx2.Client(base_url=server.address, verify=CONTEXT) as guest:
        assert guest.get(f"{P}/terms").json()["title"] == WORDS["title"]
        assert guest.get(f"{P}/subjects").status_code == 403
        assert guest.put(f"{P}/terms/acceptance?version=1").status_code == 401
        assert guest.get(f"{P}/terms/acceptance").status_code == 404
        assert guest.put(f"{P}/terms", json=WORDS).status_code == 403
        assert guest.get("/data/subjects").json()["ResultSet"]["Result"] == []

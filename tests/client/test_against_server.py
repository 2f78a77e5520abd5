"""The client against our own server, with a small synthetic release: the same journeys a user makes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectomedb.client.handle import Listing
from connectomedb.client.interface import Interface
from connectomedb.demo.measures.all_columns import COLUMNS
from connectomedb.demo.release import DemoRelease, generate
from connectomedb.errors import AuthenticationFailed, NotFound, QueryError
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.release import release_of
from connectomedb.mirror.mirror import Mirror
from connectomedb.server.access.auth import Role
from connectomedb.server.access.users import add_member, create_user
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import RunningServer, start
from connectomedb.server.site import Site, open_site
from connectomedb.stores.folder import FolderStore

SUBJECTS = ("103515", "111312", "123456")
PASSWORD = "a long word"
TYPE = "hcp:nontoolboxdata"
MMSE = f"{TYPE}/MMSE_Score"


@dataclass(frozen=True)
class Served:
    """A server with the release, and a reader of it."""

    site: Site
    server: RunningServer
    release: DemoRelease

    def open(self, user: str = "reader", mirror: Mirror | None = None) -> Interface:
        return Interface(self.server.address, user, PASSWORD, data_mirror=mirror)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    release = generate(folder / "release", subjects=SUBJECTS, workers=1)
    tree = FolderStore(release.tree, "tree")
    site = open_site(folder / "data", stores={"tree": tree})
    definitions = [column.definition for column in COLUMNS]
    delivery = Delivery(
        release_of(release.project),
        release.title,
        release.description,
        {"tree": list(tree.list("q1/"))},
        [SubjectTable(table, definitions) for table in (release.behaviour, release.restricted)],
    )
    ingest_release(site.database, site.archive, delivery)
    for login in ("reader", "stranger"):
        create_user(site.database, login, PASSWORD)
    add_member(site.database, release.project, "reader", Role.COLLABORATOR)
    with start(site, admin_password=PASSWORD) as server:
        yield Served(site, server, release)


@pytest.fixture
def db(served: Served) -> Iterator[Interface]:
    with served.open() as opened:
        yield opened


def test_projects_and_subjects_are_listed(db: Interface) -> None:
    assert db.projects().get() == ["HCP_Q1"]
    assert db.project("HCP_Q1").subjects().labels() == list(SUBJECTS)
    subject = db.project("HCP_Q1").subject("103515")
    assert db.project("HCP_Q1").subject(subject.id()).label() == "103515"
    assert "SYNTHETIC" in db.project("HCP_Q1").known("name")


def test_the_levels_below_a_subject_are_there(db: Interface) -> None:
    subject = db.project("HCP_Q1").subject("103515")
    labels = subject.experiments().labels()
    assert {"103515_3T", "103515_CREST"} <= set(labels)
    assert "T1w" in " ".join(scan.known("type") for scan in subject.experiment("103515_3T").scans())
    assert subject.experiment("103515_CREST").resources().get() == ["103515_CREST"]
    listed = db.select("/projects/HCP_*/subjects/1035??/experiments")
    assert isinstance(listed, Listing)
    assert sorted(listed.get()) == sorted(labels)
    assert subject.attrs.get("gender") in ("male", "female")


def test_exists_tells_what_is_there(db: Interface) -> None:
    project = db.project("HCP_Q1")
    assert project.exists()
    assert project.subject("103515").experiment("103515_CREST").resource("103515_CREST").exists()
    assert not project.subject("999999").exists()
    assert not db.project("HCP_Q2").exists()


def test_the_tutorials_search_leads_to_subjects(db: Interface, served: Served) -> None:
    table = db.select(TYPE, [f"{TYPE}/SUBJECT_ID", MMSE]).where([(MMSE, ">=", "29"), "AND"])
    header, *lines = [line.split(",") for line in served.release.behaviour.read_text().splitlines()]
    score = header.index("MMSE_Score")
    assert sorted(table["subject_label"]) == [line[0] for line in lines if line[score] and int(line[score]) >= 29]
    assert all(int(value) >= 29 for value in table[MMSE])
    assert str(table.to_pandas()["mmse_score"].dtype) == "Int64"


def test_nested_constraints_are_understood(db: Interface) -> None:
    everyone = db.select(TYPE, [f"{TYPE}/SUBJECT_LABEL", MMSE]).all()
    some = db.select(TYPE, [f"{TYPE}/SUBJECT_LABEL"]).where(
        [(f"{TYPE}/SUBJECT_LABEL", "LIKE", "1%"), [(MMSE, "<", 0), (MMSE, "IS NOT NULL", ""), "OR"], "AND"]
    )
    known = [row["subject_label"] for row in everyone if row["mmse_score"]]
    assert sorted(some["subject_label"]) == sorted(known)


def test_an_unknown_column_and_an_unknown_criterion_are_named(db: Interface) -> None:
    with pytest.raises(QueryError, match=r"MMSE_Scroe.*Did you mean MMSE_SCORE"):
        db.select(TYPE, [f"{TYPE}/MMSE_Scroe"]).all()
    with pytest.raises(QueryError, match="NOPE"):
        db.select(TYPE, [MMSE]).where([(f"{TYPE}/NOPE", "=", "1")])


def test_a_subjects_files_come_over_rest_and_are_the_releases(db: Interface, served: Served) -> None:
    subject = db.project("HCP_Q1").subject("103515")
    paths = subject.files()
    keys = list(filter(lambda key: key.startswith("q1/103515/"), served.release.file_keys()))
    assert len(paths) == len(keys)
    by_key = {"q1/" + path.as_posix().partition("/q1/")[2]: path for path in paths}
    for key in keys:
        assert by_key[key].read_bytes() == (served.release.tree / key).read_bytes(), key
    assert [name for name, size in subject.list_level() if size is None] == sorted(
        {f"{key.split('/')[2]}/" for key in keys}
    )


def test_what_is_on_disk_needs_no_server(served: Served, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror", [])
    with served.open(mirror=mirror) as db:
        paths = db.project("HCP_Q1").subject("111312").files("T1w")
    with Interface("http://127.0.0.1:1", "nobody", "x", data_mirror=mirror) as unreachable:
        assert unreachable.project("HCP_Q1").subject("111312").files("T1w") == paths


def test_one_file_is_saved_from_its_resource(db: Interface, tmp_path: Path) -> None:
    resource = db.project("HCP_Q1").subject("103515").experiment("103515_CREST").resource("103515_CREST")
    file = resource.files("T1w/*brain.nii.gz").first()
    saved = file.get(tmp_path)
    assert saved.stat().st_size == file.size()
    assert hashlib.md5(saved.read_bytes(), usedforsecurity=False).hexdigest() == file.digest()


@pytest.mark.parametrize("offset", [0, 1, 700, 10_000_000])
def test_a_file_is_continued_at_any_byte(db: Interface, tmp_path: Path, offset: int) -> None:
    resource = db.project("HCP_Q1").subject("103515").experiment("103515_CREST").resource("103515_CREST")
    file = resource.files("T1w/*brain.nii.gz").first()
    whole = b"".join(db.connection.stream(file.address))
    start_at = min(offset, len(whole))
    assert b"".join(db.connection.stream(file.address, start_at)) == whole[start_at:]


def test_a_session_that_ended_is_opened_again_unseen(served: Served, db: Interface) -> None:
    db.projects().get()
    wire = db.connection._wire
    assert wire._site is not None
    before = wire._site.cookies["JSESSIONID"]
    served.site.logins.end(before)
    assert db.projects().get() == ["HCP_Q1"]
    assert wire._site.cookies["JSESSIONID"] != before


def test_many_threads_share_one_interface(db: Interface) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: db.project("HCP_Q1").subjects().get(), range(40)))
    assert found == [list(SUBJECTS)] * 40


def test_what_a_stranger_may_not_see_is_not_there(served: Served, tmp_path: Path) -> None:
    with served.open("stranger", Mirror(tmp_path / "mirror", [])) as db:
        assert db.projects().get() == []
        assert not db.project("HCP_Q1").exists()
        with pytest.raises(NotFound, match="project HCP_Q1"):
            db.project("HCP_Q1").subject("103515").files("T1w")


def test_what_is_missing_is_told_at_its_level(db: Interface) -> None:
    with pytest.raises(NotFound, match=r"subject 103516 of project HCP_Q1.*103515"):
        db.project("HCP_Q1").subject("103516").files()
    with pytest.raises(NotFound, match="T1w"):
        db.project("HCP_Q1").subject("103515").files("T9w")
    with pytest.raises(NotFound, match=r"resource nope.*103515_CREST"):
        list(db.project("HCP_Q1").subject("103515").experiment("103515_CREST").resource("nope").files())


def test_a_wrong_password_and_a_guest_are_refused(served: Served) -> None:
    with (
        Interface(served.server.address, "reader", "wrong word") as db,
        pytest.raises(AuthenticationFailed, match="refuses user 'reader'"),
    ):
        db.projects().get()
    with Interface(served.server.address, anonymous=True) as guest, pytest.raises(AuthenticationFailed, match="guests"):
        guest.projects().get()


def test_a_restricted_column_does_not_exist_without_a_grant(db: Interface) -> None:
    closed = {column.name for column in COLUMNS if column.tier is not Tier.OPEN}
    assert closed & {"Age_in_Yrs", "Family_ID"}
    assert not closed & {field.name for field in db.dictionary()}
    assert not closed & {field.name for field in db.fields("age years family race income", most=500)}
    assert not closed & set(db.coverage(project="HCP_Q1"))
    assert set(db.coverage(project="HCP_Q1")) == {field.name for field in db.dictionary()}
    everyone = db.where("", project="HCP_Q1")
    asked: list[Callable[[], object]] = [
        lambda: db.where("Age_in_Yrs > 3").subjects(),
        lambda: db.where("Age_in_Yrs > 3").explain(),
        lambda: db.where("Age_in_Yrs is empty").count(),
        lambda: everyone.table("Age_in_Yrs"),
        lambda: everyone.table("MMSE_Score", "Family_ID"),
        lambda: everyone.split(),
    ]
    for ask in asked:
        with pytest.raises(QueryError) as fault:
            ask()
        suggested = str(fault.value).partition("Did you mean")[2]
        assert not any(name in suggested for name in closed)

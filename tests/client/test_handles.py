from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connectomedb.client.files import File, Resource
from connectomedb.client.handle import Handle, Listing
from connectomedb.client.handles import Experiment, Project, Scan, Subject
from connectomedb.client.interface import Interface
from connectomedb.errors import (
    AccessDenied,
    AddressError,
    ChecksumMismatch,
    NotConnected,
    NotFound,
    QueryError,
    SizeMismatch,
    TransferError,
)

if TYPE_CHECKING:
    from tests.client.conftest import Reply, Seen, Site

PROJECT = "/data/projects/HCP_Q1"
SUBJECTS = [{"ID": f"ConnectomeDB_S{n}", "label": str(100_307 + n), "URI": f"/data/subjects/S{n}"} for n in range(3)]
RESOURCE = f"{PROJECT}/subjects/100307/experiments/100307_CREST/resources/100307_CREST"
NIFTI = bytes(range(256)) * 500


def file_row(path: str, content: bytes, digest: str | None = None) -> dict[str, str]:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() if digest is None else digest
    return {
        "Name": path.rpartition("/")[2],
        "Size": str(len(content)),
        "URI": f"/data/experiments/E1/resources/105/files/{path}",
        "collection": "100307_CREST",
        "digest": md5,
    }


@pytest.fixture
def db(site: Site) -> Iterator[Interface]:
    def subjects(seen: Seen) -> Reply:
        named = {key: text for key, text in seen.query.items() if key in ("ID", "label")}
        rows = [row for row in SUBJECTS if all(row[key] == text for key, text in named.items())]
        extra = {"age": "29"} if "age" in seen.query.get("columns", "").split(",") else {}
        return site.reply(site.table(*({**row, **extra} for row in rows)))

    site.on("GET", "/data/projects", site.table({"ID": "HCP_Q1", "name": "Q1"}, {"ID": "HCP_1200", "name": "S1200"}))
    site.on("GET", f"{PROJECT}/subjects", subjects)
    site.on("GET", "/data/projects/HCP_1200/subjects", site.table(SUBJECTS[0]))
    crest = f"{PROJECT}/subjects/100307/experiments"
    site.on(
        "GET", crest, site.table({"ID": "E1", "label": "100307_CREST", "xsiType": "xnat:mrSessionData", "date": ""})
    )
    site.on("GET", f"{crest}/100307_CREST/scans", site.table({"ID": "T1w_MPR1", "type": "T1w"}))
    resource = {"xnat_abstractresource_id": "105", "label": "100307_CREST"}
    site.on("GET", f"{crest}/100307_CREST/resources", site.table(resource))
    site.on("GET", f"{RESOURCE}/files", site.table(file_row("T1w/a.nii.gz", NIFTI), file_row("T1w/x y+z%25.txt", b"t")))
    site.on("GET", f"{RESOURCE}/files/T1w/a.nii.gz", NIFTI)
    with Interface(site.address, "me", "hunter2-word") as opened:
        yield opened


def crest(db: Interface) -> Resource:
    return db.project("HCP_Q1").subject("100307").experiment("100307_CREST").resource("100307_CREST")


def test_stepping_down_sends_nothing(site: Site, db: Interface) -> None:
    file = crest(db).file("T1w/a.nii.gz")
    assert file.uri == f"{RESOURCE}/files/T1w/a.nii.gz"
    assert (file.path, file.given) == ("T1w/a.nii.gz", "T1w/a.nii.gz")
    assert repr(db.project("HCP_Q1").subject("100307")) == f"Subject('{PROJECT}/subjects/100307')"
    assert site.everything == []


def test_a_listing_is_one_request_when_iterated_and_its_objects_know_their_row(site: Site, db: Interface) -> None:
    subjects = db.project("HCP_Q1").subjects()
    assert site.everything == []
    found = list(subjects)
    assert [(subject.label(), subject.id(), subject.given) for subject in found] == [
        ("100307", "ConnectomeDB_S0", "100307"),
        ("100308", "ConnectomeDB_S1", "100308"),
        ("100309", "ConnectomeDB_S2", "100309"),
    ]
    assert all(type(subject) is Subject for subject in found)
    assert len(site.seen) == 1
    assert found == list(subjects)
    assert len(site.seen) == 2


def test_listings_answer_pyxnats_verbs_and_patterns(db: Interface) -> None:
    project = db.project("HCP_Q1")
    assert project.subjects().get() == ["100307", "100308", "100309"]
    assert project.subjects("10030[7]").get() == []
    assert project.subjects("*8").labels() == ["100308"]
    assert project.subjects("ConnectomeDB_S2").first().given == "100309"
    assert db.projects("HCP_1*").get() == ["HCP_1200"]
    with pytest.raises(NotFound, match="There is none"):
        project.subjects("nobody").first()


@pytest.mark.parametrize(("given", "requests"), [("100308", 1), ("ConnectomeDB_S1", 2)])
def test_label_and_id_of_what_was_given_either_way(site: Site, db: Interface, given: str, requests: int) -> None:
    subject = db.project("HCP_Q1").subject(given)
    assert (subject.label(), subject.id()) == ("100308", "ConnectomeDB_S1")
    assert len(site.seen) == requests


def test_exists_says_no_only_when_the_server_does(site: Site, db: Interface) -> None:
    project = db.project("HCP_Q1")
    assert project.exists()
    assert project.subject("100307").exists()
    assert not project.subject("999999").exists()
    assert not db.project("NOPE").exists()
    assert not db.project("NOPE").subject("100307").exists()
    assert crest(db).exists()
    assert crest(db).file("T1w/a.nii.gz").exists()
    assert not crest(db).file("T1w/b.nii.gz").exists()
    site.on("GET", "/data/projects", site.reply(b"", 503))
    with pytest.raises(Exception, match="503"):
        project.exists()
    site.on("GET", f"{PROJECT}/subjects", site.reply(b"", 403))
    with pytest.raises(AccessDenied):
        project.subject("100307").exists()


def test_attributes_are_asked_by_name(site: Site, db: Interface) -> None:
    subject = db.project("HCP_Q1").subject("100307")
    assert subject.attrs.get("age") == "29"
    assert subject.attrs.mget(["label", "age"]) == ["100307", "29"]
    assert site.seen[0].query == {"columns": "ID,label,age", "label": "100307", "format": "json"} or (
        site.seen[0].query["columns"].split(",") == ["ID", "label", "age"]
    )
    with pytest.raises(QueryError, match="shoe_size"):
        subject.attrs.get("shoe_size")
    with pytest.raises(NotFound, match="subject 999999 of project HCP_Q1"):
        db.project("HCP_Q1").subject("999999").attrs.get("age")


def test_a_missing_project_is_told_which_projects_there_are(db: Interface) -> None:
    with pytest.raises(NotFound) as caught:
        list(db.project("HCP_Q2").subjects())
    assert "for project HCP_Q2. There is none, or none that you may see. Near it: HCP_Q1." in str(caught.value)
    assert caught.value.status == 404
    with pytest.raises(NotFound, match="There: HCP_1200, HCP_Q1"):
        list(db.project("xyz").subject("100307").experiments())


def test_a_missing_subject_is_told_who_is_near(db: Interface) -> None:
    with pytest.raises(NotFound, match=r"subject 100306 of project HCP_Q1.*Near it: .*100307"):
        list(db.project("HCP_Q1").subject("100306").experiments())


def test_who_cannot_explain_still_reports_what_is_missing(site: Site, db: Interface) -> None:
    site.on("GET", "/data/projects", site.reply(b"", 500))
    with pytest.raises(NotFound, match="404"):
        list(db.project("NOPE").subjects())


def test_every_level_is_reached_and_listed(site: Site, db: Interface) -> None:
    experiment = db.project("HCP_Q1").subject("100307").experiments().first()
    assert (type(experiment), experiment.given, experiment.id()) == (Experiment, "100307_CREST", "E1")
    scan = experiment.scans().first()
    assert (type(scan), scan.label(), scan.uri) == (Scan, "T1w_MPR1", f"{experiment.uri}/scans/T1w_MPR1")
    resource = experiment.resources().first()
    assert (type(resource), resource.id(), resource.given) == (Resource, "105", "100307_CREST")
    files = list(resource.files())
    assert [file.path for file in files] == ["T1w/a.nii.gz", "T1w/x y+z%.txt"]
    assert (files[0].size(), files[0].label()) == (len(NIFTI), "a.nii.gz")
    assert [file.path for file in resource.files("T1w/*.gz")] == ["T1w/a.nii.gz"]
    assert files[1].uri.endswith("/files/T1w/x%20y%2Bz%25.txt")
    assert db.experiment("E1").scan("1").uri == "/data/experiments/E1/scans/1"
    for below in (experiment.assessor("A"), experiment.reconstruction("R"), experiment.scan("1")):
        assert below.resource("X").file("a").uri == f"{below.uri}/resources/X/files/a"


@pytest.mark.parametrize("label", ["", "a,b", "12", "with space"])
def test_a_resource_whose_label_cannot_stand_in_an_address_is_known_by_number(
    site: Site, db: Interface, label: str
) -> None:
    path = f"{PROJECT}/resources"
    site.on("GET", path, site.table({"xnat_abstractresource_id": "7", "label": label}))
    assert db.project("HCP_Q1").resources().first().uri == f"{path}/7"


def test_a_hostile_listing_cannot_name_files_outside(site: Site, db: Interface) -> None:
    for uri in ("../../etc/passwd", "/etc/passwd", "a/../../b", "%2e%2e/x"):
        site.on("GET", f"{RESOURCE}/files", site.table(file_row(uri, b"")))
        with pytest.raises(AddressError):
            list(crest(db).files())
    site.on("GET", f"{RESOURCE}/files", site.table({**file_row("a", b""), "URI": "elsewhere"}))
    with pytest.raises(AddressError, match="names no path"):
        list(crest(db).files())


def test_a_file_is_saved_whole_and_checked(db: Interface, tmp_path: Path) -> None:
    file = crest(db).file("T1w/a.nii.gz")
    assert file.get(tmp_path) == tmp_path / "a.nii.gz"
    assert file.get(tmp_path / "new" / "b.nii.gz").read_bytes() == NIFTI
    assert (tmp_path / "a.nii.gz").read_bytes() == NIFTI
    assert file.digest() == hashlib.md5(NIFTI, usedforsecurity=False).hexdigest()


def leaves_nothing(folder: Path) -> bool:
    return list(folder.iterdir()) == []


def test_a_file_with_other_bytes_than_the_catalog_says_is_not_kept(site: Site, db: Interface, tmp_path: Path) -> None:
    site.on("GET", f"{RESOURCE}/files/T1w/a.nii.gz", NIFTI[:-1] + b"!")
    with pytest.raises(ChecksumMismatch):
        crest(db).file("T1w/a.nii.gz").get(tmp_path / "a")
    assert leaves_nothing(tmp_path)


def test_a_file_without_digest_is_checked_by_its_size(site: Site, db: Interface, tmp_path: Path) -> None:
    site.on("GET", f"{RESOURCE}/files", site.table(file_row("T1w/a.nii.gz", NIFTI, digest="")))
    assert crest(db).file("T1w/a.nii.gz").get(tmp_path / "a").read_bytes() == NIFTI
    site.on("GET", f"{RESOURCE}/files/T1w/a.nii.gz", NIFTI[:-1])
    with pytest.raises(SizeMismatch):
        crest(db).file("T1w/a.nii.gz").get(tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.usefixtures("impatient")
def test_a_download_that_fails_says_why_and_leaves_nothing(site: Site, db: Interface, tmp_path: Path) -> None:
    file = crest(db).file("T1w/a.nii.gz")
    site.on("GET", f"{RESOURCE}/files/T1w/a.nii.gz", site.reply(b"Accept the data use terms", 403))
    with pytest.raises(AccessDenied, match="data use terms"):
        file.get(tmp_path / "a")
    site.on("GET", f"{RESOURCE}/files/T1w/a.nii.gz", site.reply(NIFTI, sent=5000))
    with pytest.raises(NotConnected, match="broke off"):
        file.get(tmp_path / "a")
    with pytest.raises(NotFound, match=r"file T1w/b\.nii\.gz of resource 100307_CREST.*Near it: T1w/a\.nii\.gz"):
        crest(db).file("T1w/b.nii.gz").get(tmp_path / "a")
    assert leaves_nothing(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(db: Interface, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(TransferError, match="taken"):
        crest(db).file("T1w/a.nii.gz").get(tmp_path / "taken" / "a")


@pytest.mark.parametrize("path", ["../a", "/a", "a//b", ""])
def test_a_path_that_leaves_the_resource_is_refused(db: Interface, path: str) -> None:
    with pytest.raises(AddressError):
        crest(db).file(path)


def test_one_level_of_a_subjects_files_is_listed(site: Site, db: Interface) -> None:
    rows = [file_row(path, b"12") for path in ("T1w/a.nii.gz", "T1w/xfms/b.mat", "T1w/Diffusion/bvals", "readme.txt")]
    site.on("GET", f"{RESOURCE}/files", site.table(*rows))
    subject = db.project("HCP_Q1").subject("100307")
    assert subject.list_level() == [("Diffusion/", None), ("T1w/", None), ("readme.txt", 2)]
    assert subject.list_level("/T1w/") == [("a.nii.gz", 2), ("xfms/", None)]
    with pytest.raises(NotFound, match="no such folder"):
        subject.list_level("T2w")
    with pytest.raises(AddressError):
        subject.list_level("../100308")
    with pytest.raises(NotFound, match="subject 999999 of project HCP_Q1"):
        db.project("HCP_Q1").subject("999999").list_level()


def test_handles_are_equal_when_they_name_the_same_on_the_same_connection(site: Site, db: Interface) -> None:
    with Interface(site.address, anonymous=True) as other:
        assert db.project("A") == db.project("A")
        assert db.project("A") != db.project("B")
        assert db.project("A") != other.project("A")
        assert len({db.project("A"), db.project("A"), db.project("A").subject("A")}) == 2


SELECTED: list[tuple[str, type[Handle], str]] = [
    ("/projects/HCP_Q1", Project, PROJECT),
    ("/project/HCP_Q1/subject/100307", Subject, f"{PROJECT}/subjects/100307"),
    ("/projects/HCP_Q1/subjects/100307/", Subject, f"{PROJECT}/subjects/100307"),
    ("/project/HCP_Q1/subject/100307/experiment/100307_CREST/resource/R/file/T1w/a b.txt", File, ""),
    ("/experiments/E1/scans/1", Scan, "/data/experiments/E1/scans/1"),
]


@pytest.mark.parametrize(("path", "kind", "uri"), SELECTED, ids=[path for path, _, _ in SELECTED])
def test_a_path_without_wildcards_is_one_handle(
    site: Site, db: Interface, path: str, kind: type[Handle], uri: str
) -> None:
    handle = db.select(path)
    assert type(handle) is kind
    assert uri in ("", handle.uri)
    assert site.everything == []


WILD = [
    ("/projects", ["HCP_Q1", "HCP_1200"], 1),
    ("/projects/*", ["HCP_Q1", "HCP_1200"], 1),
    ("/projects/*_Q?", ["HCP_Q1"], 1),
    ("/project/HCP_Q1/subjects", ["100307", "100308", "100309"], 1),
    ("/projects/HCP_Q1/subjects/*8", ["100308"], 1),
    ("/projects/*/subjects/*", ["100307", "100308", "100309", "100307"], 3),
    ("/projects/*/subjects/100307", ["100307", "100307"], 3),
    ("/projects/subjects", ["100307", "100308", "100309", "100307"], 3),
    (
        "/projects/HCP_Q1/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files/T1w/*.gz",
        ["T1w/a.nii.gz"],
        1,
    ),
]


@pytest.mark.parametrize(("path", "given", "requests"), WILD, ids=[path for path, _, _ in WILD])
def test_a_path_with_wildcards_is_listed_level_by_level(
    site: Site, db: Interface, path: str, given: list[str], requests: int
) -> None:
    listing = db.select(path)
    assert isinstance(listing, Listing)
    assert site.everything == []
    assert listing.get() == given
    assert len(site.seen) == requests


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//subjects",
        "/projekts/x",
        "/projects/P/scans",
        "/projects//subjects",
        "/projects/../x",
        "/subjects/S/projects",
        "/projects/P/files/../x",
    ],
)
def test_a_path_that_is_none_gets_a_sentence(db: Interface, path: str) -> None:
    with pytest.raises(AddressError):
        db.select(path)


def test_pyxnats_way_to_step_down_works(db: Interface) -> None:
    assert db.select.project("HCP_Q1") == db.project("HCP_Q1")
    assert db.select.projects().get() == ["HCP_Q1", "HCP_1200"]

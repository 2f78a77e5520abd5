"""Files of the subjects that meet a predicate, over HTTP: sums, lockfiles, zips."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from connectomedb.client.interface import Interface
from connectomedb.cohort.lockfile import format_lockfile, parse_lockfile
from connectomedb.hcp.glob import compile_glob
from connectomedb.hcp.manifest import parse_manifest
from connectomedb.hcp.packages import packages
from connectomedb.mirror.mirror import Mirror
from connectomedb.server.packages import wanted

if TYPE_CHECKING:
    from tests.server.conftest import Served

Q1 = "/data/projects/HCP_Q1/explore"
MOTOR = "3T_tfMRI_MOTOR_preproc"
BVALS = "T1w/Diffusion/bvals"


def test_files_are_counted_by_package_and_together(reader: httpx2.Client) -> None:
    words = {"where": "MMSE_Score > 0", "package": f"{MOTOR},3T_Diffusion_preproc", "pattern": [BVALS, "**/lf.txt"]}
    told = reader.get(f"{Q1}/files", params=words).json()
    assert (told["subjects"], told["counted"]) == (3, 3)
    motor = next(one for one in told["packages"] if one["id"] == MOTOR)
    size = len(b"bold " * 400) + len(b"10.0 12.0 1\n")
    assert (motor["subjects"], motor["files"], motor["size"]) == (2, 4, 2 * size)
    assert told["wanted"] == {"subjects": 2, "files": 6, "size": 2 * (size + len(b"5 1000 2000\n"))}
    by_form = reader.post(f"{Q1}/files", data=words)
    assert by_form.json() == told


def test_parts_add_up_to_the_whole(reader: httpx2.Client) -> None:
    whole = reader.get(f"{Q1}/files", params={"package": MOTOR}).json()
    parts = [reader.get(f"{Q1}/files", params={"package": MOTOR, "limit": 1, "offset": at}).json() for at in range(4)]
    assert [part["counted"] for part in parts] == [1, 1, 1, 1]
    for name in ("subjects", "files", "size"):
        assert sum(part["wanted"][name] for part in parts) == whole["wanted"][name]
    assert reader.get(f"{Q1}/files", params={"offset": 9}).json()["counted"] == 0


def test_the_lockfile_is_the_one_that_the_client_makes(served: Served, tmp_path: Path) -> None:
    globs = (BVALS, "**/tfMRI_MOTOR_LR.nii.gz")
    with Interface(served.address, "reader", "correct horse") as db:
        mirror = Mirror(tmp_path, [db.store_of])
        db = Interface(served.address, "reader", "correct horse", data_mirror=mirror)
        mine = db.where("Gender = 'F' or Gender = 'M'", project="HCP_Q1").lock(globs)
        db.close()
    with served.client("reader") as client:
        reply = client.get(f"{Q1}/lockfile", params={"where": "Gender = 'F' or Gender = 'M'", "pattern": list(globs)})
    assert 'filename="HCP_Q1.cdb.toml"' in reply.headers["content-disposition"]
    theirs = parse_lockfile(reply.text)
    assert theirs.subjects == ("100307", "103515", "118932", "200614")
    assert {label: dict(held) for label, held in theirs.files.items()} == {
        label: dict(held) for label, held in mine.files.items()
    }
    assert format_lockfile(theirs) == format_lockfile(mine)


def test_a_lockfile_without_files_names_the_subjects(reader: httpx2.Client) -> None:
    locked = parse_lockfile(reader.get(f"{Q1}/lockfile", params={"where": "Gender = 'F'"}).text)
    assert (locked.subjects, locked.files, locked.predicate) == (("100307", "118932"), {}, "Gender = 'F'")


def test_a_lockfile_with_labels_does_not_tell_a_restricted_condition(served: Served) -> None:
    with served.client("granted") as granted:
        reply = granted.get(f"{Q1}/lockfile", params={"where": "Age_in_Yrs < 30 and Gender = 'F'"})
    locked = parse_lockfile(reply.text)
    assert len(locked.subjects) == 2 and locked.predicate == ""
    assert "Age_in_Yrs" not in reply.text


def test_packages_are_globs_in_a_lockfile(reader: httpx2.Client) -> None:
    locked = parse_lockfile(reader.get(f"{Q1}/lockfile", params={"package": MOTOR}).text)
    assert sorted(locked.files) == ["100307", "103515"]
    assert list(locked.each_file())
    for label, path, _ in locked.each_file():
        assert any(compile_glob(glob).fullmatch(f"{label}/{path}") for glob in locked.patterns)
    for one in packages().values():
        for glob in one.patterns:
            compile_glob(glob)


def test_a_zip_has_the_files_and_a_manifest_of_each_subject(reader: httpx2.Client) -> None:
    words = {"where": "MMSE_Score >= 29", "pattern": BVALS, "package": MOTOR}
    reply = reader.get(f"{Q1}/zip", params=words)
    assert reply.headers["content-length"] == str(len(reply.content))
    assert reader.head(f"{Q1}/zip", params=words).headers["content-length"] == str(len(reply.content))
    with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
        assert packed.testzip() is None
        names = packed.namelist()
        for label in ("100307", "103515"):
            manifest = parse_manifest(packed.read(f"{label}/.xdlm/{label}_selection.json"))
            listed = {f"{label}/{entry.path}": entry.size for entry in manifest.entries}
            held = {name for name in names if name.startswith(f"{label}/") and ".xdlm" not in name}
            assert set(listed) <= held
            assert all(packed.getinfo(name).file_size == size for name, size in listed.items())
        assert f"100307/{'Diffusion/bvals'}" in names


@pytest.mark.parametrize(
    ("what", "words", "status"),
    [
        ("files", {"limit": "501"}, 400),
        ("files", {"limit": "*"}, 400),
        ("files", {"package": "nothing"}, 400),
        ("files", {"pattern": "<x>"}, 400),
        ("files", {"where": "Agee = 1"}, 422),
        ("files", {"where": "Age_in_Yrs > 1"}, 422),
        ("lockfile", {"where": "Age_in_Yrs > 1"}, 422),
        ("zip", {}, 400),
        ("zip", {"pattern": "nothing/*"}, 404),
        ("zip", {"where": "Age_in_Yrs > 1", "pattern": "*"}, 422),
    ],
)
def test_what_cannot_be_is_refused(reader: httpx2.Client, what: str, words: dict[str, str], status: int) -> None:
    assert reader.get(f"{Q1}/{what}", params=words).status_code == status


@pytest.mark.parametrize("what", ["files", "lockfile", "zip"])
def test_who_may_not_read_the_project_gets_nothing(served: Served, what: str) -> None:
    for login, status in (("stranger", 404), (None, 401)):
        with served.client(login) as client:
            assert client.get(f"{Q1}/{what}", params={"pattern": "**"}).status_code == status


def test_what_is_too_much_for_a_zip_is_refused(reader: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"pattern": "T1w/*.nii.gz", "where": "MMSE_Score > 0"}
    assert reader.get(f"{Q1}/zip", params=words).status_code == 200
    monkeypatch.setattr(wanted, "MAX_ZIP_BYTES", 3_000_000)
    reply = reader.get(f"{Q1}/zip", params=words)
    assert reply.status_code == 413 and "cdb sync" in reply.text


@pytest.mark.parametrize("lost", ["100307", "103515"])
def test_a_zip_whose_store_is_dead_is_refused_before_it_begins(
    served: Served, reader: httpx2.Client, lost: str
) -> None:
    tree = served.tree / "q1"
    away = tree.with_name("away")
    tree.rename(away)
    try:
        reply = reader.get(f"{Q1}/zip", params={"pattern": BVALS, "where": f"Subject = {lost}"})
    finally:
        away.rename(tree)
    assert reply.status_code >= 500, reply.status_code
    assert "content-disposition" not in reply.headers
    assert reader.get(f"{Q1}/zip", params={"pattern": BVALS}).status_code == 200


def test_a_zip_is_a_download_in_the_audit_log(served: Served, reader: httpx2.Client, admin: httpx2.Client) -> None:
    reader.get(f"{Q1}/zip", params={"pattern": BVALS, "where": "Gender = 'F'"})
    served.site.audit.flush()
    rows = admin.get("/data/audit?user=reader&action=download&limit=1").json()["ResultSet"]["Result"]
    assert (rows[0]["project"], rows[0]["detail"]) == ("HCP_Q1", "100307")

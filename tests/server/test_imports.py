"""Sessions that come in as one archive, and the cache from which they may be taken."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import MRImageStorage, generate_uid

from connectomedb.server.intake.user_cache import KEPT_S, expire

if TYPE_CHECKING:
    from tests.server.conftest import Lab

IMPORT, CACHE = "/data/services/import", "/data/user/cache/resources"
EXPLICIT, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
PASSWORD = "correct horse"
_numbers = count()


@pytest.fixture
def member(lab: Lab) -> httpx2.Client:
    return lab.client("member")


@pytest.fixture
def name() -> str:
    """A subject that no other test uses."""
    return f"new{next(_numbers)}"


def image(series: int, number: int = 1, syntax: str = EXPLICIT, **elements: object) -> bytes:
    """A DICOM file with a picture of one dot."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = MRImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid(
        entropy_srcs=[f"{series}.{number}"]
    )
    described: dict[str, object] = {
        "PatientID": "EP 7",
        "PatientName": "Doe^7",
        "StudyDate": "20240102",
        "Modality": "MR",
        "SeriesNumber": series,
        "SeriesDescription": f"T{series}w / fast",
        "SeriesInstanceUID": f"1.2.{series}",
        "RepetitionTime": 2400.5,
        "Rows": 1,
        "Columns": 1,
        "PixelData": b"\0\0",
    }
    for keyword, value in {**described, **elements}.items():
        setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OW"
    written = io.BytesIO()
    pydicom.dcmwrite(written, dataset, enforce_file_format=True)
    return written.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in members.items():
            archive.writestr(path, content)
    return packed.getvalue()


def post(client: httpx2.Client, content: bytes, **parameters: str) -> httpx2.Response:
    return client.post(IMPORT, params={"inbody": "true", **parameters}, content=content)


def rows(client: httpx2.Client, address: str) -> list[dict[str, Any]]:
    reply = client.get(address, params={"format": "json"})
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["ResultSet"]["Result"]
    return found


def test_images_say_themselves_where_they_belong(member: httpx2.Client) -> None:
    sent = {f"a/{series}/{number}.dcm": image(series, number) for series in (3, 5) for number in (1, 2)}
    reply = post(member, zipped({**sent, "b/3/1.dcm": image(3, 9), "readme.txt": b"words"}), project="HCP_Q1")
    address = "/data/archive/projects/HCP_Q1/subjects/Doe_7/experiments/EP_7"
    assert (reply.status_code, reply.text) == (200, f"{address}\r\n")
    scans = {row["ID"]: row for row in rows(member, f"{address}/scans")}
    assert {id: (row["type"], row["xsiType"]) for id, row in scans.items()} == {
        "3": ("T3w / fast", "xnat:mrScanData"),
        "5": ("T5w / fast", "xnat:mrScanData"),
    }
    held = [row["Name"] for row in rows(member, f"{address}/scans/3/resources/DICOM/files")]
    assert {"1.dcm", "2.dcm"} < set(held)
    assert len(held) == 3
    assert [row["Name"] for row in rows(member, f"{address}/resources/FILES/files")] == ["readme.txt"]
    item = member.get(f"{address}/scans/5?format=json").json()["items"][0]["data_fields"]
    assert (item["parameters/tr"], item["frames"], item["UID"]) == (2400.5, 2, "1.2.5")
    session = member.get(f"{address}?format=json").json()["items"][0]
    assert (session["meta"]["xsi:type"], session["data_fields"]["date"]) == ("xnat:mrSessionData", "2024-01-02")


def test_what_is_named_counts_more_and_xnatpy_gets_its_session(lab: Lab, name: str, tmp_path: Path) -> None:
    import xnat

    sent = tmp_path / "images.zip"
    sent.write_bytes(zipped({"x/1.dcm": image(1)}))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "1.dcm").write_bytes(image(1, Modality="PT"))
    with xnat.connect(lab.address, user="member", password=PASSWORD, loglevel="ERROR") as session:
        found = session.services.import_(sent, project="HCP_Q1", subject=name, experiment=f"{name}_MR")
        assert (found.label, found.subject.label, len(found.scans)) == (f"{name}_MR", name, 1)
        other = session.services.import_dir(folder, project="HCP_Q1", subject=name, experiment=f"{name}_PET")
        assert type(other).__name__ == "PetSessionData"
        assert other.scans["1"].resources["DICOM"].files["1.dcm"].size == str(len(image(1, Modality="PT")))


def test_a_zip_of_the_server_comes_back_as_it_was(member: httpx2.Client, name: str) -> None:
    content = zipped(
        {
            f"{name}_MR/scans/1-T1w/resources/NIFTI/files/dir/a.nii": b"image",
            f"{name}_MR/scans/T2_a-x_y/NIFTI/b.nii": b"other",
            f"{name}_MR/resources/NOTES/files/n.txt": b"notes",
            f"sub-{name}/anat/T1w.json": b"{}",
        }
    )
    reply = post(member, content, dest=f"/archive/projects/HCP_Q1/subjects/{name}/experiments/{name}_MR")
    address = reply.text.strip()
    assert {row["ID"] for row in rows(member, f"{address}/scans")} == {"1", "T2_a"}
    packed = zipfile.ZipFile(io.BytesIO(member.get(f"{address}/scans/1/files?format=zip").content))
    assert packed.read(f"{name}_MR/scans/1/resources/NIFTI/files/dir/a.nii") == b"image"
    assert member.get(f"{address}/resources/FILES/files/sub-{name}/anat/T1w.json").content == b"{}"
    again = {"project": "HCP_Q1", "subject": name, "session": f"{name}_MR"}
    assert post(member, zipped({"more.txt": b"more"}), **again).status_code == 409
    assert post(member, zipped({"more.txt": b"more"}), **again, overwrite="append", resource="LATE").status_code == 200
    labels = {row["label"] for row in rows(member, f"{address}/resources")}
    assert labels == {"NOTES", "FILES", "LATE"}
    assert post(member, zipped({"x": b""}), **again, overwrite="delete").status_code == 403, "members do not delete"


def test_delete_puts_a_new_session_in_place_of_the_old(lab: Lab, name: str) -> None:
    owner = lab.client("owner")
    where = {"project": "HCP_Q1", "subject": name, "session": f"{name}_MR"}
    post(owner, zipped({"old.txt": b"old"}), **where)
    address = post(owner, zipped({"new.txt": b"new"}), **where, overwrite="delete").text.strip()
    assert [row["Name"] for row in rows(owner, f"{address}/files")] == ["new.txt"]


@pytest.mark.parametrize("level", ["subject", "project"])
def test_files_without_a_session_go_to_what_is_named(member: httpx2.Client, name: str, level: str) -> None:
    named = {"subject": name} if level == "subject" else {}
    form = {"file": ("notes.nii.gz", b"\x1f\x8bno archive")}
    reply = member.post(IMPORT, params={"project": "HCP_Q1", "resource": f"R{name}", **named}, files=form)
    below = f"/subjects/{name}" if named else ""
    assert reply.text == f"/data/archive/projects/HCP_Q1{below}\r\n"
    assert [row["Name"] for row in rows(member, f"{reply.text.strip()}/resources/R{name}/files")] == ["notes.nii.gz"]


def test_images_of_one_number_or_one_name_are_told_apart(member: httpx2.Client, name: str) -> None:
    one, other = image(1), image(1, SeriesInstanceUID="1.2.99")
    sent = {"a/1.dcm": one, "b/1.dcm": other, "c/1.dcm": one, "d/1.dcm": one, "e/1.dcm": one}
    address = post(member, zipped(sent), project="HCP_Q1", subject=name, session=f"{name}_MR").text.strip()
    counts = {row["cat_id"]: row["file_count"] for row in rows(member, f"{address}/scans/ALL/resources")}
    assert counts == {"1": "4", "1-2": "1"}


STRANGE = {
    "cut off": image(1)[:300],
    "only its magic": bytes(128) + b"DICM",
    "compressed header": image(1, syntax=DEFLATED),
    "long text": image(1, PatientID="X" * 64, SeriesDescription="y" * 64, ImageComments="z" * 5000),
    "no number": image(1, SeriesNumber=None, RepetitionTime=None, StudyDate=""),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_strange_images_are_kept_and_break_nothing(member: httpx2.Client, name: str, kind: str) -> None:
    reply = post(member, zipped({"x.dcm": STRANGE[kind]}), project="HCP_Q1", subject=name, session=f"{name}_MR")
    assert reply.status_code == 200, reply.text
    found = rows(member, f"{reply.text.strip()}/files") or rows(member, f"{reply.text.strip()}/scans/ALL/files")
    assert [row["Size"] for row in found] == [str(len(STRANGE[kind]))]


REFUSED = [
    ({}, b"x", 400),
    ({"project": "HCP_Q1"}, b"neither", 400),
    ({"project": "HCP_Q1"}, b"", 400),
    ({"project": "HCP_Q1"}, zipped({"../x": b"x"}), 400),
    ({"project": "HCP_Q1", "dest": "/prearchive"}, b"x", 400),
    ({"project": "HCP_Q1", "import-handler": "inbox"}, b"x", 400),
    ({"project": "HCP_Q1", "overwrite": "all"}, b"x", 400),
    ({"project": "HCP_Q1", "session": "S"}, zipped({"x": b"x"}), 400),
    ({"project": "HCP_Q1", "subject": "S"}, zipped({"scans/1/N/x": b"x"}), 400),
    ({"project": "HCP_Q1", "subject": "a b", "session": "S"}, zipped({"x": b"x"}), 417),
    ({"project": "HCP_Q1", "src": "/user/cache/resources/none/files/x"}, b"", 404),
    ({"project": "HCP_Q1", "src": "/etc/passwd"}, b"", 400),
    ({"project": "HCP_Q1", "src": "/user/cache/resources/../files/x"}, b"", 400),
    ({"project": "NOWHERE"}, b"x", 404),
]


@pytest.mark.parametrize(("parameters", "content", "status"), REFUSED)
def test_what_makes_no_sense_is_refused(
    member: httpx2.Client, parameters: dict[str, str], content: bytes, status: int
) -> None:
    before = len(rows(member, "/data/projects/HCP_Q1/subjects"))
    reply = post(member, content, **parameters)
    assert reply.status_code == status, reply.text
    assert len(rows(member, "/data/projects/HCP_Q1/subjects")) == before


def test_the_cache_is_its_owners_alone(lab: Lab, member: httpx2.Client, name: str) -> None:
    place = f"{CACHE}/{name}"
    assert member.put(place).status_code == 200
    assert member.put(f"{place}/files/dir/x.zip?inbody=true", content=zipped({"a.txt": b"a"})).status_code == 200
    assert member.put(f"{place}/files/?extract=true", content=zipped({"b/c.txt": b"cc"})).status_code == 200
    listed = {row["URI"]: row["Size"] for row in rows(member, f"{place}/files")}
    assert listed[f"{place}/files/b/c.txt"] == "2"
    assert {row["label"]: row["file_count"] for row in rows(member, CACHE)}[name] == "2"
    assert member.get(f"{place}/files/b/c.txt").content == b"cc"
    assert member.put(f"{place}/files/b/c.txt/d", content=b"x").status_code == 409
    assert member.put(f"{place}/files/..%2Fx", content=b"x").status_code == 400
    other = lab.client("owner")
    assert rows(other, CACHE) == []
    assert other.get(f"{place}/files/b/c.txt").status_code == 404
    source = f"/user/cache/resources/{name}/files/dir/x.zip"
    assert post(other, b"", project="HCP_Q1", subject=name, src=source).status_code == 404
    reply = post(member, b"", project="HCP_Q1", subject=name, resource="CACHED", src=source)
    assert [row["Name"] for row in rows(member, f"{reply.text.strip()}/resources/CACHED/files")] == ["a.txt"]
    assert member.delete(f"{place}/files/b/c.txt").status_code == 200
    assert member.delete(place).status_code == 200
    assert member.get(f"{place}/files").status_code == 404


def test_the_cache_has_a_bound_and_an_end(lab: Lab, member: httpx2.Client, name: str) -> None:
    place = f"{CACHE}/{name}"
    most = lab.site.settings.files.max_upload_bytes
    assert member.put(f"{place}/files/a", content=bytes(most - 10)).status_code == 200
    assert member.put(f"{place}/files/b", content=bytes(11)).status_code == 413
    assert [row["Name"] for row in rows(member, f"{place}/files")] == ["a"]
    for path in _files(lab.site.folder.cache):
        _age(path, KEPT_S + 60)
    expire(lab.site.folder.cache)
    assert member.get(f"{place}/files/a").status_code == 404


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _age(path: Path, seconds: float) -> None:
    import os

    facts = path.stat()
    os.utime(path, (facts.st_atime - seconds, facts.st_mtime - seconds))

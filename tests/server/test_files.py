"""Resources and files: lists, content, ranges, folders, zips, catalogs, and tricks with paths."""

from __future__ import annotations

import hashlib
import http.client
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import httpx2
import pytest
from sqlalchemy import update

from connectomedb.hcp.release import release_of
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.run import start
from connectomedb.server.site import open_site
from connectomedb.server.tables.schema import files
from connectomedb.stores.s3 import S3Store

if TYPE_CHECKING:
    from tests.server.conftest import DataFolders, Deliver, Served

PASSWORD = "correct horse"
SUBJECT = "/data/projects/HCP_Q1/subjects/100307"
CREST = f"{SUBJECT}/experiments/100307_CREST/resources/100307_CREST"
SESSION = f"{SUBJECT}/experiments/100307_3T"
BRAIN = f"{CREST}/files/T1w/T1w_acpc_dc_restore_brain.nii.gz"
BIG = bytes(range(256)) * 12_000
MD5 = hashlib.md5(BIG).hexdigest()


def test_a_resource_row_has_numbers_sums_and_no_id(reader: httpx2.Client) -> None:
    rows = reader.get(f"{SESSION}/resources").json()["ResultSet"]["Result"]
    row = next(row for row in rows if row["label"] == "Structural_preproc")
    assert row["xnat_abstractresource_id"].isdecimal()
    assert (row["element_name"], row["category"], row["file_count"], row["file_size"]) == (
        *("xnat:resourceCatalog", "resources", "2"),
        str(len(BIG) + 6),
    )
    assert "ID" not in row
    assert "URI" not in row


def test_a_file_row_has_a_numbered_address_and_a_digest(reader: httpx2.Client) -> None:
    result = reader.get(f"{CREST}/files").json()["ResultSet"]
    assert (result["title"], result["totalRecords"]) == ("Files", "9")
    row = next(row for row in result["Result"] if row["Name"] == "T1w_acpc_dc_restore_brain.nii.gz")
    number = row["cat_ID"]
    assert number.isdecimal()
    assert row == {
        "Name": "T1w_acpc_dc_restore_brain.nii.gz",
        "Size": str(len(BIG)),
        "URI": f"/data/experiments/ConnectomeDB_E00002/resources/{number}/files/T1w/T1w_acpc_dc_restore_brain.nii.gz",
        "collection": "100307_CREST",
        "file_tags": "",
        "file_format": "",
        "file_content": "",
        "cat_ID": number,
        "digest": MD5,
    }


def test_every_row_leads_to_its_bytes(reader: httpx2.Client) -> None:
    for address in (f"{CREST}/files", f"{SESSION}/files"):
        rows = reader.get(address).json()["ResultSet"]["Result"]
        assert rows
        for row in rows:
            reply = reader.get(row["URI"])
            assert reply.status_code == 200, row
            assert hashlib.md5(reply.content).hexdigest() == row["digest"]
            assert len(reply.content) == int(row["Size"])


SAME_FILE = [
    BRAIN,
    BRAIN.replace("/data/", "/data/archive/"),
    BRAIN.replace("/data/", "/REST/"),
    BRAIN.replace("T1w/", "T1w%2F"),
    f"{SESSION}/resources/Structural_preproc/files/T1w/T1w_acpc_dc_restore_brain.nii.gz",
    f"{SESSION}/files/T1w/T1w_acpc_dc_restore_brain.nii.gz",
    "/data/experiments/ConnectomeDB_E00002/resources/100307_CREST/files/T1w/T1w_acpc_dc_restore_brain.nii.gz",
]


@pytest.mark.parametrize("address", SAME_FILE)
def test_a_file_is_found_at_all_its_addresses(reader: httpx2.Client, address: str) -> None:
    reply = reader.get(address)
    assert reply.status_code == 200
    assert reply.content == BIG


def test_a_plus_in_a_name_may_come_raw_or_encoded(reader: httpx2.Client) -> None:
    for name in ("aparc+aseg.nii.gz", "aparc%2Baseg.nii.gz"):
        assert reader.get(f"{CREST}/files/MNINonLinear/{name}").content == b"labels"


def test_content_comes_with_the_headers_that_clients_read(reader: httpx2.Client) -> None:
    for reply in (reader.get(BRAIN), reader.head(BRAIN)):
        assert reply.status_code == 200
        assert reply.headers["content-length"] == str(len(BIG))
        assert reply.headers["etag"] == f'"{MD5}"'
        assert reply.headers["last-modified"].endswith("GMT")
        assert reply.headers["accept-ranges"] == "bytes"
        assert reply.headers["content-type"] == "application/gzip"
        assert reply.headers["content-disposition"] == 'attachment; filename="T1w_acpc_dc_restore_brain.nii.gz"'
        assert reply.headers["cache-control"] == "private, must-revalidate"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "content-encoding" not in reply.headers
    assert reader.head(BRAIN).content == b""


def test_ranges_give_the_bytes_asked_for(reader: httpx2.Client) -> None:
    reply = reader.get(BRAIN, headers={"Range": "bytes=1000000-2999999"})
    assert reply.status_code == 206
    assert reply.headers["content-range"] == f"bytes 1000000-2999999/{len(BIG)}"
    assert reply.headers["content-length"] == "2000000"
    assert reply.content == BIG[1_000_000:3_000_000]
    assert reader.get(BRAIN, headers={"Range": "bytes=-5"}).content == BIG[-5:]
    beyond = reader.get(BRAIN, headers={"Range": f"bytes={len(BIG)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(BIG)}")
    head = reader.head(BRAIN, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.headers["content-length"]) == (206, "10")


def test_what_the_client_has_is_not_sent_again(reader: httpx2.Client) -> None:
    first = reader.get(BRAIN)
    for header, value in (
        ("If-None-Match", first.headers["etag"]),
        ("If-Modified-Since", first.headers["last-modified"]),
    ):
        reply = reader.get(BRAIN, headers={header: value})
        assert (reply.status_code, reply.content) == (304, b"")
        assert reply.headers["etag"] == first.headers["etag"]


def test_another_version_than_the_client_wants_is_not_sent(reader: httpx2.Client) -> None:
    first = reader.get(BRAIN)
    assert reader.get(BRAIN, headers={"If-Match": first.headers["etag"]}).content == BIG
    for method in ("GET", "HEAD"):
        reply = reader.request(method, BRAIN, headers={"If-Match": '"older"', "Range": "bytes=0-9"})
        assert (reply.status_code, reply.content) == (412, b"")
        assert reply.headers["etag"] == first.headers["etag"]


def test_an_empty_file_is_empty(reader: httpx2.Client) -> None:
    reply = reader.get(f"{CREST}/files/release-notes/Structural_preproc.txt")
    assert (reply.status_code, reply.content, reply.headers["content-length"]) == (200, b"", "0")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_file_that_is_not_there(reader: httpx2.Client) -> None:
    missing = reader.get(f"{CREST}/files/T1w/nothing.nii.gz")
    assert (missing.status_code, "\n" in missing.text) == (404, False)
    assert reader.get(f"{CREST}/files/T1w/nothing.nii.gz?accept-not-found=true").status_code == 204
    assert reader.get(f"{CREST}/files/T1w").status_code == 404
    assert reader.head(f"{CREST}/files/nothing").status_code == 404


def test_a_folder_is_listed_when_its_name_ends_in_a_slash(reader: httpx2.Client) -> None:
    def names(address: str) -> list[str]:
        return [row["Name"] for row in reader.get(address).json()["ResultSet"]["Result"]]

    assert names(f"{CREST}/files/T1w/") == ["bvals", "T1w_acpc_dc_restore_brain.nii.gz"]
    assert names(f"{CREST}/files/T1w/?recursive=false") == ["T1w_acpc_dc_restore_brain.nii.gz"]
    assert len(names(f"{CREST}/files/")) == len(names(f"{CREST}/files")) == 9
    assert reader.get(f"{CREST}/files/none/").status_code == 404


def test_the_nth_file_can_be_asked_for(reader: httpx2.Client) -> None:
    rows = reader.get(f"{CREST}/files").json()["ResultSet"]["Result"]
    assert reader.get(f"{CREST}/files?index=1").headers["etag"].strip('"') == rows[1]["digest"]
    assert reader.get(f"{CREST}/files?index=99").status_code == 404
    assert reader.get(f"{CREST}/files?index=x").status_code == 404


def test_resources_are_found_by_label_number_and_list(reader: httpx2.Client) -> None:
    rows = reader.get(f"{SESSION}/resources").json()["ResultSet"]["Result"]
    numbers = {row["label"]: row["xnat_abstractresource_id"] for row in rows}
    both = f"Structural_preproc,{numbers['Diffusion_preproc']}"
    found = reader.get(f"{SESSION}/resources/{both}/files").json()["ResultSet"]["Result"]
    assert {row["collection"] for row in found} == {"Structural_preproc", "Diffusion_preproc"}
    assert reader.get(f"{SESSION}/resources/none/files").status_code == 404
    elsewhere = reader.get(f"{CREST}/files").json()["ResultSet"]["Result"][0]["cat_ID"]
    assert reader.get(f"{SESSION}/resources/{elsewhere}/files").status_code == 404
    assert reader.get(f"{SESSION}/resources/{'9' * 30}/files").status_code == 404


def test_a_single_resource_is_its_catalog_whatever_is_asked(reader: httpx2.Client) -> None:
    reply = reader.get(f"{SESSION}/resources/Structural_preproc?format=json")
    assert reply.text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<cat:Catalog')
    entries = ET.fromstring(reply.content).iter("{http://nrg.wustl.edu/catalog}entry")
    assert {entry.get("URI"): entry.get("digest") for entry in entries} == {
        "MNINonLinear/aparc+aseg.nii.gz": hashlib.md5(b"labels").hexdigest(),
        "T1w/T1w_acpc_dc_restore_brain.nii.gz": MD5,
    }


@pytest.mark.parametrize("address", [f"{SESSION}/resources/Structural_preproc/junk", f"{SESSION}/resources/R/scans"])
def test_nothing_but_files_stands_below_a_resource(reader: httpx2.Client, address: str) -> None:
    assert reader.get(address).status_code == 400


def test_a_zip_has_its_length_and_the_names_that_clients_expect(reader: httpx2.Client) -> None:
    reply = reader.get(f"{SESSION}/resources/Structural_preproc/files?format=zip")
    assert reply.headers["content-type"] == "application/zip"
    assert reply.headers["content-disposition"] == 'attachment; filename="100307_3T.zip"'
    assert int(reply.headers["content-length"]) == len(reply.content)
    head = reader.head(f"{SESSION}/resources/Structural_preproc/files?format=zip")
    assert (head.headers["content-length"], head.content) == (reply.headers["content-length"], b"")
    with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
        assert packed.testzip() is None
        folder = "100307_3T/resources/Structural_preproc/files"
        assert {info.filename: info.compress_type for info in packed.infolist()} == {
            f"{folder}/MNINonLinear/aparc+aseg.nii.gz": zipfile.ZIP_STORED,
            f"{folder}/T1w/T1w_acpc_dc_restore_brain.nii.gz": zipfile.ZIP_STORED,
        }
        assert packed.read(f"{folder}/T1w/T1w_acpc_dc_restore_brain.nii.gz") == BIG


def test_a_zip_of_a_folder_or_of_all_resources(reader: httpx2.Client) -> None:
    whole = zipfile.ZipFile(io.BytesIO(reader.get(f"{CREST}/files?format=zip").content))
    assert len(whole.namelist()) == 9  # the empty file too
    part = zipfile.ZipFile(io.BytesIO(reader.get(f"{CREST}/files/T1w/?format=zip").content))
    assert part.namelist()[0] == "100307_CREST/resources/100307_CREST/files/T1w/Diffusion/bvals"
    all_of_session = zipfile.ZipFile(io.BytesIO(reader.get(f"{SESSION}/files?format=zip").content))
    assert len(all_of_session.namelist()) == 7


def test_a_zip_of_nothing_is_refused(reader: httpx2.Client) -> None:
    for address in ("/data/projects/HCP_Q1/files", f"{SESSION}/scans/ALL/files", f"{SESSION}/scans/1/files"):
        assert reader.get(address).json()["ResultSet"]["Result"] == []
        assert reader.get(f"{address}?format=zip").status_code == 404


HOSTILE = [
    "/files/../../../../etc/passwd",
    "/files/%2e%2e/%2e%2e/etc/passwd",
    "/files/..%2f..%2fetc%2fpasswd",
    "/files/T1w//Diffusion/bvals",
    "/files//etc/passwd",
    "/files/./T1w",
    "/files/T1w/%00",
    "/files/%2e%2e",
    "/../../..",
    "/%2e%2e/files",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_climbs_is_refused(served: Served, path: str) -> None:
    session = served.site.logins.sign_in("reader", PASSWORD).session_id
    host, _, port = served.address.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port))  # sends the path as it is, without tidying it
    connection.putrequest("GET", f"{CREST}{path}", skip_host=False)
    connection.putheader("Cookie", f"JSESSIONID={session}")
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 400
    assert b"root" not in reply.read()
    connection.close()


def test_other_tricks_find_nothing(reader: httpx2.Client) -> None:
    for path in ("%5c..%5cetc%5cpasswd", "C:%5cwindows", "%25", "%C3%28", "a" * 3000, "%"):
        assert reader.get(f"{CREST}/files/{path}").status_code == 404


def test_a_row_that_climbs_out_of_its_store_gives_no_bytes(tmp_path: Path, deliver: Deliver) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    site = deliver(tmp_path)
    with site.database.write() as connection:
        connection.execute(update(files).where(files.c.path.endswith("bvals")).values(object_key="../secret.txt"))
    with start(site, admin_password=PASSWORD) as server:
        reply = httpx2.get(f"{server.address}{CREST}/files/T1w/Diffusion/bvals", auth=("admin", PASSWORD))
    assert reply.status_code == 502
    assert "secret" not in reply.text


def test_bytes_that_left_the_store_are_an_error_and_not_an_empty_file(
    tmp_path: Path, deliver: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    site = deliver(tmp_path)
    (tmp_path / "tree/q1/100307/Diffusion/bvals").unlink()
    (tmp_path / "tree/q1/100307/T1w/T1w_acpc_dc_restore_brain.nii.gz").write_bytes(BIG[:2_000_000])
    with start(site, admin_password=PASSWORD) as server, httpx2.Client(base_url=server.address) as client:
        client.get("/data/JSESSION", auth=("admin", PASSWORD))
        gone = client.get(f"{CREST}/files/T1w/Diffusion/bvals")
        assert gone.status_code == 502
        assert "tree" not in gone.text
        with pytest.raises(httpx2.RemoteProtocolError):
            client.get(BRAIN)
    assert "q1/100307/Diffusion/bvals" in caplog.text


def test_files_come_out_of_an_object_store(
    tmp_path: Path,
    s3_store: Callable[[str], S3Store],
    write_release: Callable[[Path], None],
    data_folder: DataFolders,
) -> None:
    write_release(tmp_path / "tree")
    bucket = s3_store("server")
    for path in sorted((tmp_path / "tree").rglob("*")):
        if path.is_file():
            bucket.put(str(path.relative_to(tmp_path / "tree")), path)
    declared = f'kind = "s3"\nbucket = "{bucket.bucket}"\nendpoint_url = "{bucket.settings.endpoint_url}"\n'
    folder = data_folder(tmp_path / "data", f"[stores.bucket]\n{declared}")
    site = open_site(folder, settings=bucket.settings)
    ingest_release(
        site.database, site.archive, Delivery(release_of("HCP_Q1"), "Q1", listings={"bucket": bucket.list("q1/")})
    )
    with start(site, admin_password=PASSWORD) as server, httpx2.Client(base_url=server.address) as client:
        client.get("/data/JSESSION", auth=("admin", PASSWORD))
        assert client.get(BRAIN).content == BIG
        assert client.get(BRAIN, headers={"Range": "bytes=5-2000004"}).content == BIG[5:2_000_005]
        packed = zipfile.ZipFile(io.BytesIO(client.get(f"{CREST}/files?format=zip").content))
        assert packed.testzip() is None

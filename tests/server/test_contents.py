"""How files leave: tars, entries of stored zips, locators, catalogs, and redirects to a real object store."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from sqlalchemy import select

from connectomedb.client.transport import Connection
from connectomedb.server.check import check_files
from connectomedb.server.intake.sweep import sweep
from connectomedb.server.run import start
from connectomedb.server.site import Site
from connectomedb.server.tables.schema import audit
from connectomedb.stores import s3
from connectomedb.stores.s3 import S3Store

if TYPE_CHECKING:
    from tests.server.conftest import Lab, MakeProject

PASSWORD = "correct horse"
SESSION = "/data/projects/HCP_Q1/subjects/100307/experiments/100307_3T"
RESOURCE = f"{SESSION}/resources/OUT"
LONG = "long/" * 30 + "ü.txt"
CONTENT = {"a.txt": b"a" * 700, "empty": b"", LONG: b"long" * 1000, "block": b"x" * 512}


@pytest.fixture(scope="module")
def owner(lab: Lab) -> httpx2.Client:
    client = lab.client("owner")
    for path, content in CONTENT.items():
        folder, slash, name = path.rpartition("/")
        sent = client.post(f"{RESOURCE}/files/{folder}{slash}", files={"f": (name, content)})
        assert sent.status_code == 200, sent.text
    return client


def test_a_tar_has_its_length_and_unpacks(owner: httpx2.Client) -> None:
    reply = owner.get(f"{RESOURCE}/files?format=tar")
    assert reply.headers["content-type"] == "application/x-tar"
    assert reply.headers["content-disposition"] == 'attachment; filename="100307_3T.tar"'
    assert int(reply.headers["content-length"]) == len(reply.content)
    head = owner.head(f"{RESOURCE}/files?format=tar")
    assert (head.headers["content-length"], head.content) == (reply.headers["content-length"], b"")
    assert unpacked(reply.content) == CONTENT


def test_a_compressed_tar_unpacks(owner: httpx2.Client) -> None:
    reply = owner.get(f"{RESOURCE}/files?format=tar.gz")
    assert reply.headers["content-type"] == "application/x-gzip"
    assert len(reply.content) < 3_000
    assert unpacked(reply.content) == CONTENT
    assert owner.head(f"{RESOURCE}/files?format=tar.gz").content == b""
    assert owner.get(f"{RESOURCE}/files?format=rar").status_code == 400


def unpacked(content: bytes) -> dict[str, bytes]:
    prefix = "100307_3T/resources/OUT/files/"
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        opened = {member.name.removeprefix(prefix): packed.extractfile(member) for member in packed}
        return {name: file.read() for name, file in opened.items() if file}


def test_an_archive_of_nothing_is_refused(owner: httpx2.Client) -> None:
    owner.put(f"{SESSION}/resources/NOTHING")
    for form in ("zip", "tar", "tar.gz"):
        assert owner.get(f"{SESSION}/resources/NOTHING/files?format={form}").status_code == 404
        assert owner.head(f"{SESSION}/resources/NOTHING/files?format={form}").status_code == 404


def test_scans_are_packed_alone_together_and_by_type(owner: httpx2.Client) -> None:
    for scan in ("1", "2"):
        assert owner.put(f"{SESSION}/scans/{scan}/resources/NIFTI/files/s.nii", content=b"x").status_code == 200
    one, two = "100307_3T/scans/1-T1w_MPR1", "100307_3T/scans/2-tfMRI_MOTOR_LR"
    for words, folders in {
        "1": {one},
        "1,2": {one, two},
        "ALL": {one, two},
        "*": {one, two},
        "T1w_MPR1": {one},
        "T1w_MPR1,tfMRI_MOTOR_LR": {one, two},
    }.items():
        for below in ("files", "resources/NIFTI/files"):
            reply = owner.get(f"{SESSION}/scans/{words}/{below}?format=zip")
            names = zipfile.ZipFile(io.BytesIO(reply.content)).namelist()
            assert set(names) == {f"{folder}/resources/NIFTI/files/s.nii" for folder in folders}, words


def test_an_entry_of_a_stored_zip_is_read_and_listed(owner: httpx2.Client) -> None:
    target = io.BytesIO()
    big = bytes(range(256)) * 8_000
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("in/big.bin", big)
        packed.writestr("in/e.txt", "")
    assert owner.put(f"{SESSION}/resources/ZIP/files/dir/x.zip", content=target.getvalue()).status_code == 200
    base = f"{SESSION}/resources/ZIP/files/dir/x.zip"
    for address in (f"{base}!/in/big.bin", f"{base}/in/big.bin", f"{SESSION}/files/dir/x.zip!/in/big.bin"):
        reply = owner.get(address)
        assert (reply.status_code, reply.content, reply.headers["content-length"]) == (200, big, str(len(big)))
        assert reply.headers["content-disposition"] == 'attachment; filename="big.bin"'
    head = owner.head(f"{base}!/in/big.bin")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(big)), b"")
    assert owner.get(f"{base}!/in/e.txt").content == b""
    rows = owner.get(f"{base}?listContents=true").json()["ResultSet"]["Result"]
    assert [(row["Name"], row["Size"]) for row in rows] == [("in/big.bin", str(len(big))), ("in/e.txt", "0")]
    assert all(owner.get(row["URI"]).status_code == 200 for row in rows)
    assert owner.get(f"{base}!/in/none").status_code == 404
    assert owner.get(f"{base}!/in").status_code == 404
    assert owner.put(f"{SESSION}/resources/ZIP/files/no.zip", content=b"no zip at all").status_code == 200
    assert owner.get(f"{SESSION}/resources/ZIP/files/no.zip!/x").status_code == 400
    assert owner.get(f"{SESSION}/resources/ZIP/files/no.zip?listContents=true").status_code == 400


def _damaged(name: str, at: int, value: bytes) -> bytes:
    """A zip of one entry, with other bytes at a place of its directory."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, b"abc" * 1_000)
    content = bytearray(target.getvalue())
    directory = content.index(b"PK\x01\x02")
    content[directory + at : directory + at + len(value)] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "at", "value"), [("\u00e9", 46, b"\xc3x"), ("a", 42, b"\xff" * 4)], ids=["no letter", "nowhere"]
)
def test_an_entry_of_a_damaged_zip_is_refused(owner: httpx2.Client, name: str, at: int, value: bytes) -> None:
    base = f"{SESSION}/resources/ZIP/files/damaged.zip"
    assert owner.put(f"{base}?overwrite=true", content=_damaged(name, at, value)).status_code == 200
    reply = owner.get(f"{base}!/{name}")
    assert (reply.status_code, "no zip that can be read" in reply.text) == (400, True), reply.text


def test_an_entry_that_is_shorter_than_it_says_breaks_off(
    owner: httpx2.Client, caplog: pytest.LogCaptureFixture
) -> None:
    base = f"{SESSION}/resources/ZIP/files/short.zip"
    assert owner.put(base, content=_damaged("a", 24, b"\xb9\x0b")).status_code == 200
    with pytest.raises(httpx2.RemoteProtocolError):
        owner.get(f"{base}!/a")
    assert "1 bytes shorter" in caplog.text and "Traceback" not in caplog.text


def test_a_locator_takes_the_place_of_the_address(lab: Lab, owner: httpx2.Client) -> None:
    rows = owner.get(f"{RESOURCE}/files?locator=absolutePath").json()["ResultSet"]["Result"]
    assert "URI" not in rows[0]
    row = next(row for row in rows if row["Name"] == "a.txt")
    assert Path(row["absolutePath"]).read_bytes() == CONTENT["a.txt"]
    rows = owner.get(f"{RESOURCE}/files?locator=projectPath").json()["ResultSet"]["Result"]
    assert "100307_3T/resources/OUT/files/a.txt" in {row["projectPath"] for row in rows}
    assert "URI" in owner.get(f"{RESOURCE}/files?locator=other").json()["ResultSet"]["Result"][0]


REFRESHED = [
    ("resource", f"/archive{SESSION.removeprefix('/data')}/resources/OUT", 200),
    ("resource", RESOURCE, 200),
    ("resource", SESSION, 200),
    ("resource", f"{SESSION}/resources/NONE", 404),
    ("resource", "/data/projects/NOTHING", 404),
    ("resource", "../../etc", 400),
    ("other", "x", 400),
]


@pytest.mark.parametrize(("name", "resource", "status"), REFRESHED)
def test_a_catalog_is_refreshed_by_those_who_may(
    lab: Lab, owner: httpx2.Client, name: str, resource: str, status: int
) -> None:
    address = "/data/services/refresh/catalog"
    assert owner.post(address, params={name: resource, "options": "checksum"}).status_code == status
    assert owner.post(address, data={name: resource}).status_code == status
    refused = lab.client("reader").post(address, params={name: resource})
    assert refused.status_code == (403 if resource.endswith(("OUT", "NONE", "3T")) and "HCP_Q1" in resource else status)


class Bucket:
    """A site whose uploads lie in a bucket, and which sends clients there."""

    def __init__(self, site: Site, address: str, store: S3Store, session: str) -> None:
        self.site = site
        self.store = store
        self.client = httpx2.Client(base_url=address, cookies={"JSESSIONID": session})
        self.file = "/data/projects/P/resources/R/files/dir/b ä.bin"


BIG = bytes(range(256)) * 5_000


def public_address(store: S3Store) -> str:
    """The store under another name of this machine."""
    return (store.settings.endpoint_url or "").replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def bucket(
    tmp_path_factory: pytest.TempPathFactory,
    s3_store: Callable[[str], S3Store],
    make_project: MakeProject,
) -> Iterator[Bucket]:
    store = s3_store("uploads")
    settings = (
        f'[stores.bucket]\nkind = "s3"\nbucket = "{store.bucket}"\nendpoint_url = "{store.settings.endpoint_url}"\n'
        f'public_endpoint_url = "{public_address(store)}"\n'
        '[files]\nuploads = "bucket"\nredirect = true\nredirect_s = 60\n'
    )
    site = make_project(tmp_path_factory.mktemp("bucket") / "data", settings, store.settings)
    with start(site, admin_password=PASSWORD) as server:
        made = Bucket(site, server.address, store, site.logins.sign_in("admin", PASSWORD).session_id)
        with made.client:
            assert made.client.put(made.file, content=BIG).status_code == 200
            yield made


def test_uploads_lie_in_the_bucket_and_stream_out(bucket: Bucket) -> None:
    assert [info.size for info in bucket.store.list("uploads/")] == [len(BIG)]
    reply = bucket.client.get(bucket.file)
    assert (reply.status_code, reply.content) == (200, BIG)
    packed = bucket.client.get(f"{bucket.file.partition('/files/')[0]}/files?format=zip").content
    assert zipfile.ZipFile(io.BytesIO(packed)).read("P/resources/R/files/dir/b ä.bin") == BIG


FOLLOWING = [
    ({"User-Agent": "python-requests/2.32"}, "", 307),
    ({"User-Agent": "connectomedb/0.1"}, "", 307),
    ({"User-Agent": "Mozilla/5.0"}, "", 307),
    ({"User-Agent": "curl/8.0"}, "", 200),
    ({"User-Agent": "Wget/1.21.3"}, "", 200),
    ({"User-Agent": "curl/8.0"}, "?redirect=true", 307),
    ({"User-Agent": "python-requests/2.32"}, "?redirect=false", 200),
    ({"User-Agent": "python-requests/2.32", "Range": "bytes=1-5"}, "", 307),
    ({"User-Agent": "python-requests/2.32", "If-None-Match": f'"{hashlib.md5(BIG).hexdigest()}"'}, "", 304),
    ({"User-Agent": "python-requests/2.32", "Range": f"bytes={len(BIG)}-"}, "", 416),
]


@pytest.mark.parametrize(("headers", "query", "status"), FOLLOWING)
def test_only_clients_that_can_follow_are_sent_to_the_bucket(
    bucket: Bucket, headers: dict[str, str], query: str, status: int
) -> None:
    reply = bucket.client.get(f"{bucket.file}{query}", headers=headers)
    assert reply.status_code == status
    if status != 307:
        return
    place = reply.headers["location"]
    assert place.startswith(f"{public_address(bucket.store)}/")
    assert "X-Amz-Expires=60" in place
    assert str(bucket.store.settings.secret_key) not in place
    assert reply.headers["cache-control"] == "no-store"
    asked = {"Range": headers["Range"]} if "Range" in headers else {}
    direct = httpx2.get(place, headers=asked)
    assert direct.content == (BIG[1:6] if asked else BIG)
    assert direct.headers["content-disposition"] == "attachment; filename=\"b _.bin\"; filename*=UTF-8''b%20%C3%A4.bin"
    assert direct.headers["content-type"] == "application/octet-stream"


def test_a_head_is_never_sent_away(bucket: Bucket) -> None:
    reply = bucket.client.head(bucket.file, headers={"User-Agent": "python-requests/2.32"})
    assert (reply.status_code, reply.headers["content-length"]) == (200, str(len(BIG)))
    assert reply.headers["last-modified"].endswith("GMT")


def test_requests_follows_and_gets_the_bytes(bucket: Bucket) -> None:
    import requests

    reply = requests.get(
        f"{str(bucket.client.base_url).rstrip('/')}{bucket.file}", auth=("admin", PASSWORD), timeout=30
    )
    assert (reply.status_code, reply.content) == (200, BIG)
    assert [step.status_code for step in reply.history] == [307]
    assert urlsplit(reply.url).netloc == urlsplit(public_address(bucket.store)).netloc
    assert "Authorization" not in reply.request.headers and "Cookie" not in reply.request.headers


def test_an_address_in_the_bucket_is_good_for_its_time_and_its_file_alone(bucket: Bucket) -> None:
    place = bucket.client.get(f"{bucket.file}?redirect=true").headers["location"]
    assert httpx2.get(place).status_code == 200
    for old, new in (("X-Amz-Expires=60", "X-Amz-Expires=6000"), ("/uploads/", "/uploads/../"), ("octet", "html")):
        assert httpx2.get(place.replace(old, new)).status_code in (400, 403), new
    key = next(bucket.store.list("uploads/")).key
    short = bucket.store.presign(key, timedelta(seconds=1))
    assert httpx2.get(short).status_code == 200
    deadline = time.monotonic() + 10
    while (reply := httpx2.get(short)).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert reply.status_code == 403


def test_our_client_and_curl_follow_and_each_leaves_a_line(bucket: Bucket) -> None:
    address = str(bucket.client.base_url).rstrip("/")
    before = _downloads(bucket.site)
    connection = Connection(address, "admin", PASSWORD)
    assert b"".join(connection.stream(quote(bucket.file), 100)) == BIG[100:]
    connection.close()
    assert _downloads(bucket.site) == before + 1
    done = subprocess.run(
        ["curl", "-sSfL", "-u", f"admin:{PASSWORD}", "-r", "5-9", f"{address}{quote(bucket.file)}?redirect=true"],
        capture_output=True,
        timeout=30,
    )
    assert done.stdout == BIG[5:10]


def _downloads(site: Site) -> int:
    site.audit.flush()
    with site.database.read() as connection:
        return len(connection.execute(select(audit.c.key).where(audit.c.action == "download")).all())


def test_a_long_upload_goes_to_the_bucket_in_parts(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART_BYTES", 5 << 20)
    long = BIG * 10
    address = "/data/projects/P/resources/R/files/long.bin"
    assert bucket.client.put(address, content=long, timeout=60).status_code == 200
    assert bucket.client.get(address).content == long
    row = next(
        row
        for row in bucket.client.get("/data/projects/P/resources/R/files").json()["ResultSet"]["Result"]
        if row["Name"] == "long.bin"
    )
    assert row["digest"] == hashlib.md5(long).hexdigest()
    assert any("-" in (info.etag or "") for info in bucket.store.list("uploads/"))


def test_overwritten_bytes_leave_the_bucket(bucket: Bucket) -> None:
    address = "/data/projects/P/resources/R/files/twice.bin"
    before = {info.key for info in bucket.store.list("uploads/")}
    for content in (b"one", b"two"):
        assert bucket.client.put(f"{address}?overwrite=true", content=content).status_code == 200
    assert len({info.key for info in bucket.store.list("uploads/")} - before) == 2
    assert bucket.client.get(address).content == b"two"
    assert sweep(bucket.site, grace_s=0) == 1
    assert len({info.key for info in bucket.store.list("uploads/")} - before) == 1
    assert list(check_files(bucket.site, digests=True)) == []

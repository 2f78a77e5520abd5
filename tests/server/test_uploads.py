"""Files that come in: each way of sending, what is stored, who may, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from connectomedb.server.intake.sweep import sweep
from connectomedb.server.run import start
from connectomedb.server.tables.schema import audit, files, projects, scans

if TYPE_CHECKING:
    from tests.server.conftest import Deliver, Lab, MakeProject


PASSWORD = "correct horse"
SUBJECT = "/data/projects/HCP_Q1/subjects/100307"
SESSION = f"{SUBJECT}/experiments/100307_3T"
OWNERS = ["/data/projects/HCP_Q1", SUBJECT, SESSION, f"{SESSION}/scans/1", "/data/experiments/ConnectomeDB_E00001"]
_numbers = count()


@pytest.fixture
def member(lab: Lab) -> httpx2.Client:
    return lab.client("member")


@pytest.fixture
def place() -> str:
    """A resource that no other test uses."""
    return f"{SESSION}/resources/UP{next(_numbers)}"


def rows(client: httpx2.Client, resource: str) -> dict[str, dict[str, str]]:
    """Path in the resource → row of its listing."""
    reply = client.get(f"{resource}/files")
    assert reply.status_code == 200, reply.text
    return {row["URI"].split("/files/", 1)[1]: row for row in reply.json()["ResultSet"]["Result"]}


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_raw_body_becomes_a_file_of_any_object(member: httpx2.Client, owner: str, method: str) -> None:
    content = b"one two three" * 1000
    resource = f"{owner}/resources/RAW{method}{OWNERS.index(owner)}"
    address = f"{resource}/files/dir/a b+c.txt"
    reply = member.request(
        method, address, content=content, params={"inbody": "true", "format": "TXT", "content": "C", "tags": "x,y"}
    )
    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["content-type"].startswith("text/plain")
    row = rows(member, resource)["dir/a b+c.txt"]
    assert (row["Size"], row["digest"]) == (str(len(content)), hashlib.md5(content).hexdigest())
    assert (row["file_format"], row["file_content"], row["file_tags"]) == ("TXT", "C", "x,y")
    read = member.get(row["URI"])
    assert (read.content, read.headers["etag"]) == (content, f'"{row["digest"]}"')
    listed = {row["label"]: row for row in member.get(f"{owner}/resources").json()["ResultSet"]["Result"]}
    label = resource.rpartition("/")[2]
    assert (listed[label]["file_count"], listed[label]["file_size"]) == ("1", str(len(content)))


def chunks(*pieces: bytes) -> Iterator[bytes]:
    yield from pieces


WAYS: dict[str, Callable[[httpx2.Client, str], httpx2.Response]] = {
    "octets": lambda client, to: client.put(
        f"{to}/files/a.bin", content=b"abc", headers={"Content-Type": "application/octet-stream"}
    ),
    "gzip": lambda client, to: client.put(
        f"{to}/files/a.bin", content=b"abc", headers={"Content-Type": "application/x-gzip"}
    ),
    "chunked": lambda client, to: client.post(f"{to}/files/a.bin?inbody=true", content=chunks(b"a", b"bc")),
    "xml": lambda client, to: client.put(f"{to}/files/a.bin", content=b"abc", headers={"Content-Type": "text/xml"}),
    "form": lambda client, to: client.post(f"{to}/files", files={"any": ("a.bin", b"abc")}),
    "form with a path": lambda client, to: client.put(f"{to}/files/a.bin", files={"x": ("other", b"abc")}),
    "form with a disk's path": lambda client, to: client.post(f"{to}/files", files={"x": ("C:\\tmp\\a.bin", b"abc")}),
    "odd boundary": lambda client, to: client.post(
        f"{to}/files",
        content=b"------------ThIs_Is_tHe_bouNdaRY_$\r\n"
        b'Content-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\nabc\r\n'
        b"------------ThIs_Is_tHe_bouNdaRY_$--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=----------ThIs_Is_tHe_bouNdaRY_$"},
    ),
    "below archive": lambda client, to: client.put(
        f"{to}/files/a.bin".replace("/data/", "/data/archive/"), content="abc"
    ),
    "below REST": lambda client, to: client.put(f"{to}/files/a.bin".replace("/data/", "/REST/"), content="abc"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_sending(member: httpx2.Client, place: str, way: str) -> None:
    reply = WAYS[way](member, place)
    assert reply.status_code == 200, reply.text
    assert {path: row["Size"] for path, row in rows(member, place).items()} == {"a.bin": "3"}
    assert member.get(f"{place}/files/a.bin").content == b"abc"


@pytest.mark.parametrize(("kind", "id"), [("assessors", "QCOUT"), ("reconstructions", "RECON")])
def test_what_is_derived_holds_its_output_and_its_input(member: httpx2.Client, kind: str, id: str) -> None:
    derived = f"{SESSION}/{kind}/{id}"
    member.put(derived, params={"xsiType": "xnat:qcManualAssessorData"} if kind == "assessors" else {})
    reply = member.put(f"{derived}/out/resources/O/files/o.txt", content=b"out")
    assert reply.status_code == 200, reply.text
    assert member.get(f"{derived}/resources/O/files/o.txt").content == b"out"
    assert member.get(f"{derived}/out/files").json()["ResultSet"]["Result"][0]["Name"] == "o.txt"
    for label in ("O", "I"):
        assert member.put(f"{derived}/in/resources/{label}/files/i.txt", content=b"in").status_code == 200
    for direction, labels in (("in/", ["O", "I"]), ("out/", ["O"]), ("", ["O"])):
        listed = member.get(f"{derived}/{direction}resources").json()["ResultSet"]["Result"]
        assert [row["label"] for row in listed] == labels
    listed = member.get(f"{derived}/in/resources/O/files").json()["ResultSet"]["Result"]
    assert f"/{kind}/" in listed[0]["URI"]
    assert "/in/resources/" in listed[0]["URI"]
    assert member.get(listed[0]["URI"]).content == b"in"
    assert member.get(f"{derived}/out/resources/{listed[0]['cat_ID']}/files").status_code == 404
    packed = zipfile.ZipFile(io.BytesIO(member.get(f"{derived}/in/files?format=zip").content))
    assert {name.partition("/in/")[2] for name in packed.namelist()} == {
        f"resources/{label}/files/i.txt" for label in "OI"
    }
    every = member.get(f"{SESSION}/resources?all=true").json()["ResultSet"]["Result"]
    assert {(f"{kind}/out", "O"), (f"{kind}/in", "O")} <= {(row["category"], row["label"]) for row in every}


def test_a_form_of_several_files_goes_into_the_folder(member: httpx2.Client, place: str) -> None:
    sent = [("a", ("one.txt", b"1")), ("a", ("two.txt", b"")), ("note", (None, b"no file"))]
    assert member.post(f"{place}/files/sub/dir", files=sent).status_code == 200
    assert {path: row["Size"] for path, row in rows(member, place).items()} == {
        "sub/dir/one.txt": "1",
        "sub/dir/two.txt": "0",
    }


def test_a_file_without_a_resource_goes_into_one_without_a_label(member: httpx2.Client) -> None:
    owner = f"{SESSION}/scans/2"
    assert member.put(f"{owner}/files/bare.txt", content=b"x").status_code == 200
    assert member.put(f"{owner}/files/bare2.txt", content=b"x").status_code == 200
    found = rows(member, owner)
    assert set(found) == {"bare.txt", "bare2.txt"}
    number = found["bare.txt"]["cat_ID"]
    assert found["bare.txt"]["URI"].endswith(f"/resources/{number}/files/bare.txt")
    listed = member.get(f"{owner}/resources").json()["ResultSet"]["Result"]
    assert [(row["label"], row["xnat_abstractresource_id"]) for row in listed] == [("", number)]


def test_what_is_there_is_only_replaced_on_request(lab: Lab, member: httpx2.Client, place: str) -> None:
    address = f"{place}/files/a.txt"
    assert member.put(address, content=b"first").status_code == 200
    before = lab.named()
    again = member.put(address, content=b"second")
    assert (again.status_code, again.json()) == (200, {"duplicates": ["a.txt"]})
    assert member.put(f"{address}?overwrite=false", content=b"second").json() == {"duplicates": ["a.txt"]}
    assert member.get(address).content == b"first"
    assert member.put(f"{address}?overwrite=true&format=NEW", content=b"second").content == b""
    assert member.get(address).content == b"second"
    assert rows(member, place)["a.txt"]["file_format"] == "NEW"
    assert len(lab.named() - before) == 1
    assert lab.archived() - lab.named(), "the bytes before stay for downloads under way"
    sweep(lab.site, grace_s=0)
    assert lab.archived() == lab.named()


def test_of_several_files_the_new_ones_are_kept(member: httpx2.Client, place: str) -> None:
    assert member.put(f"{place}/files/old.txt", content=b"old").status_code == 200
    reply = member.post(f"{place}/files", files=[("f", ("old.txt", b"x")), ("f", ("new.txt", b"new"))])
    assert reply.json() == {"duplicates": ["old.txt"]}
    assert member.get(f"{place}/files/new.txt").content == b"new"
    assert member.get(f"{place}/files/old.txt").content == b"old"


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name), content, method)
    return target.getvalue()


def tarred(*members: tuple[str, bytes | str | None], mode: str = "w") -> bytes:
    """A tar: a file of bytes, a link to a text, or a folder of None."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as packed:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
            else:
                info.type = tarfile.DIRTYPE if content is None else tarfile.SYMTYPE
                info.linkname = content or ""
            packed.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return target.getvalue()


INSIDE = {"top/a.txt": b"a", "top/empty": b"", "top/deep/ü b.txt": b"b" * 5000}
ARCHIVES = {
    "zip": zipped({"top/": b"", **INSIDE}),
    "stored zip": zipped(INSIDE, zipfile.ZIP_STORED),
    "tar": tarred(("top", None), *INSIDE.items()),
    "tar.gz": tarred(("./", None), *((f"./{name}", content) for name, content in INSIDE.items()), mode="w:gz"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_is_unpacked_and_not_kept(lab: Lab, member: httpx2.Client, place: str, kind: str) -> None:
    reply = member.put(f"{place}/files/sub/folder.zip?extract=true&format=F", content=ARCHIVES[kind])
    assert (reply.status_code, reply.content) == (200, b"")
    found = rows(member, place)
    assert {path: row["digest"] for path, row in found.items()} == {
        f"sub/{path}": hashlib.md5(content).hexdigest() for path, content in INSIDE.items()
    }
    assert {row["file_format"] for row in found.values()} == {"F"}
    for path, content in INSIDE.items():
        assert member.get(f"{place}/files/sub/{path}").content == content
    form = member.post(f"{place}X/files?extract=true", files={"f": ("x.tgz", ARCHIVES[kind])})
    assert (form.status_code, set(rows(member, f"{place}X"))) == (200, set(INSIDE))
    sweep(lab.site, grace_s=0)
    assert lab.archived() == lab.named()


def special(name: str, mode: int) -> bytes:
    """A zip with a member that is no plain file."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(info, "/etc/passwd")
    return target.getvalue()


def encrypted() -> bytes:
    content = bytearray(zipped({"a": b"abc"}, zipfile.ZIP_STORED))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def pointing_before_its_start() -> bytes:
    """A zip whose directory says that it begins far behind its end."""
    content = bytearray(zipped({"a": b"abc"}))
    end = content.rindex(b"PK\x05\x06")
    content[end + 16 : end + 20] = b"\xff" * 4
    return bytes(content)


def long_header() -> bytes:
    """A small tar.gz whose one header unpacks to 64 MB."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 64 << 20
    return gzip.compress(info.tobuf() + bytes(64 << 20), 1)


BOMB = b"\0" * 5_000_000
REFUSED: dict[str, tuple[bytes, int]] = {
    "nameless member of a zip": (zipped({"": b"x"}), 400),
    "climbing zip": (zipped({"../up.txt": b"x"}), 400),
    "climbing inside": (zipped({"a/../../up.txt": b"x"}), 400),
    "absolute zip": (zipped({"/etc/passwd": b"x"}), 400),
    "backslashes": (zipped({"..\\up.txt": b"x"}), 400),
    "drive": (zipped({"C:/up.txt": b"x"}), 400),
    "same name twice": (tarred(("a", b"1"), ("a", b"2")), 400),
    "link in a zip": (special("link", stat.S_IFLNK | 0o777), 400),
    "encrypted zip": (encrypted(), 400),
    "climbing tar": (tarred(("../up.txt", b"x")), 400),
    "absolute tar": (tarred(("/etc/passwd", b"x")), 400),
    "link in a tar": (tarred(("link", "/etc/passwd"), ("link/x", b"x")), 400),
    "zip bomb": (zipped({"bomb": BOMB}), 413),
    "tar bomb": (tarred(("bomb", BOMB), mode="w:gz"), 413),
    "long header": (long_header(), 413),
    "many members": (zipped({f"f{number}": b"" for number in range(51)}), 413),
    "no archive": (b"just text" * 100, 400),
    "half a zip": (ARCHIVES["zip"][:-30], 400),
    "half a tar.gz": (ARCHIVES["tar.gz"][:-30], 400),
    "a zip that points before its start": (pointing_before_its_start(), 400),
    "half a letter in a name": (zipped({"\u00e9": b"x"}).replace("\u00e9".encode(), b"\xc3x"), 400),
    "empty zip": (zipped({}), 400),
    "bzip2 in a zip": (zipped({"a": b"a"}, zipfile.ZIP_BZIP2), 400),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_malicious_or_broken_archive_leaves_nothing(lab: Lab, member: httpx2.Client, place: str, kind: str) -> None:
    content, status = REFUSED[kind]
    reply = member.put(f"{place}/files/x.zip?extract=true", content=content)
    assert (reply.status_code, "\n" in reply.text) == (status, False), reply.text
    assert member.get(f"{place}/files").status_code == 404
    sweep(lab.site, grace_s=0)
    assert lab.archived() == lab.named()
    assert [path.name for path in lab.site.folder.staging.rglob("*") if path.is_file()] == ["lock"]


BAD_PATHS = [
    "../up.txt",
    "%2e%2e/up.txt",
    "a/..%2f..%2fup.txt",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "a%5cb",
    "a//b",
    "a%00b",
    "C:/x",
    "%0d%0aSet-Cookie:x",
    "x" * 256,
    "/".join(["long"] * 300),
    "%C3%28",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_climbs_or_is_unclean_makes_no_file(lab: Lab, member: httpx2.Client, place: str, path: str) -> None:
    import http.client

    host, _, port = lab.address.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    headers = {"Cookie": f"JSESSIONID={member.cookies['JSESSIONID']}"}
    connection.request("PUT", f"{place}/files/{path}", body=b"x", headers=headers)
    reply = connection.getresponse()
    # A line break fits no route; bytes that are no UTF-8 become U+FFFD, a name like any other.
    status = {"%0d%0aSet-Cookie:x": 404, "%C3%28": 200}.get(path, 400)
    assert reply.status == status, reply.read()
    assert reply.headers["set-cookie"] is None
    connection.close()


@pytest.mark.parametrize("name", ["../up.txt", "..", "", "a\\..\\..", "x" * 300])
def test_the_name_of_an_uploaded_file_cannot_climb(member: httpx2.Client, place: str, name: str) -> None:
    reply = member.post(f"{place}/files/", files={"f": (name, b"x")})
    if name in ("../up.txt",):
        assert (reply.status_code, set(rows(member, place))) == (200, {"up.txt"})
    else:
        assert reply.status_code == 400, reply.text


BAD_REQUESTS: dict[str, tuple[Callable[[httpx2.Client, str], httpx2.Response], int]] = {
    "nothing sent": (lambda client, to: client.put(f"{to}/files/a.txt"), 400),
    "nothing in body": (lambda client, to: client.post(f"{to}/files/a.txt?inbody=true", content=b""), 400),
    "an empty form": (
        lambda client, to: client.post(
            f"{to}/files", content=b"--b--\r\n", headers={"Content-Type": "multipart/form-data; boundary=b"}
        ),
        400,
    ),
    "a form that breaks off": (
        lambda client, to: client.post(
            f"{to}/files",
            content=b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nab',
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        ),
        400,
    ),
    "a form without boundary": (
        lambda client, to: client.post(f"{to}/files", content=b"x", headers={"Content-Type": "multipart/form-data"}),
        400,
    ),
    "a boundary without end": (
        lambda client, to: client.post(
            f"{to}/files", content=b"x", headers={"Content-Type": f"multipart/form-data; boundary={'b' * 5_000}"}
        ),
        400,
    ),
    "a form that is none": (
        lambda client, to: client.post(
            f"{to}/files", content=b"x" * 99, headers={"Content-Type": "multipart/form-data; boundary=b"}
        ),
        400,
    ),
    "long headers in a form": (
        lambda client, to: client.post(
            f"{to}/files",
            content=b"--b\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        ),
        400,
    ),
    "form and inbody": (lambda client, to: client.post(f"{to}/files/a?inbody=true", files={"f": ("a", b"x")}), 400),
    "by reference": (lambda client, to: client.put(f"{to}/files?reference=/etc/passwd"), 400),
    "no name": (lambda client, to: client.put(f"{to}/files", content=b"x"), 400),
    "one name twice": (
        lambda client, to: client.post(f"{to}/files", files=[("f", ("a", b"1")), ("f", ("a", b"2"))]),
        400,
    ),
    "too long": (lambda client, to: client.put(f"{to}/files/a", content=b"x" * 3_000_001), 413),
    "too long, chunked": (lambda client, to: client.put(f"{to}/files/a", content=chunks(*[b"x" * 70_000] * 50)), 413),
    "too many files": (
        lambda client, to: client.post(f"{to}/files", files=[("f", (f"{n}", b"1")) for n in range(51)]),
        413,
    ),
    "no such resource": (lambda client, to: client.put(f"{SESSION}/resources/999999/files/a", content=b"x"), 404),
    "bad label": (lambda client, to: client.put(f"{SESSION}/resources/a,b/files/a", content=b"x"), 400),
    "several scans": (lambda client, to: client.put(f"{SESSION}/scans/ALL/resources/R/files/a", content=b"x"), 400),
    "no such subject": (
        lambda client, to: client.put("/data/projects/HCP_Q1/subjects/no/resources/R/files/a", content=b"x"),
        404,
    ),
    "site": (lambda client, to: client.put("/data/projects/HCP_Q1/resources/R/scans/a", content=b"x"), 400),
}


@pytest.mark.parametrize("what", BAD_REQUESTS)
def test_a_request_that_makes_no_sense_changes_nothing(member: httpx2.Client, place: str, what: str) -> None:
    send, status = BAD_REQUESTS[what]
    reply = send(member, place)
    assert (reply.status_code, "\n" in reply.text) == (status, False), reply.text
    assert member.get(f"{place}/files").status_code == 404


def test_a_file_cannot_be_a_folder_too(member: httpx2.Client, place: str) -> None:
    assert member.put(f"{place}/files/a", content=b"x").status_code == 200
    assert member.put(f"{place}/files/a/b", content=b"x").status_code == 409


ROLES = [("owner", 200, 200), ("admin", 200, 200), ("member", 200, 403), ("reader", 403, 403), ("stranger", 404, 404)]


@pytest.mark.parametrize(("login", "may_write", "may_delete"), ROLES)
def test_members_write_and_owners_delete(lab: Lab, place: str, login: str, may_write: int, may_delete: int) -> None:
    client, member = lab.client(login), lab.client("member")
    assert client.put(f"{place}/files/a.txt", content=b"x").status_code == may_write
    assert client.put(f"{place}N").status_code == may_write
    assert member.put(f"{place}/files/b.txt", content=b"x").status_code == 200
    refusal = client.delete(f"{place}/files/b.txt")
    assert (refusal.status_code, "\n" in refusal.text) == (may_delete, False)
    assert client.delete(place).status_code == may_delete
    assert member.get(f"{place}/files").status_code == (404 if may_delete == 200 else 200)


def test_nobody_uploads_without_signing_in(lab: Lab, place: str) -> None:
    reply = httpx2.put(f"{lab.address}{place}/files/a.txt", content=b"x")
    assert (reply.status_code, reply.text) == (401, "The request requires user authentication")


def test_a_resource_is_made_once_with_its_words(member: httpx2.Client, place: str) -> None:
    words = {"format": "NIFTI", "content": "RAW", "description": "made up", "tags": "a,b"}
    made = member.put(place, params=words)
    assert (made.status_code, made.content) == (200, b"")
    assert member.put(place, params=words).status_code == 409
    label = place.rpartition("/")[2]
    row = next(row for row in member.get(f"{SESSION}/resources").json()["ResultSet"]["Result"] if row["label"] == label)
    assert (row["format"], row["content"], row["tags"], row["file_count"]) == ("NIFTI", "RAW", "a,b", "0")
    number = row["xnat_abstractresource_id"]
    assert member.get(f"{SESSION}/resources/{number}/files").json()["ResultSet"]["Result"] == []
    assert member.put(f"{SESSION}/resources/{number}").status_code == 409
    assert member.put(f"{SESSION}/resources/{number}/files/a.txt", content=b"x").status_code == 200
    assert set(rows(member, place)) == {"a.txt"}


def test_the_number_of_a_deleted_resource_is_not_given_again(lab: Lab, place: str) -> None:
    owner = lab.client("owner")

    def number(label: str) -> int:
        assert owner.put(f"{SESSION}/resources/{label}").status_code == 200
        rows = owner.get(f"{SESSION}/resources").json()["ResultSet"]["Result"]
        return next(int(row["xnat_abstractresource_id"]) for row in rows if row["label"] == label)

    label = place.rpartition("/")[2]
    first = number(label)
    assert owner.delete(place).status_code == 200
    assert number(label) > first


def test_a_resource_can_be_posted_to_the_list(member: httpx2.Client, place: str) -> None:
    label = place.rpartition("/")[2]
    made = member.post(f"{SESSION}/resources", params={"label": label})
    assert (made.status_code, made.text) == (200, made.headers["location"])
    assert member.get(made.text.split("/data", 1)[1].join(["/data", ""])).text.startswith("<?xml")
    assert member.post(f"{SESSION}/resources", params={"label": label}).status_code == 409
    assert member.put(f"{SESSION}/resources").status_code == 400


def test_files_are_deleted_one_by_one_by_folder_and_by_pattern(lab: Lab, place: str) -> None:
    owner = lab.client("owner")
    for path in ("a.txt", "b1.txt", "b2.txt", "sub/c", "sub/deep/d", "sub2/e", "f_", "fx"):
        assert owner.put(f"{place}/files/{path}", content=b"x").status_code == 200
    steps = [
        ("a.txt", 200, {"b1.txt", "b2.txt", "sub/c", "sub/deep/d", "sub2/e", "f_", "fx"}),
        ("a.txt", 404, {"b1.txt", "b2.txt", "sub/c", "sub/deep/d", "sub2/e", "f_", "fx"}),
        ("b*", 200, {"sub/c", "sub/deep/d", "sub2/e", "f_", "fx"}),
        ("sub/deep/", 200, {"sub/c", "sub2/e", "f_", "fx"}),
        ("sub", 200, {"sub2/e", "f_", "fx"}),
        ("f_*", 200, {"sub2/e", "fx"}),
        ("../*", 400, {"sub2/e", "fx"}),
        ("*", 200, set()),
        ("*", 404, set()),
    ]
    for path, status, left in steps:
        raw = path.replace("..", "%2e%2e")
        assert owner.delete(f"{place}/files/{raw}").status_code == status, path
        assert set(rows(owner, place)) == left
    assert owner.delete(f"{place}/files").status_code == 404
    assert owner.delete(place).status_code == 200
    assert owner.delete(place).status_code == 404
    assert owner.delete(f"{SESSION}/resources").status_code == 400
    sweep(lab.site, grace_s=0)
    assert lab.archived() == lab.named()


def test_what_is_taken_in_is_never_deleted_from_its_store(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    owner = lab.client("owner")
    resource = "/data/projects/HCP_Q1/subjects/103515/experiments/103515_CREST/resources/103515_CREST"
    row = rows(owner, resource)["T1w/Diffusion/bvals"]
    assert owner.delete(f"{resource}/files/T1w/Diffusion/bvals").status_code == 200
    sweep(lab.site, grace_s=0)
    held = {info.key for info in lab.site.archive.store("tree").list()}
    assert "q1/103515/Diffusion/bvals" in held
    assert row["digest"]


def test_a_deleted_object_takes_its_bytes_along(lab: Lab, member: httpx2.Client) -> None:
    assert member.put(f"{SUBJECT}/experiments/100307_3T/scans/2/resources/R/files/x", content=b"x").status_code == 200
    before = lab.archived()
    with lab.site.database.write() as connection:
        connection.execute(scans.delete().where(scans.c.id == "2"))
    assert sweep(lab.site, grace_s=0) >= 1
    assert lab.archived() == lab.named()
    assert before - lab.archived()


def test_a_project_holds_no_more_than_its_quota(tmp_path_factory: pytest.TempPathFactory, deliver: Deliver) -> None:
    folder = tmp_path_factory.mktemp("quota")
    site = deliver(folder)
    with site.database.read() as connection:
        held = sum(connection.execute(files.select().with_only_columns(files.c.size)).scalars())
    kept = replace(site.settings.files, project_quota_bytes=held + 10)
    site = replace(site, settings=replace(site.settings, files=kept))
    with start(site, admin_password=PASSWORD) as server:
        session = site.logins.sign_in("admin", PASSWORD).session_id
        with httpx2.Client(base_url=server.address, cookies={"JSESSIONID": session}) as client:
            assert client.put(f"{SUBJECT}/resources/Q/files/a", content=b"123456").status_code == 200
            assert client.put(f"{SESSION}/scans/1/resources/Q/files/a", content=b"123456").status_code == 413
            assert client.put(f"{SUBJECT}/resources/Q/files/a?overwrite=true", content=b"1234567890").status_code == 200
            assert client.get(f"{SESSION}/scans/1/resources/Q").status_code == 404


def test_a_description_is_kept(lab: Lab, member: httpx2.Client, place: str) -> None:
    assert member.put(f"{place}/files/a?description=made%20up", content=b"x").status_code == 200
    with lab.site.database.read() as connection:
        found = connection.execute(files.select().where(files.c.path == "a", files.c.description == "made up")).all()
    assert len(found) == 1


@pytest.mark.parametrize(
    ("query", "send", "expected"),
    [
        ("", lambda label: {"data": {"label": label, "format": "NIFTI", "content": "RAW"}}, ("NIFTI", "RAW")),
        ("", lambda label: {"files": {"label": (None, label.encode()), "tags": (None, b"t")}}, ("", "")),
        ("format=BIDS", lambda label: {"data": {"label": label, "format": "NIFTI"}}, ("BIDS", "")),
        ("label={label}", lambda label: {"data": {"label": "OTHER", "content": "RAW"}}, ("", "RAW")),
        ("label={label}", lambda label: {"content": b"label=OTHER&format=NIFTI"}, ("", "")),
    ],
    ids=["form", "form of parts", "the address counts more", "its label, too", "what is no form says nothing"],
)
def test_a_resource_can_be_described_by_a_form(
    member: httpx2.Client,
    place: str,
    query: str,
    send: Callable[[str], dict[str, Any]],
    expected: tuple[str, str],
) -> None:
    label = place.rpartition("/")[2]
    made = member.post(f"{SESSION}/resources?{query.format(label=label)}", **send(label))
    assert made.status_code == 200, made.text
    row = next(row for row in member.get(f"{SESSION}/resources").json()["ResultSet"]["Result"] if row["label"] == label)
    assert (row["format"], row["content"]) == expected


def test_a_resource_can_be_described_by_a_document(member: httpx2.Client, place: str) -> None:
    label = place.rpartition("/")[2]
    document = (
        '<xnat:Resource xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:type="xnat:resourceCatalog" label="{label}" format="NIFTI" content="RAW"/>'
    )
    made = member.post(f"{SESSION}/resources", content=document, headers={"Content-Type": "text/xml"})
    assert made.status_code == 200, made.text
    row = next(row for row in member.get(f"{SESSION}/resources").json()["ResultSet"]["Result"] if row["label"] == label)
    assert (row["format"], row["content"]) == ("NIFTI", "RAW")
    assert made.text.endswith(f"/resources/{row['xnat_abstractresource_id']}")
    bad = {"<": 422, '<!DOCTYPE a [<!ENTITY b "c">]><a label="&b;"/>': 422, "<a>" + " " * 70_000: 413}
    for body, status in bad.items():
        assert member.put(f"{place}BAD", content=body).status_code == status, body[:20]
    assert member.get(f"{place}BAD").status_code == 404


def test_names_that_differ_in_case_are_two(lab: Lab, place: str) -> None:
    owner = lab.client("owner")
    for path in ("dir/a", "DIR/a", "file", "FILE"):
        assert owner.put(f"{place}/files/{path}", content=path.encode()).status_code == 200
    assert owner.delete(f"{place}/files/dir").status_code == 200
    assert owner.delete(f"{place}/files/F*").status_code == 200
    assert set(rows(owner, place)) == {"DIR/a", "file"}


@pytest.mark.parametrize("label", ["files", "resources"])
def test_an_object_may_be_called_like_a_part_of_an_address(lab: Lab, label: str) -> None:
    member = lab.client("member")
    with lab.site.database.write() as connection:
        connection.execute(scans.update().where(scans.c.id == "1").values(id=label))
    try:
        assert member.put(f"{SESSION}/scans/{label}/resources/{label}").status_code == 200
        assert member.put(f"{SESSION}/scans/{label}/resources/{label}/files/{label}", content=b"x").status_code == 200
        assert member.get(f"{SESSION}/scans/{label}/resources/{label}/files/{label}").content == b"x"
        assert member.put(f"{SESSION}/scans/{label}?quality=questionable").status_code == 200
        scan = member.get(f"{SESSION}/scans/{label}?format=json").json()["items"][0]["data_fields"]
        assert (scan["ID"], scan["quality"]) == (label, "questionable")
    finally:
        with lab.site.database.write() as connection:
            connection.execute(scans.update().where(scans.c.id == label).values(id="1", quality=None))


def test_changes_stand_in_the_audit_log(lab: Lab, place: str) -> None:
    owner, label = lab.client("owner"), place.rpartition("/")[2]
    session = owner.get(f"{SESSION}?format=json").json()["items"][0]["data_fields"]["ID"]
    bare = f"/data/experiments/{session}/resources/{label}"
    assert owner.put(bare).status_code == 200
    assert owner.put(f"{bare}/files/a%20b", content=b"abc").status_code == 200
    assert owner.put(f"{bare}/files/a%20b", content=b"abcd").json() == {"duplicates": ["a b"]}
    assert owner.put(f"{bare}/files/x.zip?extract=true", content=zipped(INSIDE)).status_code == 200
    assert owner.delete(f"{bare}/files/top/*").status_code == 200
    assert owner.delete(bare).status_code == 200
    with lab.site.database.read() as connection:
        wanted = audit.select().where(audit.c.target.startswith(bare)).order_by(audit.c.key)
        lines = [(row.action, row.project, row.login, row.detail) for row in connection.execute(wanted)]
    assert lines == [
        ("resource-make", "HCP_Q1", "owner", label),
        ("upload", "HCP_Q1", "owner", "a b, 3 bytes"),
        ("upload", "HCP_Q1", "owner", "3 files, 5001 bytes"),
        ("files-delete", "HCP_Q1", "owner", "3 files, 5001 bytes"),
        ("resources-delete", "HCP_Q1", "owner", "1 files, 3 bytes"),
    ]


GUEST_CHANGES = [
    ("PUT", "resources/R"),
    ("POST", "resources?label=R"),
    ("PUT", "resources/R/files/a"),
    ("POST", "resources/R/files/a?inbody=true"),
    ("PUT", "files/a"),
    ("DELETE", "resources/R/files/a"),
    ("DELETE", "resources/R"),
]


def test_guests_of_an_open_site_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, make_project: MakeProject
) -> None:
    site = make_project(tmp_path_factory.mktemp("open") / "data", "[access]\nis_open_to_guests = true\n")
    with site.database.write() as connection:
        connection.execute(projects.update().values(accessibility="public"))
    with start(site, admin_password=PASSWORD) as server, httpx2.Client(base_url=server.address) as guest:
        assert guest.get("/data/projects/P/resources").status_code == 200
        for method, below in GUEST_CHANGES:
            reply = guest.request(method, f"/data/projects/P/{below}", content=b"x")
            assert (reply.status_code, reply.text) == (401, "The request requires user authentication"), below
        refresh = guest.post("/data/services/refresh/catalog?resource=/data/projects/P")
        assert refresh.status_code == 401
        assert guest.get("/data/projects/P/resources").json()["ResultSet"]["Result"] == []

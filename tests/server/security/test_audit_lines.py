"""What leaves a line in the audit log: exactly one, that says who did what to what from where; and what leaves none."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Row as DatabaseRow
from sqlalchemy import select
from tests.server.security.estate import CATEGORY, PASSWORD, Estate, N, serving

from connectomedb.server.tables.schema import audit
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Comparison, Criterion, Group, Query, SearchField
from connectomedb.xnat.stored import StoredSearch, format_stored

P = "/data/projects/CLOSED"
CREST = f"{P}/subjects/100307/experiments/100307_CREST"
BVALS = f"{CREST}/resources/100307_CREST/files/T1w/Diffusion/bvals"
PLAN = f"{P}/resources/PLAN/files"
MEASURES = f"{P}/experiments/100307_nontoolbox"
PACKAGE = "/spring/download/CLOSED/100307/100307_3T_Structural_preproc.zip"
READ = "restricted-read"
HANDEDNESS = f"{N}/HANDEDNESS"
LABEL, HAND = SearchField(N, "SUBJECT_LABEL"), SearchField(N, "HANDEDNESS")
COMPARED = Group(members=(Criterion(HANDEDNESS, Comparison.GREATER, "0"),))


@dataclass(frozen=True)
class Case:
    """What somebody asks, and the line that it leaves: action, project, target, detail; None leaves none."""

    login: str
    ask: str
    line: tuple[str, str, str, str] | None
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200


def _download(ask: str, target: str = "", project: str = "CLOSED", **more: object) -> Case:
    path = target or ask.partition("?")[0]
    return Case("reader", f"GET {ask}", ("download", project, path, ""), **more)  # type: ignore[arg-type]


def _read(ask: str, project: str, detail: str, body: bytes = b"") -> Case:
    return Case("granted", ask, (READ, project, ask.partition(" ")[2].partition("?")[0], detail), body)


FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
WIDE = "+".join(PASSWORD.split())

CASES = {
    # people
    "sign-in by form": Case(
        "", "POST /data/services/auth", ("sign-in", "", "", ""), f"username=reader&password={WIDE}".encode(), FORM
    ),
    "wrong password": Case(
        "", "POST /data/services/auth", ("sign-in-refused", "", "", ""), b"username=reader&password=no", FORM, 401
    ),
    "granting": Case("owner", f"PUT {P}/grants/reader/restricted", ("grant", "CLOSED", "reader", "restricted")),
    "taking a grant": Case("owner", f"DELETE {P}/grants/reader", ("revoke", "CLOSED", "reader", "")),
    "granting without the right": Case("member", f"PUT {P}/grants/member/restricted", None, status=403),
    "a key that is not given": Case("reader", "POST /data/services/s3keys", None, status=404),
    "terms": Case("owner", f"DELETE {P}/terms", ("terms-withdraw", "CLOSED", "", "")),
    # restricted columns
    "search": _read("POST /data/search", "", HANDEDNESS, format_bundle(Query(N, (LABEL, HAND)))),
    "criterion": _read("POST /data/search", "", HANDEDNESS, format_bundle(Query(N, (LABEL,), COMPARED))),
    "order": _read("POST /data/search", "", HANDEDNESS, format_bundle(Query(N, (LABEL,), None, HAND))),
    "kept rows": _read("POST /data/search?cache=true", "", HANDEDNESS, format_bundle(Query(N, (LABEL, HAND)))),
    "search by somebody without a grant": Case(
        "reader", "POST /data/search", None, format_bundle(Query(N, (LABEL, HAND)))
    ),
    "open columns": Case("granted", "POST /data/search", None, format_bundle(Query(N, (LABEL,)))),
    "kept search": _read("GET /data/search/saved/hands/results", "", HANDEDNESS),
    "column of a list": _read(f"GET {P}/subjects?columns={HANDEDNESS}", "CLOSED", f"{N}/Handedness"),
    "filter of a list": _read(f"GET {P}/subjects?{HANDEDNESS}=95", "CLOSED", f"{N}/Handedness"),
    "document": _read(f"GET {MEASURES}", "CLOSED", f"{N}/Handedness {N}/THC"),
    "document with all below": _read(f"GET {P}/subjects/100307?format=json", "CLOSED", f"{N}/Handedness {N}/THC"),
    "export": _read(
        f"GET /data/search/dict/{CATEGORY}/results?project=CLOSED&restricted=1", "", f"{HANDEDNESS} {N}/THC"
    ),
    "open export": Case("granted", f"GET /data/search/dict/{CATEGORY}/results?project=CLOSED", None),
    # file bytes
    "file": _download(BVALS),
    "part of a file": _download(BVALS, headers=(("Range", "bytes=1-2"),), status=206),
    "file of a folder by number": _download(f"{PLAN}?index=0"),
    "zip": _download(f"{PLAN}?format=zip"),
    "zip in other words": _download(f"{PLAN}?format=%20ZIP%20"),
    "zip by a header": _download(PLAN, headers=(("Accept", "application/zip"),)),
    "tar": _download(f"{P}/files?format=tar"),
    "package": _download(PACKAGE),
    "inside a stored zip": _download(f"{PLAN}/z.zip!/in.txt"),
    "head of a file": Case("reader", f"HEAD {BVALS}", None),
    "list of files": Case("reader", f"GET {PLAN}", None),
    "what a stored zip holds": Case("reader", f"GET {PLAN}/z.zip?listContents=true", None),
    "sum of a package": Case("reader", f"GET {PACKAGE}.md5", None),
    "file that is not there": Case("reader", f"GET {PLAN}/none", None, status=404),
    "file of a stranger": Case("stranger", f"GET {BVALS}", None, status=404),
    "part beyond the end": Case("reader", f"GET {BVALS}", None, headers=(("Range", "bytes=99999-"),), status=416),
    # changes
    "upload": Case(
        "member", f"PUT {PLAN}/new.txt", ("upload", "CLOSED", f"{PLAN}/new.txt", "new.txt, 3 bytes"), b"new"
    ),
    "deleting a file": Case(
        "owner", f"DELETE {PLAN}/new.txt", ("files-delete", "CLOSED", f"{PLAN}/new.txt", "1 files, 3 bytes")
    ),
}


@pytest.fixture(scope="module")
def estate(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with serving(template, tmp_path_factory.mktemp("audit") / "data") as estate:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("in.txt", "inside")
        with estate.client("member") as member, estate.client("granted") as granted:
            assert member.put(f"{PLAN}/z.zip", content=packed.getvalue()).status_code == 200
            kept = format_stored(StoredSearch(Query(N, (LABEL, HAND)), name="hands"))
            assert granted.put("/data/search/saved/hands", content=kept).status_code == 200
        for login in ("reader", "owner", "stranger"):
            estate.session(login)
        yield estate


def _lines(estate: Estate, after: int) -> list[DatabaseRow[tuple[object, ...]]]:
    estate.site.audit.flush()
    with estate.site.database.read() as connection:
        wanted = select(audit).where(audit.c.key > after).order_by(audit.c.key)
        return list(connection.execute(wanted).all())


@pytest.mark.parametrize("name", CASES)
def test_one_line(estate: Estate, name: str) -> None:
    case = CASES[name]
    method, _, address = case.ask.partition(" ")
    before = max([row.key for row in _lines(estate, 0)], default=0)
    with estate.client(case.login or None) as client:
        reply = client.request(method, address, content=case.body, headers=dict(case.headers))
    assert reply.status_code == case.status, reply.text
    found = _lines(estate, before)
    told = [(row.login, row.address, row.action, row.project, row.target, row.detail) for row in found]
    who = case.login or "reader"
    assert told == ([] if case.line is None else [(who, "127.0.0.1", *case.line)])


def test_signing_in_and_out_by_each_way(estate: Estate) -> None:
    for auth, detail in ((("reader", PASSWORD), ""), (estate.token("reader"), "by a token")):
        before = max(row.key for row in _lines(estate, 0))
        with estate.client(None) as client:
            assert client.get("/data/JSESSION", auth=auth).status_code == 200
            assert client.get("/data/auth").status_code == 200
            assert client.delete("/data/JSESSION").status_code == 200
        told = [(row.login, row.address, row.action, row.detail) for row in _lines(estate, before)]
        assert told == [("reader", "127.0.0.1", "sign-in", detail), ("reader", "127.0.0.1", "sign-out", "")]

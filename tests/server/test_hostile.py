"""Whatever is asked, the server answers in one clear line or with data: never a traceback, never a page."""

from __future__ import annotations

import http.client
import logging
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectomedb.server.operation import logs
from connectomedb.server.routes.wrappers import plain_path
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import PLAIN, Criterion, Group, Method, Query, SearchField

if TYPE_CHECKING:
    from tests.server.conftest import Served

N = "hcp:nontoolboxdata"
P = "/data/projects/HCP_Q1"
WORDS = st.sampled_from(
    [
        *(
            "projects",
            "subjects",
            "experiments",
            "scans",
            "resources",
            "files",
            "assessors",
            "users",
            "search",
            "archive",
        ),
        *("HCP_Q1", "100307", "100307_3T", "1", "*", "ALL", "", ".", "..", "%2e%2e", "%00", "%", "a'b", "status", "ü"),
    ]
)
TEXTS = st.text(max_size=12)
NAMES = st.sampled_from(
    [
        *(
            "columns",
            "format",
            "xsiType",
            "sortBy",
            "sortOrder",
            "limit",
            "offset",
            "ID",
            "label",
            "date",
            "age",
            "URI",
        ),
        *(
            "gender",
            f"{N}/MMSE_Score",
            "xnat:mrScanData/frames",
            "xnat:subjectData/fields/field[name=x]/field",
            "index",
        ),
        *("last_modified", "insert_date", "time", "project", "all", "recursive", "file_format"),
    ]
)


@settings(max_examples=80)
@given(st.lists(WORDS, max_size=9), st.lists(st.tuples(NAMES, TEXTS), max_size=4))
def test_any_address_is_answered(served: Served, words: list[str], pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in pairs)
    connection = http.client.HTTPConnection(served.address.removeprefix("http://"))
    session = served.session("reader")
    path = "/data/" + "/".join(quote(word, safe="%") for word in words)
    connection.request("GET", f"{path}?{query}", headers={"Cookie": f"JSESSIONID={session}"})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    assert reply.status < 500, body
    if reply.status >= 400:
        assert body.count(b"\n") == 0
        assert reply.getheader("content-type") == "text/plain; charset=utf-8"


FIELDS = st.sampled_from(
    [
        *(
            f"{N}/MMSE_SCORE",
            f"{N}/GENDER",
            "xnat:subjectData/AGE",
            "xnat:mrSessionData/DATE",
            "xnat:mrScanData/STARTTIME",
        ),
        *("xnat:mrSessionData/INSERT_DATE", "xnat:subjectData/MR_COUNT", "xnat:projectData/PI", f"{N}/", "/", "a", ""),
        *("xnat:subjectData/SUB_PROJECT_IDENTIFIER=P1", "xnat:mrSessionData/sharing/share/project"),
    ]
)
XML_TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12)
NUMBERS = st.sampled_from(["9" * 400, "-0", "1e999", "0x1F", "1_000", "\u0663", "01/01/0001", "9999-12-31", "24:00:00"])
VALUES = XML_TEXTS | NUMBERS
GROUPS = st.recursive(
    st.builds(Criterion, FIELDS, st.sampled_from(sorted(PLAIN)), VALUES),
    lambda inner: st.builds(Group, st.sampled_from(Method), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=6,
)


@settings(max_examples=80)
@given(st.lists(FIELDS | XML_TEXTS, max_size=4), st.lists(GROUPS, max_size=3), VALUES)
def test_any_search_is_answered(served: Served, columns: list[str], members: list[Group], value: str) -> None:
    asked = tuple(SearchField(name.partition("/")[0], name.partition("/")[2], value) for name in columns if "/" in name)
    document = format_bundle(Query(N, asked, Group(members=tuple(members)), asked[0] if asked else None))
    with served.client("reader") as client:
        reply = client.post("/data/search?format=csv", content=document)
    assert reply.status_code in (200, 422), reply.text
    assert reply.status_code == 200 or "\n" not in reply.text


@pytest.mark.parametrize(
    "address",
    ["/", "/data/projects", "/data/nonsense", f"{P}/subjects/100307", "/xapi/schemas/xnat", f"{P}/files?format=x"],
)
@pytest.mark.parametrize("login", ["reader", None])
def test_every_answer_keeps_browsers_from_misusing_it(served: Served, address: str, login: str | None) -> None:
    with served.client(login) as client:
        headers = client.get(address).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    ours = "'self'" if address == "/" else "'none'"
    assert headers["content-security-policy"].startswith(f"default-src {ours}")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_html_in_values_is_text(reader: httpx2.Client) -> None:
    page = reader.get(f"{P}/subjects?columns=%3Cscript%3Ealert(1)%3C/script%3E,label&format=html")
    assert "<script" not in page.text
    message = reader.get("/data/projects/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert message.headers["content-type"].startswith("text/plain")


def test_a_newline_in_a_name_does_not_break_the_line_or_the_headers(reader: httpx2.Client) -> None:
    reply = reader.get("/data/projects/a%0d%0aSet-Cookie:%20x=y")
    assert reply.status_code == 404
    assert "\n" not in reply.text
    assert "set-cookie" not in reply.headers


def test_too_many_parameters_or_filters_are_refused(reader: httpx2.Client) -> None:
    many = "&".join("a=1" for _ in range(2_000))
    assert reader.get(f"{P}/subjects?{many}").status_code == 400
    assert reader.get(f"{P}/subjects?{'&'.join('label=x' for _ in range(60))}").status_code == 400


@pytest.mark.parametrize("address", [P, f"{P}/resources/R/files/a.txt", "/data/search"])
def test_a_body_that_breaks_off_is_no_fault_of_the_server(
    served: Served, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    caplog.set_level(logging.INFO)
    host, port = served.address.removeprefix("http://").split(":")
    head = f"PUT {address} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n"
    head += f"Cookie: JSESSIONID={served.session('owner')}\r\n\r\n"
    with socket.create_connection((host, int(port))) as client:
        client.sendall(head.replace("PUT", "POST" if "search" in address else "PUT").encode() + b"<a/>")
    for _ in range(500):
        if any(record.name == "connectomedb.requests" for record in caplog.records):
            break
        time.sleep(0.01)
    (asked,) = (getattr(record, logs.FIELDS) for record in caplog.records if record.name == "connectomedb.requests")
    assert asked["status"] == 400
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_nul_is_refused_in_parameters(reader: httpx2.Client) -> None:
    assert reader.get(f"{P}/subjects?label=%00").status_code == 400


PATHS = {
    b"/data/projects": "/data/projects",
    b"/data/projects/": "/data/projects",
    b"/REST/projects/P": "/data/projects/P",
    b"/data/archive/projects/P": "/data/projects/P",
    b"/REST/archive/projects/P/": "/data/projects/P",
    b"/data/projects/P/resources/R/files/": "/data/projects/P/resources/R/files/",
    b"/data/projects/P/resources/R/files/a/": "/data/projects/P/resources/R/files/a/",
    b"/data/projects/archive": "/data/projects/archive",
    b"/RESTful": "/RESTful",
    b"/": "/",
    b"": "/",
}


@pytest.mark.parametrize("raw", PATHS)
def test_paths_come_to_their_plain_form(raw: bytes) -> None:
    assert plain_path(raw) == PATHS[raw]

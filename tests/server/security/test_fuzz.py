"""Every route with every kind of nonsense: an answer below 500, an error in one plain line, never a traceback."""

from __future__ import annotations

import http.client
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.security.estate import EXAMPLES, N

from connectomedb.server.access.auth import Role
from connectomedb.server.access.users import add_member, create_user
from connectomedb.server.app import WAYS
from connectomedb.server.routes.call import Way
from connectomedb.server.run import start
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query

if TYPE_CHECKING:
    from tests.server.conftest import Deliver

PASSWORD = "correct horse"
PLACES = [
    *("CLOSED", "100307", "100307_3T", "100307_CREST", "1", "ALL", "*", "NULL", "reader", "owner", "Owners", "xnat"),
    *(N, "xnat:subjectData", "@xnat:subjectData", "restricted", "private", "100307_CREST/files/T1w/Diffusion/bvals"),
    *("projects/CLOSED", "subjects/ConnectomeDB_S00001", "experiments/ConnectomeDB_E00001/scans/1", "Project"),
]
NONSENSE = [
    *("", ".", "..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5c", "%00", "a%00b", "%", "%zz", "%ff%fe"),
    *("%c0%af", "%ed%a0%80", "%f0%9f%98%80", "%0d%0aSet-Cookie:%20a=b", "%E2%80%AE", "a'b", "'%20OR%201=1--", "%22"),
    *("-1", "0", "1e999", "9" * 30, "9" * 400, "%D9%A3", "%C2%B2", "true", "x" * 300, "{}", "[SLASH]", ",", ",,1,"),
    *("%3Cscript%3E", "=cmd()", "x.zip!", "x.zip!/y", "%25", "a%2fb", "__proto__", "guest", "admin", "NaN", "%5B%5D"),
]
WORDS = st.sampled_from(PLACES) | st.sampled_from(NONSENSE) | st.text(max_size=6).map(lambda text: quote(text, safe=""))
NAMES = st.sampled_from(
    [
        *("format", "columns", "xsiType", "sortBy", "sortOrder", "limit", "offset", "ID", "label", "project", "cache"),
        *("refresh", "index", "locator", "listContents", "recursive", "all", "extract", "overwrite", "inbody", "tags"),
        *("version", "restricted", "subjects", "package", "view", "destination", "resource", "CSRF", "req_format"),
        *("allowDataDeletion", "removeFiles", "primary", "accessibility", "alias", "displayName", "role", "redirect"),
        *("from", "to", "user", "action", "dv", "subject_ID", f"{N}/MMSE_Score", "xnat:subjectData/group", "date"),
        *("xnat:subjectData/fields/field[name=x]/field", "age", "frames", "xnat:mrScanData/frames", "note", "", "%00"),
    ]
)
VALUES = WORDS | st.sampled_from(
    [
        "json",
        "csv",
        "xml",
        "html",
        "zip",
        "tar",
        "tar.gz",
        "xnat:mrSessionData",
        "xnat:mrScanData",
        N,
        "1-5",
        "*",
        "%25",
    ]
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=5)


def _zip(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, bytes(2_000_000) if name == "bomb" else b"x")
    return packed.getvalue()


LAUGHS = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY a%d "&a%s;&a%s;">' % (n, b"" if n == 1 else b"%d" % (n - 1), b"" if n == 1 else b"%d" % (n - 1))
    for n in range(1, 30)
)
FORM = b'--x\r\nContent-Disposition: form-data; name="f"; filename="%s"\r\n\r\nabc\r\n--x--\r\n'
SUBJECT = b'<xnat:Subject xmlns:xnat="http://nrg.wustl.edu/xnat" label="%s"><xnat:group>%s</xnat:group></xnat:Subject>'
BODIES = {
    "nothing": b"",
    "laughs": LAUGHS + b"]><a>&a29;</a>",
    "entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><xnat:Subject label="&x;"/>',
    "depth": b"<a>" * 100_000,
    "deep search": format_bundle(Query(N)).replace(b"</xdat:bundle>", b"<a>" * 5_000),
    "search": format_bundle(Query(N)),
    "search cut": format_bundle(Query(N))[:-20],
    "subject": SUBJECT % (b"S1", b"g"),
    "long subject": SUBJECT % (b"S" * 70_000, b"g" * 70_000),
    "odd subject": SUBJECT % (b"&#x1F600; ..", b"&#x85;&#x2028;"),
    "UTF-16": "<a/>".encode("utf-16"),
    "not UTF-8": b'<a b="\xff\xfe"/>',
    "list": b"[" * 100_000,
    "number": b'{"username": 1e999, "version": 1}',
    "long number": b'{"version": ' + b"9" * 5_000 + b"}",
    "half a character": b'{"username": "a\\ud800", "email": "\\ud800", "version": "\\ud800", "title": "\\ud800"}',
    "half a password": b'{"username": "someone", "password": "\\udfff long enough"}',
    "NUL": b'{"username": "a\\u0000", "password": "long\\u0000enough", "version": "\\u0000", "text": "x"}',
    "wrong types": b'{"username": [], "password": {}, "email": 1, "enabled": "yes", "version": null, "text": []}',
    "terms": b'{"version": "1", "title": "t", "text": "x"}',
    "form": b"username=%00&password=%ff&resource=/archive/../x&ID=%00&label=%ff%fe&&&=&a",
    "parts": FORM % b"a.txt",
    "parts that escape": FORM % b"../../../etc/passwd",
    "parts with NUL": FORM % b"a\x00b",
    "parts cut": (FORM % b"a.txt")[:-12],
    "parts of nothing": b"--x--\r\n",
    "zip": _zip("a.txt", "b/c.txt"),
    "zip slip": _zip("../../evil", "/abs", "a\\..\\b"),
    "bomb": _zip("bomb"),
    "zip cut": _zip("a.txt")[:-8],
    "bytes": bytes(range(256)) * 20,
}
HEADERS = {
    "Content-Type": [
        *("text/xml", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
        *("multipart/form-data", "multipart/form-data; boundary=", "text/xml; charset=utf-7", "x" * 500, "\xff/\xfe"),
    ],
    "Range": ["bytes=0-0", "bytes=-1", "bytes=9-1", f"bytes={'9' * 30}-", "bytes=0-0,2-3", "lines=1-2", "bytes=\xb2-"],
    "If-None-Match": ["*", '"x"', "W/", '"\xff"', "," * 500],
    "If-Modified-Since": [
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Sat, 99 Foo 99999 99:99:99 GMT",
        "-1",
        "Mon, 1 Jan 1 0:0:0 +9999",
    ],
    "If-Range": ["*", '"x"', "Thu, 01 Jan 1970 00:00:00 GMT", "nonsense"],
    "Accept": ["text/csv", "application/zip", "*/*;q=x", "," * 300, "\xff"],
    "Authorization": ["Basic", "Basic !!!", "Basic AA==", "Basic OjA=", "Bearer x", "Basic \xff", "Basic AAA6AAA="],
    "Cookie": ["JSESSIONID=", "JSESSIONID=x", "JSESSIONID=%00; JSESSIONID=\xff", ";;;=", f"JSESSIONID={'A' * 32}"],
    "Origin": ["null", "http://evil.example", "http://[::1", "\xff"],
    "Sec-Fetch-Site": ["cross-site", "none", "\xff"],
    "Host": ["evil.example", "a b", "[::1", "x" * 300, "\xff"],
    "X-Forwarded-For": ["1.2.3.4", "nonsense", "\xff"],
    "X-Forwarded-Proto": ["https", "gopher"],
}
EXTRA = st.lists(
    st.sampled_from(sorted(HEADERS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(HEADERS[name]))),
    max_size=3,
)
SPENT = ("/data/JSESSION", "/xapi/users/active")
"""Deleting these ends the session that the test needs."""

ASKS = [
    (method, way)
    for way in WAYS
    for method in way.methods.split()
    if method != "DELETE" or not (way.path.startswith(SPENT) or way.path == "/data/projects/{project}")
]

Ask = Callable[[str, str, bytes, list[tuple[str, str]]], None]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, deliver: Deliver) -> Iterator[Ask]:
    """Sends a request as the owner of CLOSED, and looks at the answer; what is broken by asking stays broken."""
    folder = tmp_path_factory.mktemp("fuzz")
    site = deliver(
        folder, projects=("CLOSED",), settings="[files]\nmax_upload_bytes = 1000000\nmax_unpacked_bytes = 1000000\n"
    )
    for login in ("owner", "reader"):
        create_user(site.database, login, PASSWORD)
        add_member(site.database, "CLOSED", login, Role.OWNER if login == "owner" else Role.COLLABORATOR)
    with start(site, admin_password=PASSWORD) as server:
        session = site.logins.sign_in("owner", PASSWORD).session_id
        host = server.address.removeprefix("http://")

        def send(method: str, address: str, body: bytes, headers: list[tuple[str, str]]) -> None:
            with closing(http.client.HTTPConnection(host, timeout=30)) as connection:
                connection.putrequest(method, address, skip_host=any(name == "Host" for name, _ in headers))
                for name, value in headers:
                    connection.putheader(name, value.encode("latin-1"))
                if not any(name in ("Cookie", "Authorization") for name, _ in headers):
                    connection.putheader("Cookie", f"JSESSIONID={session}")
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                _check(connection.getresponse(), f"{method} {address} {headers} {body[:60]!r}")

        yield send


def _check(reply: http.client.HTTPResponse, what: str) -> None:
    content = reply.read()
    assert reply.status < 500, (what, reply.status, content)
    assert b"Traceback" not in content and b"root:x:0" not in content, what
    assert reply.getheader("x-content-type-options") == "nosniff" or reply.status in (400, 431), what
    assert reply.getheader("set-cookie", "").count("a=b") == 0, what
    if reply.status >= 400 and reply.getheader("content-type", "").startswith("text/plain"):
        assert b"\n" not in content, (what, content)


def _fill(template: str, words: list[str]) -> str:
    """A route's address with these words in place of its own; one word after the other, again and again."""
    rest = iter(words * 20)
    return re.sub(r"{\w+(:\w+)?}", lambda found: next(rest) or "%20", template)


@settings(max_examples=5 * EXAMPLES)
@given(
    st.sampled_from(ASKS),
    st.lists(WORDS, min_size=1, max_size=5),
    PAIRS,
    st.sampled_from(sorted(BODIES)),
    EXTRA,
)
def test_every_route_answers_nonsense(
    ask: Ask,
    way: tuple[str, Way],
    words: list[str],
    pairs: list[tuple[str, str]],
    body: str,
    headers: list[tuple[str, str]],
) -> None:
    method, row = way
    query = "&".join(f"{quote(name, safe='%')}={value}" for name, value in pairs)
    address = _fill(row.path, words)
    if method == "DELETE" and address.endswith("/CLOSED"):
        address += "/subjects/100307"  # all that is asked later needs the project
    ask(method, f"{address}?{query}", BODIES[body], headers)


KINDS = [("Content-Type", kind) for kind in HEADERS["Content-Type"][:4]]

FOUND = {
    "password of half characters": (
        "PUT",
        "/xapi/users/owner",
        "half a password",
        ("Content-Type", "application/json"),
    ),
    "origin that is no address": ("PUT", "/data/projects/CLOSED", "nothing", ("Origin", "http://[::1")),
    "credentials that are no ASCII": ("GET", "/data/projects", "nothing", ("Authorization", "Basic \xff")),
}
"""What once was answered by 500."""


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(ask: Ask, name: str) -> None:
    method, address, body, header = FOUND[name]
    ask(method, address, BODIES[body], [header])


REAL = [
    *("/data/projects/CLOSED", "/data/projects/CLOSED/subjects/100307", "/data/projects/CLOSED/experiments/100307_3T"),
    *("/data/projects/CLOSED/resources/R", "/data/projects/CLOSED/resources/R/files", "/data/search"),
    *("/data/projects/CLOSED/resources/R/files/a.zip", "/data/projects/CLOSED/terms", "/data/search/saved/mine"),
    *("/data/projects/CLOSED/experiments/100307_3T/scans/1", "/xapi/users/owner", "/data/services/auth"),
]


@settings(max_examples=2 * EXAMPLES)
@given(
    st.sampled_from(REAL),
    st.sampled_from(["PUT", "POST"]),
    st.sampled_from(["", "inbody=true", "extract=true", "inbody=true&overwrite=true&extract=true"]),
    st.sampled_from(sorted(BODIES)),
    st.sampled_from(KINDS),
)
def test_every_body_is_read(ask: Ask, address: str, method: str, words: str, body: str, kind: tuple[str, str]) -> None:
    """Each body as each kind, where there is something that reads it."""
    ask(method, f"{address}?{words}", BODIES[body], [kind])

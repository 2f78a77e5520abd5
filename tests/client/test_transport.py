"""How a server is asked, signed in once, and what becomes of replies that are no answers."""

from __future__ import annotations

import dataclasses
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.asked import BYTES, FILE, PASSWORD, PROJECTS, resource

from connectomedb.client._replies import Asked, fault_of, is_page, reason_of
from connectomedb.client.transport import Connection
from connectomedb.errors import (
    AccessDenied,
    AuthenticationFailed,
    ConfigError,
    Conflict,
    NotConnected,
    NotFound,
    QueryError,
    RequestError,
    ServerFault,
    TermsNotAccepted,
    TooManyRequests,
    UnexpectedReply,
)
from connectomedb.stores.xnat import FileConnection
from connectomedb.xnat.address import Level
from connectomedb.xnat.bundle import parse_bundle
from connectomedb.xnat.query import Query, SearchField

if TYPE_CHECKING:
    from tests.client.conftest import Reply, Seen, Site


def test_nothing_is_sent_before_something_is_asked(site: Site) -> None:
    Connection(site.address, "me", PASSWORD).close()
    assert site.everything == []


def test_one_sign_in_serves_all_requests_with_its_cookie(site: Site, connection: Connection) -> None:
    site.on("GET", "/data/projects", site.table({"ID": "HCP_Q1"}))
    tables = [connection.get_table(PROJECTS) for _ in range(3)]
    assert tables[0].rows == (("HCP_Q1",),)
    assert site.sign_ins == 1
    assert {seen.headers["cookie"] for seen in site.seen} == {"JSESSIONID=S1"}
    assert {seen.query["format"] for seen in site.seen} == {"json"}


def test_many_threads_sign_in_once(site: Site, connection: Connection) -> None:
    site.on("GET", "/data/projects", site.table())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: connection.get_table(PROJECTS), range(24)))
    assert site.sign_ins == 1


def test_a_guest_sends_no_credentials(site: Site) -> None:
    site.on("GET", "/data/projects", site.table())
    guest = Connection(site.address)
    guest.get_table(PROJECTS)
    guest.close()
    assert [(seen.method, seen.is_signed) for seen in site.everything] == [("GET", False)]


def test_a_guest_at_a_closed_server_is_told_to_sign_in(site: Site) -> None:
    site.on("GET", "/data/projects", site.reply(b"The request requires user authentication", 401))
    guest = Connection(site.address)
    with pytest.raises(AuthenticationFailed, match="closed to guests"):
        guest.get_table(PROJECTS)
    guest.close()


def dies_after(site: Site, cookie: str) -> None:
    """The server forgets one session, as XNAT does after half an hour."""

    def answer(seen: Seen) -> Reply:
        if seen.headers.get("cookie") == cookie:
            return site.reply(b"The request requires user authentication", 401)
        return site.reply(site.table({"ID": seen.headers.get("cookie", "")}))

    site.on("GET", "/data/projects", answer)


def test_a_dead_session_is_renewed_once_and_unseen(site: Site, connection: Connection) -> None:
    dies_after(site, "JSESSIONID=S1")
    assert connection.get_table(PROJECTS).rows == (("JSESSIONID=S2",),)
    assert connection.get_table(PROJECTS).rows == (("JSESSIONID=S2",),)
    assert site.sign_ins == 2


def test_many_threads_renew_a_dead_session_once(site: Site, connection: Connection) -> None:
    dies_after(site, "JSESSIONID=S1")
    gate = threading.Barrier(6)

    def ask(_: int) -> object:
        gate.wait()
        return connection.get_table(PROJECTS).rows

    site.on("GET", "/data/subjects", site.table())
    connection.get_table("/data/subjects")
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(ask, range(6))) == {(("JSESSIONID=S2",),)}
    assert site.sign_ins == 2


def test_a_server_that_never_knows_us_is_asked_twice_and_no_more(site: Site, connection: Connection) -> None:
    site.on("GET", "/data/projects", site.reply(b"The request requires user authentication", 401))
    with pytest.raises(AuthenticationFailed) as caught:
        connection.get_table(PROJECTS)
    assert len(site.seen) == 2
    assert (caught.value.method, caught.value.address, caught.value.status) == ("GET", "/data/projects", 401)


def test_a_wrong_password_is_tried_once_however_many_ask(site: Site) -> None:
    connection = Connection(site.address, "me", "wrong-word")
    for _ in range(5):
        with pytest.raises(AuthenticationFailed, match="refuses user 'me'") as caught:
            connection.get_table(PROJECTS)
        assert "wrong-word" not in str(caught.value)
    connection.close()
    assert site.sign_ins == 1
    assert site.seen == []


STATUSES = [
    (400, RequestError, False),
    (401, AuthenticationFailed, False),
    (403, AccessDenied, False),
    (404, NotFound, False),
    (409, Conflict, False),
    (410, NotFound, False),
    (417, RequestError, False),
    (422, RequestError, False),
    (429, TooManyRequests, True),
    (500, ServerFault, True),
    (502, ServerFault, True),
    (503, ServerFault, True),
    (304, UnexpectedReply, False),
]


@pytest.mark.parametrize(("status", "kind", "is_transient"), STATUSES)
def test_a_status_becomes_the_error_it_means(
    site: Site, status: int, kind: type[RequestError], is_transient: bool
) -> None:
    site.on("GET", "/data/projects/P", site.reply(b"the reason\nsecond line", status))
    guest = Connection(site.address)
    with pytest.raises(RequestError) as caught:
        guest.get_table("/data/projects/P")
    guest.close()
    fault = caught.value
    assert type(fault) is kind
    assert (fault.method, fault.address, fault.status, fault.transient) == (
        "GET",
        "/data/projects/P",
        status,
        is_transient,
    )
    assert str(fault).startswith(f"Asked {site.address} for /data/projects/P. ")
    assert f"({status}" in str(fault)
    assert "the reason" in str(fault) or status in (304, 401)  # no body; the same words for all
    assert "second line" not in str(fault)


ASKED = Asked("GET", "https://db.example.org", "/data/x")


def test_missing_terms_and_missing_rights_get_different_advice() -> None:
    terms = fault_of(ASKED, 403, b"Accept the Data Use Terms of HCP_Q1 first.")
    right = fault_of(ASKED, 403, b"Insufficient privileges")
    assert isinstance(terms, TermsNotAccepted)
    assert "cdb terms accept" in str(terms)
    assert "owner" in str(right)
    assert type(right) is AccessDenied
    about = fault_of(ASKED, 403, b"Terms of project P are a matter of its owners.")
    assert type(about) is AccessDenied, "terms are spoken of, and there is nothing to accept"


def test_the_reason_of_a_page_is_its_heading_and_never_the_page() -> None:
    page = b"<!DOCTYPE html><html><body><h3>Unknown <b>project</b>\n P9</h3><p>stack trace</p></body></html>"
    assert reason_of(page) == "Unknown project P9"
    assert "<" not in str(fault_of(ASKED, 404, page))
    assert reason_of(b"<html><body>no heading</body></html>") == ""


def test_a_server_that_repeats_the_password_does_not_make_us_repeat_it() -> None:
    fault = fault_of(ASKED, 401, b"bad password hunter2-word for me", ("hunter2-word",))
    assert "hunter2-word" not in str(fault)
    assert "***" in str(fault)


@given(st.binary(max_size=600), st.integers(300, 599))
def test_any_body_becomes_one_short_printable_line(body: bytes, status: int) -> None:
    message = str(fault_of(ASKED, status, body))
    assert message.isprintable()
    assert len(message) < 500


PAGES = [b"<!DOCTYPE html><html></html>", b"\xef\xbb\xbf \n<HTML>", b"<html lang='en'>"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_refused_where_data_was_due(site: Site, connection: Connection, page: bytes) -> None:
    assert is_page(page)
    site.on("GET", "/data/projects", site.reply(page, Content_Type="text/html"))
    site.on("POST", "/data/search", site.reply(page))
    site.on("GET", FILE, site.reply(page, Content_Type="text/html;charset=UTF-8"))
    with pytest.raises(UnexpectedReply, match="web page"):
        connection.get_table(PROJECTS)
    with pytest.raises(UnexpectedReply, match="web page"):
        connection.post_search(Query("xnat:subjectData"))
    with pytest.raises(UnexpectedReply, match="web page"):
        list(connection.stream(FILE))


def test_a_file_that_is_a_page_is_data(site: Site, connection: Connection) -> None:
    path = "/data/experiments/E1/resources/1/files/report.html"
    site.on("GET", path, site.reply(PAGES[0], Content_Type="text/html"))
    assert b"".join(connection.stream(path)) == PAGES[0]


def test_a_web_server_that_is_no_xnat_is_told_at_sign_in(site: Site, connection: Connection) -> None:
    site.on("POST", "/data/JSESSION", PAGES[0])
    with pytest.raises(UnexpectedReply, match="no XNAT"):
        connection.get_table(PROJECTS)
    del site.routes["POST", "/data/JSESSION"]
    with pytest.raises(UnexpectedReply, match="no XNAT"):
        connection.get_table(PROJECTS)


def test_what_is_no_table_is_refused_with_its_address(site: Site, connection: Connection) -> None:
    site.on("GET", "/data/projects", b'{"items": []}')
    with pytest.raises(UnexpectedReply, match="no ResultSet") as caught:
        connection.get_table(PROJECTS)
    assert caught.value.address == "/data/projects"


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_unreachable_server_is_named_without_credentials() -> None:
    address = f"http://127.0.0.1:{unused_port()}"
    connection = Connection(address, "me", PASSWORD)
    with pytest.raises(NotConnected, match=address) as caught:
        connection.get_table(PROJECTS)
    connection.close()
    assert PASSWORD not in str(caught.value)
    assert caught.value.transient
    assert caught.value.status is None


def test_a_proxy_that_does_not_answer_is_suspected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    connection = Connection("http://db.example.org", "me", PASSWORD)
    with pytest.raises(NotConnected, match="and the proxy that the environment names"):
        connection.get_table(PROJECTS)
    connection.close()


def test_a_proxy_that_cannot_be_used_is_a_matter_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://me:hush@127.0.0.1:1")
    connection = Connection("http://db.example.org", "me", PASSWORD)
    with pytest.raises(ConfigError, match=r"list db\.example\.org in NO_PROXY") as caught:
        connection.get_table(PROJECTS)
    assert "hush" not in str(caught.value)
    connection.close()


def test_a_server_that_stays_silent_is_given_up(site: Site) -> None:
    released = threading.Event()
    site.on("GET", "/data/projects", site.reply(site.table(), waits_for=released))
    guest = Connection(site.address, timeout_s=0.2)
    with pytest.raises(NotConnected, match=r"silent for 0\.2 s"):
        guest.get_table(PROJECTS)
    released.set()
    guest.close()


def test_a_body_cut_short_is_no_success(site: Site, connection: Connection) -> None:
    site.on("GET", FILE, site.reply(BYTES, sent=1000))
    site.on("GET", "/data/projects", site.reply(site.table({"ID": "P"}), sent=10))
    received = bytearray()
    with pytest.raises(NotConnected, match="broke off"):
        for piece in connection.stream(FILE):
            received += piece
    assert received == BYTES[: len(received)]
    with pytest.raises(NotConnected, match="broke off"):
        connection.get_table(PROJECTS)


def test_a_body_that_only_drips_is_given_up_like_silence(site: Site) -> None:
    site.on("GET", FILE, dataclasses.replace(site.reply(BYTES), drips=0.05))
    guest = Connection(site.address, timeout_s=0.2)
    received = bytearray()
    with pytest.raises(NotConnected, match="Hardly any bytes came"):
        for piece in guest.stream(FILE):
            received += piece
    assert BYTES.startswith(bytes(received)) and len(received) < 20
    guest.close()


def test_a_reply_in_another_protocol_is_a_broken_connection(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(b"SSH-2.0-OpenSSH_9\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        guest = Connection(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(NotConnected):
            guest.get_table(PROJECTS)
        guest.close()
        thread.join()


def test_a_garbled_encoding_is_no_table(site: Site, connection: Connection) -> None:
    site.on("GET", "/data/projects", site.reply(b"not gzip", Content_Encoding="gzip"))
    with pytest.raises(UnexpectedReply):
        connection.get_table(PROJECTS)


def test_files_are_listed_in_one_request_and_the_connection_suits_the_store(site: Site, connection: Connection) -> None:
    store_side: FileConnection = connection
    site.on("GET", "/data/experiments/E1/resources/1/files", site.table({"Name": "a.nii.gz"}))
    assert store_side.list_files(resource()).rows == (("a.nii.gz",),)
    assert store_side.list_files(resource().list(Level.FILES)).rows == (("a.nii.gz",),)
    assert store_side.name == site.address


def test_a_search_is_sent_as_its_document(site: Site, connection: Connection) -> None:
    query = Query("xnat:subjectData", (SearchField("xnat:subjectData", "SUBJECT_ID", header="h"),))
    site.on("POST", "/data/search", site.table({"subject_id": "S1"}))
    assert connection.post_search(query).rows == (("S1",),)
    assert parse_bundle(site.seen[-1].body) == query


@pytest.mark.parametrize("status", [400, 422])
def test_a_search_that_makes_no_sense_to_the_server_is_a_query_error(
    site: Site, connection: Connection, status: int
) -> None:
    site.on("POST", "/data/search", site.reply(b"Unknown field NOPE", status))
    with pytest.raises(QueryError, match="Unknown field NOPE"):
        connection.post_search(Query("xnat:subjectData"))


def test_closing_ends_the_session_and_the_connection(site: Site) -> None:
    site.on("GET", "/data/projects", site.table())
    connection = Connection(site.address, "me", PASSWORD)
    connection.get_table(PROJECTS)
    connection.close()
    connection.close()
    assert site.everything[-1].method == "DELETE"
    assert site.everything[-1].headers["cookie"] == "JSESSIONID=S1"
    with pytest.raises(RequestError, match="closed"):
        connection.get_table(PROJECTS)


def test_closing_does_not_mind_a_server_that_is_gone(site: Site) -> None:
    site.on("GET", "/data/projects", site.table())
    connection = Connection(site.address, "me", PASSWORD)
    connection.get_table(PROJECTS)
    site.on("DELETE", "/data/JSESSION", site.reply(b"", 500, sent=0, Content_Length="5"))
    connection.close()


def test_secrets_do_not_show(site: Site) -> None:
    connection = Connection(site.address, "me", PASSWORD)
    assert PASSWORD not in repr(connection)
    assert site.address in repr(connection)
    connection.close()


@pytest.mark.parametrize(
    "server", ["https://me:hunter2@db.example.org", "db.example.org", "", "ftp://x", "https://x/?a=b"]
)
def test_an_address_that_is_none_is_refused_without_repeating_secrets(server: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Connection(server)
    assert "hunter2" not in str(caught.value)


def test_a_user_name_that_basic_cannot_carry_is_refused() -> None:
    with pytest.raises(ConfigError, match="':'"):
        Connection("https://db.example.org", "a:b", "c")


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    connection = Connection("https://127.0.0.1:1", verify=tmp_path / "none.pem")
    with pytest.raises(ConfigError, match=r"none\.pem"):
        connection.get_table(PROJECTS)
    connection.close()


def test_a_password_beyond_ascii_is_sent_as_utf8(site: Site) -> None:
    site.on("POST", "/data/JSESSION", lambda seen: site.reply(seen.headers["authorization"].encode()))
    site.on("GET", "/data/projects", site.table())
    connection = Connection(site.address, "jürgen", "pässwörd€")
    connection.get_table(PROJECTS)
    connection.close()
    assert site.everything[0].headers["authorization"] == "Basic asO8cmdlbjpww6Rzc3fDtnJk4oKs"

"""Refusals in a browser: a page with the sentence that a program gets as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx2
from playwright.sync_api import expect

from connectomedb.server.access.login import csrf_token
from connectomedb.server.pages.ways import PAGES

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

REFUSED = [
    "/nothing/here",
    "/data/projects/NOTHING",
    "/data/subjects?limit=x",
    "/data/audit",
    "/projects/NOTHING",
]


def test_every_refusal_says_on_a_page_what_it_says_as_text(
    browse: Browse, people: People, faults: Faults, check_access: CheckAccess
) -> None:
    faults.forgive("status of 4")
    login = people.reader()
    page = browse(login)
    with people.client(login) as client:
        for address in REFUSED:
            plain = client.get(address)
            shown = page.goto(address)
            assert shown is not None and plain.headers["content-type"].startswith("text/plain"), address
            assert (shown.status, page.get_by_role("alert").inner_text()) == (plain.status_code, plain.text), address
    check_access(page)


def test_scripts_are_told_of_no_window_to_sign_in(people: People) -> None:
    address = f"{people.stage.server}/data/projects"
    from_script = httpx2.get(address, headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"})
    assert (from_script.status_code, from_script.headers["www-authenticate"]) == (401, 'Form realm="ConnectomeDB"')
    assert httpx2.get(address).headers["www-authenticate"].startswith("Basic ")


def test_an_ended_session_leads_to_the_form_and_back(browse: Browse, people: People) -> None:
    page = browse(people.user())
    page.goto("/account")
    page.context.clear_cookies()
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("status")).to_contain_text("Your session has ended")


def test_pages_of_other_sites_change_nothing(people: People) -> None:
    elsewhere = {"Origin": "https://elsewhere.example.org"}
    foreign: tuple[dict[str, str], ...] = ({"Sec-Fetch-Site": "cross-site"}, elsewhere, {})
    with people.client(people.reader()) as client:
        for path in ("/account/tokens", "/account/keys", "/admin/users", "/projects/HCP_Q1/terms"):
            for headers in foreign:
                assert client.post(path, headers=headers, data={"csrf": "0" * 32}).status_code == 403


def test_assets_are_kept_for_a_year_and_packed(people: People) -> None:
    with httpx2.Client(base_url=people.stage.server, verify=people.context) as client:
        address = client.get("/login").text.partition('href="/static/')[2].partition('"')[0]
        reply = client.get(f"/static/{address}")
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers["content-encoding"] == "gzip"
        assert client.get("/static/0000/style.css").headers["cache-control"] == "no-cache"
        for hostile in ("..%2f__about__.py", "%2e%2e/templates/base.html", "nothing.css"):
            assert client.get(f"/static/0000/{hostile}").status_code == 404


HOSTILE = (
    *("", "..", "../../xapi/users", "a/b", "%00", "<script>alert(1)</script>", "\u202e", "x" * 3_000),
    *("-1", "1e9", "' OR 1=1"),
)
PARAMETERS = (
    "q",
    "done",
    "next",
    "file",
    "where",
    "tier",
    "experiment",
    "scan",
    "resource",
    "folder",
    "user",
    "action",
    "from",
    "offset",
)
FIELDS = (
    *("login", "group", "tier", "alias", "id", "change", "version"),
    *("password", "present", "new", "next", "username"),
)
UNTRIED = ("/logout", "/login", "/account/password", "/account/keys")
"""Forms that would change what other tests need."""


def test_no_input_makes_a_page_fail_or_say_other_peoples_words(people: People) -> None:
    """As an administrator, before whom no right stands."""
    with people.client() as admin:
        for word in HOSTILE:
            for way in PAGES:
                address = re.sub(r"\{[^}]*\}", quote(word, safe="") or "x", way.path)
                if way.methods == "GET":
                    reply = admin.get(address, params=dict.fromkeys(PARAMETERS, word), headers={"Accept": "text/html"})
                elif way.path not in UNTRIED:
                    form = {"csrf": csrf_token(people.session("admin")), **dict.fromkeys(FIELDS, word)}
                    reply = admin.post(address, data=form, headers={"Accept": "text/html"})
                assert reply.status_code < 500, (way.path, word, reply.text)
                assert "<script>alert" not in reply.text

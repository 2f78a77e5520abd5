"""Signing in and out by hand, and what keeps a session the reader's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx2
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

PASSWORD = "correct horse battery"


def _sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_newcomer_signs_in_and_sees_the_projects(
    browse: Browse, people: People, check_access: CheckAccess, shoot: Callable[[Page, str], None]
) -> None:
    page = browse()
    page.goto("/")
    expect(page).to_have_title(re.compile("Sign in"))
    check_access(page)
    login = people.user()
    _sign_in(page, login)
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    expect(page.locator("#user_info")).to_contain_text(login)
    check_access(page)
    shoot(page, "projects")


def test_signing_in_works_without_script_and_leads_to_where_one_was_going(browse: Browse, people: People) -> None:
    page = browse(java_script_enabled=False)
    page.goto("/data/projects?format=html")
    _sign_in(page, people.reader())
    expect(page).to_have_url(re.compile(r"/data/projects\?format=html$"))


def test_a_wrong_password_is_told_and_leads_nowhere(browse: Browse, people: People, faults: Faults) -> None:
    faults.forgive("401")
    page = browse()
    page.goto("/login?next=//elsewhere.example.org/")
    _sign_in(page, people.reader(), "wrong")
    expect(page.get_by_role("alert")).to_have_text("Login or password is wrong. Try again.")
    _sign_in(page, people.reader())
    expect(page).to_have_url(re.compile(r"127\.0\.0\.1:\d+/$"))


def test_signing_out_ends_the_session_for_everybody_who_has_its_id(browse: Browse, people: People) -> None:
    page = browse(people.user())
    page.goto("/")
    session = next(one["value"] for one in page.context.cookies() if one["name"] == "JSESSIONID")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    reply = httpx2.get(f"{people.stage.server}/data/projects", headers={"Cookie": f"JSESSIONID={session}"})
    assert reply.status_code == 401


def test_the_keyboard_alone_reaches_the_content_and_the_form(browse: Browse, people: People) -> None:
    page = browse(people.reader())
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_forms_without_the_token_of_their_session_change_nothing(people: People) -> None:
    login = people.reader()
    with people.client(login) as client:
        for path in ("/login", "/logout"):
            for token in ("", "0" * 32):
                form = {"csrf": token, "username": login, "password": PASSWORD}
                assert client.post(path, data=form).status_code == 403
        assert client.get("/data/auth").status_code == 200

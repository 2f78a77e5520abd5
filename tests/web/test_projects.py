"""Projects, their terms, and a project's own page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

PROJECT = "/projects/HCP_Q1"


def test_accepting_the_terms_in_the_browser_opens_the_project(
    browse: Browse, people: People, check_access: CheckAccess, shoot: Callable[[Page, str], None]
) -> None:
    login = people.user(accepts=False)
    page = browse(login)
    page.goto("/")
    page.get_by_role("link", name="Data Use Terms required").click()
    expect(page.get_by_role("region", name="The terms")).to_contain_text("All of this is SYNTHETIC")
    check_access(page)
    shoot(page, "terms")
    page.get_by_role("button", name="I accept these terms").click()
    expect(page.get_by_role("status")).to_contain_text("You accepted the data-use terms")
    expect(page).to_have_url(re.compile(f"{PROJECT}\\?done=terms$"))
    expect(page.get_by_role("heading", name="Tables of measures")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("link", name="Data Use Terms accepted")).to_be_visible()
    with people.client(login) as client:
        assert client.get("/data/projects/HCP_Q1/terms/acceptance").status_code == 200


def test_the_demos_visitor_comes_in(browse: Browse, people: People) -> None:
    page = browse()
    page.goto("/")
    page.get_by_label("Login").fill("visitor")
    page.get_by_label("Password").fill(people.stage.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Data Use Terms required")).to_be_visible()


def test_before_the_terms_are_accepted_the_page_tells_the_way_and_nothing_else(
    browse: Browse, people: People, faults: Faults
) -> None:
    faults.forgive("403")
    page = browse(people.user(accepts=False), java_script_enabled=False)
    page.goto(PROJECT)
    expect(page.locator("main").get_by_role("link", name="Data Use Terms required")).to_be_visible()
    expect(page.get_by_role("heading", name="Tables of measures")).to_have_count(0)
    page.goto(f"{PROJECT}/subjects/100307/files")
    expect(page.get_by_role("alert")).to_contain_text("has data-use terms, which you have not accepted")
    page.get_by_role("link", name="Read the terms of HCP_Q1").click()
    page.get_by_role("button", name="I accept these terms").click()
    expect(page.get_by_role("heading", name="Files of 100307")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("The project is open to you now")


def test_a_private_project_is_not_there_for_others(browse: Browse, people: People, faults: Faults) -> None:
    faults.forgive("404")
    page = browse(people.user(role=None))
    page.goto("/")
    expect(page.get_by_text("There is no project that you may see")).to_be_visible()
    for address in (PROJECT, f"{PROJECT}/terms", f"{PROJECT}/subjects/100307/files", f"{PROJECT}/people"):
        page.goto(address)
        expect(page.get_by_role("alert")).to_contain_text("or none that you may see")


@pytest.mark.parametrize(("tier", "offers"), [(None, False), ("restricted", True)])
def test_tables_download_as_csv_and_restricted_ones_need_the_grant(
    browse: Browse, people: People, check_access: CheckAccess, tier: str | None, offers: bool
) -> None:
    page = browse(people.reader(tier))
    page.goto(PROJECT)
    if tier:
        check_access(page)
    with page.expect_download() as started:
        page.get_by_role("link", name="Subject Information, open columns, CSV").click()
    lines = started.value.path().read_text().splitlines()
    assert lines[0].startswith("Subject,")
    assert "Age_in_Yrs" not in lines[0]
    assert {line.split(",")[0] for line in lines[1:]} == {"100307", "103515", "200614"}
    restricted = page.get_by_role("link", name="Subject Information, with restricted columns, CSV")
    assert restricted.count() == offers
    if offers:
        with page.expect_download() as started:
            restricted.click()
        assert "Age_in_Yrs" in started.value.path().read_text().splitlines()[0]


def test_groups_of_the_project_are_listed(browse: Browse, people: People) -> None:
    import connectomedb as cdb

    login = people.user()
    with cdb.Interface(people.stage.server, login, "correct horse battery") as db:
        db.groups.save("sharp", db.where("MMSE_Score >= 29", project="HCP_Q1"))
    page = browse(login)
    page.goto(PROJECT)
    group = page.get_by_role("row").filter(has_text="sharp")
    expect(group).to_contain_text("MMSE_Score >= 29")
    expect(group.get_by_role("link")).to_have_attribute("href", f"{PROJECT}/subjects?group=sharp")
    page.goto("/account")
    page.get_by_role("button", name="Delete the group sharp").click()
    expect(page.get_by_role("status")).to_have_text("The group is deleted.")
    page.goto(PROJECT)
    expect(page.get_by_text("No group is kept yet")).to_be_visible()


def test_a_subject_key_is_kept_and_told_to_holders_of_restricted_access(
    browse: Browse, people: People, check_access: CheckAccess
) -> None:
    page = browse(people.user(), java_script_enabled=False)
    page.goto(PROJECT)
    page.get_by_text("Add a subject key").click()
    for label, words in (
        ("Name", "twins-2026"),
        ("Title of the publication", "On twins"),
        ("PMID", "23684880"),
        ("Coded ids, as CSV", "Coded ID,HCP ID\nS0001,100307\n"),
    ):
        page.get_by_label(label, exact=True).fill(words)
    page.get_by_label("Share").check()
    page.get_by_role("button", name="Keep the subject key").click()
    expect(page.get_by_role("status")).to_contain_text("The subject key is kept")
    for login, is_told in ((people.reader("restricted"), True), (people.reader(), False)):
        other = browse(login)
        other.goto(PROJECT)
        row = other.get_by_role("row", name="twins-2026")
        expect(row).to_contain_text("On twins")
        expect(row.get_by_role("link", name="Coded ids of twins-2026")).to_have_count(int(is_told))
        expect(row.get_by_role("button")).to_have_count(0)
    other.get_by_text("Add a subject key").click()
    check_access(other)
    page.get_by_role("button", name="Delete the subject key twins-2026").click()
    expect(page.get_by_role("status")).to_contain_text("The subject key is deleted")

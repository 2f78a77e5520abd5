"""The dictionary: what is open to its reader, found by words, each column with an address."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, People

TYPE = "/dictionary/hcp:nontoolboxdata"


def test_words_find_columns_in_spite_of_typing_errors(
    browse: Browse, people: People, check_access: CheckAccess
) -> None:
    page = browse(people.reader())
    page.goto("/dictionary")
    page.get_by_label("Find columns by words").fill("minimental")
    page.get_by_role("button", name="Find").click()
    check_access(page)
    page.get_by_role("link", name="MMSE_Score").click()
    expect(page).to_have_url(f"{people.stage.server}{TYPE}#MMSE_Score")
    expect(page.locator("#MMSE_Score")).to_be_in_viewport()


def test_columns_above_ones_tier_are_not_there_and_others_are_marked(
    browse: Browse, people: People, check_access: CheckAccess, shoot: Callable[[Page, str], None]
) -> None:
    page = browse(people.reader())
    page.goto(TYPE)
    assert "Age_in_Yrs" not in page.content()
    check_access(page)
    granted = browse(people.reader("sensitive"))
    granted.goto(TYPE)
    expect(granted.locator("#Age_in_Yrs .badge")).to_have_text("restricted")
    shoot(granted, "dictionary")
    granted.goto(f"{TYPE}?q=alcohol")
    expect(granted.locator("dt.of-sensitive").first).to_be_visible()
    check_access(granted)

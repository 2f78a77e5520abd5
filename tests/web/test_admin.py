"""Administration by those who may: users, people of a project, grants, the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

PEOPLE = "/projects/HCP_Q1/people"


def test_an_administrator_makes_a_user_and_shuts_her_out(
    browse: Browse, people: People, check_access: CheckAccess
) -> None:
    page = browse(people.stage.user)
    page.goto("/admin")
    check_access(page)
    new = page.locator("form[action='/admin/users']")
    new.get_by_label("Login").fill("newcomer")
    new.get_by_label("First name").fill("<b>Ada</b>")
    new.get_by_label("Password").fill("long enough")
    new.get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text("The user is made.")
    row = page.get_by_role("row").filter(has_text="newcomer")
    expect(row).to_contain_text("<b>Ada</b>")
    page.get_by_role("button", name="Make administrator: newcomer").click()
    expect(row).to_contain_text("administrator")
    page.get_by_role("button", name="Disable newcomer").click()
    expect(row).to_contain_text("shut out")
    with people.client("newcomer", "long enough") as client:
        assert client.get("/data/auth").status_code == 401


def test_an_owner_takes_somebody_in_and_grants_restricted_measures(
    browse: Browse, people: People, check_access: CheckAccess
) -> None:
    page, guest = browse(people.user("Owners")), people.user(role=None)
    page.goto("/projects/HCP_Q1")
    page.get_by_role("link", name="People and grants").click()
    check_access(page)
    page.get_by_label("Login").first.fill(guest)
    page.get_by_role("button", name="Take in").click()
    expect(page.get_by_role("row").filter(has_text=guest)).to_contain_text("Collaborators")
    page.get_by_label("Login").last.fill(guest)
    page.get_by_label("Sees").select_option("sensitive")
    page.get_by_role("button", name="Grant", exact=True).click()
    with people.client(guest) as client:
        rows = client.get("/data/grants").json()["ResultSet"]["Result"]
    assert [(row["project"], row["login"], row["tier"]) for row in rows] == [("HCP_Q1", guest, "sensitive")]
    page.get_by_role("button", name=f"Take out {guest}").click()
    expect(page.get_by_role("button", name=f"Take out {guest}")).to_have_count(0)


def test_the_audit_log_is_filtered_by_the_address(browse: Browse, people: People, check_access: CheckAccess) -> None:
    login = people.user()
    page = browse(people.stage.user)
    page.goto("/admin/audit")
    page.get_by_label("User").fill(login)
    page.get_by_role("button", name="Show").click()
    check_access(page)
    actions = set(page.locator("tbody td:nth-of-type(3)").all_inner_texts())
    assert actions == {"sign-in", "terms-accept"}
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    assert len(started.value.path().read_text().splitlines()) == page.locator("tbody tr").count() + 1


def test_others_are_refused(browse: Browse, people: People, faults: Faults) -> None:
    faults.forgive("403")
    page = browse(people.reader())
    for address in ("/admin", "/admin/audit", PEOPLE):
        page.goto(address)
        expect(page.get_by_role("alert")).to_contain_text("This is for")

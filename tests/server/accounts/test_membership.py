"""Who is in a project, by which group; its openness; its grants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx2
import pytest

from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.users import add_member, set_accessibility
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query, parse_field

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

P = "/data/projects/CLOSED"


def _rows(reply: httpx2.Response) -> list[dict[str, str]]:
    assert reply.status_code == 200
    found: list[dict[str, str]] = reply.json()["ResultSet"]["Result"]
    return found


def _groups(reply: httpx2.Response, login: str) -> list[str]:
    return [row["GROUP_ID"] for row in _rows(reply) if row["login"] == login]


def test_the_table_has_one_row_per_user(owner: httpx2.Client) -> None:
    reply = owner.get(f"{P}/users?format=csv").text.splitlines()
    assert reply[0] == "GROUP_ID,displayname,login,firstname,lastname,email"
    assert "CLOSED_owner,Owners,owner,Owner,,owner@example.org" in reply
    assert owner.get(f"{P}/users").json()["ResultSet"]["title"] == "Projects"


@pytest.mark.parametrize("word", ["CLOSED_member", "member", "Members", "closed_MEMBER", "MEMBERS"])
def test_a_group_has_three_names(club: Club, owner: httpx2.Client, word: str) -> None:
    login = club.user()
    assert _groups(owner.put(f"{P}/users/{word}/{login}"), login) == ["CLOSED_member"]
    assert _groups(owner.delete(f"{P}/users/{word}/{login}"), login) == []


def test_a_second_group_is_a_move(club: Club, owner: httpx2.Client) -> None:
    login = club.user()
    for word, group in (("member", "member"), ("Owners", "owner"), ("collaborator", "collaborator")):
        assert _groups(owner.put(f"{P}/users/{word}/{login}"), login) == [f"CLOSED_{group}"]
    assert _groups(owner.delete(f"{P}/users/owner/{login}"), login) == ["CLOSED_collaborator"]
    assert _groups(owner.delete(f"{P}/users/collaborator/{login}"), login) == []


def test_rights_follow_at_once(club: Club, owner: httpx2.Client) -> None:
    login = club.user()
    with club.client(login) as client:
        assert client.get(P).status_code == 404
        owner.put(f"{P}/users/collaborator/{login}")
        assert client.get(P).status_code == 200
        assert client.put(f"{P}/accessibility/public").status_code == 403
        owner.put(f"{P}/users/owner/{login}")
        assert client.put(f"{P}/accessibility/private").status_code == 200
        owner.delete(f"{P}/users/owner/{login}")
        assert client.get(P).status_code == 404


def test_a_user_is_found_by_mail_address(club: Club, owner: httpx2.Client) -> None:
    login = club.user(email="Someone@example.org")
    assert _groups(owner.put(f"{P}/users/member/someone@example.org"), login) == ["CLOSED_member"]
    owner.delete(f"{P}/users/member/{login}")


def test_who_cannot_be_a_member_is_refused(owner: httpx2.Client) -> None:
    assert owner.put(f"{P}/users/member/nobodyhere").status_code == 404
    assert owner.put(f"{P}/users/member/nobody@example.org").status_code == 404
    assert owner.put(f"{P}/users/member/guest").status_code == 412
    assert owner.put(f"{P}/users/wizard/reader").status_code == 404


def test_mail_addresses_are_for_the_projects_own_people(club: Club) -> None:
    with club.client("stranger") as stranger, club.client("reader") as reader:
        assert [row["email"] for row in _rows(stranger.get("/data/projects/OPEN/users"))] == [""]
        assert [row["email"] for row in _rows(reader.get("/data/projects/OPEN/users"))] == ["reader@example.org"]


def test_every_project_has_three_groups(owner: httpx2.Client) -> None:
    rows = _rows(owner.get(f"{P}/groups"))
    assert list(rows[0]) == ["id", "displayname", "tag", "xdat_usergroup_id", "users"]
    assert [row["id"] for row in rows[:3]] == ["CLOSED_owner", "CLOSED_member", "CLOSED_collaborator"]
    assert _rows(owner.get(f"{P}/groups/Owners"))[0]["users"] == "1"


@pytest.mark.parametrize(
    ("parameters", "may_change"),
    [("role=collaborator", False), ("role=owner", True), ("xnat:subjectData_E=1", False), ("", False)],
)
def test_a_project_has_groups_of_its_own(club: Club, owner: httpx2.Client, parameters: str, may_change: bool) -> None:
    login, group = club.user(), f"raters{next(club.numbers)}"
    made = owner.put(f"{P}/groups/{group}?displayName=The {group}&{parameters}")
    assert f"CLOSED_{group}" in [row["id"] for row in _rows(made)]
    with club.client(login) as client:
        table = owner.put(f"{P}/users/The {group}/{login}")
        assert _groups(table, login) == [f"CLOSED_{group}"]
        assert client.get(P).status_code == 200
        assert client.put(f"{P}/accessibility/private").status_code == (200 if may_change else 403)
        access = {row["ID"]: row["role"] for row in client.get("/xapi/access/projects").json()}
        assert access["CLOSED"] == f"The {group}"
        assert client.get(f"/xapi/users/{login}/groups").json() == [f"CLOSED_{group}"]
        assert owner.delete(f"{P}/groups/{group}").status_code == 200
        assert client.get(P).status_code == 404


def test_a_changed_group_changes_its_users(club: Club, owner: httpx2.Client) -> None:
    login, group = club.user(), f"raters{next(club.numbers)}"
    owner.put(f"{P}/groups/{group}?role=collaborator")
    owner.put(f"{P}/users/{group}/{login}")
    with club.client(login) as client:
        assert client.get(f"{P}/grants").status_code == 403
        assert owner.put(f"{P}/groups/{group}?role=owner").status_code == 200
        assert client.get(f"{P}/grants").status_code == 200
    owner.delete(f"{P}/groups/{group}")


BAD_GROUPS = {
    f"{P}/groups/owner": 409,
    f"{P}/groups/Owners": 409,
    f"{P}/groups/new?displayName=members": 409,
    f"{P}/groups/a%20b": 400,
    f"{P}/groups/{'x' * 65}": 400,
    f"{P}/groups/new?displayName={'x' * 200}": 400,
    f"{P}/groups/new?role=wizard": 400,
}


@pytest.mark.parametrize("address", BAD_GROUPS)
def test_a_group_that_cannot_be_is_refused(owner: httpx2.Client, address: str) -> None:
    before = owner.get(f"{P}/groups").json()
    assert owner.put(address).status_code == BAD_GROUPS[address]
    assert owner.get(f"{P}/groups").json() == before


def test_the_groups_of_every_project_stay(owner: httpx2.Client) -> None:
    assert owner.delete(f"{P}/groups/member").status_code == 409


@pytest.fixture
def restored(club: Club) -> Iterator[None]:
    yield
    set_accessibility(club.site.database, "CLOSED", Accessibility.PRIVATE)


@pytest.mark.usefixtures("restored")
def test_a_project_opens_and_closes(club: Club, owner: httpx2.Client) -> None:
    with club.client("stranger") as stranger:
        for level, record, inside in (("public", 200, 200), ("protected", 200, 403), ("private", 404, 404)):
            reply = owner.put(f"{P}/accessibility/{level}")
            assert (reply.status_code, reply.text) == (200, level)
            assert owner.get(f"{P}/accessibility").text == level
            assert stranger.get(P).status_code == record
            assert stranger.get(f"{P}/subjects").status_code == inside
    assert owner.put(f"{P}/accessibility/secret").status_code == 400


def test_who_has_access_is_told_by_project(club: Club) -> None:
    def roles(login: str) -> dict[str, str]:
        with club.client(login) as client:
            return {row["ID"]: row["role"] for row in client.get("/xapi/access/projects?format=json").json()}

    assert roles("reader") == {"CLOSED": "Collaborators", "OPEN": "Collaborators"}
    assert roles("owner") == {"CLOSED": "Owners", "OPEN": ""}
    assert roles("admin") == {"CLOSED": "Administrator", "RECORD": "Administrator", "OPEN": "Administrator"}


def _sees(client: httpx2.Client) -> bool:
    note = "lab:memorydata/NOTE"
    document = format_bundle(Query("lab:memorydata", (parse_field("lab:memorydata/SUBJECT_LABEL"), parse_field(note))))
    return "good" in client.post("/data/search?format=csv", content=document).text


def test_a_grant_opens_restricted_columns_until_it_is_taken(club: Club, owner: httpx2.Client) -> None:
    login = club.user()
    add_member(club.site.database, "CLOSED", login, Role.COLLABORATOR)
    grant = f"{P}/grants/{login}"
    with club.client(login) as client:
        assert not _sees(client)
        assert owner.put(f"{grant}/restricted").text == "restricted"
        assert _sees(client)
        row = {"login": login, "firstname": "", "lastname": "", "tier": "restricted"}
        assert row in _rows(owner.get(f"{P}/grants"))
        assert owner.put(f"{grant}/sensitive").status_code == 200
        assert [found["tier"] for found in _rows(owner.get(f"{P}/grants")) if found["login"] == login] == ["sensitive"]
        assert owner.delete(grant).status_code == 200
        assert not _sees(client)
        assert owner.delete(grant).status_code == 200


@pytest.mark.parametrize("tier", ["open", "secret", "RESTRICTEDX"])
def test_a_tier_that_needs_no_grant_cannot_be_granted(owner: httpx2.Client, tier: str) -> None:
    assert owner.put(f"{P}/grants/reader/{tier}").status_code == 400
    assert owner.put(f"{P}/grants/nobodyhere/restricted").status_code == 404

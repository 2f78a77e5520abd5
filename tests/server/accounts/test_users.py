"""Users of a site: lists, profiles, changes, roles and groups at XNAT's addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

PASSWORD = "correct horse"
PROFILE = {
    "id": int,
    "username": str,
    "firstName": str,
    "lastName": str,
    "email": str,
    "enabled": bool,
    "verified": bool,
    "lastModified": int,
}


def _make(admin: httpx2.Client, club: Club, **facts: object) -> dict[str, Any]:
    login = f"made{next(club.numbers)}"
    made = admin.post("/xapi/users", json={"username": login, "password": PASSWORD, **facts})
    assert made.status_code == 201
    found: dict[str, Any] = made.json()
    return found


def test_a_profile_has_what_clients_read(admin: httpx2.Client) -> None:
    profile = admin.get("/xapi/users/reader").json()
    assert {name: type(value) for name, value in profile.items()} == PROFILE
    assert (profile["username"], profile["firstName"], profile["email"]) == ("reader", "Reader", "reader@example.org")
    assert profile in admin.get("/xapi/users/profiles").json()
    assert "reader" in admin.get("/xapi/users").json()


def test_who_asks_is_told_who_that_is(owner: httpx2.Client) -> None:
    assert owner.get("/xapi/users/current").json()["username"] == "owner"
    assert owner.get("/xapi/users/username").text == "owner"


def test_a_user_who_was_made_can_sign_in(admin: httpx2.Client, club: Club, nobody: httpx2.Client) -> None:
    made = _make(admin, club, firstName="Ada", lastName="Doe", email="ada@example.org")
    assert (made["firstName"], made["enabled"], made["verified"]) == ("Ada", True, True)
    assert nobody.get("/xapi/users/username", auth=(made["username"], PASSWORD)).text == made["username"]


@pytest.mark.parametrize("closed", ["enabled", "verified"])
def test_a_user_who_is_not_enabled_and_verified_cannot(
    admin: httpx2.Client, club: Club, nobody: httpx2.Client, closed: str
) -> None:
    login = _make(admin, club, **{closed: False})["username"]
    assert nobody.get("/data/auth", auth=(login, PASSWORD)).status_code == 401
    assert admin.put(f"/xapi/users/{login}", json={closed: True}).status_code == 200
    assert nobody.get("/data/auth", auth=(login, PASSWORD)).status_code == 200
    assert admin.put(f"/xapi/users/{login}/{closed}/false").status_code == 200
    assert nobody.get("/data/auth").status_code == 401
    assert admin.put(f"/xapi/users/{login}/{closed}/false").status_code == 304


BAD: list[tuple[object, int]] = [
    ({}, 400),
    ([], 400),
    ({"username": "x"}, 400),
    ({"username": "a b", "password": PASSWORD}, 400),
    ({"username": "new", "password": "short"}, 400),
    ({"username": "longenough", "password": "LongEnough"}, 400),
    ({"username": "new", "password": PASSWORD * 100}, 400),
    ({"username": "new", "password": PASSWORD, "email": 7}, 400),
    ({"username": "new", "password": PASSWORD, "firstName": "x" * 300}, 400),
    ({"username": "new", "password": PASSWORD, "lastName": "a\nb"}, 400),
    ({"username": "new", "password": PASSWORD, "enabled": "yes"}, 400),
    ({"username": "reader", "password": PASSWORD}, 409),
    ({"username": "READER", "password": PASSWORD}, 409),
    ({"username": "8c3a1b8e-0000-4000-8000-000000000000", "password": PASSWORD}, 400),
]


@pytest.mark.parametrize(("profile", "status"), BAD)
def test_what_is_no_user_is_refused(admin: httpx2.Client, profile: object, status: int) -> None:
    reply = admin.post("/xapi/users", json=profile)
    assert reply.status_code == status
    assert "\n" not in reply.text
    assert PASSWORD not in reply.text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 20_000, b"null", b'{"username":1e999}'])
def test_what_is_no_json_is_refused(admin: httpx2.Client, body: bytes) -> None:
    assert admin.post("/xapi/users", content=body).status_code == 400
    assert admin.put("/xapi/users/reader", content=body).status_code == 400


def test_a_change_is_kept_and_no_change_is_304(admin: httpx2.Client, club: Club) -> None:
    made = _make(admin, club)
    address = f"/xapi/users/{made['username']}"
    assert admin.put(address, json={"lastName": "Roe"}).json()["lastName"] == "Roe"
    assert admin.put(address, json={"lastName": "Roe"}).status_code == 304
    assert admin.put(address, json=admin.get(address).json()).status_code == 304
    assert admin.get(address).json()["lastModified"] >= made["lastModified"]
    assert admin.put(address, json={"username": "other"}).status_code == 400
    assert admin.put("/xapi/users/nobodyhere", json={"lastName": "Roe"}).status_code == 404


def test_users_change_their_own_names_and_password_and_nothing_else(club: Club, nobody: httpx2.Client) -> None:
    login = club.user()
    address = f"/xapi/users/{login}"
    with club.client(login) as client:
        assert client.put(address, json={"firstName": "Grace"}).status_code == 200
        assert client.put(address, json={"verified": False}).status_code == 403
        assert client.put("/xapi/users/reader", json={"firstName": "Grace"}).status_code == 403
        assert client.put(f"{address}/roles/Administrator").status_code == 403
        assert client.put(address, json={"password": "short"}).status_code == 400
        assert client.put(address, json={"password": "a new word"}).status_code == 200
        assert client.get("/data/auth").status_code == 401
    assert nobody.get("/data/auth", auth=(login, PASSWORD)).status_code == 401
    assert nobody.get("/data/auth", auth=(login, "a new word")).status_code == 200


def test_administrators_come_and_go_but_one_stays(club: Club, admin: httpx2.Client) -> None:
    login = club.user()
    role = f"/xapi/users/{login}/roles/Administrator"
    with club.client(login) as client:
        assert client.get(f"/xapi/users/{login}/roles").json() == []
        assert admin.put(role).json() == ["Administrator"]
        assert client.get("/xapi/users").status_code == 200
        assert admin.delete(role).json() == []
        assert client.get("/xapi/users").status_code == 403
    assert admin.put(f"/xapi/users/{login}/roles/Wizard").status_code == 404
    assert admin.delete("/xapi/users/admin/roles/Administrator").status_code == 403
    assert admin.put("/xapi/users/admin", json={"enabled": False}).status_code == 403


def test_groups_of_a_user_are_those_of_all_projects(club: Club, admin: httpx2.Client, owner: httpx2.Client) -> None:
    login = club.user()
    groups = f"/xapi/users/{login}/groups"
    assert admin.get(groups).json() == []
    assert owner.put(f"{groups}/CLOSED_member").json() == ["CLOSED_member"]
    assert admin.put(f"{groups}/RECORD_owner").json() == ["CLOSED_member", "RECORD_owner"]
    assert owner.put(f"{groups}/CLOSED_collaborator").json() == ["CLOSED_collaborator", "RECORD_owner"]
    assert owner.put(f"{groups}/RECORD_owner").status_code == 403
    assert owner.put(f"{groups}/CLOSED_wizard").status_code == 404
    assert owner.put(f"{groups}/nonsense").status_code == 404
    assert owner.delete(f"{groups}/CLOSED_collaborator").json() == ["RECORD_owner"]
    assert owner.delete(f"{groups}/CLOSED_collaborator").json() == ["RECORD_owner"]


def test_a_refused_list_of_users_still_reads_as_a_table(owner: httpx2.Client) -> None:
    reply = owner.get("/data/users?format=json")
    assert (reply.status_code, reply.json()["ResultSet"]["Result"]) == (403, [])
    reply = owner.get("/data/users?format=csv")
    assert (reply.status_code, reply.text) == (403, "The list of users is for administrators.")


def test_favorites_are_marked_and_unmarked(club: Club) -> None:
    def marked() -> list[str]:
        return [row["ID"] for row in client.get("/data/users/favorites/Project").json()["ResultSet"]["Result"]]

    with club.client(club.user()) as client:
        for project in ("OPEN", "RECORD", "OPEN"):
            assert client.put(f"/data/users/favorites/Project/{project}").status_code == 200
        assert marked() == ["RECORD", "OPEN"]
        assert client.delete("/data/users/favorites/Project/RECORD").status_code == 200
        assert marked() == ["OPEN"]
        assert client.get("/data/users/favorites/Subject").status_code == 404
        assert client.put("/data/users/favorites/Project/CLOSED").status_code == 404

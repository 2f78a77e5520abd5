"""Who sees what: private objects look absent, protected ones show their record, columns keep their tier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import insert

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Accessibility, Caller, Rights, Role
from connectomedb.server.access.users import add_member, create_user, grant_tier, remove_member, set_accessibility
from connectomedb.server.run import start
from connectomedb.server.site import open_site
from connectomedb.server.tables.schema import resources
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.document import Item, parse_item_json
from connectomedb.xnat.query import Comparison, Criterion, Group, Query, parse_field

if TYPE_CHECKING:
    from tests.server.conftest import DataFolders, Deliver, Served

PASSWORD = "correct horse"
N = "hcp:nontoolboxdata"
P = "/data/projects/HCP_Q1"


@pytest.fixture
def stranger(served: Served) -> Iterator[httpx2.Client]:
    with served.client("stranger") as client:
        yield client


@pytest.fixture
def granted(served: Served) -> Iterator[httpx2.Client]:
    with served.client("granted") as client:
        yield client


def test_lists_hold_only_what_the_caller_may_see(stranger: httpx2.Client, reader: httpx2.Client) -> None:
    def ids(client: httpx2.Client, address: str) -> list[str]:
        return [row["ID"] for row in client.get(f"{address}?columns=ID").json()["ResultSet"]["Result"]]

    assert ids(stranger, "/data/projects") == ["LAB", "OPEN"]
    assert ids(reader, "/data/projects") == ["HCP_Q1", "LAB", "OPEN"]
    assert ids(stranger, "/data/subjects") == []
    assert len(ids(reader, "/data/subjects")) == 4
    assert ids(stranger, "/data/experiments") == []


@pytest.mark.parametrize("root", ["xnat:subjectData", "xnat:mrSessionData", "xnat:mrScanData", N, "lab:memorydata"])
def test_a_search_finds_only_what_the_caller_may_read(stranger: httpx2.Client, root: str) -> None:
    reply = stranger.post("/data/search", content=format_bundle(Query(root)))
    assert reply.json()["ResultSet"]["Result"] == []


def test_joins_and_counts_do_not_look_behind_the_door(stranger: httpx2.Client) -> None:
    asked = tuple(parse_field(f"xnat:{name}") for name in ("projectData/ID", "subjectData/SUBJECT_LABEL"))
    query = Query("xnat:projectData", (*asked, parse_field("xnat:projectData/PROJECT_MEMBERS")))
    rows = stranger.post("/data/search", content=format_bundle(query)).json()["ResultSet"]["Result"]
    assert [(row["id"], row["xnat_subjectdata_subject_label"]) for row in rows] == [("LAB", ""), ("OPEN", "")]
    counts = stranger.get("/data/search/elements").json()["ResultSet"]["Result"]
    assert {row["ELEMENT_NAME"]: row["COUNT"] for row in counts}["xnat:subjectData"] == "0"


def test_a_protected_project_shows_its_record_only(stranger: httpx2.Client) -> None:
    assert stranger.get("/data/projects/LAB").status_code == 200
    assert stranger.get("/data/projects/LAB/accessibility").text == "protected"
    for below in ("subjects", "experiments", "resources", "files", "users", "subjects/L1"):
        assert stranger.get(f"/data/projects/LAB/{below}").status_code == 403
    assert stranger.get("/data/subjects?project=LAB").json()["ResultSet"]["Result"] == []


def test_a_protected_project_does_not_name_its_resources(tmp_path: Path, deliver: Deliver) -> None:
    site = deliver(tmp_path, projects=("ONE",))
    create_user(site.database, "me", PASSWORD)
    set_accessibility(site.database, "ONE", Accessibility.PROTECTED)
    with site.database.write() as connection:
        connection.execute(insert(resources).values(project_key=1, label="Secret_plan"))
    with start(site, admin_password=PASSWORD) as server, httpx2.Client(base_url=server.address) as client:
        for login, is_named in (("me", False), ("admin", True)):
            reply = client.get("/data/projects/ONE?format=json", auth=(login, PASSWORD))
            client.cookies.clear()
            assert reply.status_code == 200
            assert ("Secret_plan" in reply.text) is is_named


def test_a_public_project_is_read_by_everybody_signed_in(stranger: httpx2.Client, nobody: httpx2.Client) -> None:
    assert stranger.get("/data/projects/OPEN/subjects").status_code == 200
    assert stranger.get("/data/projects/OPEN/accessibility").text == "public"
    assert nobody.get("/data/projects/OPEN/subjects").status_code == 401


def test_users_are_listed_for_administrators(admin: httpx2.Client, reader: httpx2.Client) -> None:
    assert reader.get("/data/users").status_code == 403
    rows = admin.get("/data/users?format=csv").text.splitlines()
    assert rows[0] == "xdat_user_id,login,firstname,lastname,email"
    assert "owner,Owner,Doe," in rows[1]


def test_members_are_listed_for_readers(reader: httpx2.Client) -> None:
    rows = reader.get(f"{P}/users?format=csv").text.splitlines()
    assert rows[0] == "GROUP_ID,displayname,login,firstname,lastname,email"
    assert rows[1] == "HCP_Q1_owner,Owners,owner,Owner,Doe,"


RESTRICTED = {"AGE_IN_YRS": Tier.RESTRICTED, "HANDEDNESS": Tier.RESTRICTED, "THC": Tier.SENSITIVE}


@pytest.mark.parametrize("field", RESTRICTED)
@pytest.mark.parametrize("spelling", [f"{N}/{{}}", f"{N}.{{}}"])
def test_a_column_that_is_not_granted_does_not_exist_anywhere(reader: httpx2.Client, field: str, spelling: str) -> None:
    listed = reader.get(f"/data/search/elements/{N}?format=csv").text
    assert f"\n{field}," not in listed
    asked = (parse_field(f"{N}/SUBJECT_LABEL"), parse_field(f"{N}/{field}"))
    reply = reader.post("/data/search?format=csv", content=format_bundle(Query(N, asked)))
    assert reply.text.splitlines()[0] == "subject_label,quarantine_status"
    criterion = Group(members=(Criterion(spelling.format(field.lower()), Comparison.GREATER, "0"),))
    refused = reader.post("/data/search", content=format_bundle(Query(N, where=criterion)))
    unknown = reader.post(
        "/data/search", content=format_bundle(Query(N, where=criterion)).replace(field.lower().encode(), b"nonsense")
    )
    assert refused.status_code == unknown.status_code == 422
    assert refused.text == unknown.text.replace("nonsense", field.lower())
    assert field.lower() not in reader.post("/data/search", content=format_bundle(Query(N))).text
    assert f"{N}/{field}".lower() not in reader.get(f"{P}/subjects?columns={N}/{field}&format=csv").text.lower()
    filtered = reader.get(f"{P}/subjects?columns=ID&{N}/{field}=0").json()["ResultSet"]
    assert filtered["totalRecords"] == "4"
    ordered = reader.post(f"/data/search?sortBy={field}&sortOrder=DESC", content=format_bundle(Query(N, asked)))
    assert ordered.json()["ResultSet"]["Result"][0]["subject_label"] == "100307"
    document = reader.get(f"{P}/experiments/100307_nontoolbox").text
    assert field.lower() not in document.lower()
    assert field.lower() not in reader.get(f"{P}/subjects/100307?format=json").text.lower()
    assert field.lower() not in reader.get("/xapi/schemas/hcp").text.lower()


@pytest.mark.parametrize("login", ["granted", "admin"])
def test_a_grant_opens_the_columns(served: Served, login: str) -> None:
    with served.client(login) as client:
        for field in RESTRICTED:
            assert f"\n{field}," in client.get(f"/data/search/elements/{N}?format=csv").text
        asked = tuple(parse_field(f"{N}/{name}") for name in ("SUBJECT_LABEL", "AGE_IN_YRS", "THC"))
        where = Group(members=(Criterion(f"{N}/HANDEDNESS", Comparison.GREATER, "50"),))
        reply = client.post("/data/search?format=csv", content=format_bundle(Query(N, asked, where)))
        assert reply.text.splitlines()[1:] == ["100307,27,0,active", "118932,23,,active"]
        assert _item(client, f"{P}/experiments/100307_nontoolbox").fields["THC"] == 0


def _item(client: httpx2.Client, address: str) -> Item:
    return parse_item_json(client.get(f"{address}?format=json").content)


def test_a_grant_holds_in_its_project_only(served: Served, tmp_path: Path, deliver: Deliver) -> None:
    site = deliver(tmp_path, projects=("ONE", "TWO"))
    create_user(site.database, "me", PASSWORD)
    for project in ("ONE", "TWO"):
        add_member(site.database, project, "me", Role.COLLABORATOR)
    grant_tier(site.database, "ONE", "me", Tier.RESTRICTED)
    with start(site) as server, httpx2.Client(base_url=server.address, auth=("me", PASSWORD)) as client:
        asked = tuple(parse_field(f"{N}/{name}") for name in ("PROJECT", "SUBJECT_LABEL", "AGE_IN_YRS", "THC"))
        rows = client.post("/data/search?format=csv", content=format_bundle(Query(N, asked))).text.splitlines()
        assert rows[0] == "project,subject_label,age_in_yrs,quarantine_status"
        assert "ONE,100307,27,active" in rows
        assert "TWO,100307,,active" in rows
        where = Group(members=(Criterion(f"{N}/AGE_IN_YRS", Comparison.EQUAL, "27"),))
        rows = client.post("/data/search?format=csv", content=format_bundle(Query(N, asked, where))).text.splitlines()
        assert rows[1:] == ["ONE,100307,27,active"]
        assert "Age_in_Yrs" in _item(client, "/data/projects/ONE/experiments/100307_nontoolbox").fields
        assert "Age_in_Yrs" not in _item(client, "/data/projects/TWO/experiments/100307_nontoolbox").fields


def test_rights_change_with_the_next_request(tmp_path: Path, deliver: Deliver) -> None:
    site = deliver(tmp_path, projects=("ONE",))
    create_user(site.database, "me", PASSWORD)
    with start(site) as server, httpx2.Client(base_url=server.address, auth=("me", PASSWORD)) as client:
        search = format_bundle(Query("xnat:subjectData"))
        assert client.get("/data/projects/ONE").status_code == 404
        assert client.post("/data/search", content=search).status_code == 403
        add_member(site.database, "ONE", "me", Role.COLLABORATOR)
        assert client.get("/data/projects/ONE").status_code == 200
        assert client.post("/data/search", content=search).status_code == 200
        remove_member(site.database, "ONE", "me")
        assert client.get("/data/projects/ONE").status_code == 404
        set_accessibility(site.database, "ONE", Accessibility.PUBLIC)
        assert client.get("/data/projects/ONE/subjects").status_code == 200


TIERS = [
    (None, Tier.OPEN, True),
    (None, Tier.RESTRICTED, False),
    (Tier.RESTRICTED, Tier.RESTRICTED, True),
    (Tier.RESTRICTED, Tier.SENSITIVE, False),
    (Tier.SENSITIVE, Tier.RESTRICTED, True),
    (Tier.SENSITIVE, Tier.SENSITIVE, True),
]


@pytest.mark.parametrize(("granted_tier", "wanted", "may"), TIERS)
def test_a_higher_tier_includes_the_lower(granted_tier: Tier | None, wanted: Tier, may: bool) -> None:
    grants = {7: granted_tier} if granted_tier else {}
    assert Rights(Caller(1, "me"), grants).may_use(wanted) is may
    assert Rights(Caller(1, "me", is_admin=True)).may_use(wanted)


def test_an_open_folder_needs_no_extra_store(tmp_path: Path, data_folder: DataFolders) -> None:
    site = open_site(data_folder(tmp_path / "data"))
    assert site.archive.names == ("archive",)
    site.close()

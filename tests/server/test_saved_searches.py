"""Searches that are kept: whose they are, who may use them, what they show; results that are paged through.

me, granted   collaborators of ONE; granted has the tier sensitive
owner         owner of ONE                stranger     nobody anywhere
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import select, update

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.clock import now
from connectomedb.server.access.users import add_member, create_user, grant_tier, set_accessibility
from connectomedb.server.run import start
from connectomedb.server.site import Site
from connectomedb.server.tables.schema import fields as fields_table
from connectomedb.server.tables.schema import search_snapshot_rows, search_snapshots, subjects
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Comparison, Criterion, Group, Query, SearchField, parse_field
from connectomedb.xnat.stored import StoredSearch, format_stored, parse_stored

if TYPE_CHECKING:
    from tests.server.conftest import Deliver

PASSWORD = "correct horse"
N = "hcp:nontoolboxdata"
SUBJECT = "xnat:subjectData"
A, B, C, D = "100307", "103515", "118932", "200614"
LABELS = Query(N, (parse_field(f"{N}/SUBJECT_LABEL"), parse_field(f"{N}/MMSE_SCORE")))
CATEGORIES = {
    "Subject Information": ("Gender", "Age", "Age_in_Yrs", "Handedness"),
    "QC, Issues": ("QC_Issue",),
    "Substance Use": ("THC",),
}

Client = Callable[[str], httpx2.Client]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, deliver: Deliver) -> Site:
    site = deliver(tmp_path_factory.mktemp("kept"), projects=("ONE", "TWO"))
    for login in ("owner", "me", "granted", "stranger"):
        create_user(site.database, login, PASSWORD)
    add_member(site.database, "ONE", "owner", Role.OWNER)
    add_member(site.database, "ONE", "me", Role.COLLABORATOR)
    add_member(site.database, "ONE", "granted", Role.COLLABORATOR)
    grant_tier(site.database, "ONE", "granted", Tier.SENSITIVE)
    with site.database.write() as connection:
        for category, names in CATEGORIES.items():
            chosen = fields_table.c.name.in_(names)
            connection.execute(update(fields_table).where(chosen).values(category=category))
    return site


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[Client]:
    opened: dict[str, httpx2.Client] = {}
    with start(site, admin_password=PASSWORD) as server:

        def of(login: str) -> httpx2.Client:
            if login not in opened:
                cookies = {"JSESSIONID": site.logins.sign_in(login, PASSWORD).session_id}
                opened[login] = httpx2.Client(base_url=server.address, cookies=cookies)
            return opened[login]

        yield of
        for one in opened.values():
            one.close()


def put(client: httpx2.Client, id: str, search: StoredSearch, base: str = "/data/search/saved") -> httpx2.Response:
    return client.put(f"{base}/{id}?inbody=true", content=format_stored(search))


def listed(client: httpx2.Client, base: str = "/data/search/saved") -> dict[str, dict[str, str]]:
    reply = client.get(f"{base}?format=json")
    assert reply.status_code == 200, reply.text
    return {row["id"]: row for row in reply.json()["ResultSet"]["Result"]}


def rows(reply: httpx2.Response) -> list[list[str]]:
    assert reply.status_code == 200, reply.text
    return list(csv.reader(io.StringIO(reply.text)))


def test_a_search_is_kept_listed_read_run_replaced_and_forgotten(client: Client) -> None:
    me = client("me")
    search = StoredSearch(LABELS, name="bright", description="made up", users=("me",), allows_other_columns=True)
    assert put(me, "bright", search).status_code == 200
    assert listed(me)["bright"] == {
        "id": "bright",
        "brief_description": "bright",
        "description": "made up",
        "root_element_name": N,
        "tag": "",
        "secure": "false",
        "allow_diff_columns": "true",
        "users": "me",
    }
    document = me.get("/data/search/saved/bright")
    assert document.headers["content-type"].startswith("text/xml")
    kept = parse_stored(document.content)
    assert (kept.id, kept.name, kept.query) == ("bright", "bright", LABELS)
    found = rows(me.get("/data/search/saved/bright/results?format=csv"))
    assert found == [
        ["subject_label", "mmse_score", "quarantine_status"],
        [A, "29", "active"],
        [B, "30", "active"],
        [C, "28", "active"],
        [D, "", "active"],
    ]
    fewer = StoredSearch(Query(N, LABELS.fields, Group(members=(Criterion(f"{N}/GENDER", Comparison.EQUAL, "F"),))))
    assert put(me, "bright", fewer).status_code == 200
    assert listed(me)["bright"]["brief_description"] == "bright"
    sorted_ = me.get("/data/search/saved/bright/results?format=csv&sortBy=mmse_score&sortOrder=DESC&limit=1")
    assert [row[0] for row in rows(sorted_)[1:]] == [A]
    assert me.delete("/data/search/saved/bright").status_code == 200
    for method in ("GET", "DELETE"):
        assert me.request(method, "/data/search/saved/bright").status_code == 404
    assert "bright" not in listed(me)


SHARING = [
    (StoredSearch(LABELS), {"me", "granted", "stranger", "admin"}),
    (StoredSearch(LABELS, is_secure=True), {"me", "admin"}),
    (StoredSearch(LABELS, users=("me",)), {"me", "admin"}),
    (StoredSearch(LABELS, users=("granted", "me")), {"me", "granted", "admin"}),
    (StoredSearch(LABELS, is_secure=True, users=("stranger",)), {"me", "stranger", "admin"}),
    (StoredSearch(LABELS, groups=("ONE_collaborator",)), {"me", "granted", "admin"}),
    (StoredSearch(LABELS, is_secure=True, groups=("ONE_owner",)), {"me", "owner", "admin"}),
]


@pytest.mark.parametrize(("search", "users"), SHARING)
def test_a_search_is_used_by_those_it_is_for(client: Client, search: StoredSearch, users: set[str]) -> None:
    assert put(client("me"), "shared", search).status_code == 200
    for login in ("me", "granted", "stranger", "admin", *(users & {"owner"})):
        reply = client(login).get("/data/search/saved/shared")
        assert reply.status_code == (200 if login in users else 403), login
        assert ("shared" in listed(client(login))) is (login in users), login
        if login not in ("me", "admin"):
            results = client(login).get("/data/search/saved/shared/results")
            assert results.status_code == (403 if login not in users or login == "stranger" else 200)
            assert put(client(login), "shared", search).status_code == 403
            assert client(login).delete("/data/search/saved/shared").status_code == 403
        if login in users - {"me", "admin"}:
            assert parse_stored(reply.content).users == ()
    assert client("me").delete("/data/search/saved/shared").status_code == 200


def test_a_kept_search_shows_nobody_a_column_that_does_not_exist_for_them(client: Client) -> None:
    hidden = Criterion(f"{N}/THC", Comparison.EQUAL, "1")
    fields = (*LABELS.fields, SearchField(N, "AGE_IN_YRS", header="THC and age"))
    shown = StoredSearch(Query(N, fields, sort=SearchField(N, "THC")), name="THC users", description="by THC")
    compared = StoredSearch(Query(N, LABELS.fields, Group(members=(Group(members=(hidden,)),))), name="THC = 1")
    for id, search in (("columns", shown), ("criteria", compared)):
        assert put(client("granted"), id, search).status_code == 200
    full = client("granted").get("/data/search/saved/columns/results?format=csv")
    assert rows(full)[0] == ["subject_label", "mmse_score", "age_in_yrs", "quarantine_status"]
    assert [row[0] for row in rows(full)[1:]] == [A, D, B, C]
    assert [row[0] for row in rows(client("granted").get("/data/search/saved/criteria/results?format=csv"))[1:]] == [B]
    me = client("me")
    replies = [
        *(me.get(f"/data/search/saved/{id}{rest}") for id in ("columns", "criteria") for rest in ("", "/results")),
        me.get("/data/search/saved"),
        me.get("/data/search/saved/columns/results?sortBy=thc&cache=true"),
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 403, 403, 200, 200]
    for reply in replies:
        assert not {"thc", "age_in_yrs"} & set(reply.text.lower().replace("/", " ").replace("<", " ").split())
        assert "THC" not in reply.text and "AGE_IN" not in reply.text.upper()
    assert '"brief_description":"criteria"' in replies[4].text
    assert '"brief_description":"THC = 1"' in client("granted").get("/data/search/saved").text
    assert put(me, "mine", compared).status_code == 422
    for id in ("columns", "criteria"):
        assert client("granted").delete(f"/data/search/saved/{id}").status_code == 200


def test_searches_of_a_project_are_kept_by_its_people(client: Client) -> None:
    base = "/data/projects/ONE/searches"
    assert put(client("me"), "group", StoredSearch(LABELS), base).status_code == 403
    assert put(client("owner"), "group", StoredSearch(LABELS, name="Group"), base).status_code == 200
    assert listed(client("me"), base)["group"]["tag"] == "ONE"
    assert len(rows(client("me").get(f"{base}/group/results?format=csv"))) == 5
    assert client("me").get("/data/search/saved/group").status_code == 200
    for address in (base, f"{base}/group", "/data/search/saved/group"):
        assert client("stranger").get(address).status_code == 404
    assert client("me").delete(f"{base}/group").status_code == 403
    assert client("admin").get("/data/projects/TWO/searches/group").status_code == 404
    assert put(client("stranger"), "spam", StoredSearch(Query(SUBJECT), tag="ONE")).status_code == 200
    assert "spam" not in listed(client("me"), base)
    assert client("owner").delete(f"{base}/group").status_code == 200


@pytest.mark.parametrize("id", ["a'; DROP TABLE users; --", "x" * 256, "%00", "..%2F..%2Fetc"])
def test_a_name_is_only_a_name(client: Client, id: str) -> None:
    me = client("me")
    reply = me.put(f"/data/search/saved/{id}", content=format_stored(StoredSearch(LABELS)))
    assert reply.status_code in (200, 400, 404, 405, 422)
    if reply.status_code == 200:
        assert me.delete(f"/data/search/saved/{id}").status_code == 200


@pytest.mark.parametrize(
    "content", [b"", b"<a/>", b"hello", format_bundle(Query("xnat:nonsense"))], ids=["empty", "other", "text", "type"]
)
def test_a_document_that_makes_no_sense_is_not_kept(client: Client, content: bytes) -> None:
    assert client("me").put("/data/search/saved/odd", content=content).status_code == 422
    assert client("me").get("/data/search/saved/odd").status_code == 404


LISTINGS = {
    "xnat:projectData": ["ID", "NAME", "DESCRIPTION", "SECONDARY_ID", "KEYWORDS"],
    SUBJECT: ["SUBJECT_LABEL", "GENDER", "HANDEDNESS", "DOB", "EDUC", "SES", "MR_COUNT"],
    "xnat:mrSessionData": ["LABEL", "PROJECT", "DATE", "SUBJECT_LABEL", "GENDER_TEXT", "AGE", "TYPE", "SCANNER"],
    "xnat:mrScanData": ["PROJECT", "SESSION_ID", "SESSION_LABEL", "ID", "TYPE", "NOTE", "QUALITY", "CONDITION"],
    N: ["SESSION_ID", "LABEL", "PROJECT", "PROJECTS", "SUBJECT_ID", "SUBJECT_LABEL"],
}


@pytest.mark.parametrize("root", LISTINGS)
def test_every_type_has_a_listing_that_runs(client: Client, root: str) -> None:
    me = client("me")
    document = me.get(f"/data/search/saved/@{root}?dv=listing")
    search = parse_stored(document.content)
    ids = [field.field_id for field in search.query.fields]
    assert ids[: len(LISTINGS[root])] == LISTINGS[root]
    assert "THC" not in ids
    assert search.id == f"@{root}"
    direct = me.post("/data/search?format=csv", content=document.content)
    assert direct.text == me.get(f"/data/search/saved/@{root}/results?format=csv").text
    assert len(rows(direct)) > 1
    assert me.get("/data/search/saved/@xnat:nonsense").status_code == 404
    assert me.put(f"/data/search/saved/@{root}", content=document.content).status_code == 404


def test_a_listing_in_a_project_holds_what_is_there(client: Client) -> None:
    owner = client("owner")
    search = parse_stored(owner.get(f"/data/projects/ONE/searches/@{SUBJECT}").content)
    assert (search.id, search.tag) == (f"ONE_{SUBJECT}", "ONE")
    assert [field.header for field in search.query.fields][:2] == ["Subject", "M/F"]
    found = rows(client("admin").get(f"/data/projects/ONE/searches/@{SUBJECT}/results?format=csv"))
    assert found[0][:2] == ["sub_project_identifier_one", "gender_text"]
    assert [row[:2] for row in found[1:]] == [[A, "F"], [B, "M"], [C, "F"], [D, "M"]]
    hidden = parse_stored(owner.get("/data/search/saved/@xnat:projectData").content).query.fields[-1]
    assert (hidden.field_id, hidden.is_visible) == ("PROJECT_ACCESS", False)
    described = owner.get("/data/search/saved/@xnat:projectData/results").json()["ResultSet"]["Columns"]
    assert [column["key"] for column in described if column.get("visible") == "false"] == ["project_access"]


def test_versions_of_a_type_name_its_columns(client: Client) -> None:
    versions = client("me").get(f"/data/search/elements/{N}/versions?format=json").json()["ResultSet"]["versions"]
    assert [version["name"] for version in versions] == ["listing", "all"]
    assert "THC" not in {field["id"] for version in versions for field in version["fields"]}
    assert client("me").get("/data/search/elements/no:type/versions").status_code == 400


def test_elements_are_filtered(client: Client) -> None:
    def names(query: str) -> set[str]:
        found = client("me").get(f"/data/search/elements?{query}").json()["ResultSet"]["Result"]
        return {row["ELEMENT_NAME"] for row in found}

    assert {N, SUBJECT} <= names("secured=true&used=true&readable=true") <= names("")
    assert names("secured=false") == set()
    strange = client("stranger").get("/data/search/elements?readable=true").json()["ResultSet"]["Result"]
    assert strange == []


def keep(client: httpx2.Client, query: Query = LABELS) -> str:
    reply = client.post("/data/search?cache=true", content=format_bundle(query))
    assert reply.status_code == 200, reply.text
    result = reply.json()["ResultSet"]
    assert (result["Result"], result["totalRecords"]) == ([], "4")
    return str(result["ID"])


def page(client: httpx2.Client, id: str, query: str) -> list[str]:
    reply = client.get(f"/data/search/{id}?format=json&{query}")
    assert reply.status_code == 200, reply.text
    result = reply.json()["ResultSet"]
    assert (result["totalRecords"], result["rootElementName"]) == ("4", N)
    return [row["subject_label"] for row in result["Result"]]


PAGES = {
    "": [A, B, C, D],
    "limit=2": [A, B],
    "limit=2&offset=1": [B, C],
    "limit=2&offset=3": [D],
    "limit=*&offset=4": [],
    "sortBy=mmse_score&sortOrder=ASC": [C, A, B, D],
    "sortBy=MMSE_SCORE&sortOrder=DESC": [D, B, A, C],
    "sortBy=mmse_score&sortOrder=DESC&limit=1&offset=1": [B],
    "sortBy=subject_label&sortOrder=DESC&limit=2": [D, C],
    "sortBy=thc": [A, B, C, D],
}


def test_a_kept_result_is_paged_and_sorted(client: Client) -> None:
    id = keep(client("me"))
    for query, expected in PAGES.items():
        assert page(client("me"), id, query) == expected, query
    whole = client("me").get(f"/data/search/{id}?format=csv").text
    assert whole == client("me").post("/data/search?format=csv", content=format_bundle(LABELS)).text
    assert client("me").get(f"/data/search/{id}?limit=many").status_code == 400


def test_values_of_every_kind_survive_being_kept(client: Client) -> None:
    names = ("SUBJECT_LABEL", "MMSE_SCORE", "PICSEQ_UNADJ", "QC_ISSUE", "INSERT_DATE")
    query = Query(N, tuple(parse_field(f"{N}/{name}") for name in names))
    direct = client("me").post("/data/search?format=csv", content=format_bundle(query)).text
    id = keep(client("me"), query)
    assert client("me").get(f"/data/search/{id}?format=csv").text == direct
    assert page(client("me"), id, "sortBy=picseq_unadj") == [B, D, A, C]
    assert page(client("me"), id, "sortBy=insert_date&sortOrder=DESC") == [A, B, C, D]


def test_new_data_does_not_shift_pages_until_asked_for(client: Client, site: Site) -> None:
    id = keep(client("me"))
    with site.database.write() as connection:
        key = connection.execute(select(subjects.c.key).where(subjects.c.label == A)).scalars().first()
        connection.execute(update(subjects).where(subjects.c.key == key).values(label="000000"))
    assert page(client("me"), id, "limit=1") == [A]
    assert page(client("me"), id, "limit=1&refresh=true") == ["000000"]
    with site.database.write() as connection:
        connection.execute(update(subjects).where(subjects.c.key == key).values(label=A))
    assert page(client("me"), id, "limit=1") == ["000000"]


def test_a_kept_result_is_its_users_own_and_ends(client: Client, site: Site) -> None:
    id = keep(client("me"))
    for login in ("granted", "stranger", "admin"):
        reply = client(login).get(f"/data/search/{id}")
        unknown = client(login).get("/data/search/never")
        assert (reply.status_code, reply.text) == (unknown.status_code, unknown.text) == (410, unknown.text)
    with site.database.write() as connection:
        connection.execute(update(search_snapshots).values(expires=now() - timedelta(seconds=1)))
    assert client("me").get(f"/data/search/{id}").status_code == 410
    assert client("me").get(f"/data/search/{id}?refresh=true").status_code == 410
    keep(client("me"))
    with site.database.read() as connection:
        assert len(connection.execute(select(search_snapshots)).all()) == 1
        assert len(connection.execute(select(search_snapshot_rows)).all()) == 4


def test_a_page_keeps_its_result_alive(client: Client, site: Site) -> None:
    id = keep(client("me"))
    soon = now() + timedelta(minutes=3)
    with site.database.write() as connection:
        connection.execute(update(search_snapshots).where(search_snapshots.c.id == id).values(expires=soon))
    page(client("me"), id, "limit=1")
    with site.database.read() as connection:
        expires = connection.execute(select(search_snapshots.c.expires).where(search_snapshots.c.id == id)).scalar_one()
    assert expires > soon + timedelta(minutes=20)


def test_a_right_that_is_taken_away_closes_what_it_had_opened(client: Client, site: Site) -> None:
    query = Query(N, (parse_field(f"{N}/SUBJECT_LABEL"), parse_field(f"{N}/THC")))
    id = keep(client("granted"), query)
    assert client("granted").get(f"/data/search/{id}").status_code == 200
    grant_tier(site.database, "ONE", "granted", Tier.OPEN)
    assert client("granted").get(f"/data/search/{id}").status_code == 410
    grant_tier(site.database, "ONE", "granted", Tier.SENSITIVE)
    assert client("granted").get(f"/data/search/{id}").status_code == 200
    set_accessibility(site.database, "TWO", Accessibility.PUBLIC)
    assert client("granted").get(f"/data/search/{id}").status_code == 410
    set_accessibility(site.database, "TWO", Accessibility.PRIVATE)


def test_a_user_keeps_a_bounded_number_of_results(client: Client, site: Site) -> None:
    ids = [keep(client("me")) for _ in range(22)]
    states = [client("me").get(f"/data/search/{id}").status_code for id in ids]
    assert states == [410, 410, *[200] * 20]


def export(client: httpx2.Client, category: str, parameters: str = "") -> httpx2.Response:
    return client.get(f"/REST/search/dict/{category}/results?format=csv&project=ONE{parameters}")


def test_a_category_of_the_dictionary_is_exported(client: Client) -> None:
    reply = export(client("me"), "Subject%20Information", "&restricted=0")
    assert reply.text.splitlines() == [
        "Subject,Gender,Age",
        f"{A},F,26-30",
        f"{B},M,31-35",
        f"{C},F,22-25",
        f"{D},M,26-30",
    ]
    assert reply.headers["content-disposition"].startswith('attachment; filename="unrestricted_me_')
    assert reply.headers["content-type"].startswith("text/csv")
    full = export(client("granted"), "Subject%20Information", "&restricted=1")
    assert full.text.splitlines()[:2] == ["Subject,Gender,Age,Age_in_Yrs,Handedness", f"{A},F,26-30,27,95"]
    assert full.headers["content-disposition"].startswith('attachment; filename="RESTRICTED_granted_')
    assert export(client("granted"), "Subject%20Information").text == reply.text


def test_commas_leave_the_values_on_request(client: Client) -> None:
    assert export(client("me"), "QC%2C%20Issues").text.splitlines()[3] == f'{C},"A,B"'
    plain = export(client("me"), "QC%2C%20Issues", "&removeDelimitersFromFieldValues=true")
    assert plain.text.splitlines()[3] == f"{C},AB"


REFUSED = [
    ("me", "Subject%20Information", "&restricted=1", 403),
    ("me", "Substance%20Use", "", 404),
    ("granted", "Substance%20Use", "", 404),
    ("granted", "Substance%20Use", "&restricted=1", 200),
    ("me", "Nonsense", "", 404),
    ("stranger", "Subject%20Information", "", 404),
    ("admin", "Substance%20Use", "&restricted=1", 200),
]


@pytest.mark.parametrize(("login", "category", "parameters", "status"), REFUSED)
def test_an_export_shows_what_the_caller_may_see(
    client: Client, login: str, category: str, parameters: str, status: int
) -> None:
    reply = export(client(login), category, parameters)
    assert reply.status_code == status, reply.text
    assert status == 200 or "THC" not in reply.text
    assert client(login).get(f"/REST/search/dict/{category}/results").status_code == 400


def test_a_browser_gets_csv_that_no_spreadsheet_runs(client: Client, site: Site) -> None:
    with site.database.write() as connection:
        key = (
            connection.execute(select(subjects.c.key).where(subjects.c.label == A).order_by(subjects.c.key))
            .scalars()
            .first()
        )
        connection.execute(update(subjects).where(subjects.c.key == key).values(src="=1+1", group="-3.5"))
    address = "/data/projects/ONE/subjects?columns=label,src,group&format=csv"
    program, browser = client("me").get(address), client("me").get(address, headers={"Sec-Fetch-Mode": "navigate"})
    assert rows(program)[1][1:4] == [A, "=1+1", "-3.5"]
    assert rows(browser)[1][1:4] == [A, "'=1+1", "-3.5"]

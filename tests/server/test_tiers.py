"""Nothing of a hidden column leaks: to who lacks its tier it is a column that does not exist, in whatever is asked.

The oracle is non-interference: a request about the hidden column and one about a column that is not there
have equal answers, but for the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx2
import pytest

from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Role
from connectomedb.server.access.users import add_member, create_user, grant_tier
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import start
from connectomedb.server.site import open_site
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Comparison, Criterion, Group, Method, Query, parse_field

if TYPE_CHECKING:
    from tests.server.conftest import DataFolders

PASSWORD = "correct horse"
N = "hcp:nontoolboxdata"
ABSENT = "Qzabsentqz"
HIDDEN = {"Qzwordqz": Tier.RESTRICTED, "Qznumberqz": Tier.SENSITIVE}
TABLE = """Subject,Score,Qzwordqz,Qznumberqz
100001,1,zebrafish,31337
100002,2,okapifish,41414
100003,3,,
100004,4,zebrafish,51515
"""
VALUES = ("zebrafish", "okapifish", "31337", "41414", "51515")
Login = Callable[[str], httpx2.Client]


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory, data_folder: DataFolders) -> Iterator[Login]:
    """Signs in: `reader` of ONE and TWO without grants; `half`, granted sensitive in ONE alone."""
    folder = tmp_path_factory.mktemp("tiers")
    (folder / "table.csv").write_text(TABLE)
    types = {"Qzwordqz": ValueType.TEXT, "Qznumberqz": ValueType.INTEGER, "Score": ValueType.INTEGER}
    definitions = [FieldDefinition(name, type, HIDDEN.get(name, Tier.OPEN)) for name, type in types.items()]
    site = open_site(data_folder(folder / "data"))
    for project in ("ONE", "TWO"):
        table = SubjectTable(folder / "table.csv", definitions)
        ingest_release(site.database, site.archive, Delivery(release_of(project), project, tables=[table]))
    for name in ("reader", "half"):
        create_user(site.database, name, PASSWORD)
        for project in ("ONE", "TWO"):
            add_member(site.database, project, name, Role.MEMBER)
    grant_tier(site.database, "ONE", "half", Tier.SENSITIVE)
    with start(site, admin_password=PASSWORD) as server:

        def client(name: str) -> httpx2.Client:
            cookies = {"JSESSIONID": site.logins.sign_in(name, PASSWORD).session_id}
            return httpx2.Client(base_url=server.address, cookies=cookies)

        yield client


@pytest.fixture(scope="module")
def reader(login: Login) -> Iterator[httpx2.Client]:
    with login("reader") as client:
        yield client


@pytest.fixture(scope="module")
def half(login: Login) -> Iterator[httpx2.Client]:
    with login("half") as client:
        yield client


Ask = Callable[[httpx2.Client, str], httpx2.Response]


def _search(where: Group | None = None, *columns: str, sort: str = "", words: str = "") -> Ask:
    """A search in which `{}` stands for the column."""

    def fill(group: Group, name: str) -> Group:
        return Group(
            group.method,
            tuple(
                fill(member, name)
                if isinstance(member, Group)
                else Criterion(member.field.format(name), member.comparison, member.value)
                for member in group.members
            ),
        )

    def ask(client: httpx2.Client, name: str) -> httpx2.Response:
        asked = tuple(parse_field(column.format(name)) for column in (f"{N}/SUBJECT_LABEL", *columns))
        order = parse_field(sort.format(name)) if sort else None
        query = Query(N, asked, fill(where, name) if where else None, order)
        return client.post("/data/search?" + words.replace("{}", name), content=format_bundle(query))

    return ask


def _get(address: str) -> Ask:
    return lambda client, name: client.get(address.replace("{}", name))


def _criterion(comparison: Comparison, value: str, field: str = f"{N}/{{}}") -> Group:
    return Group(members=(Criterion(field, comparison, value),))


ASKED: dict[str, Ask] = {
    **{
        f"criterion {comparison} {value}": _search(_criterion(comparison, value))
        for comparison, value in (
            (Comparison.EQUAL, "zebrafish"),
            (Comparison.EQUAL, "31337"),
            (Comparison.NOT_EQUAL, "x"),
            (Comparison.GREATER, "40000"),
            (Comparison.LESS_EQUAL, "no number"),
            (Comparison.LIKE, "zeb%"),
            (Comparison.IN, "31337,41414"),
            (Comparison.BETWEEN, "1 AND 40000"),
            (Comparison.IS_NULL, ""),
            (Comparison.IS_NOT_NULL, ""),
        )
    },
    "criterion with a dot": _search(_criterion(Comparison.EQUAL, "31337", f"{N}.{{}}")),
    "criterion of another root": lambda client, name: client.post(
        "/data/search",
        content=format_bundle(Query("xnat:subjectData", where=_criterion(Comparison.EQUAL, "31337", f"{N}/{name}"))),
    ),
    "criterion deep inside": _search(
        Group(
            Method.OR,
            (
                Criterion(f"{N}/SCORE", Comparison.EQUAL, "1"),
                Group(Method.AND, (Criterion(f"{N}/{{}}", Comparison.EQUAL, "31337"),)),
            ),
        )
    ),
    "column": _search(None, f"{N}/{{}}"),
    "column as CSV": _search(None, f"{N}/{{}}", words="format=csv"),
    "column as XML": _search(None, f"{N}/{{}}", words="format=xml"),
    "column as HTML": _search(None, f"{N}/{{}}", words="format=html"),
    "order by the document": _search(None, sort=f"{N}/{{}}"),
    "order by parameter": _search(None, f"{N}/{{}}", words="sortBy={}&sortOrder=DESC"),
    "list column": _get(f"/data/projects/ONE/subjects?columns=label,{N}/{{}}&format=csv"),
    "list filter": _get(f"/data/projects/ONE/subjects?columns=label&{N}/{{}}=31337"),
    "list order": _get(f"/data/projects/ONE/subjects?columns=label,{N}/{{}}&sortBy={N}/{{}}&sortOrder=DESC"),
    "experiments by type": _get(f"/data/experiments?xsiType={N}&columns=label,{N}/{{}}&format=csv"),
    "experiments filtered": _get(f"/data/experiments?xsiType={N}&columns=label&{N}/{{}}=zebrafish"),
    **{
        f"explore {name}": _get(f"{address}/explore{asked}")
        for address in ("/data/projects/ONE", "/data")
        for name, asked in {
            f"where {address}": "?where={} > 40000",
            f"where text {address}": "?where=Score > 0 and {} = zebrafish&funnel=true",
            f"where it is missing {address}": "?where={} is empty",
            f"subjects {address}": "/subjects?where=not {} in (31337)",
            f"columns {address}": "?columns={}&tier=sensitive",
            f"sort {address}": "?sort={}&descending=true",
            f"CSV {address}": "?columns=Score,{}&format=csv",
            f"distribution {address}": "/distribution?column={}",
            f"distribution where {address}": "/distribution?column=Score&where={} = 31337",
        }.items()
    },
    "experiments filtered by range": _get(f"/data/experiments?xsiType={N}&columns=label&{N}/{{}}=1-40000"),
}


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("case", ASKED)
def test_a_hidden_column_is_answered_like_one_that_is_not_there(reader: httpx2.Client, case: str, name: str) -> None:
    hidden, absent = ASKED[case](reader, name), ASKED[case](reader, ABSENT)
    assert hidden.status_code == absent.status_code < 500

    def plain(reply: httpx2.Response, asked: str) -> str:
        return reply.text.replace(asked, "?").replace(asked.upper(), "?").replace(asked.lower(), "?")

    assert plain(hidden, name) == plain(absent, ABSENT)
    assert not any(value in hidden.text for value in VALUES if value not in case)


@pytest.mark.parametrize(
    "address",
    [
        f"/data/search/elements/{N}?format=csv",
        "/data/search/elements",
        "/xapi/schemas/hcp",
        "/xapi/schemas/xnat",
        "/data/projects/ONE?format=json",
        "/data/projects/ONE/subjects/100001?format=xml",
        "/data/projects/ONE/subjects/100001?format=json",
        "/data/projects/ONE/experiments/100001_nontoolbox?format=xml",
        "/data/projects/ONE/experiments/100001_nontoolbox?format=json",
        "/data/projects/ONE/experiments?format=csv",
        "/data/subjects?format=csv",
        "/data/projects/ONE/explore?columns=*&funnel=true",
        "/data/explore?columns=*&format=csv",
    ],
)
def test_no_document_or_list_names_a_hidden_column(reader: httpx2.Client, address: str) -> None:
    reply = reader.get(address)
    assert reply.status_code == 200
    assert not any(word.lower() in reply.text.lower() for word in (*HIDDEN, *VALUES))


def _labels(reply: httpx2.Response) -> list[tuple[str, str]]:
    rows = reply.json()["ResultSet"]["Result"]
    return sorted((row["project"], row["subject_label"]) for row in rows)


COUNTS = [
    (Comparison.EQUAL, "31337", {"100001"}),
    (Comparison.EQUAL, "41414", {"100002"}),
    (Comparison.EQUAL, "99", set[str]()),
    (Comparison.GREATER, "40000", {"100002", "100004"}),
    (Comparison.IN, "31337,51515", {"100001", "100004"}),
]


@pytest.mark.parametrize(("comparison", "value", "matching"), COUNTS)
def test_a_grant_in_one_project_counts_nothing_in_another(
    half: httpx2.Client, comparison: Comparison, value: str, matching: set[str]
) -> None:
    """A count over a hidden column tells about people as its values do, the more the smaller the group."""
    reply = _search(_criterion(comparison, value), f"{N}/PROJECT")(half, "Qznumberqz")
    assert _labels(reply) == sorted(("ONE", label) for label in matching)
    assert reply.json()["ResultSet"]["totalRecords"] == str(len(matching))


def test_values_of_a_project_without_grant_are_all_alike(half: httpx2.Client) -> None:
    reply = _search(None, f"{N}/PROJECT", f"{N}/QZNUMBERQZ", f"{N}/QZWORDQZ")(half, "")
    rows = [row for row in reply.json()["ResultSet"]["Result"] if row["project"] == "TWO"]
    assert len(rows) == 4
    assert {(row["qznumberqz"], row["qzwordqz"]) for row in rows} == {("", "")}
    for comparison in (Comparison.IS_NULL, Comparison.NOT_EQUAL):
        found = _labels(_search(_criterion(comparison, "31337"), f"{N}/PROJECT")(half, "Qznumberqz"))
        assert len([project for project, _ in found if project == "TWO"]) in (0, 4)
    ordered = _search(None, f"{N}/PROJECT", sort=f"{N}/{{}}")(half, "QZNUMBERQZ").json()["ResultSet"]["Result"]
    assert [row["subject_label"] for row in ordered if row["project"] == "TWO"] == sorted(
        row["subject_label"] for row in rows
    )
    document = half.get("/data/projects/TWO/experiments/100001_nontoolbox?format=json").text
    assert "31337" not in document and "zebrafish" not in document
    assert "31337" in half.get("/data/projects/ONE/experiments/100001_nontoolbox?format=json").text


def test_a_document_is_read_up_to_the_tier_that_was_asked_for(half: httpx2.Client) -> None:
    address = "/data/projects/ONE/experiments/100001_nontoolbox?format=json"
    for tier, shown in (("sensitive", True), ("open", False), ("sensitive", True)):
        assert ("31337" in half.get(f"{address}&tier={tier}").text) is shown
    assert half.get(f"{address}&tier=all").status_code == 400


def test_exploring_tells_of_a_grant_in_one_project_nothing_about_another(half: httpx2.Client) -> None:
    page = half.get("/data/explore?where=Qznumberqz > 40000&columns=Qzwordqz,Qznumberqz&funnel=true").json()
    assert [row[:2] for row in page["rows"]] == [["100002", "ONE"], ["100004", "ONE"]]
    assert page["funnel"] == [{"criterion": "Qznumberqz > 40000", "before": 8, "passed": 2, "failing": 1, "missing": 5}]
    for where in ("Qznumberqz is empty", "not Qzwordqz has zebrafish", "Qznumberqz != 31337 or empty"):
        found = half.get(f"/data/explore/subjects?where={where}&format=json").json()["rows"]
        assert len([project for _, project in found if project == "TWO"]) == 4
    everything = half.get("/data/explore?columns=*&sort=Qznumberqz").json()
    assert {tuple(row[-2:]) for row in everything["rows"] if row[1] == "TWO"} == {(None, None)}
    assert half.get("/data/projects/TWO/explore?where=Qznumberqz > 1").status_code == 422
    names = [column["name"] for column in half.get("/data/projects/TWO/explore?columns=*").json()["columns"]]
    assert names == ["Subject", "Score"]


def test_the_contents_of_the_dictionary_and_grants_are_ones_own(login: Login) -> None:
    seen = {}
    for name in ("reader", "half"):
        with login(name) as client:
            contents = client.get("/data/dictionary?format=json").json()["ResultSet"]["Result"]
            grants = client.get("/data/grants").json()["ResultSet"]["Result"]
        counts = [(row["data_type"], row["tier"], row["columns"]) for row in contents]
        seen[name] = counts, [(row["project"], row["login"], row["tier"]) for row in grants]
    assert seen["reader"] == ([(N, "open", "1")], [])
    assert seen["half"] == (
        [(N, "open", "1"), (N, "restricted", "1"), (N, "sensitive", "1")],
        [("ONE", "half", "sensitive")],
    )

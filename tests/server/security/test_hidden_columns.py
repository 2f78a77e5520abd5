"""Two sites that differ in hidden values only answer alike, byte for byte, whoever lacks the grant asks whatever.

The second site is a copy of the first in which every hidden value was replaced in the database. What is asked: every
GET of the matrix, and searches, lists and writes about hidden columns in every part of their grammar. That hidden
columns look like absent ones is in `test_tiers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.server.security.estate import CATEGORY, EXAMPLES, HIDDEN, Estate, N, serving
from tests.server.security.matrix import ROWS

from connectomedb.server.site import open_site
from connectomedb.server.types.datatypes import Detail
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import PLAIN, Comparison, Criterion, Group, Method, Query, SearchField
from connectomedb.xnat.stored import StoredSearch, format_stored

OTHERS = {95: 31337, -70: 95, 100: None, None: 41414, 0: 7, 1: None}
"""Hidden value → what it is in the second site."""

MEASURES = "/data/projects/CLOSED/experiments/100307_nontoolbox"


@dataclass(frozen=True)
class Twins:
    """Both sites, with a client of a login for each, and the names of what addresses speak of."""

    first: Estate
    second: Estate

    def clients(self, login: str) -> tuple[httpx2.Client, httpx2.Client]:
        return self.first.client(login), self.second.client(login)


@pytest.fixture(scope="module")
def twins(copy_estate: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    folder = tmp_path_factory.mktemp("twins")
    one, other = copy_estate(folder / "first"), copy_estate(folder / "second")
    _change_hidden_values(other)
    with serving(one, one) as first, serving(other, other) as second:
        yield Twins(first, second)


def _change_hidden_values(folder: Path) -> None:
    site = open_site(folder)
    with site.database.write() as connection:
        catalogue = site.catalogue.load(connection)
        data_type = catalogue.registry.get(N)
        table = catalogue.details[data_type.details or ""]
        sources = [path.source for name in HIDDEN if (path := catalogue.registry.path(data_type, name))]
        columns = [source.name for source in sources if isinstance(source, Detail)]
        assert len(columns) == len(HIDDEN)
        for row in connection.execute(select(table)).mappings().all():
            values = {name: OTHERS[row[name]] for name in columns}
            connection.execute(update(table).where(table.c.experiment_key == row["experiment_key"]).values(values))
    site.close()


@pytest.fixture(scope="module", params=["member", "waiting"])
def ask(request: pytest.FixtureRequest, twins: Twins) -> Iterator[Ask]:
    """Asks both sites as somebody without a grant, and gives what both say."""
    clients = twins.clients(request.param)

    def ask_both(method: str, address: str, content: bytes = b"") -> httpx2.Response:
        one, other = (client.request(method, address, content=content) for client in clients)
        assert (one.status_code, _plain(one, twins.first)) == (other.status_code, _plain(other, twins.second)), address
        return one

    yield ask_both
    for client in clients:
        client.close()


Ask = Callable[..., httpx2.Response]


def _plain(reply: httpx2.Response, estate: Estate) -> tuple[bytes, dict[str, str]]:
    """Body and headers, without the address of the site, the moment, and the token of the session in forms."""
    kept = {name: value for name, value in reply.headers.items() if name not in ("date", "set-cookie")}
    if "content-disposition" in kept:
        kept["content-disposition"] = kept["content-disposition"].rpartition(".")[2]
    body = reply.content.replace(estate.address.encode(), b"http://here")
    return re.sub(rb'name="csrf" value="\w*"', b"", body), kept


LIVE = (
    "/account",
    "/data/JSESSION",
    "/healthz",
    "/metrics",
    "/xapi/siteConfig/uptime",
    "/data/services/tokens",
    "/data/audit",
    "/xapi/users/active",
)
"""Answers that are new each time, and of which no measure is part."""

READS = [row.ask.removeprefix("GET ") for row in ROWS if row.ask.startswith("GET ")]


def test_every_address_is_answered_alike(ask: Ask, twins: Twins) -> None:
    names = {**twins.first.names("CLOSED"), "me": "reader", "new": "new"}
    for address in READS:
        if address.startswith(LIVE):
            continue
        for name, word in names.items():
            address = address.replace(f"{{{name}}}", word)
        ask("GET", address)


COLUMNS = [*HIDDEN, "MMSE_Score", "Age", "SUBJECT_LABEL", "Absent"]
FIELDS = st.sampled_from(COLUMNS).flatmap(
    lambda name: st.sampled_from([name, name.upper(), name.lower()]).flatmap(
        lambda word: st.sampled_from([f"{N}/{word}", f"{N}.{word}"])
    )
)
VALUES = st.sampled_from(["95", "-70", "31337", "0", "", "NULL", "no number", "9%", "0 AND 100", "95,31337", "F"])
CRITERIA = st.recursive(
    st.builds(Criterion, FIELDS, st.sampled_from(sorted(PLAIN)), VALUES),
    lambda inner: st.builds(Group, st.sampled_from(Method), st.lists(inner, min_size=1, max_size=3).map(tuple)),
    max_leaves=4,
)
WHERE = st.lists(CRITERIA, max_size=2).map(lambda members: Group(members=tuple(members)) if members else None)
ASKED = st.lists(st.sampled_from(COLUMNS).map(lambda name: SearchField(N, name.upper())), max_size=4).map(tuple)
ROOTS = st.sampled_from([N, "xnat:subjectData", "xnat:projectData", "xnat:mrSessionData"])
QUERIES = st.builds(Query, ROOTS, ASKED, WHERE, st.none() | st.sampled_from(COLUMNS).map(lambda n: SearchField(N, n)))
WORDS = st.sampled_from(
    ["", "format=csv", "format=xml", "format=html", "limit=2&offset=1"]
    + [f"sortBy={name}&sortOrder=DESC" for name in COLUMNS]
)


@pytest.mark.parametrize("ask", ["member"], indirect=True)
@settings(max_examples=EXAMPLES)
@given(query=QUERIES, words=WORDS)
def test_every_search_is_answered_alike(ask: Ask, query: Query, words: str) -> None:
    assert ask("POST", f"/data/search?{words}", format_bundle(query)).status_code in (200, 422)


@pytest.mark.parametrize("ask", ["member"], indirect=True)
@settings(max_examples=EXAMPLES)
@given(
    st.sampled_from(["projects", "subjects", "experiments", "projects/CLOSED/experiments", "projects/CLOSED/subjects"]),
    st.lists(st.tuples(st.sampled_from(["columns", "sortBy", "xsiType", *COLUMNS]), FIELDS | VALUES), max_size=4),
)
def test_every_list_is_answered_alike(ask: Ask, level: str, pairs: list[tuple[str, str]]) -> None:
    words = [f"{quote(f'{N}/{name}' if name in COLUMNS else name)}={quote(value)}" for name, value in pairs]
    assert ask("GET", f"/data/{level}?{'&'.join(words)}").status_code in (200, 400)


@pytest.mark.parametrize("ask", ["member"], indirect=True)
def test_kept_searches_are_answered_alike(ask: Ask, twins: Twins) -> None:
    hidden = SearchField(N, "HANDEDNESS")
    plain = SearchField(N, "SUBJECT_LABEL")
    compared = Group(members=(Criterion(f"{N}/HANDEDNESS", Comparison.EQUAL, "95"),))
    for estate in (twins.first, twins.second):
        with estate.client("granted") as granted:
            for name, query in (
                ("shown", Query(N, (plain, hidden))),
                ("sorted", Query(N, (plain,), None, hidden)),
                ("compared", Query(N, (plain,), compared)),
            ):
                content = format_stored(StoredSearch(query, name=name))
                assert granted.put(f"/data/search/saved/{name}", content=content).status_code == 200
    for name, status in (("shown", 200), ("sorted", 200), ("compared", 403)):
        assert ask("GET", f"/data/search/saved/{name}/results?format=csv").status_code == status
        assert "handedness" not in ask("GET", f"/data/search/saved/{name}/results").text.lower()
        document = ask("GET", f"/data/search/saved/{name}")
        assert document.status_code == status and b"HANDEDNESS" not in document.content
    assert ask("PUT", "/data/search/saved/mine", format_stored(StoredSearch(Query(N, (plain,), compared)))).is_error


@pytest.mark.parametrize("ask", ["member"], indirect=True)
def test_a_cached_search_keeps_nothing_hidden(ask: Ask, twins: Twins) -> None:
    """Its id is chance, so each site is asked for its own rows."""
    content = format_bundle(Query(N, (SearchField(N, "SUBJECT_LABEL"), SearchField(N, "THC"))))
    pages = []
    for client in twins.clients("member"):
        id = client.post("/data/search?cache=true", content=content).json()["ResultSet"]["ID"]
        pages.append(client.get(f"/data/search/{id}?sortBy=thc&format=csv").content)
        client.close()
    assert pages[0] == pages[1] and b"thc" not in pages[0].lower()


@pytest.mark.parametrize("ask", ["member"], indirect=True)
@pytest.mark.parametrize("value", ["5", "five", "NULL", ""])
def test_who_may_write_learns_nothing_by_writing(ask: Ask, twins: Twins, value: str) -> None:
    """A hidden column is written like one that is not there, in parameters and in documents, and stays as it is."""
    before = _granted(twins.first)
    said = {name: ask("PUT", f"{MEASURES}?{N}/{name}={value}") for name in ("Handedness", "Absent")}
    assert said["Handedness"].status_code == said["Absent"].status_code == 400
    assert said["Handedness"].text == said["Absent"].text.replace("Absent", "Handedness")
    document = ask("GET", f"{MEASURES}?format=xml").text
    end = document.rindex("</")
    both = "".join(f"<hcp:{name}>{value}</hcp:{name}>" for name in ("Handedness", "Absent"))
    assert ask("PUT", f"{MEASURES}?inbody=true", f"{document[:end]}{both}{document[end:]}".encode()).status_code == 200
    read_back = ask("GET", f"{MEASURES}?format=xml").text
    assert ("<hcp:Handedness>" in read_back) is ("<hcp:Absent>" in read_back)
    assert _granted(twins.first) == before


def _granted(estate: Estate) -> str:
    """What somebody with the grant sees in the hidden column."""
    with estate.client("granted") as granted:
        query = Query(N, (SearchField(N, "SUBJECT_LABEL"), SearchField(N, "HANDEDNESS")))
        table = granted.post("/data/search?format=csv", content=format_bundle(query)).text
        (row,) = granted.get(f"{MEASURES}?format=json").json()["items"]
        return f"{table} {row['data_fields']['Handedness']}"


def test_the_oracle_sees_what_is_granted(twins: Twins) -> None:
    """The sites do differ for who may see: else all of the above would prove nothing."""
    address = f"/data/search/dict/{CATEGORY}/results?project=CLOSED&restricted=1"
    answers = []
    for client in twins.clients("granted"):
        with client:
            answers.append(client.get(address).content)
    assert answers[0] != answers[1]

"""The search engine and the plain Python evaluator agree on random searches, with nulls in every place."""

import csv
import random
from collections.abc import Iterator

import httpx2
import pytest
from hypothesis import given, settings
from tests.cohort.conditions import CELLS, CRITERIA, DICTIONARY, SPECIAL, TYPE, groups

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.evaluate import Row, evaluate
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.release import release_of
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import start
from connectomedb.server.site import open_site
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.plain import weaken
from connectomedb.xnat.query import Group, Query, parse_field

PASSWORD = "correct horse"
DIE = random.Random(7)
ROWS: dict[str, Row] = {
    f"S{number:03}": {name: DIE.choice(cells) for name, cells in CELLS.items()} for number in range(120)
}
"""Subject → values; what they are is of no matter, but that it is the same at every run."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """Signed in as the administrator of a server with these subjects."""
    folder = tmp_path_factory.mktemp("reference")
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Subject", *CELLS])
        writer.writerows([subject, *cells.values()] for subject, cells in ROWS.items())
    site = open_site(folder / "data")
    table = SubjectTable(folder / "table.csv", DICTIONARY.fields, tier=Tier.OPEN)
    ingest_release(site.database, site.archive, Delivery(release_of("LAB"), "Made up", tables=[table], data_type=TYPE))
    with start(site, admin_password=PASSWORD) as server:
        session = site.logins.sign_in("admin", PASSWORD).session_id
        with httpx2.Client(base_url=server.address, cookies={"JSESSIONID": session}) as client:
            yield client


def found(client: httpx2.Client, where: Group) -> set[str]:
    document = format_bundle(Query(TYPE, (parse_field(f"{TYPE}/SUBJECT_LABEL"),), where))
    reply = client.post("/data/search?format=json", content=document)
    assert reply.status_code == 200, reply.text
    return {row["subject_label"] for row in reply.json()["ResultSet"]["Result"]}


def wanted(where: Group) -> set[str]:
    return {subject for subject, cells in ROWS.items() if evaluate(where, cells) is True}


@given(groups(CRITERIA | SPECIAL))
@settings(max_examples=200)
def test_the_server_finds_what_the_reference_says(client: httpx2.Client, where: Group) -> None:
    weak = weaken(where)
    subjects = found(client, weak.where)
    assert subjects == wanted(weak.where)
    assert subjects >= wanted(where)
    assert not weak.is_exact or subjects == wanted(where)


PREDICATES = [
    "Whole >= 1 and Word != 'F'",
    "not (Whole >= 1 and Word = 'F')",
    "Whole not between 0 and 2 or 3T_Codes has b",
    "3T_Codes has r227,AB",
    "Word in ('A,B', 'it''s', '\"x\"', '*')",
    "Word != 'F' or empty",
    "Word contains '\\'",
    "Subject in (S001, S002, S119)",
]


@pytest.mark.parametrize("predicate", PREDICATES)
def test_predicates_travel_as_search_documents(client: httpx2.Client, predicate: str) -> None:
    where = parse_predicate(predicate, Columns(DICTIONARY, TYPE))
    rows = {subject: {**cells, "Subject": subject} for subject, cells in ROWS.items()}
    expected = {subject for subject, cells in rows.items() if evaluate(where, cells) is True}
    assert 0 < len(expected) < len(rows)
    assert found(client, where) == expected

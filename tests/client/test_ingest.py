"""Tables that a lab's curator brings to a server over REST: who may, what comes in, what is refused whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from connectomedb.client.cohorts.dictionary import Coverage
from connectomedb.client.interface import Interface
from connectomedb.errors import AccessDenied, AuthenticationFailed, ConfigError, NotFound, RequestError
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.ingested import Ingested, TableChanges
from connectomedb.server.access.auth import Role
from connectomedb.server.access.users import add_member, create_user, grant_tier
from connectomedb.server.run import start
from connectomedb.server.site import Site, open_site

PASSWORD = "a long word"
LOGINS = ("ann", "bob", "member")
TYPE = "lab:scores"
COLUMNS = """name,type,tier,label,unit,values,low,high
Score,integer,open,A score,ms,,0,30
Sex,text,open,,,F=female|M=male,,
"""
TABLE = "Subject,Score,Sex,Note\ns1,29,F,fine\ns2,,M,\n"

Open = Callable[[str], Interface]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    found = open_site(tmp_path_factory.mktemp("lab") / "data")
    for login in LOGINS:
        create_user(found.database, login, PASSWORD)
    with start(found, admin_password=PASSWORD) as server:
        yield found, server.address


@pytest.fixture(scope="module")
def as_user(site: tuple[Site, str]) -> Iterator[Open]:
    """Interfaces, each signed in once."""
    opened: dict[str, Interface] = {}
    with ExitStack() as stack:

        def open_as(login: str) -> Interface:
            if login not in opened:
                opened[login] = stack.enter_context(Interface(site[1], login, PASSWORD))
            return opened[login]

        yield open_as


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "behaviour.csv") -> Path:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.fixture(scope="module")
def lab(site: tuple[Site, str], as_user: Open, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A project of Ann's, of which `member` is a member, with a table; nobody changes it but by trials."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "behaviour.csv").write_text(TABLE)
    (folder / "columns.csv").write_text(COLUMNS)
    as_user("ann").ingest("LAB", [folder / "behaviour.csv"], dictionaries=[folder / "columns.csv"], data_type=TYPE)
    add_member(site[0].database, "LAB", "member", Role.MEMBER)
    return "LAB"


def test_a_curator_brings_a_study_and_brings_it_again(as_user: Open, files: Callable[..., Path]) -> None:
    ann = as_user("ann")
    brought = ([files(TABLE)], [files(COLUMNS, "columns.csv")])
    first = ann.ingest("STUDY", brought[0], dictionaries=brought[1], data_type="lab:study", title="My study")
    assert (first.project, first.subjects, first.new_subjects, first.measures) == ("STUDY", 2, 2, 3)
    assert first.tables == (TableChanges("behaviour.csv", 2, 2, 0, 0),)
    assert first.described == ("Score", "Sex", "Note")
    project = ann.project("STUDY")
    assert project.subjects().labels() == ["s1", "s2"]
    assert (project.known("name"), project.users()) == ("My study", ["ann"])
    later = files("Subject,Score,Sex\ns1,30,F\ns2,,M\n")
    again = ann.ingest("STUDY", [later], dictionaries=brought[1], data_type="lab:study")
    assert again.tables == (TableChanges("behaviour.csv", 2, 0, 1, 1, {"Score": 1}),)
    assert project.known("name") == "My study"


def test_meanings_of_columns_come_back(as_user: Open, lab: str) -> None:
    known = {field.name: field for field in as_user("ann").dictionary(TYPE)}
    assert set(known) == {"Score", "Sex"}  # Note is restricted, and not granted to its owner yet
    score, sex = known["Score"], known["Sex"]
    assert (score.label, score.unit, score.low, score.high, score.tier) == ("A score", "ms", 0, 30, Tier.OPEN)
    assert [(one.value, one.meaning) for one in sex.values] == [("F", "female"), ("M", "male")]


def test_what_is_missing_is_counted_as_far_as_it_may_be_seen(
    site: tuple[Site, str], as_user: Open, files: Callable[..., Path]
) -> None:
    ann, bob, kind = as_user("ann"), as_user("bob"), "lab:counted"
    columns = files("name,tier\nA,open\nB,restricted\n", "columns.csv")
    ann.ingest("COUNTED", [files("Subject,A,B\n1,1,\n2,,\n3,3,5\n")], dictionaries=[columns], data_type=kind)
    assert ann.coverage(kind) == {"A": Coverage(2, 1)}
    admin = as_user("admin")
    admin.ingest("MORE", [files("Subject,A,B\n1,1,1\n")], dictionaries=[columns], data_type=kind)
    assert admin.coverage(kind) == {"A": Coverage(3, 1), "B": Coverage(2, 2)}
    assert ann.coverage(kind) == {"A": Coverage(2, 1)}
    grant_tier(site[0].database, "COUNTED", "ann", Tier.RESTRICTED)
    assert ann.coverage(kind, project="COUNTED")["B"] == Coverage(1, 2)
    with pytest.raises(NotFound):
        ann.coverage(kind, project="MORE")
    assert bob.coverage(kind) == {"A": Coverage(0, 0)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Subject,Score\ns1,29\ns1,30\n", "behaviour.csv, line 3: subject 's1' is empty or occurs twice"),
        ("Subject,Score\ns1\n", "behaviour.csv, line 2: 1 cells where the header has 2"),
        ("Subject,Score\ns1,many\n", "behaviour.csv, line 2, column Score: 'many' is no integer"),
        ("Score\n29\n", "behaviour.csv: the first column is 'Score'"),
        ("", "behaviour.csv: it is empty"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(
    as_user: Open, lab: str, files: Callable[..., Path], text: str, words: str
) -> None:
    good = files("Subject,Recall\ns9,1\n", "good.csv")
    columns = files(COLUMNS, "columns.csv")
    with pytest.raises(ConfigError, match="It was refused") as fault:
        as_user("ann").ingest(lab, [good, files(text)], dictionaries=[columns], data_type=TYPE)
    assert words in str(fault.value)
    assert as_user("ann").project(lab).subjects().labels() == ["s1", "s2"]


def test_only_owners_bring_tables(site: tuple[Site, str], as_user: Open, lab: str, files: Callable[..., Path]) -> None:
    table = files("Subject,Score\ns9,1\n")
    for login in ("bob", "member"):
        with pytest.raises(AccessDenied):
            as_user(login).ingest(lab, [table], data_type=TYPE)
    with pytest.raises(AccessDenied, match="Only administrators"):
        as_user("ann").ingest(lab, [table], data_type=TYPE, stores=["archive"])
    with Interface(site[1], anonymous=True) as nobody, pytest.raises(AuthenticationFailed):
        nobody.ingest("ELSE", [table])
    with pytest.raises(RequestError, match="Use one of open, restricted, sensitive"):
        as_user("ann").ingest(lab, [table], data_type=TYPE, tier="secret")
    assert as_user("ann").project(lab).subjects().labels() == ["s1", "s2"]


SHARED = [
    ("Subject,Score\nb1,5\n", "open", ""),
    ("Subject,Score,New\nb1,5,1\n", "open", "Column New: there is none of that name yet"),
    ("Subject,Score\nb1,5.5\n", "open", "Column Score: it holds values of the type integer on this site, and float"),
    ("Subject,Score\nb1,5\n", "restricted", "Column Score: it is open on this site, and restricted in your table"),
    ("Subject,Note\nb1,x\n", "open", ""),
]


@pytest.mark.parametrize(("text", "tier", "words"), SHARED)
def test_columns_that_others_use_stay_as_they_are(
    as_user: Open, lab: str, files: Callable[..., Path], text: str, tier: str, words: str
) -> None:
    def bring() -> Ingested:
        return as_user("bob").ingest("BOBS", [files(text)], data_type=TYPE, tier=tier, trial=True)

    if words:
        with pytest.raises(AccessDenied, match=words):
            bring()
    else:
        done = bring()
        assert (done.new_subjects, done.described, done.is_kept) == (1, (), False)


def test_restricted_values_are_replaced_only_under_a_grant(
    site: tuple[Site, str], as_user: Open, files: Callable[..., Path]
) -> None:
    ann, table = as_user("ann"), files("Subject,Income\ns1,3\n")
    assert ann.ingest("MONEY", [table], data_type="lab:money").tables[0].new == 1
    with pytest.raises(AccessDenied, match="Income, which are restricted and not granted to you"):
        ann.ingest("MONEY", [table], data_type="lab:money")
    grant_tier(site[0].database, "MONEY", "ann", Tier.RESTRICTED)
    assert ann.ingest("MONEY", [table], data_type="lab:money").tables[0].unchanged == 1


def test_a_trial_makes_no_project(as_user: Open, files: Callable[..., Path]) -> None:
    done = as_user("bob").ingest("TRIED", [files(TABLE)], data_type="lab:tried", trial=True)
    assert (done.subjects, done.is_kept) == (2, False)
    assert "TRIED" not in as_user("admin").projects().get()


def test_a_bids_data_set_comes_in_with_its_sidecars(as_user: Open, tmp_path: Path, files: Callable[..., Path]) -> None:
    files("participant_id\tage\tsex\nsub-01\t34\tF\nsub-02\tn/a\tM\n", "bids/participants.tsv")
    files(json.dumps({"sex": {"Levels": {"F": "female", "M": "male"}}}), "bids/participants.json")
    files("participant_id\tbdi\nsub-01\t3\n", "bids/phenotype/bdi.tsv")
    files(json.dumps({"bdi": {"LongName": "Depression", "Tier": "sensitive"}}), "bids/phenotype/bdi.json")
    bob = as_user("bob")
    done = bob.ingest("BIDS", bids=tmp_path / "bids", tier="open", data_type="lab:bids")
    assert [(table.table, table.rows) for table in done.tables] == [("participants.tsv", 2), ("bdi.tsv", 1)]
    assert bob.project("BIDS").subjects().labels() == ["01", "02"]
    known = {field.name: field.tier for field in as_user("admin").dictionary("lab:bids")}
    assert known == {"age": Tier.OPEN, "sex": Tier.OPEN, "bdi": Tier.SENSITIVE}
    with pytest.raises(ConfigError, match="no BIDS data set"):
        bob.ingest("BIDS", bids=tmp_path)


def test_curl_may_send_a_table_as_it_is(site: tuple[Site, str]) -> None:
    with httpx2.Client(base_url=site[1], auth=("bob", PASSWORD)) as client:
        where = "/data/projects/RAW/measures?data_type=lab:raw&tier=open"
        reply = client.put(where, content=b"Subject,A\nx1,1\n")
        assert (reply.status_code, reply.json()["tables"][0]["new"]) == (200, 1)
        assert client.put(where, content=b"Subject,A\nx1\n").status_code == 422
        assert client.put(where, content=b"").status_code == 400
        form = {"table": ("a.csv", b"Subject,A\nx1,2\n"), "dictionary": ("d.csv", b"name,unit\nA,mm\n")}
        reply = client.put(where, files=form)
        assert reply.json()["tables"][0]["columns"] == {"A": 1}
        assert reply.json()["described"] == ["A"]

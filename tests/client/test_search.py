from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from connectomedb.client.interface import Interface
from connectomedb.client.search import parse_condition
from connectomedb.errors import AddressError, QueryError, ServerFault
from connectomedb.xnat.bundle import parse_bundle
from connectomedb.xnat.query import Comparison, Criterion, Group, Method

if TYPE_CHECKING:
    from tests.client.conftest import Site

TYPE = "hcp:nontoolboxdata"
SUBJECT, MMSE, LABEL = f"{TYPE}/SUBJECT_ID", f"{TYPE}/MMSE_Score", f"{TYPE}/SUBJECT_LABEL"
ROW = {"subject_id": "ConnectomeDB_S1", "mmse_score": "29", "subject_label": "100307", "quarantine_status": "active"}
FIELDS = [
    {"FIELD_ID": "SUBJECT_ID", "TYPE": "string"},
    {"FIELD_ID": "SUBJECT_LABEL", "TYPE": "string"},
    {"FIELD_ID": "MMSE_SCORE", "TYPE": "integer"},
    {"FIELD_ID": "MMSE_COMPL", "TYPE": "string"},
]


CONDITIONS = [
    ("MMSE_Score >= 29", ("MMSE_Score", Comparison.GREATER_EQUAL, "29")),
    ("MMSE_Score>=29", ("MMSE_Score", Comparison.GREATER_EQUAL, "29")),
    ("Gender = 'F'", ("Gender", Comparison.EQUAL, "F")),
    ('Note = "a = b"', ("Note", Comparison.EQUAL, "a = b")),
    ("Note = ''", ("Note", Comparison.EQUAL, "")),
    ("Note <> x y", ("Note", Comparison.NOT_EQUAL, "x y")),
    ("QC_Issue IS NULL", ("QC_Issue", Comparison.IS_NULL, "")),
    ("QC_Issue is  not null", ("QC_Issue", Comparison.IS_NOT_NULL, "")),
    ("Age BETWEEN 22 AND 25", ("Age", Comparison.BETWEEN, "22 AND 25")),
    ("Subject in 1,2", ("Subject", Comparison.IN, "1,2")),
    ("Label LIKE 10%", ("Label", Comparison.LIKE, "10%")),
    ("LIKELY = 1", ("LIKELY", Comparison.EQUAL, "1")),
    (
        "xnat:subjectData/fields/field[name=a]/field = 1",
        ("xnat:subjectData/fields/field[name=a]/field", Comparison.EQUAL, "1"),
    ),
]


@pytest.mark.parametrize(("text", "condition"), CONDITIONS, ids=[text for text, _ in CONDITIONS])
def test_a_condition_in_one_line_is_read(text: str, condition: tuple[str, Comparison, str]) -> None:
    assert parse_condition(text) == condition


@pytest.mark.parametrize(
    "text", ["", "MMSE_Score", "MMSE_Score >=", ">= 29", "MMSE_Score ~ 29", "Age LIKE", "Label LIKEX"]
)
def test_what_is_no_condition_gets_a_sentence(text: str) -> None:
    with pytest.raises(QueryError):
        parse_condition(text)


@pytest.fixture
def db(site: Site) -> Iterator[Interface]:
    site.on("GET", f"/data/search/elements/{TYPE}", site.table(*FIELDS))
    site.on("POST", "/data/search", site.table(ROW))
    with Interface(site.address, "me", "hunter2-word") as opened:
        yield opened


def test_selecting_sends_nothing(site: Site, db: Interface) -> None:
    search = db.select(TYPE, [SUBJECT, MMSE])
    assert site.everything == []
    assert repr(search) == f"Search({TYPE!r}, {[SUBJECT, MMSE]!r})"


def test_the_tutorials_search_gives_subject_labels(site: Site, db: Interface) -> None:
    table = db.select(TYPE, [SUBJECT, MMSE]).where([(MMSE, ">=", "29"), "AND"])
    assert table["subject_label"] == ["100307"]
    assert table[MMSE] == ["29"]
    query = parse_bundle(next(seen.body for seen in site.seen if seen.method == "POST"))
    assert [(field.element, field.field_id) for field in query.fields] == [
        (TYPE, "SUBJECT_ID"),
        (TYPE, "MMSE_Score"),
        (TYPE, "SUBJECT_LABEL"),
    ]
    assert query.where == Group(Method.AND, (Criterion(MMSE, Comparison.GREATER_EQUAL, "29"),))


@pytest.mark.parametrize(
    ("columns", "sent"),
    [
        ([MMSE], ["MMSE_Score"]),
        ([SUBJECT.lower()], ["subject_id", "SUBJECT_LABEL"]),
        ([LABEL, SUBJECT], ["SUBJECT_LABEL", "SUBJECT_ID"]),
        (["xnat:subjectData/SUBJECT_ID"], ["SUBJECT_ID"]),
        ([], []),
    ],
)
def test_the_label_is_added_when_the_types_own_subject_id_is_asked(
    db: Interface, columns: list[str], sent: list[str]
) -> None:
    columns = [column.replace(TYPE.lower(), TYPE) for column in columns]
    assert [field.field_id for field in db.select(TYPE, columns).query().fields] == sent


def test_a_type_without_subject_label_gives_the_columns_without_it(site: Site, db: Interface) -> None:
    site.on("POST", "/data/search", site.table({"subject_id": "S1", "quarantine_status": "active"}))
    table = db.select(TYPE, [SUBJECT]).all()
    assert table.columns == ("subject_id", "quarantine_status")


def test_types_come_from_the_servers_list_asked_once_per_type(site: Site, db: Interface) -> None:
    first = db.select(TYPE, [MMSE]).all()
    second = db.select(TYPE, [SUBJECT, MMSE]).all()
    assert dict(first.types) == dict(second.types) == {"mmse_score": "integer"}
    assert str(second.to_pandas()["mmse_score"].dtype) == "Int64"
    assert sum(seen.method == "GET" for seen in site.seen) == 1


def test_types_that_the_reply_tells_need_no_list(site: Site, db: Interface) -> None:
    keys = [{"key": "mmse_score", "type": "float"}, {"key": "subject_id", "type": "string"}]
    site.on("POST", "/data/search", site.table(ROW, columns=keys))
    assert dict(db.select(TYPE, [SUBJECT, MMSE]).all().types) == {"mmse_score": "float"}
    assert [seen.method for seen in site.seen] == ["POST"]


def test_a_server_without_a_list_of_fields_gives_text(site: Site, db: Interface) -> None:
    del site.routes["GET", f"/data/search/elements/{TYPE}"]
    table = db.select(TYPE, [MMSE]).all()
    assert table[MMSE] == ["29"]
    assert table.types == {}
    site.on("GET", "/data/search/elements/a:b", site.reply(b"", 500))
    with pytest.raises(ServerFault):
        db.select("a:b", ["a:b/MMSE_SCORE"]).all()


def test_a_column_that_the_server_drops_is_named_with_what_is_near(db: Interface) -> None:
    with pytest.raises(QueryError, match=r"MMSE_Scroe.*no such field, or it is not open to you.*MMSE_SCORE"):
        db.select(TYPE, [f"{TYPE}/MMSE_Scroe"]).all()
    with pytest.raises(QueryError, match="has: MMSE_COMPL, MMSE_SCORE, SUBJECT_ID, SUBJECT_LABEL"):
        db.select(TYPE, [f"{TYPE}/Height"]).all()


def test_an_empty_result_has_its_columns_all_the_same(site: Site, db: Interface) -> None:
    site.on("POST", "/data/search", site.table())
    table = db.select(TYPE, [SUBJECT, MMSE]).where([(MMSE, ">", 30)])
    assert len(table) == 0
    assert table["mmse_score"] == []
    keys = [{"key": "subject_id"}, {"key": "mmse_score"}, {"key": "quarantine_status"}]
    site.on("POST", "/data/search", site.table(columns=keys))
    assert db.select(TYPE, [SUBJECT, MMSE]).all().columns == ("subject_id", "mmse_score", "quarantine_status")


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("xnat:mrSessionData/PROJECT", "project"),
        ("xnat:subjectData/GENDER_TEXT", "xnat_subjectdata_gender_text"),
        ("xnat:mrSessionData/SUB_PROJECT_IDENTIFIER=P1", "sub_project_identifier_p1"),
        ("xnat:mrSessionData/label", "xnat_col_mrsessiondatalabel"),
        ("xnat:mrSessionData/sharing/share/project", "xnat_col_mrsessiondatasharingshareproject"),
        (
            "xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/gender",
            "xnat_col_subjectdatademographicsxsi_col_type_xnat_col_demographicdatagender",
        ),
    ],
)
def test_columns_are_recognised_by_xnats_naming_rules(site: Site, db: Interface, field: str, column: str) -> None:
    site.on("POST", "/data/search", site.table({column: "value", "quarantine_status": "active"}))
    assert db.select("xnat:mrSessionData", [field]).all()[field] == ["value"]


def test_a_column_named_quite_otherwise_is_recognised_by_its_header(site: Site, db: Interface) -> None:
    keys = [{"key": "session_id", "header": "xnat:mrSessionData/ID", "id": "SESSION_ID"}]
    site.on("POST", "/data/search", site.table({"session_id": "E1"}, columns=keys))
    assert db.select("xnat:mrSessionData", ["xnat:mrSessionData/ID"]).all()["xnat:mrSessionData/ID"] == ["E1"]


def test_the_default_listing_is_asked_by_naming_no_column(site: Site, db: Interface) -> None:
    search = db.select(TYPE)
    table = search.all()  # type: ignore[union-attr]  # a script knows that it named a data type
    assert table.columns == tuple(ROW)
    assert parse_bundle(next(seen.body for seen in site.seen if seen.method == "POST")).fields == ()


@pytest.mark.parametrize("columns", [["MMSE_Score"], [MMSE, ""], MMSE])
def test_malformed_columns_are_refused_before_anything_is_sent(site: Site, db: Interface, columns: list[str]) -> None:
    with pytest.raises(QueryError):
        db.select(TYPE, columns)
    assert site.everything == []


def test_malformed_constraints_are_refused_before_anything_is_sent(site: Site, db: Interface) -> None:
    with pytest.raises(QueryError, match="BETWEEN"):
        db.select(TYPE, [MMSE]).where([(MMSE, "about", "29")])
    assert site.everything == []


def test_what_is_neither_path_nor_type_is_told_how_to_write_either(db: Interface) -> None:
    with pytest.raises(AddressError, match="Begin a path with"):
        db.select("nontoolboxdata")
    with pytest.raises(QueryError, match="Name a data type"):
        db.select("nontoolboxdata", [MMSE])
    with pytest.raises(AddressError, match="Columns go with a data type"):
        db.select("/projects", [MMSE])

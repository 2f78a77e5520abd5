"""The search engine on the wire: columns, comparisons, joins, order, and what is refused.

Subjects of HCP_Q1:  label   Gender  MMSE_Score  PicSeq_Unadj  QC_Issue  sessions
                     100307  F       29          125.07        -         3T, CREST
                     103515  M       30          98.5          A         3T, CREST
                     118932  F       28          -             A,B       -
                     200614  M       -           111.0         -         -
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
import pytest

from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Comparison, Criterion, Group, Method, Query, SearchField, parse_field

N = "hcp:nontoolboxdata"
SUBJECT, SESSION, SCAN, PROJECT = "xnat:subjectData", "xnat:mrSessionData", "xnat:mrScanData", "xnat:projectData"
GENDER = f"{SUBJECT}/demographics[@xsi:type=xnat:demographicData]/gender"
A, B, C, D = "100307", "103515", "118932", "200614"


def post(client: httpx2.Client, query: Query, parameters: str = "") -> httpx2.Response:
    return client.post(f"/data/search?format=json{parameters}", content=format_bundle(query))


def fields(*names: str) -> tuple[SearchField, ...]:
    return tuple(parse_field(name) for name in names)


def labels(client: httpx2.Client, where: Group, root: str = N, column: str = "subject_label") -> list[str]:
    reply = post(client, Query(root, fields(f"{root}/{column.upper()}"), where))
    assert reply.status_code == 200, reply.text
    return [row[column] for row in reply.json()["ResultSet"]["Result"]]


def one(field: str, comparison: str, value: str = "") -> Group:
    return Group(members=(Criterion(field, Comparison(comparison), value),))


CRITERIA: list[tuple[str, str, str, Sequence[str]]] = [
    # numbers, by value; nulls never match but where it is said
    (f"{N}/MMSE_SCORE", "=", "29", [A]),
    (f"{N}/MMSE_SCORE", "=", "29.0", [A]),
    (f"{N}/MMSE_SCORE", "=", "28.5", []),
    (f"{N}/mmse_score", ">=", "29", [A, B]),
    (f"{N}.MMSE_Score", "<", "30", [A, C]),
    (f"{N}/MMSE_SCORE", "<=", "28", [C]),
    (f"{N}/MMSE_SCORE", ">", "1e300", []),
    (f"{N}/MMSE_SCORE", "!=", "29", [B, C, D]),
    (f"{N}/MMSE_SCORE", "=", "", [D]),
    (f"{N}/MMSE_SCORE", "=", "NULL", [D]),
    (f"{N}/MMSE_SCORE", "=", "*", [A, B, C]),
    (f"{N}/MMSE_SCORE", "!=", "", [A, B, C]),
    (f"{N}/MMSE_SCORE", "!=", "*", [D]),
    (f"{N}/MMSE_SCORE", "IS NULL", "", [D]),
    (f"{N}/MMSE_SCORE", "IS NULL", "ignored", [D]),
    (f"{N}/MMSE_SCORE", "IS NOT NULL", "", [A, B, C]),
    (f"{N}/MMSE_SCORE", "IN", "28, 30", [B, C]),
    (f"{N}/MMSE_SCORE", "IN", "28.5,'29'", [A]),
    (f"{N}/MMSE_SCORE", "BETWEEN", "29 AND 30", [A, B]),
    (f"{N}/MMSE_SCORE", "BETWEEN", "28.5 and 29.5", [A]),
    (f"{N}/MMSE_SCORE", "LIKE", "2%", [A, C]),
    (f"{N}/PICSEQ_UNADJ", ">", "98.5", [A, D]),
    (f"{N}/PICSEQ_UNADJ", "=", "111", [D]),
    (f"{N}/3T_RS-FMRI_COUNT", ">=", "2", [A, B, C]),
    # text: with case, but LIKE without; null and empty alike
    (f"{N}/GENDER", "=", "F", [A, C]),
    (f"{N}/GENDER", "=", "f", []),
    (f"{N}/GENDER", "LIKE", "f", [A, C]),
    (f"{N}/QC_ISSUE", "LIKE", "a%", [B, C]),
    (f"{N}/QC_ISSUE", "LIKE", "*b", [C]),
    (f"{N}/QC_ISSUE", "LIKE", "%", [B, C]),
    (f"{N}/QC_ISSUE", "LIKE", "A_B", []),
    (f"{N}/QC_ISSUE", "!=", "A", [A, C, D]),
    (f"{N}/QC_ISSUE", "IS NULL", "", [A, D]),
    (f"{N}/AGE", ">", "26-30", [B]),
    (f"{N}/AGE", "BETWEEN", "22-25 AND 26-30", [A, C, D]),
    (f"{N}/SUBJECT_LABEL", "IN", "'100307', \"200614\"", [A, D]),
    (f"{N}/SUBJECT_ID", "LIKE", "%S00002", [B]),
    (f"{N}/PROJECT", "=", "HCP_Q1", [A, B, C, D]),
    (f"{N}/ID", "LIKE", "%", [A, B, C, D]),
    (f"{N}/sharing/share/project", "=", "HCP_Q1", []),
    # a display field counts null as different, a schema path does not
    (f"{SUBJECT}/GENDER", "!=", "male", [A, C]),
    (GENDER, "!=", "male", [A, C]),
    # of other elements: any entry may match
    (f"{SESSION}/LABEL", "LIKE", "%CREST", [A, B]),
    (f"{SESSION}/LABEL", "IS NULL", "", [C, D]),
    (f"{SESSION}/ID", "IS NOT NULL", "", [A, B]),
    (f"{SCAN}/TYPE", "=", "T1w_MPR1", [A, B]),
    (f"{SUBJECT}/MR_COUNT", "=", "2", [A, B]),
    (f"{SUBJECT}/MR_COUNT", "IS NULL", "", [C, D]),
    (f"{PROJECT}/ID", "=", "HCP_Q1", [A, B, C, D]),
]


@pytest.mark.parametrize(("field", "comparison", "value", "expected"), CRITERIA)
def test_a_criterion_keeps_the_rows_that_match(
    reader: httpx2.Client, field: str, comparison: str, value: str, expected: Sequence[str]
) -> None:
    assert labels(reader, one(field, comparison, value)) == list(expected)


NULLS = [(f"{SUBJECT}/HANDEDNESS", 4), (f"{SUBJECT}/demographics/handedness", 0)]


@pytest.mark.parametrize(("field", "count"), NULLS)
def test_null_is_different_for_display_fields_only(reader: httpx2.Client, field: str, count: int) -> None:
    assert len(labels(reader, one(field, "!=", "right"), SUBJECT)) == count


SPELLINGS = [" LIKE ", "like", "IS+NOT+NULL", "not null", "NOT NULL", " is  not null"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_comparisons_are_read_as_clients_spell_them(reader: httpx2.Client, spelling: str) -> None:
    document = format_bundle(Query(N, fields(f"{N}/SUBJECT_LABEL"), one(f"{N}/MMSE_SCORE", "=", "%")))
    sent = document.replace(b"comparison_type>=<", f"comparison_type>{spelling}<".encode())
    reply = reader.post("/data/search?format=csv", content=sent)
    assert reply.text.splitlines() == ["subject_label,quarantine_status", f"{A},active", f"{B},active", f"{C},active"]


def test_groups_nest_and_empty_ones_are_true(reader: httpx2.Client) -> None:
    either = Group(
        Method.OR,
        (
            Group(
                members=(Criterion(f"{N}/GENDER", Comparison.EQUAL, "F"), *one(f"{N}/MMSE_SCORE", ">", "28").members)
            ),
            one(f"{N}/QC_ISSUE", "=", "A"),
        ),
    )
    assert labels(reader, either) == [A, B]
    assert labels(reader, Group(members=(Group(), either))) == [A, B]
    assert labels(reader, Group()) == [A, B, C, D]
    deep = one(f"{N}/GENDER", "=", "F")
    for _ in range(60):
        deep = Group(Method.OR, (deep,))
    assert labels(reader, deep) == [A, C]


def test_subjects_may_be_named_one_by_one(reader: httpx2.Client) -> None:
    """As pyxnat narrows a search: by `ID = S1 or ID = S2 or ...`, for as many as there are."""
    many = [Criterion(f"{N}/SUBJECT_LABEL", Comparison.EQUAL, str(label)) for label in range(100307, 103516)]
    assert labels(reader, Group(Method.OR, tuple(many))) == [A, B]
    numbers = [Criterion(f"{N}/MMSE_SCORE", Comparison.EQUAL, text) for text in ("28.0", "29", "29.5")]
    missing = Criterion(f"{N}/MMSE_SCORE", Comparison.EQUAL, "NULL")
    assert labels(reader, Group(Method.OR, tuple(numbers))) == [A, C]
    assert labels(reader, Group(Method.OR, (missing, *numbers))) == [A, C, D]
    unequal = [Criterion(f"{N}/SUBJECT_LABEL", Comparison.NOT_EQUAL, str(label)) for label in range(501)]
    reply = post(reader, Query(N, fields(f"{N}/SUBJECT_LABEL"), Group(members=tuple(unequal))))
    assert reply.status_code == 422
    assert "501 criteria" in reply.text
    too_many = [Criterion(f"{N}/SUBJECT_LABEL", Comparison.EQUAL, str(label)) for label in range(20_001)]
    reply = post(reader, Query(N, fields(f"{N}/SUBJECT_LABEL"), Group(Method.OR, tuple(too_many))))
    assert reply.status_code == 422
    assert "20001 values" in reply.text


NAMES = [
    (SUBJECT, f"{SUBJECT}/SUBJECT_ID", "subject_id"),
    (SUBJECT, f"{SUBJECT}/subject_label", "subject_label"),
    (SUBJECT, f"{SUBJECT}/label", "subject_label"),
    (SUBJECT, f"{SUBJECT}/SUB_PROJECT_IDENTIFIER=HCP_Q1", "sub_project_identifier_hcp_q1"),
    (SUBJECT, f"{SUBJECT}/SUB_PROJECT_IDENTIFIER.HCP_Q1", "sub_project_identifier_hcp_q1"),
    (SUBJECT, GENDER, "gender"),
    (SUBJECT, f"{SUBJECT}/src", "xnat_col_subjectdatasrc"),
    (SESSION, f"{SESSION}/ID", "session_id"),
    (SESSION, f"{SESSION}/project", "project"),
    (SESSION, f"{SESSION}/subject_ID", "subject_id"),
    (SESSION, f"{SESSION}/date", "date"),
    (SESSION, f"{SESSION}/label", "label"),
    (SUBJECT, f"{SESSION}/LABEL", "xnat_mrsessiondata_label"),
    (N, f"{SUBJECT}/GENDER_TEXT", "xnat_subjectdata_gender_text"),
    (N, f"{N}/MMSE_Score", "mmse_score"),
    (N, f"{N}/3T_RS-fMRI_Count", "3t_rs-fmri_count"),
    (N, f"{SESSION}/visit_id", "xnat_mrsessiondata_xnat_col_mrsessiondatavisit_id"),
]


@pytest.mark.parametrize(("root", "field", "name"), NAMES)
def test_columns_are_named_as_clients_expect(reader: httpx2.Client, root: str, field: str, name: str) -> None:
    reply = reader.post("/data/search?format=csv", content=format_bundle(Query(root, fields(field))))
    assert reply.text.splitlines()[0] == f"{name},quarantine_status"


def test_a_value_may_come_in_its_own_element(reader: httpx2.Client) -> None:
    field = SearchField(SESSION, "SCAN_COUNT_TYPE", "T1w_MPR1")
    rows = post(reader, Query(SESSION, (*fields(f"{SESSION}/LABEL"), field))).json()["ResultSet"]["Result"]
    assert [(row["label"], row["scan_count_type_t1w_mpr1"]) for row in rows][:2] == [
        ("100307_3T", "1"),
        ("100307_CREST", ""),
    ]


def test_columns_come_in_the_order_asked_each_once_and_unknown_ones_not(reader: httpx2.Client) -> None:
    asked = fields(f"{N}/MMSE_SCORE", f"{N}/NONSENSE", f"{N}/SUBJECT_LABEL", f"{N}/mmse_score", "no:type/X")
    reply = reader.post("/data/search?format=csv", content=format_bundle(Query(N, asked)))
    assert reply.text.splitlines()[0] == "mmse_score,subject_label,quarantine_status"


def test_json_describes_its_columns(reader: httpx2.Client) -> None:
    asked = (SearchField(SESSION, "PROJECT", header="url"), SearchField(SESSION, "visit_id", header="url"))
    result = post(reader, Query(SESSION, asked)).json()["ResultSet"]
    assert result["rootElementName"] == SESSION
    assert result["totalRecords"] == "4"
    assert result["Columns"] == [
        {
            "key": "project",
            "type": "string",
            "xPATH": "xnat:mrSessionData.PROJECT",
            "element_name": SESSION,
            "header": "url",
            "id": "PROJECT",
        },
        {
            "key": "xnat_col_mrsessiondatavisit_id",
            "type": "string",
            "xPATH": "xnat:mrSessionData.XNAT_COL_MRSESSIONDATAVISIT_ID",
            "element_name": SESSION,
            "header": "url",
            "id": "XNAT_COL_MRSESSIONDATAVISIT_ID",
        },
        {"key": "quarantine_status"},
    ]


def test_json_is_written_as_xnat_does(reader: httpx2.Client) -> None:
    """To the letter, for xnatpy's own tests compare the text."""
    asked = (SearchField(SESSION, "PROJECT"), SearchField(SESSION, f"{SESSION}/label"))
    reply = post(reader, Query(SESSION, asked, one(f"{SESSION}/label", "=", "100307_3T")))
    row = '{"quarantine_status":"active","project":"HCP_Q1","xnat_col_mrsessiondatalabel":"100307_3T"}'
    assert reply.text.endswith(f'"Result":[{row}], "rootElementName": "{SESSION}","totalRecords": "1"}}}}')


def test_values_print_as_their_type(reader: httpx2.Client) -> None:
    asked = fields(f"{N}/SUBJECT_LABEL", f"{N}/MMSE_SCORE", f"{N}/PICSEQ_UNADJ", f"{N}/QC_ISSUE")
    reply = reader.post("/data/search?format=csv", content=format_bundle(Query(N, asked)))
    assert reply.text.splitlines()[1:] == [
        "100307,29,125.07,,active",
        "103515,30,98.5,A,active",
        '118932,28,,"A,B",active',
        "200614,,111.0,,active",
    ]


DEFAULTS = {
    SUBJECT: {"subject_label", "project", "subjectid"},
    SESSION: {"label", "project", "session_id", "subject_id", "date"},
    PROJECT: {"id", "name"},
    SCAN: {"id", "type", "session_id"},
    N: {"subject_label", "project", "session_id", "subject_id", "mmse_score", "qc_issue"},
}


@pytest.mark.parametrize("root", DEFAULTS)
def test_a_search_without_columns_has_those_that_links_need(reader: httpx2.Client, root: str) -> None:
    rows = post(reader, Query(root)).json()["ResultSet"]["Result"]
    assert DEFAULTS[root] <= set(rows[0])


def test_a_joined_column_gives_a_row_per_pair_and_the_criterion_is_about_the_same_row(reader: httpx2.Client) -> None:
    asked = fields(f"{SUBJECT}/SUBJECT_LABEL", f"{SESSION}/LABEL")
    rows = post(reader, Query(SUBJECT, asked)).json()["ResultSet"]["Result"]
    pairs = [(row["subject_label"], row["xnat_mrsessiondata_label"]) for row in rows]
    assert pairs == [(A, "100307_3T"), (A, "100307_CREST"), (B, "103515_3T"), (B, "103515_CREST"), (C, ""), (D, "")]
    crest = Query(SUBJECT, asked, one(f"{SESSION}/LABEL", "LIKE", "%CREST"))
    rows = post(reader, crest).json()["ResultSet"]["Result"]
    assert [row["xnat_mrsessiondata_label"] for row in rows] == ["100307_CREST", "103515_CREST"]


def test_a_joined_criterion_does_not_repeat_the_rows(reader: httpx2.Client) -> None:
    assert labels(reader, one(f"{SESSION}/PROJECT", "=", "HCP_Q1"), SUBJECT) == [A, B]
    assert labels(reader, one(f"{SCAN}/QUALITY", "=", "usable"), SUBJECT) == [A, B]


def test_every_type_joins_every_other(reader: httpx2.Client) -> None:
    types = (PROJECT, SUBJECT, SESSION, SCAN, N, "lab:memorydata", "xnat:imageSessionData", "xnat:experimentData")
    for root in (PROJECT, SUBJECT, SESSION, SCAN, N):
        for other in types:
            where = one(f"{other}/ID", "IS NOT NULL")
            reply = post(reader, Query(root, fields(f"{other}/ID"), where))
            assert reply.status_code == 200, (root, other, reply.text)


SORTS = {
    "&sortBy=mmse_score": [C, A, B, D],
    "&sortBy=mmse_score&sortOrder=DESC": [D, B, A, C],
    "&sortBy=MMSE_SCORE&sortOrder=asc": [C, A, B, D],
    "&sortBy=nonsense": [A, B, C, D],
}


@pytest.mark.parametrize("parameters", SORTS)
def test_nulls_sort_last_and_first_when_descending(reader: httpx2.Client, parameters: str) -> None:
    query = Query(N, fields(f"{N}/SUBJECT_LABEL", f"{N}/MMSE_SCORE"))
    rows = post(reader, query, parameters).json()["ResultSet"]["Result"]
    assert [row["subject_label"] for row in rows] == SORTS[parameters]


def test_the_document_may_name_the_order(reader: httpx2.Client) -> None:
    query = Query(N, fields(f"{N}/SUBJECT_LABEL"), sort=SearchField(N, "MMSE_SCORE"))
    assert [row["subject_label"] for row in post(reader, query).json()["ResultSet"]["Result"]] == [C, A, B, D]
    repeated = Query(SUBJECT, fields(f"{SUBJECT}/SUBJECT_LABEL"), one(f"{SCAN}/TYPE", "LIKE", "%"), query.sort)
    assert [row["subject_label"] for row in post(reader, repeated).json()["ResultSet"]["Result"]] == [A, B]


REFUSED = {
    "no XML": b"hello",
    "nothing": b"",
    "another document": b"<a/>",
    "no data type": b"<bundle><root_element_name/></bundle>",
    "unknown data type": format_bundle(Query("xnat:nonsense")),
    "abstract data type": format_bundle(Query("xnat:experimentData")),
    "unknown field": format_bundle(Query(N, where=one(f"{N}/NONSENSE", "=", "1"))),
    "unknown element": format_bundle(Query(N, where=one("a:b/C", "=", "1"))),
    "a field without element": format_bundle(
        Query(N, where=Group(members=(Criterion("MMSE_SCORE", Comparison.EQUAL),)))
    ),
    "no number": format_bundle(Query(N, where=one(f"{N}/MMSE_SCORE", "=", "many"))),
    "infinity": format_bundle(Query(N, where=one(f"{N}/MMSE_SCORE", "<", "inf"))),
    "no value": format_bundle(Query(N, where=one(f"{N}/MMSE_SCORE", "<", " "))),
    "one bound": format_bundle(Query(N, where=one(f"{N}/MMSE_SCORE", "BETWEEN", "5"))),
    "an empty list": format_bundle(Query(N, where=one(f"{N}/MMSE_SCORE", "IN", ", ,"))),
    "no date": format_bundle(Query(SESSION, where=one(f"{SESSION}/DATE", ">", "soon"))),
    "no comparison": format_bundle(Query(N, where=one(f"{N}/MMSE_SCORE", "=", "1"))).replace(b">=<", b">~<"),
    "an entity": b'<!DOCTYPE a [<!ENTITY b "c">]><bundle><root_element_name>&b;</root_element_name></bundle>',
    "too many criteria": format_bundle(Query(N, where=Group(members=one(f"{N}/GENDER", "=", "F").members * 600))),
    "too many values": format_bundle(Query(N, where=one(f"{N}/GENDER", "IN", "x," * 25_000))),
    "too many types": format_bundle(
        Query(N, where=Group(members=tuple(Criterion(f"a:t{i}/X", Comparison.EQUAL, "1") for i in range(20))))
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_document_that_makes_no_sense_is_refused_in_one_line(reader: httpx2.Client, reason: str) -> None:
    reply = reader.post("/data/search?format=csv", content=REFUSED[reason])
    assert reply.status_code == 422, reply.text
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.text and "\n" not in reply.text


def test_a_document_that_is_too_long_is_not_read(reader: httpx2.Client) -> None:
    assert reader.post("/data/search", content=b" " * (17 << 20)).status_code == 413


DATES = ["2024-01-02", "01/02/2024", "20240102"]


@pytest.mark.parametrize("date", DATES)
def test_dates_are_read_in_every_spelling(reader: httpx2.Client, date: str) -> None:
    assert labels(reader, one(f"{SESSION}/DATE", ">", date), SESSION) == []
    assert len(labels(reader, one(f"{SESSION}/INSERT_DATE", ">", date), SESSION)) == 4


TRICKS = ["' OR 1=1 --", "\\", "%'; DROP TABLE users; --", 'x"', "\u0130", "100307\\%", "a" * 5_000]


@pytest.mark.parametrize("value", TRICKS)
@pytest.mark.parametrize("comparison", ["=", "LIKE", "IN", "!="])
def test_no_value_becomes_part_of_the_statement(reader: httpx2.Client, value: str, comparison: str) -> None:
    expected = [A, B, C, D] if comparison == "!=" else []
    assert labels(reader, one(f"{N}/SUBJECT_LABEL", comparison, value)) == expected


@pytest.mark.parametrize("content_type", [None, "text/xml", "application/x-www-form-urlencoded", "nonsense"])
def test_the_content_type_does_not_matter(reader: httpx2.Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    document = format_bundle(Query(N, fields(f"{N}/SUBJECT_LABEL")))
    assert reader.post("/data/search", content=document, headers=headers).status_code == 200


def test_a_search_cannot_be_read(reader: httpx2.Client) -> None:
    assert reader.get("/data/search").status_code == 405


def test_elements_and_fields_are_listed(reader: httpx2.Client) -> None:
    elements = reader.get("/data/search/elements").json()["ResultSet"]
    assert elements["title"] == "Data-Types"
    counts = {row["ELEMENT_NAME"]: row["COUNT"] for row in elements["Result"]}
    assert counts.pop("xnat:petSessionData") == "0"
    counts = {name: count for name, count in counts.items() if count != "0" or not name.startswith("xnat:")}
    assert counts == {PROJECT: "3", SUBJECT: "4", SESSION: "4", SCAN: "4", N: "4", "lab:memorydata": "0"}
    reply = reader.get(f"/data/search/elements/{SUBJECT}?format=csv").text.splitlines()
    assert reply[0] == "FIELD_ID,HEADER,SUMMARY,TYPE,REQUIRES_VALUE,DESC,ELEMENT_NAME,SRC"
    assert all(line.split(",")[0].isupper() for line in reply[1:])
    listed = reader.get(f"/data/search/elements/{N}?format=json").json()["ResultSet"]
    assert listed["title"] == "Search Fields"
    types = {row["FIELD_ID"]: row["TYPE"] for row in listed["Result"]}
    assert (types["MMSE_SCORE"], types["PICSEQ_UNADJ"], types["QC_ISSUE"]) == ("integer", "float", "string")
    assert reader.get(f"/data/search/elements/{SUBJECT}").headers["content-type"].startswith("text/xml")
    assert reader.get("/data/search/elements/no:type").status_code == 400


def test_every_listed_field_can_be_asked_for_and_searched_by(reader: httpx2.Client) -> None:
    for root in (PROJECT, SUBJECT, SESSION, SCAN, N):
        listed = reader.get(f"/data/search/elements/{root}?format=json").json()["ResultSet"]["Result"]
        names = [f"{root}/{row['FIELD_ID']}" for row in listed]
        where = Group(Method.OR, tuple(Criterion(name, Comparison.IS_NOT_NULL) for name in names))
        reply = post(reader, Query(root, fields(*names), where))
        assert reply.status_code == 200, reply.text
        assert len(reply.json()["ResultSet"]["Columns"]) == len(names) + 1


def test_people_and_counts_of_projects_are_shown(admin: httpx2.Client) -> None:
    asked = fields(*(f"{PROJECT}/{id}" for id in ("ID", "PROJECT_OWNERS", "PROJECT_COLLABS", "PROJ_MR_COUNT")))
    rows = post(admin, Query(PROJECT, asked, one(f"{PROJECT}/ID", "=", "HCP_Q1"))).json()["ResultSet"]["Result"]
    assert rows == [
        {
            "id": "HCP_Q1",
            "project_owners": "Owner Doe",
            "project_collabs": "Reader Doe <br/> Granted Doe",
            "proj_mr_count": "4",
            "quarantine_status": "active",
        }
    ]

"""Lists: columns, filters, order and paging, in every representation."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Served

P = "/data/projects/HCP_Q1"
S = f"{P}/subjects/100307"
E = f"{S}/experiments/100307_3T"
S1, S2, S3, S4 = (f"ConnectomeDB_S0000{number}" for number in range(1, 5))


def table(reply: httpx2.Response) -> list[list[str]]:
    """A CSV reply as lists, header first."""
    assert reply.status_code == 200, reply.text
    return list(csv.reader(io.StringIO(reply.text)))


def column(reply: httpx2.Response, name: str) -> list[str]:
    rows = table(reply)
    return [row[rows[0].index(name)] for row in rows[1:]]


HEADERS: dict[str, tuple[str, ...]] = {
    "/data/projects": ("ID", "secondary_ID", "name", "description", "pi_firstname", "pi_lastname", "URI"),
    "/data/projects?columns=ID,xsiType": ("ID", "URI"),
    "/data/projects?columns=name": ("ID", "name", "URI"),
    f"{P}/subjects": ("ID", "project", "label", "insert_date", "insert_user", "URI"),
    "/data/subjects": ("ID", "project", "label", "insert_date", "insert_user", "URI"),
    f"{P}/subjects?columns=ID,xsiType": ("ID", "URI"),
    f"{P}/subjects?columns=last_modified": ("ID", "last_modified", "URI"),
    f"{P}/subjects?columns=nonsense,,DEFAULT,gender": (
        *("ID", "project", "label", "insert_date", "insert_user", "gender", "URI"),
    ),
    f"{P}/subjects?columns=ID,xnat:subjectData/demographics%5B@xsi:type=xnat:demographicData%5D/gender,"
    "xnat:subjectData/group": ("ID", "gender", "group", "URI"),
    f"{P}/subjects?columns=ID,xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/gender": (
        *("ID", "gender", "URI"),
    ),
    f"{P}/experiments": (
        *("xnat:subjectassessordata/id", "ID", "project", "date", "xsiType", "label", "insert_date", "URI"),
    ),
    f"{S}/experiments?columns=ID,label": ("xnat:subjectassessordata/id", "ID", "label", "xsiType", "project", "URI"),
    "/data/experiments": ("xnat:experimentdata/id", "ID", "project", "date", "xsiType", "label", "insert_date", "URI"),
    "/data/experiments?xsiType=xnat:mrSessionData": (
        *("xnat:mrsessiondata/id", "ID", "project", "date", "xsiType", "label", "insert_date"),
        *("subject_ID", "subject_label", "URI"),
    ),
    "/data/experiments?xsiType=xnat:mrSessionData&columns=ID,xnat:mrSessionData/subject_id,xnat:mrScanData/ID": (
        *("xnat:mrsessiondata/id", "ID", "xnat:mrsessiondata/subject_id", "xnat:mrscandata/id", "URI"),
    ),
    "/data/experiments?columns=ID,xnat:subjectAssessorData/subject_id&xsiType=xnat:subjectAssessorData": (
        *("xnat:subjectassessordata/id", "ID", "subject_ID", "xsiType", "project", "URI"),
    ),
    f"{E}/scans": (
        *("xnat_imagescandata_id", "ID", "type", "quality", "xsiType", "note", "series_description", "URI"),
    ),
    f"{E}/scans?columns=ID,xsiType": ("xnat_imagescandata_id", "ID", "xsiType", "URI"),
    f"{E}/resources?columns=ID": (
        *("xnat_abstractresource_id", "label", "element_name", "category", "cat_id", "cat_desc"),
        *("file_count", "file_size", "tags", "content", "format"),
    ),
    f"{E}/files?columns=path,xsiType": (
        *("Name", "Size", "URI", "collection", "file_tags", "file_format", "file_content", "cat_ID", "digest"),
    ),
    f"{E}/reconstructions": ("xnat_reconstructedimagedata_id", "ID", "type", "baseScanType", "URI"),
    f"{E}/assessors": (
        *("ID", "project", "label", "date", "xsiType", "insert_date", "session_ID", "session_label", "URI"),
    ),
}


@pytest.mark.parametrize("address", HEADERS, ids=lambda address: address.removeprefix("/data/"))
def test_a_list_has_the_columns_that_clients_expect(reader: httpx2.Client, address: str) -> None:
    separator = "&" if "?" in address else "?"
    rows = table(reader.get(f"{address}{separator}format=csv"))
    assert tuple(rows[0]) == HEADERS[address]
    assert all(len(row) == len(rows[0]) for row in rows)


ADDRESSES = [
    f"{P}/subjects",
    "/data/archive/projects/HCP_Q1/subjects",
    "/REST/projects/HCP_Q1/subjects",
    "/REST/archive/projects/HCP_Q1/subjects/",
    "/data/subjects?project=HCP_Q1",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_prefix_lists_the_same_subjects(reader: httpx2.Client, address: str) -> None:
    separator = "&" if "?" in address else "?"
    reply = reader.get(f"{address}{separator}format=csv")
    assert column(reply, "label") == ["100307", "103515", "118932", "200614"]
    assert column(reply, "URI") == [f"/data/subjects/{id}" for id in (S1, S2, S3, S4)]


@pytest.mark.parametrize(
    "address",
    [
        E,
        f"{P}/experiments/100307_3T",
        f"{P}/subjects/{S1}/experiments/ConnectomeDB_E00001",
        f"{P}/experiments/ConnectomeDB_E00001",
        "/data/experiments/ConnectomeDB_E00001",
    ],
)
def test_scans_are_listed_at_every_nested_address(reader: httpx2.Client, address: str) -> None:
    reply = reader.get(f"{address}/scans?format=csv")
    assert column(reply, "type") == ["T1w_MPR1", "tfMRI_MOTOR_LR"]
    assert column(reply, "URI")[0] == "/data/experiments/ConnectomeDB_E00001/scans/1"


FILTERS: dict[str, Sequence[str]] = {
    "gender=female": (S1, S3),
    "gender=female,male": (S1, S2, S3, S4),
    "label=100307": (S1,),
    "label=10*": (S1, S2),
    "label=10%25": (S1, S2),
    "label=100307,200614": (S1, S4),
    "label=100_07": (),
    "gender=female&label=118932": (S3,),
    "nonsense=1": (S1, S2, S3, S4),
    "xnat:subjectData/label=103515": (S2,),
    "xnat%3AsubjectData%2Flabel=103515": (S2,),
    "hcp:nontoolboxdata/MMSE_Score=29-30": (S1, S2),
    "hcp:nontoolboxdata/MMSE_Score=28": (S3,),
    "hcp:nontoolboxdata/PicSeq_Unadj=98.5-111": (S2, S4),
    "hcp:nontoolboxdata/MMSE_Score=": (S4,),
    "xnat:mrSessionData/label=%25CREST": (S1, S2),
    "xnat:mrScanData/type=T1w*,tf*": (S1, S2),
    "age=": (S1, S2, S3, S4),
}


@pytest.mark.parametrize("query", FILTERS)
def test_filters_keep_the_rows_that_match(reader: httpx2.Client, query: str) -> None:
    reply = reader.get(f"{P}/subjects?columns=ID&format=csv&{query}")
    assert column(reply, "ID") == list(FILTERS[query])


@pytest.mark.parametrize(
    "query", ["hcp:nontoolboxdata/MMSE_Score=abc", "limit=ten", "offset=-1", "limit=99999999999", "age=1_0", "age=nan"]
)
def test_a_parameter_that_makes_no_sense_is_refused(reader: httpx2.Client, query: str) -> None:
    reply = reader.get(f"{P}/subjects?{query}")
    assert reply.status_code == 400
    assert reply.text.count("\n") == 0


ORDERS = {
    "sortBy=label": (S1, S2, S3, S4),
    "sortBy=label&sortOrder=DESC": (S4, S3, S2, S1),
    "sortBy=gender,label": (S1, S3, S2, S4),
    "sortBy=hcp:nontoolboxdata/mmse_score": (S3, S1, S2, S4),
    "sortBy=hcp:nontoolboxdata/mmse_score&sortOrder=DESC": (S4, S2, S1, S3),
    "sortBy=nonsense": (S1, S2, S3, S4),
}


@pytest.mark.parametrize("query", ORDERS)
def test_rows_come_in_the_order_asked_for(reader: httpx2.Client, query: str) -> None:
    columns = "ID,label,gender,hcp:nontoolboxdata/MMSE_Score"
    assert column(reader.get(f"{P}/subjects?columns={columns}&format=csv&{query}"), "ID") == list(ORDERS[query])


PAGES = {
    "limit=2": (S1, S2),
    "limit=2&offset=1": (S2, S3),
    "offset=3": (S4,),
    "limit=*&offset=2": (S3, S4),
    "offset=*": (S1, S2, S3, S4),
}


@pytest.mark.parametrize("query", PAGES)
def test_a_page_leaves_the_total_out(reader: httpx2.Client, query: str) -> None:
    result = reader.get(f"{P}/subjects?{query}").json()["ResultSet"]
    assert [row["ID"] for row in result["Result"]] == list(PAGES[query])
    assert "totalRecords" not in result


def test_other_lists_are_not_paged(reader: httpx2.Client) -> None:
    result = reader.get(f"{E}/scans?limit=1").json()["ResultSet"]
    assert (len(result["Result"]), result["totalRecords"]) == (2, "2")


def test_json_is_a_result_set_of_text(reader: httpx2.Client) -> None:
    reply = reader.get(f"{P}/subjects?columns=label,age,hcp:nontoolboxdata/PicSeq_Unadj")
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    result = reply.json()["ResultSet"]
    assert result["title"] == "Subjects"
    assert result["totalRecords"] == "4"
    assert result["Result"][2] == {
        "ID": S3,
        "label": "118932",
        "age": "",
        "hcp:nontoolboxdata/picseq_unadj": "",
        "URI": f"/data/subjects/{S3}",
    }
    assert result["Result"][3]["hcp:nontoolboxdata/picseq_unadj"] == "111.0"


def test_nothing_found_is_an_empty_table_with_columns(reader: httpx2.Client) -> None:
    assert reader.get(f"{P}/subjects?label=none").json()["ResultSet"]["Result"] == []
    assert reader.get(f"{P}/subjects?label=none&columns=ID&format=csv").text == "ID,URI\n"


def test_xml_and_html_are_well_formed_and_escaped(reader: httpx2.Client) -> None:
    root = ET.fromstring(reader.get("/data/projects?format=xml&columns=ID,name").content)
    assert root.get("totalRecords") == "3"
    assert [node.text for node in root.iter("column")] == ["ID", "name", "URI"]
    assert [node.text for node in root.iter("cell")][:2] == ["HCP_Q1", "Q1 & friends"]
    page = reader.get("/data/projects?format=html")
    assert page.headers["content-type"].startswith("text/html")
    assert "Q1 &amp; friends" in page.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/html,application/xhtml+xml", "text/html"),
        ("application/xml", "text/xml"),
    ],
)
def test_accept_chooses_where_format_does_not(reader: httpx2.Client, accept: str, media_type: str) -> None:
    reply = reader.get("/data/projects", headers={"Accept": accept})
    assert reply.headers["content-type"].partition(";")[0] == media_type
    asked = reader.get("/data/projects?format=CSV", headers={"Accept": accept})
    assert asked.headers["content-type"].startswith("text/csv")


def test_an_unknown_format_is_refused(reader: httpx2.Client) -> None:
    assert reader.get("/data/projects?format=pdf").status_code == 400


def test_a_comma_or_quote_in_a_value_is_quoted_in_csv(reader: httpx2.Client) -> None:
    reply = reader.get(f"{P}/subjects?columns=label,hcp:nontoolboxdata/QC_Issue&format=csv")
    assert f'{S3},118932,"A,B",/data/subjects/{S3}\n' in reply.text


def test_one_row_per_scan_where_scans_are_asked_for(reader: httpx2.Client) -> None:
    reply = reader.get("/data/experiments?xsiType=xnat:mrSessionData&columns=ID,xnat:mrScanData/ID&format=csv")
    pairs = list(zip(column(reply, "ID"), column(reply, "xnat:mrscandata/id"), strict=True))
    assert pairs[:3] == [("ConnectomeDB_E00001", "1"), ("ConnectomeDB_E00001", "2"), ("ConnectomeDB_E00002", "")]


def test_abstract_types_list_all_their_descendants(reader: httpx2.Client) -> None:
    for data_type, count in (("xnat:experimentData", 8), ("xnat:imageSessionData", 4), ("hcp:nontoolboxdata", 4)):
        reply = reader.get(f"{P}/experiments?xsiType={data_type}")
        assert reply.json()["ResultSet"]["totalRecords"] == str(count)
    assert reader.get(f"{P}/experiments?xsiType=xnat:nonsense").status_code == 400


def test_experiments_of_a_subject_are_found_without_a_project(reader: httpx2.Client) -> None:
    for query in (f"subject_ID={S1}", "subject_label=100307", "xnat:subjectData/label=100307"):
        reply = reader.get(f"/data/experiments?{query}&columns=label&format=csv")
        assert column(reply, "label") == ["100307_3T", "100307_CREST", "100307_nontoolbox"]


def test_the_state_of_an_experiment_is_told(reader: httpx2.Client) -> None:
    assert reader.get(f"{E}/status").text == "active"
    assert reader.get("/data/experiments/none/status").status_code == 404


VIEWS = [
    ("owner", "accessible=true", ["HCP_Q1", "OPEN"]),
    ("owner", "accessible=false", ["LAB"]),
    ("owner", "owner=true", ["HCP_Q1"]),
    ("reader", "owner=true", []),
    ("reader", "owner=true&collaborator=true", ["HCP_Q1"]),
    ("reader", "collaborator=false", ["LAB", "OPEN"]),
    ("reader", "data=readable", ["HCP_Q1", "OPEN"]),
    ("reader", "permissions=edit&dataType=xnat:subjectData", []),
    ("owner", "restrict=delete", ["HCP_Q1"]),
    ("stranger", "accessible=true", ["OPEN"]),
    ("stranger", "member=true", []),
    ("stranger", "admin=true", []),
    ("admin", "admin=true", ["HCP_Q1", "LAB", "OPEN"]),
    ("admin", "data=delete", ["HCP_Q1", "LAB", "OPEN"]),
    ("reader", "favorite=true", []),
    ("owner", "activeSince=2000-01-01&prearc_code=4", ["HCP_Q1", "LAB", "OPEN"]),
    ("owner", "activeSince=12/31/2200", []),
    ("owner", "prearc_code=5", []),
]


@pytest.mark.parametrize(("login", "query", "projects"), VIEWS)
def test_projects_by_what_they_are_to_the_caller(served: Served, login: str, query: str, projects: list[str]) -> None:
    with served.client(login) as client:
        result = client.get(f"/data/projects?format=json&{query}").json()["ResultSet"]
        assert [row["id"] for row in result["Result"]] == projects
        recent = client.get(f"/data/projects?recent=true&{query}&format=csv").text.splitlines()
        assert recent[0].startswith("id,name,description,secondary_id,pi,insert_date")
        assert len(recent) == 1 + len(projects)
    if login == "owner" and query == "owner=true":
        row = result["Result"][0]
        assert (row["user_role"], row["project_access"], row["URI"]) == ("Owners", "private", "/data/projects/HCP_Q1")


@pytest.mark.parametrize("query", ["data=fly", "activeSince=never", "prearc_code=x"])
def test_views_that_mean_nothing_are_refused(reader: httpx2.Client, query: str) -> None:
    assert reader.get(f"/data/projects?{query}").status_code == 400

"""The dashboard's questions over HTTP: pages, counts, funnels, charts, and what of them is nobody's business."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from connectomedb.client.interface import Interface
from connectomedb.errors import QueryError
from connectomedb.server.access.small_groups import hide_small
from connectomedb.server.query.distribution import round_edges
from connectomedb.server.routes.explore import _json

if TYPE_CHECKING:
    from tests.server.conftest import Served

Q1 = "/data/projects/HCP_Q1/explore"


def ask(client: httpx2.Client, address: str = Q1, **words: object) -> dict[str, Any]:
    reply = client.get(address, params={key: str(value) for key, value in words.items()})
    assert reply.status_code == 200, reply.text
    document: dict[str, Any] = reply.json()
    return document


def labels(document: Mapping[str, Any]) -> list[str]:
    return [row[0] for row in document["rows"]]


def test_a_page_tells_counts_columns_and_rows(reader: httpx2.Client) -> None:
    page = ask(reader, where="MMSE_Score >=29 and (Gender='F' or Gender = 'M')", columns="Age,MMSE_Score")
    assert (page["total"], page["passed"], page["tier"]) == (4, 2, "open")
    assert page["predicate"] == "MMSE_Score >= 29 and (Gender = 'F' or Gender = 'M')"
    assert page["rows"] == [["100307", "26-30", 29], ["103515", "31-35", 30]]
    assert [column["name"] for column in page["columns"]] == ["Subject", "Age", "MMSE_Score"]
    kinds = [(column["kind"], column["tier"]) for column in page["columns"]]
    assert kinds == [("string", "open"), ("string", "open"), ("integer", "open")]
    assert "funnel" not in page


def test_without_columns_those_of_the_predicate_are_shown_and_a_star_shows_all(reader: httpx2.Client) -> None:
    page = ask(reader, where="PicSeq_Unadj is empty")
    assert page["rows"] == [["118932", None]]
    everything = ask(reader, columns="*")
    names = ["Subject", "Gender", "Age", "MMSE_Score", "PMAT24_A_CR", "PicSeq_Unadj", "3T_RS-fMRI_Count", "QC_Issue"]
    assert [column["name"] for column in everything["columns"]] == names
    assert everything["rows"][2] == ["118932", "F", "22-25", 28, 24, None, 2, "A,B"]


def test_rows_are_sorted_and_paged_and_missing_values_come_last(reader: httpx2.Client) -> None:
    ascending, descending = ["103515", "200614", "100307", "118932"], ["100307", "200614", "103515", "118932"]
    assert labels(ask(reader, sort="PicSeq_Unadj")) == ascending
    assert labels(ask(reader, sort="PicSeq_Unadj", descending="true")) == descending
    pages = [labels(ask(reader, sort="PicSeq_Unadj", limit=2, offset=start)) for start in (0, 2, 4)]
    assert pages == [ascending[:2], ascending[2:], []]
    assert labels(ask(reader, sort="Subject", descending="true"))[0] == "200614"
    counted = ask(reader, limit=0, where="Gender = 'M'")
    assert (counted["passed"], counted["rows"]) == (2, [])


def test_the_funnel_keeps_missing_apart(reader: httpx2.Client) -> None:
    page = ask(reader, where="PicSeq_Unadj > 100 and MMSE_Score > 28 and not QC_Issue has A", funnel="true")
    assert page["funnel"] == [
        {"criterion": "PicSeq_Unadj > 100", "before": 4, "passed": 2, "failing": 1, "missing": 1},
        {"criterion": "MMSE_Score > 28", "before": 2, "passed": 1, "failing": 0, "missing": 1},
        {"criterion": "not QC_Issue has A", "before": 1, "passed": 1, "failing": 0, "missing": 0},
    ]
    assert page["passed"] == 1
    assert ask(reader, funnel="true")["funnel"] == []


def test_files_choose_subjects(reader: httpx2.Client) -> None:
    where = 'exists "tfMRI_MOTOR_LR/*.nii.gz" and not exists "/EVs/*"'
    assert labels(ask(reader, where=where)) == ["100307", "103515"]
    assert labels(ask(reader, where='exists "T1w/Diffusion/bvals" and Gender = M')) == ["103515"]
    assert labels(ask(reader, where='not exists "bvals"')) == ["118932", "200614"]


def test_another_data_type_may_be_compared_without_repeating_anybody(reader: httpx2.Client) -> None:
    page = ask(reader, where="xnat:mrSessionData/LABEL like '%_CREST' and MMSE_Score > 0", funnel="true")
    assert labels(page) == ["100307", "103515"]
    assert page["funnel"][0] | {"criterion": ""} == {
        **{"criterion": "", "before": 4, "passed": 2, "failing": 0, "missing": 2},
    }
    assert ask(reader, where="xnat:subjectData/GENDER_TEXT = F")["passed"] == 2


@pytest.mark.parametrize(
    ("where", "column", "near"),
    [("MMSE_Score >= 29 and Gendr = 'F'", 22, ["Gender"]), ("Age = ", 7, []), ("MMSE_Score like 'x'", 12, [])],
)
def test_a_slip_is_pointed_at(reader: httpx2.Client, where: str, column: int, near: list[str]) -> None:
    for what in ("", "/subjects", "/distribution"):
        reply = reader.get(Q1 + what, params={"where": where, "column": "Age"})
        assert reply.status_code == 422
        slip = reply.json()
        assert (slip["column"], slip["near"]) == (column, near)
        assert f"at column {column}" in slip["message"] and "\n" not in slip["message"]


@pytest.mark.parametrize(
    ("what", "words", "status"),
    [
        ("", {"columns": "Age,Agee"}, 422),
        ("", {"sort": "Agee"}, 422),
        ("", {"limit": "10001"}, 400),
        ("", {"limit": "*"}, 400),
        ("", {"tier": "secret"}, 400),
        ("", {"format": "xml"}, 400),
        ("", {"type": "xnat:mrSessionData"}, 404),
        ("", {"where": "xnat:mrSessionData/NONE = 1"}, 422),
        ("", {"group": "nobodys"}, 404),
        ("/distribution", {}, 422),
        ("/distribution", {"column": "Age", "bins": "1"}, 400),
        ("/distribution", {"column": "Age", "bins": "201"}, 400),
    ],
)
def test_what_cannot_be_is_refused(reader: httpx2.Client, what: str, words: dict[str, str], status: int) -> None:
    assert reader.get(Q1 + what, params=words).status_code == status


def test_csv_has_all_rows_in_order(reader: httpx2.Client) -> None:
    reply = reader.get(Q1, params={"columns": "MMSE_Score,Gender", "sort": "MMSE_Score", "format": "csv"})
    assert reply.headers["content-type"].startswith("text/csv")
    assert 'filename="unrestricted_reader_' in reply.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(reply.text)))
    assert rows[0] == ["Subject", "MMSE_Score", "Gender"]
    assert rows[1:] == [["118932", "28", "F"], ["100307", "29", "F"], ["103515", "30", "M"], ["200614", "", "M"]]


def test_labels_of_all_that_pass(reader: httpx2.Client) -> None:
    assert reader.get(f"{Q1}/subjects", params={"where": "Gender = F"}).text == "100307\n118932\n"
    reply = ask(reader, f"{Q1}/subjects", where="Gender = F", format="json")
    assert reply == {"columns": ["Subject", "Project"], "rows": [["100307", "HCP_Q1"], ["118932", "HCP_Q1"]]}


def test_a_form_asks_the_same(reader: httpx2.Client) -> None:
    reply = reader.post(Q1, data={"where": "Gender = 'F'", "columns": "Age"})
    assert reply.json() == ask(reader, where="Gender = 'F'", columns="Age")


def test_numbers_have_a_histogram(reader: httpx2.Client) -> None:
    spread = ask(reader, f"{Q1}/distribution", column="MMSE_Score", where="Gender = F")
    assert spread == {
        **{"kind": "number", "low": 28, "high": 30, "edges": [28, 29, 30, 31], "all": [1, 1, 1], "passed": [1, 1, 0]},
        "missing": {"all": 1, "passed": 0},
    }
    spread = ask(reader, f"{Q1}/distribution", column="PicSeq_Unadj", bins=3)
    assert (spread["edges"], spread["all"]) == ([80, 100, 120, 140], [1, 1, 1])
    nobody = ask(reader, f"{Q1}/distribution", column="MMSE_Score", where="Age = 'none'")
    assert nobody["passed"] == [0, 0, 0] and nobody["all"] == [1, 1, 1]


def test_words_have_bars(reader: httpx2.Client) -> None:
    spread = ask(reader, f"{Q1}/distribution", column="Age", where="MMSE_Score > 28", bins=2)
    assert spread == {
        "kind": "word",
        "values": [{"value": "22-25", "all": 1, "passed": 0}, {"value": "26-30", "all": 2, "passed": 1}],
        "others": {"values": 1, "all": 1, "passed": 1},
        "missing": {"all": 0, "passed": 0},
    }


def test_over_all_projects_each_is_named(reader: httpx2.Client, served: Served) -> None:
    page = ask(reader, "/data/explore", columns="Age")
    assert [column["name"] for column in page["columns"]] == ["Subject", "Project", "Age"]
    assert page["rows"][0] == ["100307", "HCP_Q1", "26-30"]
    assert ask(reader, "/data/explore", type="lab:memorydata")["total"] == 0
    with served.client("admin") as admin:
        found = ask(admin, "/data/explore", type="lab:memorydata", columns="*")
    assert found["rows"] == [["L1", "LAB", 7, "good"]]


@pytest.mark.parametrize("what", ["", "/subjects", "/distribution"])
def test_who_may_not_read_a_project_explores_nothing(served: Served, what: str) -> None:
    with served.client("stranger") as stranger:
        assert stranger.get(f"/data/projects/LAB/explore{what}").status_code == 403
        assert stranger.get(f"{Q1}{what}").status_code == 404
        assert "100307" not in stranger.get(f"/data/explore{what}?column=Age").text
    with served.client(None) as nobody:
        assert nobody.get(f"{Q1}{what}").status_code == 401


def test_a_tier_narrows_what_is_held_and_never_widens_it(served: Served, reader: httpx2.Client) -> None:
    where = {"where": "Age_in_Yrs < 30", "columns": "Handedness,THC"}
    with served.client("granted") as granted:
        page = ask(granted, **where)
        assert (page["tier"], page["passed"]) == ("sensitive", 3)
        assert [column["tier"] for column in page["columns"]] == ["open", "restricted", "sensitive"]
        assert granted.get(Q1, params={**where, "tier": "restricted"}).status_code == 422
        narrowed = {"where": "Age_in_Yrs < 30", "tier": "restricted"}
        assert ask(granted, **narrowed)["passed"] == 3
        assert granted.get(Q1, params={"where": "Age_in_Yrs < 30", "tier": "open"}).status_code == 422
        assert (
            'filename="RESTRICTED_granted_'
            in granted.get(Q1, params={**where, "format": "csv"}).headers["content-disposition"]
        )
    for tier in ("open", "restricted", "sensitive"):
        assert reader.get(Q1, params={**where, "tier": tier}).status_code == 422
        assert ask(reader, tier=tier)["tier"] == "open"


def test_reading_restricted_columns_is_in_the_audit_log(served: Served, admin: httpx2.Client) -> None:
    with served.client("granted") as granted:
        ask(granted, f"{Q1}/distribution", column="Handedness", where="Age_in_Yrs > 1")
    served.site.audit.flush()
    rows = admin.get("/data/audit?user=granted&action=restricted-read&limit=1").json()["ResultSet"]["Result"]
    assert "HANDEDNESS" in rows[0]["detail"].upper() and "AGE_IN_YRS" in rows[0]["detail"].upper()


def test_small_groups_of_restricted_columns_are_not_charted(served: Served) -> None:
    with served.client("granted") as granted:
        bars = ask(granted, f"{Q1}/distribution", column="Handedness")
        assert bars["missing"]["all"] is None
        assert {count for count in bars["all"] if count != 0} == {None}
        chosen = ask(granted, f"{Q1}/distribution", column="Gender", where="Age_in_Yrs > 1")
        assert [value["all"] for value in chosen["values"]] == [2, 2]
        assert [value["passed"] for value in chosen["values"]] == [None, None]


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([0, 10, 20], [0, 10, 20]),
        ([3, 10, 20], [None, None, 20]),
        ([1, 1, 9, 20], [None, None, None, 20]),
        ([4, 4, 20], [None, None, 20]),
        ([2], [None]),
        ([], []),
    ],
)
def test_a_hidden_count_cannot_be_had_by_subtraction(counts: list[int], shown: list[int | None]) -> None:
    assert hide_small(counts, 5) == shown
    assert hide_small(counts, 0) == counts


@pytest.mark.parametrize(
    ("low", "high", "most", "is_whole", "edges"),
    [
        (20, 30, 20, True, list(range(20, 32))),
        (0, 1, 10, True, [0, 1, 2]),
        (7, 7, 20, True, [7, 8]),
        (1, 1206, 20, True, list(range(0, 1301, 100))),
        (0.0, 1.0, 10, False, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        (2.5, 2.5, 20, False, [2.0, 3.0]),
        (-70.0, 100.0, 5, False, [-100.0, -50.0, 0.0, 50.0, 100.0]),
    ],
)
def test_edges_are_round(low: float, high: float, most: int, is_whole: bool, edges: list[float]) -> None:
    assert list(round_edges(low, high, most, is_whole=is_whole)) == edges


def test_a_kept_group_narrows_and_does_not_name_what_is_hidden(served: Served, reader: httpx2.Client) -> None:
    with Interface(served.address, "granted", "correct horse") as db:
        db.groups.save("young", db.where("Age_in_Yrs < 28", project="HCP_Q1"))
        db.groups.save("women", db.where("Gender = 'F'", project="HCP_Q1"))
    with served.client("granted") as granted:
        page = ask(granted, group="young", where="MMSE_Score > 28")
        assert (labels(page), page["predicate"]) == (["100307"], "MMSE_Score > 28")
        assert labels(ask(granted, "/data/explore", group="women")) == ["100307", "118932"]
        narrowed = granted.get(Q1, params={"group": "young", "tier": "open"})
        assert narrowed.status_code == 403 and "Age_in" not in narrowed.text
    assert reader.get(Q1, params={"group": "young"}).status_code in (403, 404)
    with Interface(served.address, "granted", "correct horse") as db:
        for name in ("young", "women"):
            db.groups.remove(name)


def test_groups_are_saved_listed_and_forgotten(served: Served, reader: httpx2.Client) -> None:
    with served.client("granted") as granted:
        saved = granted.put(f"{Q1}/groups/aged", params={"where": "Age_in_Yrs>28 and not Gender has F"})
        predicate = "Age_in_Yrs > 28 and not Gender has F"
        facts = {"name": "aged", "predicate": predicate, "project": "HCP_Q1"}
        assert saved.json() == facts | {"data_type": "hcp:nontoolboxdata"}
        assert labels(ask(granted, "/data/explore", group="aged")) == ["103515", "200614"]
        assert {**saved.json(), "owner": "granted"} in ask(granted, f"{Q1}/groups")["groups"]
        with Interface(served.address, "granted", "correct horse") as db:
            assert db.groups.get("aged").subjects() == ["103515", "200614"]
        assert "aged" not in reader.get("/data/explore/groups").text
        assert reader.put("/data/explore/groups/aged", params={"where": "Gender = F"}).status_code == 403
        assert reader.delete("/data/explore/groups/aged").status_code in (403, 404)
        assert granted.put(f"{Q1}/groups/a b", params={"where": "Gender = F"}).status_code == 400
        assert granted.put(f"{Q1}/groups/bad", params={"where": "Gendr = F"}).json()["near"] == ["Gender"]
        assert granted.delete("/data/explore/groups/aged").status_code == 200
        assert granted.delete("/data/explore/groups/aged").status_code == 404


def test_numbers_without_end_have_no_histogram_and_are_text_in_json() -> None:
    with pytest.raises(QueryError, match="without end"):
        round_edges(0.0, math.inf, 20)
    assert _json({"rows": [["100307", math.inf, 1.5]]}).body == b'{"rows":[["100307","inf",1.5]]}'

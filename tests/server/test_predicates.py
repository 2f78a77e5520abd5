"""Predicates taken apart and put together by the server, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Served

Q1 = "/data/projects/HCP_Q1/explore"


def ask(client: httpx2.Client, what: str = "predicate", **words: object) -> dict[str, Any]:
    reply = client.get(f"{Q1}/{what}", params=words)  # type: ignore[arg-type]
    assert reply.status_code == 200, reply.text
    document: dict[str, Any] = reply.json()
    return document


def test_a_predicate_is_told_in_parts(reader: httpx2.Client) -> None:
    told = ask(reader, where="MMSE_Score>=29 and (Gender = F or Age in ('22-25', '26-30')) and not QC_Issue has A,B")
    assert told["tier"] == "open"
    first, second, third = told["criteria"]
    assert first == {
        "criterion": "MMSE_Score >= 29",
        "column": "MMSE_Score",
        "operator": ">=",
        "values": ["29"],
        "category": "Others",
        "without": "(Gender = 'F' or Age in ('22-25', '26-30')) and not QC_Issue has A,B",
    }
    assert (second["column"], second["operator"], second["values"]) == (None, None, [])
    assert second["without"] == "MMSE_Score >= 29 and not QC_Issue has A,B"
    assert (third["column"], third["operator"], third["values"]) == ("QC_Issue", "not has", ["A", "B"])
    assert ask(reader) == {"predicate": "", "tier": "open", "criteria": []}


@pytest.mark.parametrize(
    ("column", "operator", "values", "text"),
    [
        ("MMSE_Score", ">=", ["29"], "MMSE_Score >= 29"),
        ("Gender", "!=", ["F"], "Gender != 'F'"),
        ("PicSeq_Unadj", "between", ["80", "100.5"], "PicSeq_Unadj between 80 and 100.5"),
        ("MMSE_Score", "not between", ["20", "30"], "MMSE_Score not between 20 and 30"),
        ("Age", "in", ["22-25", "26-30"], "Age in ('22-25', '26-30')"),
        ("Age", "not in", ["22-25"], "Age not in ('22-25')"),
        ("Age", "like", ["2*"], "Age like '2*'"),
        ("Age", "not like", ["2*"], "Age not like '2*'"),
        ("QC_Issue", "has", ["A", "B"], "QC_Issue has A,B"),
        ("QC_Issue", "not has", ["A"], "not QC_Issue has A"),
        ("3T_RS-fMRI_Count", "is empty", [], "3T_RS-fMRI_Count is empty"),
        ("3T_RS-fMRI_Count", "is not empty", [], "3T_RS-fMRI_Count is not empty"),
        ("", "exists", ['T1w/*"x'], 'exists "T1w/*""x"'),
        ("", "not exists", ["T1w/*"], 'not exists "T1w/*"'),
    ],
)
def test_every_criterion_goes_apart_and_together(
    reader: httpx2.Client, column: str, operator: str, values: list[str], text: str
) -> None:
    made = ask(reader, where="Gender = M or Age = '22-25'", column=column, operator=operator, value=values)
    assert made["predicate"] == f"(Gender = 'M' or Age = '22-25') and {text}"
    parts = made["criteria"][1]
    assert (parts["column"], parts["operator"], parts["values"]) == (column, operator, values)
    assert parts["without"] == "Gender = 'M' or Age = '22-25'"


def test_a_criterion_takes_the_place_of_another(reader: httpx2.Client) -> None:
    words = {"where": "Gender = 'F' and MMSE_Score > 28", "column": "Age", "operator": "=", "value": "22-25"}
    assert ask(reader, **words, place=0)["predicate"] == "Age = '22-25' and MMSE_Score > 28"
    assert ask(reader, **words, place=9)["predicate"] == "Gender = 'F' and MMSE_Score > 28 and Age = '22-25'"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ({"column": "Agee", "operator": "=", "value": "1"}, 422, "Did you mean Age"),
        ({"column": "MMSE_Score", "operator": ">=", "value": "many"}, 422, "holds numbers"),
        ({"column": "MMSE_Score", "operator": "~", "value": "1"}, 400, "There are ="),
        ({"column": "MMSE_Score", "operator": ">="}, 400, "Give a value"),
        ({"column": "MMSE_Score", "operator": "=", "value": "1' or Age = '2"}, 422, "holds numbers"),
        ({"column": "", "operator": "exists", "value": "<nothing>"}, 422, "no pattern"),
    ],
)
def test_what_cannot_be_is_refused(reader: httpx2.Client, words: dict[str, str], status: int, said: str) -> None:
    reply = reader.get(f"{Q1}/predicate", params=words)
    assert reply.status_code == status
    assert said in reply.text


def test_hidden_columns_are_in_no_predicate_and_no_list(served: Served, reader: httpx2.Client) -> None:
    assert reader.get(f"{Q1}/predicate", params={"where": "Age_in_Yrs > 28"}).status_code == 422
    listed = ask(reader, "columns")
    assert (listed["tier"], listed["tiers"]) == ("open", ["open"])
    assert "Age_in_Yrs" not in str(listed)
    with served.client("granted") as granted:
        assert ask(granted, where="Age_in_Yrs > 28 and Gender = F")["tier"] == "restricted"
        in_open = ask(granted, "columns", tier="open")
        assert (in_open["tier"], in_open["tiers"]) == ("open", ["open", "restricted", "sensitive"])
        assert in_open["columns"] == listed["columns"]
        names = [column["name"] for column in ask(granted, "columns")["columns"]]
        assert "Age_in_Yrs" in names and "Subject" not in names


def test_columns_are_listed_by_category(reader: httpx2.Client) -> None:
    listed = ask(reader, "columns")
    assert sum(one["columns"] for one in listed["categories"]) == len(listed["columns"])
    first = listed["categories"][0]["name"]
    assert (listed["category"], ask(reader, "columns", category="")["category"]) == ("", first)
    for one in listed["categories"]:
        inside = ask(reader, "columns", category=one["name"])["columns"]
        assert inside == [column for column in listed["columns"] if column["category"] == one["name"]]
    few = ask(reader, "columns", limit=2)
    assert (few["columns"], few["categories"]) == (listed["columns"][:2], listed["categories"])

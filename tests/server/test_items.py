"""One object as JSON and XML."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import httpx2
import pytest

from connectomedb.xnat.document import Item, parse_item_json

P = "/data/projects/HCP_Q1"
XNAT = "{http://nrg.wustl.edu/xnat}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def item(client: httpx2.Client, address: str) -> Item:
    reply = client.get(f"{address}?format=json")
    assert reply.status_code == 200, reply.text
    return parse_item_json(reply.content)


def test_a_project_has_its_fields(reader: httpx2.Client) -> None:
    found = item(reader, P)
    assert found.type == "xnat:projectData"
    assert found.fields == {"ID": "HCP_Q1", "name": "Q1 & friends", "description": "Made up"}


@pytest.mark.parametrize("address", [f"{P}/subjects/100307", "/data/subjects/ConnectomeDB_S00001"])
def test_a_subject_has_demographics_and_experiments(reader: httpx2.Client, address: str) -> None:
    found = item(reader, address)
    assert found.fields == {"ID": "ConnectomeDB_S00001", "project": "HCP_Q1", "label": "100307"}
    assert [child.fields for child in found.children["demographics"]] == [{"gender": "female"}]
    experiments = found.children["experiments/experiment"]
    assert [child.type for child in experiments] == ["xnat:mrSessionData", "xnat:mrSessionData", "hcp:nontoolboxdata"]
    assert experiments[2].fields["MMSE_Score"] == 29


def test_an_experiment_has_scans_and_resources(reader: httpx2.Client) -> None:
    found = item(reader, f"{P}/experiments/100307_3T")
    assert found.fields["subject_ID"] == "ConnectomeDB_S00001"
    scan = found.children["scans/scan"][0]
    assert scan.type == "xnat:mrScanData"
    assert (scan.fields["ID"], scan.fields["type"]) == ("1", "T1w_MPR1")
    assert scan.fields["image_session_ID"] == "ConnectomeDB_E00001"
    sizes = {child.fields["label"]: child.fields["file_count"] for child in found.children["resources/resource"]}
    assert sizes["Structural_preproc"] == 2


@pytest.mark.parametrize("selector", ["2", "tfMRI_MOTOR_LR"])
def test_a_scan_is_found_by_id_or_type(reader: httpx2.Client, selector: str) -> None:
    assert item(reader, f"{P}/experiments/100307_3T/scans/{selector}").fields["ID"] == "2"


@pytest.mark.parametrize(
    ("address", "element", "attributes"),
    [
        (P, "Project", {"ID": "HCP_Q1"}),
        (f"{P}/subjects/100307", "Subject", {"ID": "ConnectomeDB_S00001", "project": "HCP_Q1", "label": "100307"}),
        (
            f"{P}/experiments/100307_3T",
            "MRSession",
            {"ID": "ConnectomeDB_E00001", "project": "HCP_Q1", "label": "100307_3T"},
        ),
        (f"{P}/experiments/100307_3T/scans/1", "MRScan", {"ID": "1", "type": "T1w_MPR1"}),
    ],
)
def test_xml_is_the_default_and_says_its_type(
    reader: httpx2.Client, address: str, element: str, attributes: dict[str, str]
) -> None:
    reply = reader.get(address)
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    root = ET.fromstring(reply.content)
    assert root.tag == XNAT + element
    assert {name: value for name, value in root.attrib.items() if "}" not in name} == attributes


def test_measures_have_elements_of_their_own_prefix(reader: httpx2.Client) -> None:
    root = ET.fromstring(reader.get(f"{P}/experiments/100307_nontoolbox").content)
    hcp = "{http://nrg.wustl.edu/hcp}"
    assert root.tag == f"{hcp}nontoolboxdata"
    assert root.findtext(f"{hcp}MMSE_Score") == "29"
    assert root.findtext("_3T_RS-fMRI_Count") == "4"
    assert root.findtext(f"{XNAT}subject_ID") == "ConnectomeDB_S00001"


def test_documents_are_valid_by_the_schemas_that_are_served(
    reader: httpx2.Client, admin: httpx2.Client, schema_faults: Callable[[httpx2.Client], list[str]]
) -> None:
    assert schema_faults(reader) == []
    assert schema_faults(admin) == []


def test_children_in_xml_say_their_type(reader: httpx2.Client) -> None:
    root = ET.fromstring(reader.get(f"{P}/subjects/100307?format=xml").content)
    experiments = root.findall(f"{XNAT}experiments/{XNAT}experiment")
    assert experiments[0].get(XSI_TYPE) == "xnat:mrSessionData"
    assert root.findtext(f"{XNAT}demographics/{XNAT}gender") == "female"


@pytest.mark.parametrize(
    "address",
    [
        "/data/projects/NONE",
        "/data/projects/hcp_q1",
        f"{P}/subjects/999999",
        f"{P}/experiments/none",
        f"{P}/subjects/103515/experiments/100307_3T",
        f"{P}/experiments/100307_3T/scans/99",
        f"{P}/experiments/100307_3T/assessors/1",
        "/data/subjects/100307",
        "/data/experiments/100307_3T",
        "/data/subjects/ConnectomeDB_S00001/experiments",
        f"{P}/nonsense",
        "/data/nonsense",
        "/data/projects/OPEN/subjects/ConnectomeDB_S00001",
    ],
)
def test_what_is_not_there_is_answered_in_one_line(reader: httpx2.Client, address: str) -> None:
    reply = reader.get(address)
    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("text/plain")
    assert "\n" not in reply.text
    assert "Not Found" not in reply.text


def test_several_scans_are_no_one_object(reader: httpx2.Client) -> None:
    assert reader.get(f"{P}/experiments/100307_3T/scans/ALL").status_code == 400


def test_an_object_is_not_patched(admin: httpx2.Client) -> None:
    assert admin.request("PATCH", f"{P}/subjects/100307").status_code == 405

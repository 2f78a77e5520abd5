"""Writing objects over HTTP: what is answered, and what is there afterwards."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import httpx2
import pytest

from connectomedb.server.query import listing
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.document import Item, parse_item_json
from connectomedb.xnat.query import Comparison, Criterion, Group, Query, SearchField

if TYPE_CHECKING:
    from tests.server.conftest import ClientsOf, ServeLab

XNAT = "{http://nrg.wustl.edu/xnat}"
P = "/data/projects/P1"
MR = "xsiType=xnat:mrSessionData"


def item(client: httpx2.Client, address: str) -> Item:
    reply = client.get(f"{address}?format=json")
    assert reply.status_code == 200, reply.text
    return parse_item_json(reply.content)


def rows(client: httpx2.Client, address: str) -> list[dict[str, str]]:
    reply = client.get(address, params=None)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, str]] = reply.json()["ResultSet"]["Result"]
    return found


def put(client: httpx2.Client, address: str, status: int = 200, **send: object) -> str:
    reply = client.put(address, **send)  # type: ignore[arg-type]
    assert reply.status_code == status, reply.text
    return reply.text


@pytest.fixture(scope="module")
def lab(write_lab: ServeLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientsOf]:
    """Projects to be written in; every test makes what it needs."""
    with write_lab(tmp_path_factory.mktemp("lab")) as clients:
        yield clients


@pytest.fixture
def owner(lab: ClientsOf) -> Iterator[httpx2.Client]:
    with lab("owner") as client:
        yield client


@pytest.fixture
def member(lab: ClientsOf) -> Iterator[httpx2.Client]:
    with lab("member") as client:
        yield client


def test_a_subject_is_made_and_changed(owner: httpx2.Client) -> None:
    id = put(owner, f"{P}/subjects/made?gender=female&yob=1990&group=control", 201)
    assert id.startswith("ConnectomeDB_S")
    assert put(owner, f"{P}/subjects/made?age=31") == id
    assert put(owner, f"/data/subjects/{id}?group=patients") == id
    found = item(owner, f"{P}/subjects/made")
    assert found.fields == {"ID": id, "project": "P1", "group": "patients", "label": "made"}
    assert found.children["demographics"][0].fields == {"yob": 1990, "age": 31, "gender": "female"}
    put(owner, f"{P}/subjects/made?gender=NULL&group=")
    found = item(owner, f"{P}/subjects/made")
    assert "group" not in found.fields
    assert "gender" not in found.children["demographics"][0].fields


SUBJECT = "xnat:subjectData"


def search(client: httpx2.Client, field: str, comparison: str = "IS NOT NULL", value: str = "", **shown: str) -> str:
    """CSV of subjects by a criterion: their labels, and that field, or what `shown` names."""
    columns = ("SUBJECT_LABEL", shown.get("column", field.partition("/")[2]))
    asked = tuple(SearchField(SUBJECT, column) for column in columns)
    where = Group(members=(Criterion(field, Comparison(comparison), value),))
    reply = client.post("/data/search?format=csv", content=format_bundle(Query(SUBJECT, asked, where)))
    assert reply.status_code == 200, reply.text
    return reply.text.replace(",active", "")


def test_a_date_of_birth_is_a_date_and_its_year_is_searched(owner: httpx2.Client) -> None:
    demographics = f"{SUBJECT}/demographics[@xsi:type=xnat:demographicData]"
    put(owner, f"{P}/subjects/born_on?dob=1990-02-03", 201)
    put(owner, f"{P}/subjects/born_in?yob=1985", 201)
    shown = rows(owner, f"{P}/subjects?columns=label,dob,yob&label=born%25&sortBy=label")
    assert [(row["label"], row["dob"], row["yob"]) for row in shown] == [
        ("born_in", "", "1985"),
        ("born_on", "1990-02-03", ""),
    ]
    assert [row["label"] for row in rows(owner, f"{P}/subjects?columns=label&dob=1990-01-01-1990-12-31")] == ["born_on"]
    assert [row["label"] for row in rows(owner, f"{P}/subjects?columns=label&dob=02/03/1990")] == ["born_on"]
    assert item(owner, f"{P}/subjects/born_on").children["demographics"][0].fields == {"dob": "1990-02-03"}
    found = search(owner, f"{SUBJECT}/DOB", "BETWEEN", "1985 AND 1990").splitlines()
    assert {"born_on,1990", "born_in,1985"} <= set(found)
    assert "born_on,1990-02-03" in search(owner, f"{demographics}/dob", ">", "1990-02-02")
    assert "born_on" not in search(owner, f"{demographics}/yob")


def test_sessions_of_a_subject_are_counted_by_type_and_project(lab: ClientsOf) -> None:
    with lab("owner") as owner, lab("second") as second, lab("collaborator") as collaborator:
        for number in (1, 2):
            put(owner, f"{P}/subjects/counted/experiments/counted_{number}?{MR}", 201)
        put(owner, f"{P}/subjects/counted/experiments/counted_pet?xsiType=xnat:petSessionData", 201)
        put(owner, f"{P}/experiments/counted_1/projects/SHARED")
        put(owner, f"{P}/subjects/counted/projects/SHARED?label=elsewhere")
        count = f"{SUBJECT}/CNT_XNAT_MRSESSIONDATA"
        assert "counted,2" in search(owner, f"{count}=P1").splitlines()
        assert "counted,1" in search(owner, f"{count}=SHARED", ">=", "1").splitlines()
        assert "counted,2" in search(owner, count).splitlines()
        assert search(owner, f"{count}=NOWHERE").splitlines()[1:] == []
        assert "counted,1" in search(second, f"{count}=SHARED").splitlines()
        # Who does not see a project does not learn what is shared into it, or under which label.
        assert search(collaborator, f"{count}=SHARED").splitlines()[1:] == []
        label = f"{SUBJECT}/SUB_PROJECT_IDENTIFIER=SHARED"
        assert "counted,elsewhere" in search(owner, label)
        assert search(collaborator, label).splitlines()[1:] == []
        unknown = Query(SUBJECT, (), Group(members=(Criterion(f"{SUBJECT}/CNT_NO_TYPE=P1", Comparison("="), "1"),)))
        assert owner.post("/data/search", content=format_bundle(unknown)).status_code == 422
        found = owner.get(f"{P}/searches/@{SUBJECT}/results").json()["ResultSet"]
        counts = [column["header"] for column in found["Columns"] if column["key"].startswith("cnt_")]
        assert counts == ["MR Sessions", "PET Sessions"]
        mine = next(row for row in found["Result"] if row["sub_project_identifier_p1"] == "counted")
        assert (mine["cnt_xnat_mrsessiondata_p1"], mine["cnt_xnat_petsessiondata_p1"]) == ("2", "1")
        for shared in ("experiments/counted_1", "subjects/counted"):
            assert owner.delete(f"{P}/{shared}/projects/SHARED").status_code == 200
        assert search(owner, f"{count}=SHARED").splitlines()[1:] == []


def test_an_answer_is_the_bare_id(owner: httpx2.Client) -> None:
    reply = owner.put(f"{P}/subjects/bare?xsiType=xnat%3AsubjectData&req_format=qs&xnat%3AsubjectData/label=bare")
    assert (reply.status_code, reply.headers["content-type"]) == (201, "text/plain; charset=utf-8")
    assert reply.text == item(owner, f"{P}/subjects/bare").fields["ID"]


def test_the_client_may_choose_an_id(owner: httpx2.Client) -> None:
    assert put(owner, f"{P}/subjects/chosen?ID=MY_S1", 201) == "MY_S1"
    assert put(owner, f"{P}/subjects/again?xnat:subjectData/ID=MY_S1", 409)
    assert put(owner, f"{P}/subjects/chosen2?xnat:subjectData/ID=MY_S2", 201) == "MY_S2"
    assert put(owner, f"{P}/subjects/chosen/experiments/chosen_MR?{MR}&ID=MY_E1", 201) == "MY_E1"


def test_an_id_is_never_given_twice(owner: httpx2.Client) -> None:
    first = put(owner, f"{P}/subjects/short1", 201)
    assert owner.delete(f"{P}/subjects/short1").status_code == 200
    second = put(owner, f"{P}/subjects/short1", 201)
    assert second != first
    number = int(second.rpartition("S")[2])
    ahead = f"ConnectomeDB_S{number + 1:05d}"
    assert put(owner, f"{P}/subjects/ahead?ID={ahead}", 201) == ahead
    assert put(owner, f"{P}/subjects/short2", 201) == f"ConnectomeDB_S{number + 2:05d}"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("PUT", "subjects/a%20b", 417),
        ("PUT", "subjects/a.b", 417),
        ("PUT", "subjects/a%2Fb", 417),
        ("PUT", "subjects/t?dob=yesterday", 400),
        ("PUT", "subjects/t?yob=1990.5", 400),
        ("PUT", "subjects/t?yob=old", 400),
        ("PUT", "subjects/t?xnat:subjectData/nonsense=1", 400),
        ("PUT", f"subjects/t?group={'x' * 300}", 400),
        ("PUT", "subjects/t?project=P2", 409),
        ("PUT", "subjects/t?ID=other", 400),
        ("PUT", "subjects/t?label=t2", 409),
        ("PUT", "subjects/t?label=t%203", 417),
        ("PUT", "subjects/t?xsiType=xnat:mrSessionData", 400),
        ("POST", "subjects?label=t", 409),
        ("PUT", "subjects/t/experiments/none", 417),
        ("PUT", "subjects/t/experiments/none?xsiType=xnat:imageSessionData", 400),
        ("PUT", "subjects/t/experiments/none?xsiType=xnat:nonsense", 400),
        ("PUT", "subjects/t/experiments/none?xsiType=xnat:qcManualAssessorData", 400),
        ("PUT", f"subjects/t/experiments/none?{MR}&date=soon", 400),
        ("PUT", f"experiments/none?{MR}", 422),
        ("PUT", f"subjects/t2/experiments/t_MR?{MR}", 409),
        ("PUT", "experiments/t_MR?label=t2_MR", 409),
        ("PUT", "experiments/t_MR?project=P2", 409),
        ("PUT", "experiments/t_MR?xsiType=xnat:petSessionData", 409),
        ("PUT", "experiments/t_MR/scans/1?xsiType=xnat:petScanData", 409),
        ("PUT", "experiments/t_MR/scans/2?xsiType=xnat:imageScanData", 400),
        ("PUT", "experiments/t_MR/scans/a%20b?xsiType=xnat:mrScanData", 417),
        ("PUT", "experiments/t_MR/scans/1?frames=many", 400),
        ("PUT", "experiments/none/scans/1?xsiType=xnat:mrScanData", 404),
        ("PUT", "experiments/t_MR/assessors/A", 417),
        ("PUT", f"experiments/t_MR/assessors/A?{MR}", 400),
        ("DELETE", "experiments/t_MR/scans/9", 404),
        ("DELETE", "experiments/none", 404),
        ("DELETE", "subjects/none", 404),
        ("DELETE", "subjects", 405),
        ("PUT", "subjects/t/projects/NONE", 404),
        ("PUT", "subjects/t/projects/P1", 409),
        ("DELETE", "subjects/t/projects/P2", 404),
        ("PUT", "accessibility/open", 400),
        ("PUT", "prearchive_code/3", 400),
    ],
)
def test_what_cannot_be_done_is_said_by_its_status(
    owner: httpx2.Client, method: str, address: str, status: int
) -> None:
    if owner.get(f"{P}/subjects/t").status_code == 404:
        for label in ("t", "t2"):
            put(owner, f"{P}/subjects/{label}/experiments/{label}_MR?{MR}", 201)
        put(owner, f"{P}/experiments/t_MR/scans/1?xsiType=xnat:mrScanData&type=T1w")
    before = item(owner, f"{P}/subjects/t")
    reply = owner.request(method, f"{P}/{address}")
    assert reply.status_code == status, reply.text
    assert "\n" not in reply.text
    assert reply.headers["content-type"].startswith("text/plain")
    assert item(owner, f"{P}/subjects/t") == before


def test_a_label_changes_and_nothing_else_does(owner: httpx2.Client) -> None:
    id = put(owner, f"{P}/subjects/before?group=g", 201)
    session = put(owner, f"{P}/subjects/before/experiments/before_MR?{MR}", 201)
    assert put(owner, f"{P}/subjects/before?label=after") == ""
    assert put(owner, f"{P}/experiments/before_MR?label=after_MR") == ""
    assert owner.get(f"{P}/subjects/before").status_code == 404
    assert item(owner, f"{P}/subjects/after").fields == {"ID": id, "project": "P1", "group": "g", "label": "after"}
    assert item(owner, f"{P}/subjects/after/experiments/after_MR").fields["ID"] == session
    assert put(owner, f"{P}/subjects/{id}?xnat:subjectData/label=before") == ""


def test_an_experiment_makes_its_subject(owner: httpx2.Client) -> None:
    id = put(owner, f"{P}/subjects/fresh/experiments/fresh_MR?{MR}&xnat:mrSessionData/date=01/02/2024&age=42", 201)
    found = item(owner, f"/data/experiments/{id}")
    assert found.type == "xnat:mrSessionData"
    assert found.fields["date"] == "2024-01-02"
    assert found.fields["subject_ID"] == item(owner, f"{P}/subjects/fresh").fields["ID"]
    assert rows(owner, f"{P}/experiments?columns=ID,age&ID={id}")[0]["age"] == "42.0"
    other = put(owner, f"{P}/experiments/fresh_PET?xsiType=xnat:petSessionData&subject_ID=fresh&tracer_name=FDG", 201)
    assert item(owner, f"/data/experiments/{other}").fields["tracer/name"] == "FDG"
    assert put(owner, f"/data/experiments/{id}?note=good&validation_status=ok&pi_lastname=Doe") == id
    found = item(owner, f"{P}/experiments/fresh_MR")
    assert (found.fields["note"], found.fields["validation/status"]) == ("good", "ok")
    assert found.children["investigator"] == (Item("xnat:investigatorData", {"lastname": "Doe"}),)
    assert put(owner, f"{P}/experiments/fresh_MR?triggerPipelines=true&fixScanTypes=true") == id


def test_custom_variables_are_kept_by_name(owner: httpx2.Client) -> None:
    field = "xnat:subjectData/fields/field[name={}]/field"
    id = put(owner, f"{P}/subjects/varied?{field.format('Consent')}=yes", 201)
    put(owner, f"{P}/subjects/varied", data={field.format("rank"): "7"})
    put(owner, f"{P}/subjects/varied?xnat%3AsubjectData/fields/field%5Bname%3Dconsent%5D/field=no")
    found = item(owner, f"{P}/subjects/varied").children["fields/field"]
    assert {child.fields["name"]: child.fields["field"] for child in found} == {"consent": "no", "rank": "7"}
    column = field.format("Consent")
    text = owner.get(f"{P}/subjects?columns=ID,{column}&{column}=no&format=csv").text
    assert text == f"ID,{column.lower()},URI\n{id},no,/data/subjects/{id}\n"
    names = rows(owner, f"{P}/subjects?ID={id}&columns=xnat:subjectData/fields/field/name")
    assert sorted(row["xnat:subjectdata/fields/field/name"] for row in names) == ["consent", "rank"]
    root = ET.fromstring(owner.get(f"{P}/subjects/varied").content)
    assert [(node.get("name"), node.text) for node in root.iter(f"{XNAT}field")] == [("consent", "no"), ("rank", "7")]
    put(owner, f"{P}/subjects/varied?{field.format('rank')}=NULL")
    assert len(item(owner, f"{P}/subjects/varied").children["fields/field"]) == 1


def test_scans_are_made_by_their_id(owner: httpx2.Client) -> None:
    put(owner, f"{P}/subjects/s/experiments/s_MR?{MR}", 201)
    scans = f"{P}/experiments/s_MR/scans"
    assert put(owner, f"{scans}/4?xsiType=xnat:mrScanData&type=T2w&quality=usable&frames=7&coil=head") == ""
    assert put(owner, f"{scans}/5?type=T1w") == ""
    path = "xnat:mrScanData/parameters"
    put(owner, f"{scans}/4?{path}/addParam[name=foo]/addField=bar&{path}/tr=2.4&{path}/voxelRes/x=0.7")
    found = item(owner, f"{scans}/4")
    assert found.fields["parameters/tr"] == 2.4
    assert [child.fields for child in found.children["parameters/addParam"]] == [{"name": "foo", "addField": "bar"}]
    root = ET.fromstring(owner.get(f"{scans}/4?format=xml").content)
    assert root.find(f"{XNAT}parameters/{XNAT}voxelRes").get("x") == "0.7"  # type: ignore[union-attr]
    assert (root.findtext(f"{XNAT}parameters/{XNAT}addParam[@name='foo']") or "").strip() == "bar"
    listed = rows(owner, f"{scans}?columns=ID,frames,type,{path}/tr&frames=1-9")
    assert [(row["ID"], row["frames"], row["xnat:mrscandata/parameters/tr"]) for row in listed] == [("4", "7", "2.4")]
    reply = owner.post(f"{scans}?xsiType=xnat:mrScanData&type=dwi")
    assert reply.text.endswith("/scans/6")
    assert rows(owner, "/data/scan_types") and {row["type"] for row in rows(owner, f"{P}/scan_types")} >= {"T1w", "dwi"}


def test_a_scan_may_be_called_by_its_type_when_made(owner: httpx2.Client) -> None:
    put(owner, f"{P}/subjects/x/experiments/x_MR?{MR}", 201)
    scan = f"{P}/experiments/x_MR/scans/T1"
    put(owner, f"{scan}?xsiType=xnat%3AmrScanData&req_format=qs&xnat%3AmrScanData/type=T1&xnat%3AmrScanData/id=3")
    put(owner, f"{scan}?quality=usable")
    fields = item(owner, scan).fields
    assert (fields["ID"], fields["type"], fields["quality"]) == ("3", "T1", "usable")
    assert [row["ID"] for row in rows(owner, f"{P}/experiments/x_MR/scans")] == ["3"]
    assert owner.delete(scan).status_code == 200
    assert rows(owner, f"{P}/experiments/x_MR/scans") == []


def test_assessors_and_reconstructions_stand_below_a_session(owner: httpx2.Client) -> None:
    session = put(owner, f"{P}/subjects/d/experiments/d_MR?{MR}", 201)
    assert put(owner, f"{P}/experiments/d_MR/reconstructions/r1?type=fmap&baseScanType=EPI") == ""
    qc = put(
        owner, f"/data/experiments/{session}/assessors/d_QC?xsiType=xnat:qcManualAssessorData&date=2024-03-04", 201
    )
    assert put(owner, f"/data/experiments/{session}/assessors/d_QC?xnat:qcManualAssessorData/rater=me") == qc
    (row,) = rows(owner, f"{P}/experiments/d_MR/assessors")
    assert list(row) == [
        "ID",
        "project",
        "label",
        "date",
        "xsiType",
        "insert_date",
        "session_ID",
        "session_label",
        "URI",
    ]
    assert (row["ID"], row["session_ID"], row["session_label"]) == (qc, session, "d_MR")
    assert row["URI"] == f"/data/experiments/{qc}"
    (row,) = rows(owner, f"{P}/experiments/d_MR/reconstructions")
    assert list(row) == ["xnat_reconstructedimagedata_id", "ID", "type", "baseScanType", "URI"]
    assert row["URI"] == f"/data/experiments/{session}/reconstructions/r1"
    assert item(owner, f"{P}/experiments/d_MR/assessors/{qc}").fields["rater"] == "me"
    document = item(owner, f"{P}/experiments/d_MR")
    assert document.children["assessors/assessor"][0].fields["imageSession_ID"] == session
    assert document.children["reconstructions/reconstructedImage"][0].fields["ID"] == "r1"
    assert [row["ID"] for row in rows(owner, f"{P}/subjects/d/experiments")] == [session]
    listed = rows(owner, f"/data/experiments?xsiType=xnat:imageAssessorData&session_ID={session}")
    assert [(row["ID"], row["xsiType"]) for row in listed] == [(qc, "xnat:qcManualAssessorData")]
    assert owner.delete(f"{P}/experiments/d_MR/reconstructions/r1").status_code == 200
    assert owner.delete(f"{P}/experiments/d_MR/assessors/d_QC").status_code == 200
    assert owner.get(f"/data/experiments/{qc}").status_code == 404


DOCUMENT = """<?xml version="1.0"?>
<xnat:Subject label="{label}" group="g" xmlns:xnat="http://nrg.wustl.edu/xnat"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <xnat:fields><xnat:field name="consent">yes</xnat:field></xnat:fields>
  <xnat:investigator><xnat:lastname>Doe</xnat:lastname></xnat:investigator>
  <xnat:demographics xsi:type="xnat:demographicData"><xnat:gender>female</xnat:gender></xnat:demographics>
  <xnat:experiments><xnat:experiment label="{label}_MR" xsi:type="xnat:mrSessionData">
    <xnat:date>2024-01-02</xnat:date><xnat:scans><xnat:scan ID="1" type="T1w" xsi:type="xnat:mrScanData">
      <xnat:parameters><xnat:voxelRes x="0.7"/><xnat:addParam name="foo">bar</xnat:addParam></xnat:parameters>
      <xnat:lab_note>kept</xnat:lab_note></xnat:scan></xnat:scans></xnat:experiment></xnat:experiments>
</xnat:Subject>"""

BOUNDARY = "----------ThIs_Is_tHe_bouNdaRY_$"


def multipart(document: str) -> dict[str, object]:
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data.xml"; filename="data.xml"\r\n'
        f"Content-Type: text/xml\r\n\r\n{document}\r\n--{BOUNDARY}--\r\n"
    )
    return {"content": body.encode(), "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}}


@pytest.mark.parametrize("way", ["type", "req_format", "inbody", "multipart"])
def test_a_document_makes_a_subject_with_all_below_it(owner: httpx2.Client, way: str) -> None:
    label = f"xml_{way}"
    document = DOCUMENT.format(label=label)
    send: dict[str, object] = {"content": document.encode()}
    query = {"req_format": "?req_format=xml", "inbody": "?inbody=true"}.get(way, "?allowDataDeletion=true")
    if way == "type":
        send["headers"] = {"Content-Type": "text/xml"}
    elif way == "multipart":
        send = multipart(document)
    put(owner, f"{P}/subjects/{label}{query}", 201, **send)
    found = item(owner, f"{P}/subjects/{label}")
    assert (found.fields["group"], found.children["investigator"][0].fields) == ("g", {"lastname": "Doe"})
    (session,) = found.children["experiments/experiment"]
    (scan,) = session.children["scans/scan"]
    assert (session.fields["date"], scan.fields["lab_note"]) == ("2024-01-02", "kept")
    assert (scan.fields["ID"], scan.fields["parameters/voxelRes/x"]) == ("1", 0.7)


@pytest.mark.parametrize(
    "address", [P, f"{P}/subjects/round", f"{P}/experiments/round_MR", f"{P}/experiments/round_MR/scans/1"]
)
def test_a_document_that_was_read_can_be_put_back(owner: httpx2.Client, address: str) -> None:
    if owner.get(f"{P}/subjects/round").status_code == 404:
        document = DOCUMENT.format(label="round")
        put(owner, f"{P}/subjects/round", 201, content=document.encode(), headers={"Content-Type": "text/xml"})
        put(owner, f"{P}/experiments/round_MR/assessors/round_QC?xsiType=xnat:qcManualAssessorData", 201)
        put(owner, f"{P}/experiments/round_MR/reconstructions/r?type=x")
    for query in ("", "?allowDataDeletion=true"):
        before = owner.get(address).content
        reply = owner.put(address + query, content=before, headers={"Content-Type": "text/xml"})
        assert reply.status_code == 200, reply.text
        assert owner.get(address).content == before


def test_a_document_changes_only_what_it_mentions(owner: httpx2.Client) -> None:
    put(owner, f"{P}/subjects/kept?group=g&gender=male&xnat:subjectData/fields/field[name=a]/field=1", 201)
    small = '<Subject xmlns="http://nrg.wustl.edu/xnat" label="kept"><src>lab</src></Subject>'
    headers = {"Content-Type": "application/xml"}
    put(owner, f"{P}/subjects/kept?age=9", content=small.encode(), headers=headers)
    found = item(owner, f"{P}/subjects/kept")
    assert (found.fields["group"], found.fields["src"]) == ("g", "lab")
    assert found.children["demographics"][0].fields == {"age": 9, "gender": "male"}
    assert "fields/field" in found.children
    put(owner, f"{P}/subjects/kept?allowDataDeletion=true", content=small.encode(), headers=headers)
    found = item(owner, f"{P}/subjects/kept")
    assert {**found.fields, "ID": ""} == {"ID": "", "project": "P1", "label": "kept", "src": "lab"}
    assert found.children == {}


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ("", 422),
        ("<Subject", 422),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><Subject/>", 422),
        ("<Nonsense/>", 422),
        ('<Project ID="X"/>', 422),
        ("<Subject>" + "<a>" * 60 + "</a>" * 60 + "</Subject>", 422),
        ("<Subject><fields><field>x</field></fields></Subject>", 422),
        ("<Subject><demographics><dob>never</dob></demographics></Subject>", 400),
        ('<Subject label="other"/>', 400),
        ('<Subject project="P2"/>', 409),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(owner: httpx2.Client, document: str, status: int) -> None:
    owner.put(f"{P}/subjects/refused")
    put(owner, f"{P}/subjects/refused", status, content=document.encode(), headers={"Content-Type": "text/xml"})


def test_posting_to_lists(owner: httpx2.Client) -> None:
    reply = owner.post(f"{P}/subjects?label=posted&gender=male")
    id = item(owner, f"{P}/subjects/posted").fields["ID"]
    assert reply.status_code == 200
    assert reply.text == reply.headers["location"] == str(owner.base_url.join(f"/data/subjects/{id}"))
    xml = {"Content-Type": "text/xml"}
    inside = DOCUMENT.format(label="inside").encode()
    assert owner.post(f"{P}/subjects", content=inside, headers=xml).status_code == 422
    session = f'<MRSession xmlns="http://nrg.wustl.edu/xnat" label="p_MR"><subject_ID>{id}</subject_ID></MRSession>'
    assert owner.post(f"{P}/experiments", content=session.encode(), headers=xml).status_code == 200
    lost = session.replace(str(id), "NOBODY").replace("p_MR", "q_MR")
    assert owner.post(f"{P}/experiments", content=lost.encode(), headers=xml).status_code == 404
    assert owner.post(f"{P}/experiments", content=session.encode(), headers=xml).status_code == 409


def test_projects_are_made_by_anybody_with_an_account(lab: ClientsOf) -> None:
    with lab("stranger") as client:
        assert put(client, "/data/projects/MINE?name=My%20study&description=d&alias=study1&pi_lastname=Doe") == ""
        assert item(client, "/data/projects/MINE").fields["name"] == "My study"
        assert item(client, "/data/projects/study1").fields["ID"] == "MINE"
        assert client.get("/data/projects/MINE/accessibility").text == "private"
        assert put(client, "/data/projects/MINE/accessibility/public") == "public"
        assert [row["alias"] for row in rows(client, "/data/projects?columns=ID,alias&ID=MINE")] == ["study1"]
        put(client, "/data/projects/MINE?keywords=k&xnat:projectData/secondary_ID=mine2")
        assert item(client, "/data/projects/MINE").fields["secondary_ID"] == "mine2"
        for taken in ("mine", "MINE2", "Study1"):
            assert put(client, f"/data/projects/{taken}", 200 if taken == "study1" else 409)
        put(client, "/data/projects/OTHER?name=my%20STUDY", 409)
        put(client, "/data/projects/OTHER?name=MINE", 409)
        put(client, "/data/projects/a%20b", 417)
        document = b'<Project xmlns="http://nrg.wustl.edu/xnat" ID="THIRD"><name>T</name></Project>'
        xml = {"Content-Type": "text/xml"}
        put(client, "/data/projects/FOURTH", 417, content=document, headers=xml)
        put(client, "/data/projects/study1", 417, content=document, headers=xml)
        same = b'<Project xmlns="http://nrg.wustl.edu/xnat" ID="MINE"/>'
        put(client, "/data/projects/study1", content=same, headers=xml)
        assert client.post("/data/projects", content=document, headers=xml).text.endswith("/data/projects/THIRD")
        assert client.post("/data/projects", content=document, headers=xml).status_code == 409
        assert client.post("/data/projects").status_code == 417
        assert client.get("/data/projects/MINE/prearchive_code").text == "4"
        put(client, "/data/projects/MINE/prearchive_code/5")
        assert client.get("/data/projects/MINE/prearchive_code").text == "5"
        assert client.get("/data/projects/MINE/current_arc").text == "arc001"
        assert client.delete("/data/projects/THIRD?removeFiles=true").status_code == 200
        put(client, "/data/projects/third", 403)
    with lab("owner") as client:
        put(client, "/data/projects/MINE?description=x", 403)
        assert client.delete("/data/projects/MINE").status_code == 403


ROLES = ["admin", "owner", "member", "collaborator", "reader_of_public", "stranger"]
WRITES = [
    ("PUT", "{p}/subjects/new_{n}", [201, 201, 201, 403, 403, 404]),
    ("PUT", "{p}/subjects/r?group=g", [200, 200, 200, 403, 403, 404]),
    ("PUT", "{p}/experiments/r_MR?note=g", [200, 200, 200, 403, 403, 404]),
    ("PUT", "{p}/experiments/r_MR/scans/1?note=g", [200, 200, 200, 403, 403, 404]),
    ("PUT", "{p}?description=g", [200, 200, 403, 403, 403, 403]),
    ("PUT", "{p}/accessibility/{a}", [200, 200, 403, 403, 403, 404]),
    ("DELETE", "{p}/experiments/r_MR/scans/{n}", [200, 200, 403, 403, 403, 404]),
    ("DELETE", "{p}/subjects/gone_{n}", [200, 200, 403, 403, 403, 404]),
    ("PUT", "{p}/subjects/r/projects/P2?label=r_{n}", [200, 403, 403, 403, 403, 404]),
]


@pytest.mark.parametrize(("method", "address", "statuses"), WRITES, ids=[f"{row[0]} {row[1]}" for row in WRITES])
@pytest.mark.parametrize("role", ROLES)
def test_rights_follow_the_role(lab: ClientsOf, role: str, method: str, address: str, statuses: list[int]) -> None:
    project = "PUBLIC" if role == "reader_of_public" else "ROLES"
    login = "stranger" if role == "reader_of_public" else role
    number = str(ROLES.index(role) + 2)
    with lab("admin") as admin:
        admin.put(f"/data/projects/{project}/subjects/r/experiments/r_MR?{MR}")
        for id in ("1", number):
            admin.put(f"/data/projects/{project}/experiments/r_MR/scans/{id}?type=T1w")
        admin.put(f"/data/projects/{project}/subjects/gone_{number}")
    word = "public" if project == "PUBLIC" else "private"
    target = address.format(p=f"/data/projects/{project}", n=number, a=word)
    with lab(login) as client:
        assert client.request(method, target).status_code == statuses[ROLES.index(role)]


def test_a_shared_subject_is_seen_in_both_projects(lab: ClientsOf) -> None:
    with lab("owner") as owner, lab("second") as second, lab("stranger") as stranger:
        id = put(owner, f"{P}/subjects/both/experiments/both_MR?{MR}", 201)
        subject = str(item(owner, f"{P}/subjects/both").fields["ID"])
        assert second.get(f"/data/subjects/{subject}").status_code == 404
        assert put(owner, f"{P}/subjects/both/projects/SHARED?label=there") == ""
        put(owner, f"{P}/subjects/both/projects/SHARED", 409)
        assert item(second, f"/data/subjects/{subject}").fields["project"] == "P1"
        assert item(second, "/data/projects/SHARED/subjects/there").fields["ID"] == subject
        assert "experiments/experiment" not in item(second, f"/data/subjects/{subject}").children
        (row,) = rows(second, "/data/projects/SHARED/subjects")
        assert (row["ID"], row["project"], row["label"]) == (subject, "P1", "there")
        assert subject in [row["ID"] for row in rows(second, "/data/subjects")]
        assert second.get("/data/projects/SHARED/subjects/both").status_code == 404
        assert second.get(f"/data/experiments/{id}").status_code == 404
        put(second, "/data/projects/SHARED/subjects/there?group=mine", 403)
        listed = rows(owner, f"{P}/subjects/both/projects")
        assert [(row["label"], row["ID"]) for row in listed] == [("both", "P1"), ("there", "SHARED")]
        put(owner, f"{P}?name=Secret+name&secondary_ID=Secret+too")
        seen = rows(second, "/data/projects/SHARED/subjects/there/projects")
        assert (seen[0]["ID"], seen[0]["Name"], seen[0]["Secondary_ID"]) == ("P1", "", "")
        put(second, "/data/projects/SHARED/subjects/taken", 201)
        put(owner, f"{P}/subjects/both/projects/SHARED?label=taken", 409)
        put(owner, f"{P}/subjects/both/projects/SHARED?label=elsewhere")
        put(second, "/data/projects/SHARED/subjects/elsewhere2", 201)
        put(second, "/data/projects/SHARED/subjects/elsewhere2?label=elsewhere", 409)
        assert stranger.get(f"/data/subjects/{subject}").status_code == 404
        put(owner, f"{P}/experiments/both_MR/projects/SHARED")
        found = item(second, f"/data/experiments/{id}")
        assert found.fields["subject_ID"] == subject
        assert [row["ID"] for row in rows(second, "/data/projects/SHARED/experiments")] == [id]
        assert second.delete("/data/projects/SHARED/subjects/elsewhere").status_code == 200
        assert second.get(f"/data/subjects/{subject}").status_code == 404
        assert item(owner, f"{P}/subjects/both").fields["ID"] == subject
        hidden = rows(second, f"/data/experiments?ID={id}&columns=ID,subject_ID,subject_label,gender")
        assert [(row["subject_ID"], row["subject_label"]) for row in hidden] == [(subject, "")]
        assert owner.delete(f"{P}/experiments/both_MR/projects/SHARED").status_code == 200
        assert rows(second, "/data/projects/SHARED/experiments") == []


def test_a_subject_moves_with_its_experiments(lab: ClientsOf) -> None:
    with lab("owner") as owner:
        id = put(owner, f"{P}/subjects/moves/experiments/moves_MR?{MR}", 201)
        put(owner, f"{P}/subjects/moves/projects/SHARED")
        assert put(owner, f"{P}/subjects/moves/projects/SHARED?primary=true") == ""
        assert item(owner, f"/data/experiments/{id}").fields["project"] == "SHARED"
        assert item(owner, "/data/projects/SHARED/subjects/moves").fields["project"] == "SHARED"
        assert owner.get(f"{P}/subjects/moves").status_code == 404
        assert owner.delete("/data/projects/SHARED/subjects/moves/projects/SHARED").status_code == 200
        assert owner.get(f"/data/experiments/{id}").status_code == 404


def test_deleting_takes_everything_below(lab: ClientsOf, owner: httpx2.Client) -> None:
    put(owner, "/data/projects/WHOLE")
    id = put(owner, f"/data/projects/WHOLE/subjects/w/experiments/w_MR?{MR}&scanner=Prisma", 201)
    put(owner, "/data/projects/WHOLE/experiments/w_MR/scans/1?type=T1w&xnat:mrScanData/parameters/tr=2")
    qc = put(owner, "/data/projects/WHOLE/experiments/w_MR/assessors/qc?xsiType=xnat:mrAssessorData", 201)
    assert [row["scanner"] for row in rows(owner, "/data/projects/WHOLE/scanners")] == ["Prisma"]
    assert owner.get("/data/projects/WHOLE/experiments/w_MR/status").text == "active"
    assert len(rows(owner, "/data/projects/WHOLE/experiments/w_MR/history")) >= 1
    assert owner.delete("/data/projects/WHOLE?removeFiles=true").status_code == 200
    for address in ("projects/WHOLE", f"experiments/{id}", f"experiments/{qc}"):
        assert owner.get(f"/data/{address}").status_code == 404


def test_nobody_writes_without_signing_in(lab: ClientsOf) -> None:
    with lab(None) as client:
        for method, address in (("PUT", "subjects/a"), ("POST", "subjects"), ("DELETE", "subjects/a")):
            assert client.request(method, f"{P}/{address}").status_code == 401


def test_a_listing_can_be_read_as_csv_after_writing(owner: httpx2.Client) -> None:
    put(owner, f'{P}/subjects/quoted?src=a,b "c"', 201)
    text = owner.get(f"{P}/subjects?columns=label,src,last_modified&label=quoted&format=csv").text
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["src"] == 'a,b "c"'
    before = row["last_modified"]
    put(owner, f"{P}/subjects/quoted?src=d")
    (row,) = csv.DictReader(io.StringIO(owner.get(f"{P}/subjects?columns=last_modified&label=quoted&format=csv").text))
    assert row["last_modified"] > before
    assert row["ID"]


STEP = """<xnat:QCManualAssessment xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:prov="http://www.nbirn.net/prov">
  <xnat:provenance><prov:processStep><prov:program>p</prov:program><prov:timestamp>{}</prov:timestamp></prov:processStep>
  </xnat:provenance></xnat:QCManualAssessment>"""


@pytest.mark.parametrize("written", ["2024-05-06 01:02:03", "2024-05-06T01:02:03", "2024-05-06T01:02:03Z", "yesterday"])
def test_points_in_time_are_written_back_with_a_t(owner: httpx2.Client, written: str) -> None:
    owner.put(f"{P}/subjects/timed/experiments/timed_MR?{MR}")
    address = f"{P}/subjects/timed/experiments/timed_MR/assessors/timed_QC?xsiType=xnat:qcManualAssessorData"
    reply = owner.put(address, content=STEP.format(written), headers={"Content-Type": "text/xml"})
    if written == "yesterday":
        assert reply.status_code == 400
    else:
        assert reply.status_code in (200, 201)
        assert "<prov:timestamp>2024-05-06T01:02:03</prov:timestamp>" in owner.get(f"{address}&format=xml").text


FULL = """<xnat:MRSession xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:prov="http://www.nbirn.net/prov" label="full_MR"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xnat:mrSessionData">
  <xnat:scanner manufacturer="Made Up">S1</xnat:scanner><xnat:note>last first</xnat:note>
  <xnat:date>2024-01-02</xnat:date>
  <xnat:fields><xnat:field name="a">1</xnat:field></xnat:fields>
  <xnat:investigator><xnat:lastname>Doe</xnat:lastname><xnat:firstname>J</xnat:firstname></xnat:investigator>
</xnat:MRSession>"""
MADE_IN_FULL = (
    "/subjects/full?gender=female&weight=70.5&xnat:subjectData/demographics[@xsi:type=xnat:demographicData]"
    "/weight/units=kg&yob=1990",
    "/subjects/full/experiments/full_MR/scans/1?xsiType=xnat:mrScanData&type=T1&xnat:mrScanData/parameters/voxelRes/x=0.7"
    "&xnat:mrScanData/parameters/tr=2400.0&xnat:mrScanData/parameters/addParam[name=b]/addField=2&note=n",
    "/subjects/full/experiments/full_MR/scans/2?xsiType=xnat:petScanData",
    "/subjects/full/experiments/full_MR/scans/1/resources/NIFTI?format=NIFTI&content=RAW",
    "/subjects/full/experiments/full_MR/reconstructions/r?type=mean",
    "/subjects/full/experiments/full_MR/reconstructions/r/resources/OUT",
    "/subjects/full/experiments/full_MR/reconstructions/r/in/resources/IN",
    "/subjects/full/experiments/full_MR/assessors/qc?xsiType=xnat:qcManualAssessorData"
    "&xnat:qcManualAssessorData/provenance/processStep/program=p",
    "/subjects/full/experiments/full_MR/assessors/qc/resources/OUT",
    "/subjects/full/experiments/full_MR/assessors/qc/in/resources/IN",
    "/subjects/full/experiments/full_MR/projects/SHARED",
    "?alias=p_one&description=d&keywords=k&pi_lastname=Doe",
)


def test_documents_of_every_level_are_valid_by_the_schema(
    owner: httpx2.Client, schema_faults: Callable[[httpx2.Client], list[str]]
) -> None:
    put(owner, f"{P}/subjects/full/experiments/full_MR", 201, content=FULL, headers={"Content-Type": "text/xml"})
    for rest in MADE_IN_FULL:
        reply = owner.put(f"{P}{rest}")
        assert reply.status_code in (200, 201), reply.text
    document = owner.get(f"{P}/experiments/full_MR?format=xml").text
    places = [document.index(f"<xnat:{name}") for name in ("date", "note", "scanner", "scans")]
    assert places == sorted(places)
    assert [fault for fault in schema_faults(owner) if "lab_note" not in fault] == []  # what no type has is kept


def test_a_list_is_the_same_whether_what_is_shared_is_few_or_many(
    lab: ClientsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = [f"/data/projects/SHARED/{level}?columns=ID,label,project" for level in ("subjects", "experiments")]
    with lab("owner") as owner, lab("second") as second:
        put(second, "/data/projects/SHARED/subjects/own", 201)
        for number in range(3):
            put(owner, f"{P}/subjects/many{number}/experiments/many{number}_MR?{MR}", 201)
            put(owner, f"{P}/subjects/many{number}/projects/SHARED")
            put(owner, f"{P}/experiments/many{number}_MR/projects/SHARED?label=there{number}")
        few = [rows(second, address) for address in lists]
        monkeypatch.setattr(listing, "MOST_NAMED", 2)
        assert [rows(second, address) for address in lists] == few
        assert {"own", "many0", "many1", "many2"} <= {row["label"] for row in few[0]}
        assert {"there0", "there1", "there2"} <= {row["label"] for row in few[1]}
        for number in range(3):
            owner.delete(f"{P}/subjects/many{number}")

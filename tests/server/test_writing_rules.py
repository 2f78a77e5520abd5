"""Writing beside everything else: every short name of a field, terms of what is shared, the audit log, guests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest

from connectomedb.server.changes import writer
from connectomedb.xnat.document import MAX_NAMES

if TYPE_CHECKING:
    from tests.server.conftest import ClientsOf, ServeLab

P = "/data/projects/P1"


@pytest.fixture(scope="module")
def lab(write_lab: ServeLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientsOf]:
    """Projects with one object of every level, to be written in."""
    with write_lab(tmp_path_factory.mktemp("rules")) as clients:
        with clients("owner") as owner:
            for address in (
                f"{P}/subjects/a/experiments/a_MR?xsiType=xnat:mrSessionData",
                f"{P}/subjects/a/experiments/a_PET?xsiType=xnat:petSessionData",
                f"{P}/experiments/a_MR/scans/1?xsiType=xnat:mrScanData",
                f"{P}/experiments/a_PET/scans/1?xsiType=xnat:petScanData",
                f"{P}/experiments/a_MR/reconstructions/r",
                f"{P}/experiments/a_MR/assessors/a_QC?xsiType=xnat:qcManualAssessorData",
            ):
                assert owner.put(address).status_code in (200, 201), address
        yield clients


@pytest.fixture
def owner(lab: ClientsOf) -> Iterator[httpx2.Client]:
    with lab("owner") as client:
        yield client


TEXT = "some text"
EXPERIMENT = (
    *("note", "visit", "visit_id", "protocol", "pi_firstname", "pi_lastname"),
    *("validation_method", "validation_status", "validation_notes"),
    *(("date", "2024-01-02"), ("time", "10:11:12", "10:11:12.000"), ("validation_date", "2024-01-02")),
)
SESSION = (
    "scanner",
    "operator",
    "session_type",
    "modality",
    "dcmAccessionNumber",
    "dcmPatientId",
    "dcmPatientName",
    "UID",
)
MR = ("coil", "fieldStrength", "marker", "stabilization")
SCAN = (
    *("UID", "note", "quality", "condition", "series_description", "documentation", "scanner", "modality"),
    *("validation_method", "validation_status", "validation_notes"),
    *(("type", "T1w"), ("frames", "7"), ("scanTime", "10:11:12", "10:11:12.000"), ("validation_date", "2024-01-02")),
)
FIELDS = {
    P: (
        *("name", "description", "keywords", "pi_firstname", "pi_lastname", "note"),
        *(("secondary_ID", "second-id"), ("alias", "other-name")),
    ),
    f"{P}/subjects/a": (
        *("group", "src", "pi_firstname", "pi_lastname", "gender", "handedness", "educationDesc", "race", "ethnicity"),
        *(("dob", "1990-02-03"), ("yob", "1990"), ("age", "31"), ("ses", "3"), ("education", "12")),
        *((name, "41.5") for name in ("weight", "height", "gestational_age", "post_menstrual_age", "birth_weight")),
    ),
    f"{P}/experiments/a_MR": (
        *EXPERIMENT,
        *SESSION,
        "coil",
        "fieldStrength",
        "marker",
        "stabilization",
        ("age", "31.0"),
    ),
    f"{P}/experiments/a_PET": (
        *("studyType", "patientID", "patientName", "stabilization", "tracer_name", "tracer_isotope"),
        *(("tracer_dose", "1.5"), ("tracer_sa", "1.5"), ("tracer_totalmass", "1.5")),
    ),
    f"{P}/experiments/a_MR/scans/1": (*SCAN, *MR),
    f"{P}/experiments/a_PET/scans/1": (
        *("orientation", "originalFileName", "systemType", "fileType", "acqType", "facility", "dataType"),
        *(("numPlanes", "3"), ("numFrames", "3"), ("numGates", "3"), ("planeSeparation", "1.5"), ("binSize", "1.5")),
        ("transaxialFOV", "1.5"),
    ),
    f"{P}/experiments/a_MR/reconstructions/r": ("type", "baseScanType"),
    f"{P}/experiments/a_MR/assessors/a_QC": EXPERIMENT,
}
"""Address of an object → short names of its fields, with a value and how it is listed where text does not fit."""


@pytest.mark.parametrize("address", FIELDS)
def test_every_short_name_of_a_field_is_written_and_listed(owner: httpx2.Client, address: str) -> None:
    rows = [(field, TEXT, TEXT) if isinstance(field, str) else (*field, field[-1])[:3] for field in FIELDS[address]]
    sent = {name: value for name, value, *_ in rows}
    reply = owner.put(address, params=sent)
    assert reply.status_code == 200, reply.text
    above, _, word = address.rpartition("/")
    types = {"a_MR": "xnat:mrSessionData", "a_PET": "xnat:petSessionData", "a_QC": "xnat:qcManualAssessorData"}
    columns = {"columns": ",".join(["ID", *sent]), "format": "json"}
    if word in types:
        columns["xsiType"] = types[word]
    reply = owner.get(above, params=columns)
    found = next(row for row in reply.json()["ResultSet"]["Result"] if TEXT in row.values() or "1.5" in row.values())
    assert {name: found.get(name) for name in sent} == {name: shown for name, _, shown in rows}
    assert owner.put(address, params=dict.fromkeys(set(sent) - {"type", "alias", "name"}, "NULL")).status_code == 200


def test_terms_of_the_home_hold_where_a_subject_is_shared(lab: ClientsOf) -> None:
    with lab("owner") as owner, lab("second") as second, lab("stranger") as stranger:
        assert owner.put("/data/projects/BOUND").status_code == 200
        id = owner.put("/data/projects/BOUND/subjects/bound").text
        owner.put("/data/projects/BOUND/subjects/bound/projects/SHARED")
        assert second.get(f"/data/subjects/{id}").status_code == 200
        words = {"version": "1", "title": "Terms", "text": "Do no harm."}
        assert owner.put("/data/projects/BOUND/terms", content=json.dumps(words)).status_code == 200
        for address in (f"/data/subjects/{id}", "/data/projects/SHARED/subjects/bound"):
            reply = second.get(address)
            assert (reply.status_code, "BOUND" in reply.text) == (403, True)
        assert second.get("/data/projects/SHARED/subjects").json()["ResultSet"]["Result"] == []
        assert stranger.get("/data/projects/BOUND/terms").status_code == 404
        assert stranger.put("/data/projects/BOUND/terms/acceptance?version=1").status_code == 404
        assert second.get("/data/projects/BOUND/terms").json()["version"] == "1"
        assert second.put("/data/projects/BOUND/terms/acceptance?version=1").status_code == 200
        assert second.get("/data/projects/SHARED/subjects/bound").status_code == 200
        assert second.get("/data/projects/BOUND").status_code == 404


def test_changes_are_in_the_audit_log(lab: ClientsOf) -> None:
    with lab("owner") as owner, lab("admin") as admin:
        id = owner.put(f"{P}/subjects/logged").text
        owner.put(f"{P}/subjects/logged?group=g")
        owner.put(f"{P}/subjects/logged/projects/SHARED")
        owner.delete(f"{P}/subjects/logged/projects/SHARED")
        assert owner.put(f"{P}/subjects/logged?yob=never").status_code == 400
        owner.delete(f"{P}/subjects/logged")
        lines = admin.get("/data/audit?format=json&user=owner&limit=1000").json()["ResultSet"]["Result"]
        mine = [(line["action"], line["project"]) for line in lines if line["detail"] == id]
        actions = ["make", "change", "share", "unshare", "delete"]
        assert mine == [(action, "P1") for action in reversed(actions)]


def test_owners_put_objects_into_quarantine_and_lock_them(lab: ClientsOf, owner: httpx2.Client) -> None:
    session, search = f"{P}/experiments/a_MR", f"{P}/searches/@xnat:mrSessionData/results"

    def states() -> tuple[str, list[str]]:
        found = owner.get(search).json()["ResultSet"]["Result"]
        return owner.get(f"{session}/status").text, [row["quarantine_status"] for row in found]

    assert states() == ("active", ["active"])
    with lab("member") as member:
        assert member.put(f"{session}?quarantine=true").status_code == 403
    assert owner.put(f"{session}?quarantine=true").status_code == 200
    assert states() == ("quarantine", ["quarantine"])
    assert owner.put(f"{session}?note=seen&quarantine=false").status_code == 200
    assert owner.put(f"{session}?activate=true").status_code == 200
    assert states() == ("active", ["active"])


@pytest.mark.parametrize("object", ["subjects/a", "experiments/a_PET"])
def test_what_is_locked_is_not_changed(lab: ClientsOf, owner: httpx2.Client, object: str) -> None:
    address = f"{P}/{object}"
    changes = [("PUT", "?pi_lastname=Doe"), ("PUT", "/resources/R"), ("PUT", "/resources/R/files/a?inbody=1")]
    changes += [("DELETE", "")] + ([("PUT", "/scans/1?quality=bad")] if "experiments" in object else [])
    assert owner.put(f"{address}?_lock=true").status_code == 200
    assert owner.get(f"{address}/status").text == "locked"
    for method, rest in changes:
        assert owner.request(method, f"{address}{rest}", content=b"x").status_code == 403, rest
    assert owner.get(f"{address}?format=json").status_code == 200
    assert owner.put(f"{address}?_unlock=true").status_code == 200
    for method, rest in changes[:3]:
        assert owner.request(method, f"{address}{rest}", content=b"x").status_code in (200, 201), rest


def test_a_project_may_put_what_comes_into_quarantine(owner: httpx2.Client) -> None:
    project = "/data/projects/ROLES"
    assert owner.put(f"{project}/quarantine_code/1").status_code == 200
    assert owner.put(f"{project}/subjects/q/experiments/q_MR?xsiType=xnat:mrSessionData").status_code == 201
    assert owner.get(f"{project}/experiments/q_MR/status").text == "quarantine"


def test_json_has_times_with_milliseconds_and_dates_of_making(owner: httpx2.Client) -> None:
    session = f"{P}/experiments/a_PET"
    assert owner.put(f"{session}?time=10:11:12").status_code == 200
    listed = f"{P}/experiments?label=a_PET&columns=time"
    assert owner.get(listed).json()["ResultSet"]["Result"][0]["time"] == "10:11:12.000"
    assert "10:11:12," in owner.get(f"{listed}&format=csv").text
    meta = owner.get(f"{session}?format=json").json()["items"][0]["meta"]
    assert datetime.strptime(meta["start_date"], "%a %b %d %H:%M:%S UTC %Y").year > 2020


PARTS = {
    "scans/scan/ID": ["1"],
    "assessors/assessor/label": ["a_QC"],
    "reconstructions/reconstructedImage/ID": ["r"],
}


@pytest.mark.parametrize("path", PARTS)
def test_sessions_are_asked_for_what_they_hold(owner: httpx2.Client, path: str) -> None:
    full, words = f"xnat:mrSessionData/{path}", "xsiType=xnat:mrSessionData&format=json"
    listed = owner.get(f"{P}/experiments?{words}&label=a_MR&columns=ID,{full}").json()["ResultSet"]["Result"]
    assert [row[full.lower()] for row in listed] == PARTS[path]
    assert owner.get(f"{P}/experiments?{words}&{full}={PARTS[path][0]}").json()["ResultSet"]["totalRecords"] == "1"
    assert owner.get(f"{P}/experiments?{words}&{full}=none").json()["ResultSet"]["Result"] == []


@pytest.mark.parametrize("address", ["/data/prearchive/projects", "/data/prearchive/projects/P1"])
def test_the_prearchive_is_empty(lab: ClientsOf, owner: httpx2.Client, address: str) -> None:
    assert owner.get(address).json()["ResultSet"]["Result"] == []
    assert "folderName" in owner.get(f"{address}?format=csv").text
    assert owner.get("/data/prearchive/projects/P1/20240101_000000/s").status_code == 404
    moved = owner.post("/data/services/prearchive/move?src=/prearchive/projects/P1/1/s&newProject=P2")
    assert moved.status_code == 404
    assert "archived at once" in moved.text
    with lab("stranger") as stranger:
        assert stranger.get("/data/prearchive/projects/P1").status_code == 404


def test_a_server_says_how_long_it_runs(owner: httpx2.Client) -> None:
    assert set(owner.get("/xapi/siteConfig/uptime").json()) == {"days", "hours", "minutes", "seconds"}


SUBJECT = '<xnat:Subject xmlns:xnat="http://nrg.wustl.edu/xnat" project="P1"{}>{}</xnat:Subject>'


def _send(owner: httpx2.Client, label: str, attributes: str = "", inside: str = "") -> httpx2.Response:
    document = SUBJECT.format(attributes, inside).encode()
    return owner.put(f"{P}/subjects/{label}", content=document, headers={"Content-Type": "text/xml"}, timeout=60)


def _entries(owner: httpx2.Client, label: str) -> list[tuple[str, str]]:
    (item,) = owner.get(f"{P}/subjects/{label}?format=json").json()["items"]
    (held,) = (child["items"] for child in item["children"] if child["field"] == "fields/field")
    return [(entry["data_fields"]["name"], entry["data_fields"]["field"]) for entry in held]


def test_thousands_of_fields_are_kept_in_their_order_and_replaced_whatever_their_case(owner: httpx2.Client) -> None:
    def fields(names: range, text: str, letter: str = "f") -> str:
        inner = "".join(f'<xnat:field name="{letter}{number}">{text}</xnat:field>' for number in names)
        return f"<xnat:fields>{inner}</xnat:fields>"

    assert _send(owner, "many", inside=fields(range(3_000), "one")).status_code == 201
    assert _entries(owner, "many") == [(f"f{number}", "one") for number in range(3_000)]
    assert _send(owner, "many", inside=fields(range(2_999, 3_001), "two", "F")).status_code == 200
    assert _entries(owner, "many")[-3:] == [("f2998", "one"), ("F2999", "two"), ("F3000", "two")]


def test_a_document_of_too_many_names_is_refused(owner: httpx2.Client) -> None:
    wide = " ".join(f'a{number}="x"' for number in range(MAX_NAMES))
    refused = _send(owner, "wide", attributes=f" {wide}")
    assert (refused.status_code, "elements and attributes" in refused.text) == (422, True)
    assert owner.get(f"{P}/subjects/wide").status_code == 404


def test_writing_that_takes_too_long_is_given_up_and_leaves_nothing(
    owner: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_TIME", timedelta(0))
    assert _send(owner, "slow").status_code == 413
    monkeypatch.undo()
    assert owner.get(f"{P}/subjects/slow").status_code == 404


def _form(count: int) -> bytes:
    return b"".join(
        b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\nq\r\n' % number for number in range(count)
    )


FORMS = {
    "of many parts": _form(20_000) + b"--x--\r\n",
    "of parts in parts": b"--x\r\n"
    + b"".join(
        b"Content-Type: multipart/mixed; boundary=x%d\r\n\r\n--x%d\r\n" % (depth, depth) for depth in range(3_000)
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_that_keep_others_waiting_are_refused(owner: httpx2.Client, name: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused = owner.put(f"{P}/subjects/formed", content=FORMS[name], headers=headers)
    assert (refused.status_code, refused.text[:8]) == (400, "The form")
    assert owner.get(f"{P}/subjects/formed").status_code == 404

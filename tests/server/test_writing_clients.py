"""The unmodified pyxnat and xnatpy make, set, rename, share and delete objects of every level."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.server.conftest import ClientsOf, ServeLab

PASSWORD = "correct horse"
FIELD = "xnat:subjectData/fields/field[name={}]/field"


@pytest.fixture(scope="module")
def lab(write_lab: ServeLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientsOf]:
    """Projects to be written in."""
    with write_lab(tmp_path_factory.mktemp("clients")) as clients:
        yield clients


@pytest.fixture
def owner(lab: ClientsOf) -> Iterator[httpx2.Client]:
    with lab("owner") as client:
        yield client


@pytest.fixture
def interface(owner: httpx2.Client) -> Iterator[Any]:
    import pyxnat

    found = pyxnat.Interface(server=str(owner.base_url).rstrip("/"), user="owner", password=PASSWORD)
    yield found
    found.disconnect()


@pytest.fixture
def session(owner: httpx2.Client) -> Iterator[Any]:
    import xnat

    with xnat.connect(str(owner.base_url).rstrip("/"), user="owner", password=PASSWORD, loglevel="ERROR") as connected:
        yield connected


def test_pyxnat_makes_and_deletes_a_project(interface: Any) -> None:
    project = interface.select.project("PYX")
    assert not project.exists()
    project.create(**{"description": "by pyxnat", "keywords": "one two"})
    assert project.exists()
    assert project.attrs.get("description") == "by pyxnat"
    project.attrs.set("description", "changed")
    assert project.attrs.get("description") == "changed"
    project.set_accessibility("public")
    assert project.accessibility() == b"public"  # pyxnat hands out the bytes
    project.delete()
    assert not interface.select.project("PYX").exists()


def test_pyxnat_writes_every_level(interface: Any) -> None:
    subject = interface.select.project("P1").subject("px")
    subject.create(gender="male")
    assert subject.exists()
    assert subject.attrs.get("gender") == "male"
    subject.attrs.mset({"xnat:subjectData/group": "patients", "age": "31"})
    assert (subject.attrs.get("group"), subject.attrs.get("age")) == ("patients", "31")
    subject.attrs.set(FIELD.format("consent"), "yes")
    experiment = subject.experiment("px_MR")
    experiment.create(**{"experiments": "xnat:mrSessionData", "xnat:mrSessionData/date": "2020-01-02"})
    assert (experiment.datatype(), experiment.attrs.get("date")) == ("xnat:mrSessionData", "2020-01-02")
    scan = experiment.scan("5")
    scan.create(**{"scans": "xnat:mrScanData", "type": "T2w"})
    assert (scan.exists(), scan.attrs.get("type")) == (True, "T2w")
    scan.set_param("foo", "bar")
    assert (scan.params(), scan.get_param("foo")) == (["foo"], "bar")
    assessor = experiment.assessor("px_QC")
    assessor.create(assessors="xnat:qcManualAssessorData")
    assert assessor.exists() and assessor.datatype() == "xnat:qcManualAssessorData"
    reconstruction = experiment.reconstruction("px_R")
    reconstruction.create()
    assert reconstruction.exists()
    experiment.trigger(pipelines=True, fix_types=True, scan_headers=True)
    for made in (reconstruction, assessor, scan, experiment, subject):
        made.delete()
        assert not made.exists()


def test_pyxnat_makes_all_above_at_once_and_takes_documents(
    interface: Any, owner: httpx2.Client, tmp_path: Path
) -> None:
    scan = interface.select("/projects/P1/subjects/pa/experiments/pa_PET/scans/1")
    scan.create(experiments="xnat:petSessionData", scans="xnat:petScanData")
    assert scan.parent().datatype() == "xnat:petSessionData"
    file = tmp_path / "subject.xml"
    file.write_text(
        '<xnat:Subject xmlns:xnat="http://nrg.wustl.edu/xnat" label="other"><xnat:src>lab</xnat:src></xnat:Subject>'
    )
    copy = interface.select.project("P1").subject("pa_again")
    copy.create(xml=str(file))
    assert (copy.label(), copy.attrs.get("src")) == ("pa_again", "lab")
    assert owner.get("/data/projects/P1/subjects/other").status_code == 404


def test_pyxnat_shares_and_stops_sharing(interface: Any) -> None:
    subject = interface.select.project("P1").subject("shared_px")
    subject.create()
    subject.share("SHARED")
    assert sorted(subject.shares().get()) == ["P1", "SHARED"]
    assert interface.select.project("SHARED").subject("shared_px").exists()
    subject.unshare("SHARED")
    assert subject.shares().get() == ["P1"]
    assert not interface.select.project("SHARED").subject("shared_px").exists()


def test_xnatpy_writes_every_level(session: Any) -> None:
    classes, project = session.classes, session.projects["P1"]
    subject = classes.SubjectData(parent=project, label="xp")
    assert subject.label == "xp"
    subject.group = "g1"
    subject.demographics.gender = "male"
    subject.fields["consent"] = "yes"
    session.clearcache()
    subject = session.projects["P1"].subjects["xp"]
    assert (subject.group, subject.demographics.gender, subject.fields["consent"]) == ("g1", "male", "yes")
    experiment = classes.MrSessionData(parent=subject, label="xp_MR")
    experiment.note = "good"
    scan = classes.MrScanData(parent=experiment, id="3", type="T1")
    assert scan.id == "3"
    scan.quality = "usable"
    session.clearcache()
    experiment = session.projects["P1"].experiments["xp_MR"]
    assert (experiment.note, experiment.scans["3"].quality) == ("good", "usable")
    assessor = classes.QcManualAssessorData(parent=experiment, label="xp_QC")
    assert [found.label for found in experiment.assessors] == ["xp_QC"]
    assessor.delete()
    experiment.label = "xp_renamed"
    subject.label = "xp_new"
    session.clearcache()
    project = session.projects["P1"]
    assert "xp_new" in project.subjects and "xp" not in project.subjects
    assert "xp_renamed" in project.experiments
    project.subjects["xp_new"].share("SHARED")
    session.clearcache()
    assert "xp_new" in session.projects["SHARED"].subjects
    session.clearcache()  # it would delete by the address that it saw last, which only ends the share
    session.projects["P1"].experiments["xp_renamed"].scans["3"].delete()
    session.projects["P1"].experiments["xp_renamed"].delete()
    session.projects["P1"].subjects["xp_new"].delete()
    session.clearcache()
    assert "xp_new" not in session.projects["P1"].subjects


def test_xnatpy_makes_a_project(session: Any) -> None:
    made = session.classes.ProjectData(parent=session, id_="XNATPY", name="By xnatpy")
    made.description = "d"
    session.clearcache()
    assert (session.projects["XNATPY"].name, session.projects["XNATPY"].description) == ("By xnatpy", "d")

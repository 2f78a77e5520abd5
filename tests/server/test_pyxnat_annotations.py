"""What the unmodified pyxnat and xnatpy note on objects: parameters, custom variables, provenance, people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import ServeLab

PASSWORD = "correct horse"
STEP = {"timestamp": "2011-03-01T12:01:01", "user": "angus", "machine": "war", "platform": "linux"}


@pytest.fixture(scope="module")
def address(write_lab: ServeLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with projects to be written in."""
    with write_lab(tmp_path_factory.mktemp("notes")) as clients, clients("owner") as owner:
        yield str(owner.base_url).rstrip("/")


@pytest.fixture
def project(address: str) -> Iterator[Any]:
    import pyxnat

    interface = pyxnat.Interface(server=address, user="owner", password=PASSWORD)
    yield interface.select.project("P1")
    interface.disconnect()


@pytest.fixture
def session(address: str) -> Iterator[Any]:
    import xnat

    with xnat.connect(address, user="owner", password=PASSWORD, loglevel="ERROR") as connected:
        yield connected


def test_parameters_of_a_scan_keep_their_order(project: Any) -> None:
    scan = project.subject("n1").experiment("n1_MR").scan("1").insert(use_label=True)
    for name, value in (("foo", "foostring"), ("bar", "1"), ("foo", "again")):
        scan.set_param(name, value)
    assert (scan.params(), scan.get_params()) == (["foo", "bar"], ["again", "1"])
    assert scan.parent().id() == "n1_MR"


def test_custom_variables_are_defined_and_set(project: Any, session: Any) -> None:
    project.subject("n2").create()
    project.add_custom_variables({"Subjects": {"visit": {"consent": "string", "count": "integer"}}})
    project.add_custom_variables({"Subjects": {"visit": {"late": "string"}}, "MR Sessions": {"qc": {"snr": "float"}}})
    defined = {name: groups for name, groups in project.get_custom_variables().items() if groups}
    visit = {"consent": "string", "count": "integer", "late": "string"}
    assert defined == {"Subjects": {"visit": visit}, "MR Sessions": {"qc": {"snr": "float"}}}
    subject = session.projects["P1"].subjects["n2"]
    subject.custom_variables["visit"]["count"] = 5
    session.clearcache()
    subject = session.projects["P1"].subjects["n2"]
    assert dict(subject.custom_variables["visit"]) == {"consent": None, "count": 5, "late": None}
    protocol = session.projects["P1"].study_protocol["P1_xnat_subjectData"]
    assert protocol.definitions["visit"].fields["count"].required is False
    assert subject.insert_date.tzinfo is not None


def test_numbers_are_numbers_wherever_they_are_kept(project: Any, session: Any) -> None:
    demographics = "xnat:subjectData/demographics[@xsi:type=xnat:demographicData]"
    project.subject("n4").create(**{f"{demographics}/height": "190", f"{demographics}/height/units": "cm"})
    scan = project.subject("n4").experiment("n4_MR").scan("1").insert(use_label=True)
    parameters = {"te": "2.752", "voxelRes/x": "0.5", "fov/x": "512", "acqType": "3D"}
    scan.attrs.mset({f"xnat:mrScanData/parameters/{name}": text for name, text in parameters.items()})
    seen = session.projects["P1"].subjects["n4"]
    assert (seen.demographics.height, seen.demographics.height_units) == (190, "cm")
    found = seen.experiments["n4_MR"].scans["1"].parameters
    assert found.data == {"te": 2.752, "voxelRes/x": 0.5, "fov/x": 512, "acqType": "3D"}
    assert (found.te, found.fov.x, found.acq_time) == (2.752, 512, None)


@pytest.mark.parametrize("kind", ["assessor", "reconstruction"])
def test_provenance_is_kept_step_by_step(project: Any, kind: str) -> None:
    made = getattr(project.subject("n3").experiment("n3_MR"), kind)(f"n3_{kind}").insert()
    made.provenance.set({"program": "one", **STEP})
    made.provenance.set({"program": "two", "program_version": "2", **STEP})
    steps = sorted(made.provenance.get(), key=lambda step: step["program"])
    assert [(step["program"], step["program_version"]) for step in steps] == [("one", ""), ("two", "2")]
    made.provenance.set({"program": "three", **STEP}, overwrite=True)
    assert [step["program"] for step in made.provenance.get()] == ["three"]


def test_people_are_objects_to_xnatpy(session: Any) -> None:
    project = session.projects["P1"]
    project.pi.firstname, project.pi.lastname = "Ada", "Lovelace"
    session.clearcache()
    assert session.projects["P1"].pi.fullname == "Ada Lovelace"


def test_attributes_of_a_project_are_those_of_xnat(project: Any) -> None:
    assert project.attrs() == []
    project._intf.manage.schemas.add("xapi/schemas/xnat")
    names = [path.removeprefix("xnat:projectData/") for path in project.attrs()]
    assert names == [
        *("name", "type", "description", "keywords", "aliases", "aliases/alias", "aliases/alias/None"),
        *("publications", "publications/publication", "resources", "resources/resource", "studyProtocol", "PI"),
        *("investigators", "investigators/investigator", "fields", "fields/field", "fields/field/None"),
    ]

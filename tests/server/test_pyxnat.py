"""The unmodified pyxnat, as it comes from the package index, against our server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Served

PASSWORD = "correct horse"
N = "hcp:nontoolboxdata"
CREST = "/projects/HCP_Q1/subjects/100307/experiments/100307_CREST/resources/100307_CREST"


def connect(served: Served, login: str, password: str = PASSWORD) -> Any:
    import pyxnat

    return pyxnat.Interface(server=served.address, user=login, password=password)


@pytest.fixture
def interface(served: Served) -> Iterator[Any]:
    found = connect(served, "reader")
    yield found
    found.disconnect()


def test_it_signs_in_and_lists_projects(interface: Any) -> None:
    assert interface.select.projects().get() == ["HCP_Q1", "LAB", "OPEN"]
    assert interface.select.project("HCP_Q1").exists()
    assert not interface.select.project("NONE").exists()


def test_it_is_told_when_the_password_is_wrong(served: Served) -> None:
    from pyxnat.core.errors import OperationalError

    with pytest.raises(OperationalError, match="Authentication failed"):
        connect(served, "reader", "wrong").select.projects().get()


def test_it_lists_subjects_and_reads_their_attributes(interface: Any) -> None:
    project = interface.select.project("HCP_Q1")
    assert project.subjects().get("label") == [f"ConnectomeDB_S0000{number}" for number in range(1, 5)]
    subject = project.subject("100307")
    assert (subject.exists(), subject.id(), subject.label()) == (True, "ConnectomeDB_S00001", "100307")
    assert subject.attrs.get("gender") == "female"
    assert subject.attrs.mget(["gender", "project"]) == ["female", "HCP_Q1"]


def test_it_walks_down_to_scans_and_files(interface: Any) -> None:
    session = interface.select("/projects/HCP_Q1/subjects/100307/experiments/100307_3T")
    assert session.datatype() == "xnat:mrSessionData"
    assert session.scans().get() == ["1", "2"]
    assert session.scan("2").attrs.get("type") == "tfMRI_MOTOR_LR"
    assert len(interface.select("/projects/HCP_Q1/subjects/*/experiments/*/resources/*").get()) == 12


def test_it_searches_by_behaviour(interface: Any) -> None:
    columns = [f"{N}/SUBJECT_ID", f"{N}/SUBJECT_LABEL", f"{N}/MMSE_SCORE"]
    constraints = [
        (f"{N}/MMSE_SCORE", ">=", "29"),
        [(f"{N}/GENDER", "=", "F"), (f"{N}/QC_ISSUE", "LIKE", "*"), "OR"],
        "AND",
    ]
    table = interface.select(N, columns).where(constraints)
    assert list(table.headers()) == ["subject_id", "subject_label", "mmse_score"]
    assert [(row["subject_label"], row["mmse_score"]) for row in table.data] == [("100307", "29"), ("103515", "30")]


def test_it_searches_everything_of_a_type(interface: Any) -> None:
    assert N in interface.inspect.datatypes()
    assert f"{N}/MMSE_SCORE" in interface.inspect.datatypes(N)
    assert f"{N}/THC" not in interface.inspect.datatypes(N)
    assert len(interface.select(N).all().data) == 4


WHERE = {
    "one": ([(f"{N}/MMSE_SCORE", ">", "28"), "AND"], [1, 2]),
    "two": ([(f"{N}/MMSE_SCORE", ">", "28"), (f"{N}/GENDER", "=", "F"), "AND"], [1]),
    "nested": (
        [
            (f"{N}/QC_ISSUE", "LIKE", "A*"),
            [(f"{N}/GENDER", "=", "F"), ("xnat:subjectData/GENDER", "=", "male"), "OR"],
            "AND",
        ],
        [2, 3],
    ),
    "of a session": ([("xnat:mrSessionData/LABEL", "LIKE", "*CREST"), "AND"], [1, 2]),
}


@pytest.mark.parametrize("name", WHERE)
def test_it_filters_subjects_of_a_project(interface: Any, name: str) -> None:
    constraints, numbers = WHERE[name]
    found = interface.select("/projects/HCP_Q1/subjects").where(constraints)
    assert sorted(found.get()) == [f"ConnectomeDB_S0000{number}" for number in numbers]


def test_it_searches_all_columns(interface: Any) -> None:
    table = interface.select(N).all()
    assert len(table.data) == 4
    fields = [field.partition("/")[2].lower() for field in interface.inspect.datatypes(N)]
    assert sorted(table.headers()) == sorted(fields)
    for root, count in (("xnat:subjectData", 4), ("xnat:mrSessionData", 4), ("xnat:projectData", 3)):
        assert len(interface.select(root).all().data) == count


def test_it_keeps_lists_runs_reads_and_forgets_searches(interface: Any, served: Served) -> None:
    searches = interface.manage.search
    columns = [f"{N}/SUBJECT_ID", f"{N}/SUBJECT_LABEL"]
    constraints = [
        (f"{N}/MMSE_SCORE", ">=", "29"),
        [(f"{N}/GENDER", "=", "F"), (f"{N}/MMSE_SCORE", ">=", "29"), "OR"],  # pyxnat spells out a result of one row
        "AND",
    ]
    searches.save("my search", N, columns, constraints, sharing="private", description="100 % made up")
    assert searches.saved() == ["my_search"]
    assert searches.saved(with_description=True) == [("my_search", "100 % made up")]
    assert [row["subject_label"] for row in searches.get("my_search").data] == ["100307", "103515"]
    kept = searches.get("my_search", "query")
    assert (kept["row"], kept["columns"], kept["users"]) == (N, columns, ["reader"])
    assert kept["constraints"][-1] == "AND"
    found = interface.select("/projects/HCP_Q1/subjects").where(query="my_search")
    assert sorted(found.get()) == ["ConnectomeDB_S00001", "ConnectomeDB_S00002"]
    other = connect(served, "granted").manage.search
    assert other.saved() == []
    searches.save("my search", N, columns, constraints, sharing=["reader", "granted"])
    assert other.saved() == ["my_search"]
    assert len(other.get("my_search").data) == 2
    searches.save("my search", N, columns, constraints, sharing="public")
    assert connect(served, "stranger").manage.search.saved() == ["my_search"]
    searches.delete("my_search")
    assert searches.saved() == other.saved() == []


def test_it_downloads_a_file_and_its_facts(interface: Any, served: Served, tmp_path: Path) -> None:
    file = interface.select(CREST).file("T1w/T1w_acpc_dc_restore_brain.nii.gz")
    assert file.exists()
    source = served.tree / "q1/100307/T1w/T1w_acpc_dc_restore_brain.nii.gz"
    assert int(file.size()) == source.stat().st_size
    assert file.last_modified().endswith("GMT")
    target = Path(file.get(str(tmp_path / "brain.nii.gz")))
    assert target.read_bytes() == source.read_bytes()


def test_it_downloads_a_resource_as_a_zip(interface: Any, tmp_path: Path) -> None:
    session = interface.select("/projects/HCP_Q1/subjects/100307/experiments/100307_3T")
    paths = session.resource("Structural_preproc").get(str(tmp_path), extract=True)
    assert sorted(Path(path).relative_to(tmp_path).as_posix() for path in paths) == [
        "Structural_preproc/MNINonLinear/aparc+aseg.nii.gz",
        "Structural_preproc/T1w/T1w_acpc_dc_restore_brain.nii.gz",
    ]


def test_it_describes_objects(interface: Any) -> None:
    project = interface.select.project("HCP_Q1")
    assert "`Q1 & friends` (private) 4 subjects" in repr(project)
    assert "(Gender: F)" in repr(project.subject("100307"))
    assert "2 scans 5 resources" in repr(project.subject("100307").experiment("100307_3T"))


def test_it_lists_across_a_project(interface: Any) -> None:
    experiments = interface.array.experiments(project_id="HCP_Q1").data
    assert {row["subject_ID"] for row in experiments} == {f"ConnectomeDB_S0000{number}" for number in range(1, 5)}
    scans = interface.array.scans(project_id="HCP_Q1").data
    assert [row["xnat:imagescandata/id"] for row in scans] == ["1", "2", "1", "2"]


def test_it_sees_nothing_of_a_hidden_project(served: Served) -> None:
    stranger = connect(served, "stranger")
    assert stranger.select.projects().get() == ["LAB", "OPEN"]
    assert stranger.select.project("HCP_Q1").subjects().get() == []


def test_it_is_told_the_version(interface: Any) -> None:
    assert interface.version()["version"].startswith("1.8")

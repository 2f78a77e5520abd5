"""The unmodified xnatpy, as it comes from the package index, against our server."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Served

PASSWORD = "correct horse"
A, B, C, D = "100307", "103515", "118932", "200614"


def connect(served: Served, login: str, **options: Any) -> Any:
    import xnat

    return xnat.connect(served.address, user=login, password=PASSWORD, loglevel="ERROR", **options)


@pytest.fixture(scope="module")
def connection(served: Served) -> Iterator[Any]:
    with connect(served, "reader") as connected:
        yield connected


@pytest.fixture
def session(connection: Any) -> Any:
    """The connection without what it remembers: xnatpy may keep the demographics under the address of their subject."""
    connection.clearcache()
    return connection


def labels(found: Any) -> list[str]:
    return [str(item.label) for item in found]


def test_it_has_a_class_of_every_type(session: Any, served: Served) -> None:
    from xnat.core import XNATBaseObject

    with served.client("reader") as client:
        types = client.get("/xapi/schemas/datatypes").json()
    known = {name for name in dir(session.classes) if not name.startswith("_")}
    assert {"ProjectData", "SubjectData", "MrSessionData", "MrScanData", "ResourceCatalog", "DemographicData"} <= known
    for name in types:
        made = session.XNAT_CLASS_LOOKUP[name]
        assert issubclass(made, XNATBaseObject), name
    measures = session.XNAT_CLASS_LOOKUP["hcp:nontoolboxdata"]
    assert issubclass(measures, session.classes.SubjectAssessorData)
    assert not hasattr(measures, "thc")


def test_it_needs_only_two_schemas(served: Served) -> None:
    with connect(served, "reader", extension_types=False) as connected:
        assert connected.projects["HCP_Q1"].name == "Q1 & friends"


def test_it_lists_and_finds_by_id_and_label(session: Any) -> None:
    assert [project.id for project in session.projects.values()] == ["HCP_Q1", "LAB", "OPEN"]
    project = session.projects["HCP_Q1"]
    assert (project.name, project.id) == ("Q1 & friends", "HCP_Q1")
    assert labels(project.subjects.values()) == [A, B, C, D]
    assert session.subjects["ConnectomeDB_S00001"].label == A
    subject = project.subjects[A]
    assert list(subject.experiments.key_map) == ["100307_3T", "100307_CREST", "100307_nontoolbox"]
    assert len(project.experiments) == len(session.experiments) == 8


def test_it_reads_attributes_by_their_type(session: Any) -> None:
    project = session.projects["HCP_Q1"]
    subject = project.subjects[A]
    assert (subject.id, subject.project, subject.demographics.gender) == ("ConnectomeDB_S00001", "HCP_Q1", "female")
    experiment = subject.experiments["100307_3T"]
    assert (experiment.subject_id, experiment.date, experiment.project) == (subject.id, None, "HCP_Q1")
    measures = subject.experiments["100307_nontoolbox"]
    assert (measures.mmse_score, measures.pic_seq_unadj, measures.qc_issue) == (29, 125.07, None)
    assert project.subjects[D].experiments["200614_nontoolbox"].mmse_score is None
    with pytest.raises(AttributeError):
        getattr(measures, "thc")  # noqa: B009 -- the class has no such name, for mypy neither


def test_it_walks_down_to_scans_and_files(session: Any, served: Served, tmp_path: Path) -> None:
    experiment = session.projects["HCP_Q1"].subjects[A].experiments["100307_3T"]
    assert [scan.type for scan in experiment.scans.values()] == ["T1w_MPR1", "tfMRI_MOTOR_LR"]
    assert experiment.scans["T1w_MPR1"].id == "1"
    assert len(experiment.assessors) == 0
    resource = experiment.resources["Structural_preproc"]
    assert (resource.file_count, resource.label) == (2, "Structural_preproc")
    file = resource.files["T1w/T1w_acpc_dc_restore_brain.nii.gz"]
    source = served.tree / "q1/100307/T1w/T1w_acpc_dc_restore_brain.nii.gz"
    assert int(file.size) == source.stat().st_size
    file.download(str(tmp_path / "brain.nii.gz"), verbose=False)
    assert (tmp_path / "brain.nii.gz").read_bytes() == source.read_bytes()
    with file.open() as opened:
        assert hashlib.md5(opened.read()).hexdigest() == file.digest


def test_it_downloads_a_resource_as_a_folder(session: Any, tmp_path: Path) -> None:
    experiment = session.projects["HCP_Q1"].subjects[A].experiments["100307_3T"]
    experiment.resources["Structural_preproc"].download_dir(str(tmp_path), verbose=False)
    names = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert names == ["T1w_acpc_dc_restore_brain.nii.gz", "aparc+aseg.nii.gz"]


def test_it_finds_all_objects_of_a_type(session: Any) -> None:
    classes = session.classes
    assert labels(classes.SubjectData.query().all()) == [A, B, C, D]
    assert labels(classes.MrSessionData.query().all()) == ["100307_3T", "100307_CREST", "103515_3T", "103515_CREST"]
    assert [project.id for project in classes.ProjectData.query().all()] == ["HCP_Q1", "LAB", "OPEN"]
    assert labels(classes.HcpNontoolboxdata.query().all()) == [f"{label}_nontoolbox" for label in (A, B, C, D)]


def search(session: Any, build: Any) -> list[str]:
    """Labels of subjects whose measures meet the constraint that `build` makes of their class."""
    measures = session.classes.HcpNontoolboxdata
    found = measures.query().view(measures.SUBJECT_LABEL).filter(build(measures)).tabulate_csv()
    return [line.split(",")[0] for line in found.strip().splitlines()[1:]]


OPERATORS: list[tuple[str, Any, list[str]]] = [
    ("equal", lambda of: of.MMSE_SCORE == 29, [A]),
    ("less", lambda of: of.MMSE_SCORE < 29, [C]),
    ("less or equal", lambda of: of.MMSE_SCORE <= 29, [A, C]),
    ("greater", lambda of: of.PICSEQ_UNADJ > 100.5, [A, D]),
    ("greater or equal", lambda of: of.MMSE_SCORE >= 29, [A, B]),
    ("like", lambda of: of.QC_ISSUE.like("a%"), [B, C]),
    ("and", lambda of: (of.GENDER == "F") & (of.MMSE_SCORE > 28), [A]),
    ("or", lambda of: (of.GENDER == "M") | (of.MMSE_SCORE == 28), [B, C, D]),
    ("nested", lambda of: ((of.GENDER == "F") | (of.QC_ISSUE == "A")) & (of.MMSE_SCORE >= 29), [A, B]),
    ("none", lambda of: of.GENDER == "X", []),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in OPERATORS], ids=[row[0] for row in OPERATORS])
def test_its_operators_mean_what_they_say(session: Any, build: Any, expected: list[str]) -> None:
    assert search(session, build) == expected


def test_it_searches_by_schema_paths_and_joins(session: Any) -> None:
    subjects, sessions = session.classes.SubjectData, session.classes.MrSessionData
    rows = (
        subjects.query()
        .view(subjects.SUBJECT_LABEL, sessions.LABEL)
        .filter(sessions.LABEL.like("%CREST"))
        .tabulate_dict()
    )
    assert [(row["subject_label"], row["xnat_mrsessiondata_label"]) for row in rows] == [
        (A, "100307_CREST"),
        (B, "103515_CREST"),
    ]
    chosen = subjects.query().filter(subjects.project == "HCP_Q1").filter(subjects.label == A).all()
    assert labels(chosen) == [A]
    assert subjects.query().filter(subjects.SUBJECT_LABEL == B).first().label == B


def test_it_searches_a_single_column(session: Any) -> None:
    subjects = session.classes.SubjectData
    assert [row["subject_label"] for row in subjects.query().view(subjects.SUBJECT_LABEL).tabulate_dict()] == [
        A,
        B,
        C,
        D,
    ]


def test_a_hidden_project_is_not_there(served: Served) -> None:
    with connect(served, "stranger") as connected:
        assert "HCP_Q1" not in connected.projects
        assert len(connected.subjects) == 0


def test_it_knows_every_type_without_a_warning(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    import xnat

    logger = logging.getLogger("test-xnatpy")
    with (
        caplog.at_level(logging.WARNING),
        xnat.connect(served.address, user="reader", password=PASSWORD, logger=logger) as connected,
    ):
        assert "HCP_Q1" in connected.projects
    assert not [record for record in caplog.records if record.name == logger.name]

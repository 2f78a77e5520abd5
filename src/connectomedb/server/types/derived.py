"""What is made from a session, and experiments without images: assessors, visits, reconstructions."""

from dataclasses import replace

from connectomedb.server.types.builtin import (
    DERIVED,
    EXPERIMENT,
    IMAGE_ASSESSOR,
    MR_SESSION,
    RECONSTRUCTION,
    SUBJECT_ASSESSOR,
    aliases_of,
    fact,
    facts,
)
from connectomedb.server.types.datatypes import (
    Column,
    DataType,
    Display,
    Entity,
    Formula,
    Kind,
    Many,
    Path,
    record_paths,
)
from connectomedb.server.types.experiments import EXPERIMENT_DISPLAYS

DERIVED_TYPE = DataType(
    name=DERIVED,
    entity=Entity.EXPERIMENT,
    parent=EXPERIMENT,
    singular="Derived",
    plural="Derived",
    paths=(
        Path("session_ID", Formula("of_session", "id")),
        Path("session_label", Formula("of_session", "label")),
        Path("session_project", Formula("of_session", "project")),
        Path("imageSession_ID", Formula("of_session", "id")),
        *record_paths("provenance/processStep"),
    ),
    aliases=aliases_of(DERIVED, "session_ID", "session_label", "session_project"),
)
IMAGE_ASSESSOR_TYPE = DataType(
    name=IMAGE_ASSESSOR,
    entity=Entity.EXPERIMENT,
    parent=DERIVED,
    singular="Image Assessor",
    plural="Image Assessors",
)


def _assessor(name: str, element: str, singular: str, parent: str = IMAGE_ASSESSOR, *paths: Path) -> DataType:
    is_derived = parent == IMAGE_ASSESSOR  # which has no field that names its subject
    shown = [replace(display, path=None) if is_derived else display for display in EXPERIMENT_DISPLAYS]
    return DataType(
        name=f"xnat:{name}",
        entity=Entity.EXPERIMENT,
        parent=parent,
        singular=singular,
        plural=f"{singular}s",
        element=element,
        paths=paths,
        displays=(*shown, Display("DATE", "Date", Column(Entity.EXPERIMENT, "date"), Kind.DATE, "date")),
        listing=("LABEL", "PROJECT", "SESSION_ID", "SUBJECT_ID", "DATE"),
    )


ASSESSORS = (
    _assessor("mrAssessorData", "MRAssessor", "MR Assessment"),
    _assessor("petAssessorData", "PETAssessor", "PET Assessment"),
    _assessor("ctAssessorData", "CTAssessor", "CT Assessment"),
    _assessor("megAssessorData", "MEGAssessor", "MEG Assessment"),
    _assessor(
        *("qcManualAssessorData", "QCManualAssessment", "Manual QC", IMAGE_ASSESSOR),
        *facts("rater", "stereotacticMarker", "incidentalFindings", "comments", "pass", "payable", "rescan"),
        *facts("rescanReason", "inc_find"),
    ),
    _assessor(
        *("qcAssessmentData", "QCAssessment", "Auto QC", IMAGE_ASSESSOR),
        *facts("type", "comments"),
    ),
)
VISITS = (
    _assessor("subjectVariablesData", "SubjectVariables", "Subject Variables", SUBJECT_ASSESSOR, fact("subject_type")),
    _assessor(
        *("pVisitData", "PVisit", "Visit", SUBJECT_ASSESSOR),
        *facts("visit_type", "visit_name", "notes"),
        *facts("start", "end", kind=Kind.DATE),
    ),
)

RECONSTRUCTION_TYPE = DataType(
    name=RECONSTRUCTION,
    entity=Entity.RECONSTRUCTION,
    singular="Reconstruction",
    plural="Reconstructions",
    element="ReconstructedImage",
    session=MR_SESSION,
    paths=(
        Path("ID", Column(Entity.RECONSTRUCTION, "id")),
        Path("type", Column(Entity.RECONSTRUCTION, "type")),
        Path("baseScanType", Column(Entity.RECONSTRUCTION, "base_scan_type")),
        Path("image_session_ID", Column(Entity.EXPERIMENT, "id")),
        *facts("algorithm", "provider", "note"),
        *record_paths("provenance/processStep"),
        Path("meta/key", Column(Entity.RECONSTRUCTION, "key"), Kind.INTEGER),
        Path("meta/insert_date", Column(Entity.RECONSTRUCTION, "insert_date"), Kind.TIMESTAMP),
        Path("meta/insert_user", Column(Entity.RECONSTRUCTION, "insert_user")),
        Path("meta/last_modified", Column(Entity.RECONSTRUCTION, "last_modified"), Kind.TIMESTAMP),
        Path("meta/xsiType", Column(Entity.RECONSTRUCTION, "data_type")),
        Path("fields/field/name", Many("fields/field", "name")),
        Path("fields/field/field", Many("fields/field", "value")),
    ),
    displays=(
        Display("PROJECT", "Project", Column(Entity.PROJECT, "id")),
        Display("SESSION_ID", "Session ID", Column(Entity.EXPERIMENT, "id")),
        Display("ID", "Reconstruction", Column(Entity.RECONSTRUCTION, "id"), path="ID"),
        Display("TYPE", "Type", Column(Entity.RECONSTRUCTION, "type"), path="type"),
    ),
    aliases=aliases_of(
        RECONSTRUCTION,
        *("ID", "type", "baseScanType"),
        xnat_reconstructedimagedata_id="meta/key",
        xsiType="meta/xsiType",
    ),
    listing=("PROJECT", "SESSION_ID", "ID", "TYPE"),
)

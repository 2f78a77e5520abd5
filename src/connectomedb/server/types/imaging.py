"""The sessions, scans and assessors of every modality, as rows of a few tables.

    session   xnat:petSessionData    its scans  xnat:petScanData
    assessor  xnat:qcManualAssessorData        an experiment of its own, made from a session

Source: XNAT's schema; fields are those that its path shortcuts and clients name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectomedb.server.types.builtin import (
    DERIVED,
    EXPERIMENT,
    EXPERIMENT_DISPLAYS,
    IMAGE_ASSESSOR,
    IMAGE_SCAN,
    IMAGE_SESSION,
    MR_SESSION,
    RECONSTRUCTION,
    ROOTS,
    SUBJECT_ASSESSOR,
    aliases_of,
    fact,
    facts,
)
from connectomedb.server.types.datatypes import (
    Column,
    DataType,
    Detail,
    Display,
    Entity,
    Formula,
    Kind,
    Many,
    Path,
    record_paths,
)


@dataclass(frozen=True, slots=True)
class _Modality:
    """One kind of scanner.

    Attributes:
        name: as in `petSessionData` and `petScanData`.
        shown: for people.
        session, scan: fields beyond those of every session and scan.
        aliases: of the session's fields, beside those spelled like their path.
    """

    name: str
    shown: str
    session: tuple[Path, ...] = ()
    scan: tuple[Path, ...] = ()
    aliases: Mapping[str, str] | None = None


_TRACER = ("name", "isotope", "transmissions", "intermediate")
_PET_SESSION = (
    *facts("studyType", "patientID", "patientName"),
    *facts(*(f"tracer/{name}" for name in _TRACER)),
    fact("tracer/startTime", Kind.TIME),
    *facts("tracer/dose", "tracer/sa", "tracer/totalmass", kind=Kind.FLOAT),
    *facts("scan_start_time", "injection_start_time"),
)
_PET_ALIASES = {
    **{name: name for name in ("studyType", "patientID", "patientName", "scan_start_time", "injection_start_time")},
    **{f"tracer_{name}": f"tracer/{name}" for name in (*_TRACER, "startTime", "dose", "sa", "totalmass")},
}
_PET_SCAN = (
    *facts("parameters/orientation", "parameters/originalFileName", "parameters/systemType", "parameters/fileType"),
    *facts("parameters/acqType", "parameters/facility", "parameters/dataType"),
    *facts(
        *("parameters/numPlanes", "parameters/numFrames", "parameters/numGates"),
        kind=Kind.INTEGER,
    ),
    *facts("parameters/planeSeparation", "parameters/binSize", "parameters/transaxialFOV", kind=Kind.FLOAT),
)
_CT_SCAN = (
    *facts("parameters/voxelRes/x", "parameters/voxelRes/y", "parameters/voxelRes/z", kind=Kind.FLOAT),
    *facts("parameters/kvp", "parameters/pitch", "parameters/rotationTime", kind=Kind.FLOAT),
    *facts("parameters/orientation", "parameters/contrastAgent", "parameters/convolutionKernel"),
)

_MODALITIES = (
    _Modality("pet", "PET", _PET_SESSION, _PET_SCAN, _PET_ALIASES),
    _Modality("petmr", "PET MR", _PET_SESSION, (), _PET_ALIASES),
    _Modality("ct", "CT", (), _CT_SCAN),
    _Modality("meg", "MEG"),
    _Modality("eeg", "EEG"),
    _Modality("us", "US"),
    _Modality("xa", "XA"),
    _Modality("cr", "CR"),
    _Modality("dx", "DX"),
    _Modality("mg", "MG"),
    _Modality("nm", "NM"),
    _Modality("rt", "RT"),
    _Modality("otherDicom", "Other DICOM"),
)


def session_type(modality: _Modality) -> DataType:
    """The type of its sessions."""
    name = f"xnat:{modality.name}SessionData"
    return DataType(
        name=name,
        entity=Entity.EXPERIMENT,
        parent=IMAGE_SESSION,
        singular=f"{modality.shown} Session",
        plural=f"{modality.shown} Sessions",
        element=f"{_capital(modality.name)}Session",
        details="image_sessions",
        paths=modality.session,
        displays=(
            *EXPERIMENT_DISPLAYS,
            Display("DATE", "Date", Column(Entity.EXPERIMENT, "date"), Kind.DATE, path="date"),
            Display("AGE", "Age", Column(Entity.EXPERIMENT, "age"), Kind.FLOAT, path="age"),
            Display("TYPE", "Type", Detail("session_type"), path="session_type"),
            Display("SCANNER", "Scanner", Detail("scanner"), path="scanner"),
            Display("SCAN_COUNT_AGG", "Scans", Formula("scan_summary")),
        ),
        aliases=aliases_of(name, **(modality.aliases or {})),
        listing=("LABEL", "PROJECT", "SESSION_ID", "SUBJECT_ID", "DATE", "SUBJECT_LABEL", "AGE", "TYPE", "SCANNER"),
    )


def scan_type(modality: _Modality) -> DataType:
    """The type of its scans."""
    name = f"xnat:{modality.name}ScanData"
    return DataType(
        name=name,
        entity=Entity.SCAN,
        parent=IMAGE_SCAN,
        singular=f"{modality.shown} Scan",
        plural=f"{modality.shown} Scans",
        element=f"{_capital(modality.name)}Scan",
        session=f"xnat:{modality.name}SessionData" if modality in _MODALITIES else IMAGE_SESSION,
        paths=modality.scan,
        displays=_SCAN_DISPLAYS,
        aliases=aliases_of(
            name,
            **{path.path.removeprefix("parameters/"): path.path for path in modality.scan if path.path.count("/") == 1},
        ),
        listing=("PROJECT", "SESSION_ID", "SESSION_LABEL", "ID", "TYPE", "QUALITY"),
    )


def _capital(name: str) -> str:
    return "OtherDicom" if name == "otherDicom" else "PETMR" if name == "petmr" else name.upper()


_SCAN_DISPLAYS = (
    Display("PROJECT", "Project", Column(Entity.PROJECT, "id")),
    Display("SESSION_ID", "Session ID", Column(Entity.EXPERIMENT, "id"), path="image_session_ID"),
    Display("SESSION_LABEL", "Session", Column(Entity.EXPERIMENT, "label")),
    Display("SUBJECT_ID", "Subject ID", Column(Entity.SUBJECT, "id")),
    Display("SUBJECT_LABEL", "Subject", Column(Entity.SUBJECT, "label")),
    Display("ID", "Scan", Column(Entity.SCAN, "id"), path="ID"),
    Display("TYPE", "Type", Column(Entity.SCAN, "type"), path="type"),
    Display("QUALITY", "Quality", Column(Entity.SCAN, "quality"), path="quality"),
)

_DERIVED = DataType(
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
_IMAGE_ASSESSOR = DataType(
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


_ASSESSORS = (
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
_VISITS = (
    _assessor("subjectVariablesData", "SubjectVariables", "Subject Variables", SUBJECT_ASSESSOR, fact("subject_type")),
    _assessor(
        *("pVisitData", "PVisit", "Visit", SUBJECT_ASSESSOR),
        *facts("visit_type", "visit_name", "notes"),
        *facts("start", "end", kind=Kind.DATE),
    ),
)

_RECONSTRUCTION = DataType(
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

_OTHER_SCANS = tuple(_Modality(name, shown) for name, shown in (("sc", "SC"), ("sr", "SR"), ("seg", "SEG")))

BUILTIN: tuple[DataType, ...] = (
    *ROOTS,
    *(session_type(modality) for modality in _MODALITIES),
    *(scan_type(modality) for modality in _MODALITIES if modality.name != "petmr"),
    *(scan_type(modality) for modality in _OTHER_SCANS),
    _DERIVED,
    _IMAGE_ASSESSOR,
    *_ASSESSORS,
    *_VISITS,
    _RECONSTRUCTION,
)
"""XNAT's own types, every parent before its children."""

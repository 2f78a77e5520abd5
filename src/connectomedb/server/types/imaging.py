"""The sessions and scans of every modality but MR, as rows of a table; and all types of XNAT.

    session   xnat:petSessionData    its scans  xnat:petScanData

Source: XNAT's schema; fields are those that its path shortcuts and clients name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connectomedb.server.types.builtin import IMAGE_SCAN, IMAGE_SESSION, aliases_of, fact, facts
from connectomedb.server.types.datatypes import Column, DataType, Detail, Display, Entity, Formula, Kind, Path
from connectomedb.server.types.derived import ASSESSORS, DERIVED_TYPE, IMAGE_ASSESSOR_TYPE, RECONSTRUCTION_TYPE, VISITS
from connectomedb.server.types.experiments import EXPERIMENT_DISPLAYS, EXPERIMENT_TYPE, SUBJECT_ASSESSOR_TYPE
from connectomedb.server.types.projects import PROJECT_TYPE
from connectomedb.server.types.scans import IMAGE_SCAN_TYPE, MR_SCAN_TYPE
from connectomedb.server.types.sessions import IMAGE_SESSION_TYPE, MR_SESSION_TYPE
from connectomedb.server.types.subjects import SUBJECT_TYPE


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

_OTHER_SCANS = tuple(_Modality(name, shown) for name, shown in (("sc", "SC"), ("sr", "SR"), ("seg", "SEG")))

BUILTIN: tuple[DataType, ...] = (
    PROJECT_TYPE,
    SUBJECT_TYPE,
    EXPERIMENT_TYPE,
    SUBJECT_ASSESSOR_TYPE,
    IMAGE_SESSION_TYPE,
    MR_SESSION_TYPE,
    IMAGE_SCAN_TYPE,
    MR_SCAN_TYPE,
    *(session_type(modality) for modality in _MODALITIES),
    *(scan_type(modality) for modality in _MODALITIES if modality.name != "petmr"),
    *(scan_type(modality) for modality in _OTHER_SCANS),
    DERIVED_TYPE,
    IMAGE_ASSESSOR_TYPE,
    *ASSESSORS,
    *VISITS,
    RECONSTRUCTION_TYPE,
)
"""XNAT's own types, every parent before its children."""

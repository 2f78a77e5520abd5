"""The types of imaging sessions, and of MR sessions."""

from connectomedb.server.types.builtin import (
    IMAGE_SESSION,
    MR_SESSION,
    SUBJECT_ASSESSOR,
    aliases_of,
    fact,
    facts,
    of_experiment,
)
from connectomedb.server.types.datatypes import (
    DataType,
    Detail,
    Display,
    Entity,
    Formula,
    Kind,
    Path,
    part_paths,
)
from connectomedb.server.types.experiments import EXPERIMENT_DISPLAYS

_SESSION_DETAILS = {
    "scanner": "scanner",
    "operator": "operator",
    "session_type": "session_type",
    "modality": "modality",
    "coil": "coil",
    "fieldStrength": "field_strength",
    "marker": "marker",
    "stabilization": "stabilization",
}

_SESSION_FACTS = (
    *("UID", "dcmAccessionNumber", "dcmPatientId", "dcmPatientName", "study_id", "prearchivePath"),
    *("scanner/manufacturer", "scanner/model", "tag"),
)

IMAGE_SESSION_TYPE = DataType(
    name=IMAGE_SESSION,
    entity=Entity.EXPERIMENT,
    parent=SUBJECT_ASSESSOR,
    singular="Image Session",
    plural="Image Sessions",
    details="image_sessions",
    paths=(
        *(Path(path, Detail(column)) for path, column in _SESSION_DETAILS.items()),
        *facts(*_SESSION_FACTS),
        *part_paths(),
        fact("dcmPatientBirthDate", Kind.DATE),
        fact("dcmPatientWeight", Kind.FLOAT),
    ),
    aliases=aliases_of(
        IMAGE_SESSION,
        *(*_SESSION_DETAILS, "dcmAccessionNumber", "dcmPatientId", "dcmPatientName", "UID"),
        studyInstanceUID="UID",
    ),
)

MR_SESSION_TYPE = DataType(
    name=MR_SESSION,
    entity=Entity.EXPERIMENT,
    parent=IMAGE_SESSION,
    singular="MR Session",
    plural="MR Sessions",
    element="MRSession",
    details="image_sessions",
    displays=(
        *EXPERIMENT_DISPLAYS,
        Display("DATE", "Date", of_experiment("date"), Kind.DATE, path="date"),
        Display("AGE", "Age", of_experiment("age"), Kind.FLOAT, path="age"),
        Display("TYPE", "Type", Detail("session_type"), path="session_type"),
        Display("SCANNER", "Scanner", Detail("scanner"), path="scanner"),
        Display("OPERATOR", "Operator", Detail("operator"), path="operator"),
        Display("MARKER", "Marker", Detail("marker"), path="marker"),
        Display("STABILIZATION", "Stabilization", Detail("stabilization"), path="stabilization"),
        Display("MR_NOTES", "Notes", of_experiment("note"), path="note"),
        Display("MR_SCAN_COUNT_AGG", "Scans", Formula("scan_summary")),
        Display("SCAN_COUNT_TYPE", "Scans of a type", Formula("scans_of_type"), Kind.INTEGER, takes_value=True),
        Display("MR_PROJECT_IDENTIFIER", "MR ID", Formula("label_in_project"), takes_value=True),
    ),
    listing=(
        *("LABEL", "PROJECT", "SESSION_ID", "SUBJECT_ID", "DATE", "SUBJECT_LABEL", "AGE", "TYPE", "SCANNER"),
        "MR_SCAN_COUNT_AGG",
    ),
)

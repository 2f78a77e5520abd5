"""XNAT's own data types, as tables: add a row here and listings, searches, items and the schema have it.

Source: XNAT's schema, path shortcuts and display fields, as its clients ask for them.
"""

from connectomedb.server.types.datatypes import (
    Column,
    DataType,
    Detail,
    Display,
    Entity,
    Fact,
    Formula,
    Kind,
    Many,
    Path,
    part_paths,
    record_paths,
)

PROJECT = "xnat:projectData"
SUBJECT = "xnat:subjectData"
EXPERIMENT = "xnat:experimentData"
SUBJECT_ASSESSOR = "xnat:subjectAssessorData"
IMAGE_SESSION = "xnat:imageSessionData"
MR_SESSION = "xnat:mrSessionData"
IMAGE_SCAN = "xnat:imageScanData"
MR_SCAN = "xnat:mrScanData"
DERIVED = "xnat:derivedData"
IMAGE_ASSESSOR = "xnat:imageAssessorData"
RECONSTRUCTION = "xnat:reconstructedImageData"

DEMOGRAPHICS = "demographics[@xsi:type=xnat:demographicData]/"


def _project(name: str) -> Column:
    return Column(Entity.PROJECT, name)


def _subject(name: str) -> Column:
    return Column(Entity.SUBJECT, name)


def _experiment(name: str) -> Column:
    return Column(Entity.EXPERIMENT, name)


def _scan(name: str) -> Column:
    return Column(Entity.SCAN, name)


def fact(path: str, kind: Kind = Kind.STRING) -> Path:
    """A field that is a row of facts. Dates and times are kept as ISO text, which sorts as they do."""
    is_number = kind in (Kind.INTEGER, Kind.FLOAT)
    return Path(path, Fact(path), kind if is_number else Kind.STRING, written=kind)


def facts(*paths: str, kind: Kind = Kind.STRING) -> tuple[Path, ...]:
    """Several of them."""
    return tuple(fact(path, kind) for path in paths)


def aliases_of(data_type: str, *names: str, **paths: str) -> dict[str, str]:
    """Aliases that are spelled like their path, and those that are not, each to its full path."""
    plain = {name: f"{data_type}/{name}" for name in names}
    return plain | {name: f"{data_type}/{path}" for name, path in paths.items()}


_SHARED = (
    Path("sharing/share/project", Many("shares", "project")),
    Path("sharing/share/label", Many("shares", "label")),
)
_FIELDS = (
    Path("fields/field/name", Many("fields/field", "name")),
    Path("fields/field/field", Many("fields/field", "value")),
)
_PERSON = ("title", "firstname", "lastname", "institution", "department", "email", "phone", "ID")
_INVESTIGATOR = facts(*(f"investigator/{name}" for name in _PERSON))
_INVESTIGATOR_ALIASES = {"pi_firstname": "investigator/firstname", "pi_lastname": "investigator/lastname"}
_VALIDATION = (
    *facts("validation/method", "validation/status", "validation/notes", "validation/validated_by"),
    fact("validation/date", Kind.DATE),
)
_VALIDATION_ALIASES = {f"validation_{name}": f"validation/{name}" for name in ("method", "status", "date", "notes")}

_PROJECT = DataType(
    name=PROJECT,
    entity=Entity.PROJECT,
    singular="Project",
    plural="Projects",
    element="Project",
    paths=(
        Path("ID", _project("id")),
        Path("secondary_ID", _project("secondary_id")),
        Path("name", _project("name")),
        Path("description", _project("description")),
        Path("keywords", _project("keywords")),
        Path("PI/firstname", _project("pi_firstname")),
        Path("PI/lastname", _project("pi_lastname")),
        *facts(*(f"PI/{name}" for name in _PERSON if name not in ("firstname", "lastname")), "type"),
        Path("aliases/alias/alias", Many("aliases", "alias")),
        *record_paths("investigators/investigator"),
        *record_paths("publications/publication"),
        *_FIELDS,
    ),
    displays=(
        Display("ID", "ID", _project("id"), path="ID"),
        Display("NAME", "Title", _project("name"), path="name"),
        Display("DESCRIPTION", "Description", _project("description"), path="description"),
        Display("SECONDARY_ID", "Running Title", _project("secondary_id"), path="secondary_ID"),
        Display("KEYWORDS", "Keywords", _project("keywords"), path="keywords"),
        Display("PI", "Investigator", Formula("investigator")),
        Display("INSERT_DATE", "Inserted", _project("insert_date"), Kind.TIMESTAMP),
        Display("INSERT_USER", "Creator", _project("insert_user")),
        Display("PROJECT_ACCESS", "Accessibility", _project("accessibility")),
        Display("PROJECT_OWNERS", "Owners", Formula("people", "owner")),
        Display("PROJECT_MEMBERS", "Members", Formula("people", "member")),
        Display("PROJECT_COLLABS", "Collaborators", Formula("people", "collaborator")),
        Display("PROJ_MR_COUNT", "MR", Formula("experiments_in_project", MR_SESSION), Kind.INTEGER),
        Display("PROJ_PET_COUNT", "PET", Formula("experiments_in_project", "xnat:petSessionData"), Kind.INTEGER),
        Display("PROJ_CT_COUNT", "CT", Formula("experiments_in_project", "xnat:ctSessionData"), Kind.INTEGER),
        Display("PROJ_UT_COUNT", "UT", Formula("experiments_in_project", "xnat:otherDicomSessionData"), Kind.INTEGER),
        Display("PROJECT_LAST_ACCESS", "Last access", Formula("nothing")),
        Display("PROJECT_FAV", "Favourite", Formula("nothing")),
    ),
    aliases=aliases_of(
        PROJECT,
        *("ID", "secondary_ID", "name", "description", "keywords"),
        pi_firstname="PI/firstname",
        pi_lastname="PI/lastname",
        alias="aliases/alias/alias",
        note="fields/field[name=note]/field",
    ),
    listing=(
        "ID",
        "NAME",
        "DESCRIPTION",
        "SECONDARY_ID",
        "KEYWORDS",
        "PROJ_MR_COUNT",
        "PROJ_PET_COUNT",
        "PROJ_CT_COUNT",
    ),
)

_RACES = ("race2", "race3", "race4", "race5", "race6")
_BIRTH = ("gestational_age", "post_menstrual_age", "birth_weight")

_SUBJECT = DataType(
    name=SUBJECT,
    entity=Entity.SUBJECT,
    singular="Subject",
    plural="Subjects",
    element="Subject",
    paths=(
        Path("ID", _subject("id")),
        Path("project", _project("id")),
        Path("group", _subject("group")),
        Path("label", _subject("label")),
        Path("src", _subject("src")),
        Path(DEMOGRAPHICS + "dob", _subject("dob"), Kind.DATE),
        Path(DEMOGRAPHICS + "yob", _subject("yob"), Kind.INTEGER),
        Path(DEMOGRAPHICS + "age", _subject("age"), Kind.INTEGER),
        Path(DEMOGRAPHICS + "gender", _subject("gender")),
        Path(DEMOGRAPHICS + "handedness", _subject("handedness")),
        Path(DEMOGRAPHICS + "ses", _subject("ses"), Kind.INTEGER),
        Path(DEMOGRAPHICS + "education", _subject("education"), Kind.INTEGER),
        Path(DEMOGRAPHICS + "educationDesc", _subject("education_desc")),
        Path(DEMOGRAPHICS + "race", _subject("race")),
        Path(DEMOGRAPHICS + "ethnicity", _subject("ethnicity")),
        Path(DEMOGRAPHICS + "weight", _subject("weight"), Kind.FLOAT),
        Path(DEMOGRAPHICS + "height", _subject("height"), Kind.FLOAT),
        *facts(*(DEMOGRAPHICS + name for name in ("weight/units", "height/units", "employment", *_RACES))),
        *(fact(DEMOGRAPHICS + name, Kind.FLOAT) for name in _BIRTH),
        *_INVESTIGATOR,
        *_FIELDS,
        Path("meta/insert_date", _subject("insert_date"), Kind.TIMESTAMP),
        Path("meta/insert_user", _subject("insert_user")),
        Path("meta/last_modified", _subject("last_modified"), Kind.TIMESTAMP),
        *_SHARED,
    ),
    displays=(
        Display("SUBJECT_ID", "Subject ID", _subject("id"), path="ID"),
        Display("SUBJECTID", "Subject ID", _subject("id")),
        Display("SUBJECT_LABEL", "Subject", _subject("label"), path="label"),
        Display("PROJECT", "Project", _project("id"), path="project"),
        Display("PROJECTS", "Projects", _project("id")),
        Display("SUB_PROJECT_IDENTIFIER", "Subject", Formula("label_in_project"), takes_value=True),
        Display("GENDER", "Gender", _subject("gender"), path=DEMOGRAPHICS + "gender"),
        Display("GENDER_TEXT", "M/F", Formula("initial", "gender")),
        Display("HANDEDNESS", "Hand", _subject("handedness"), path=DEMOGRAPHICS + "handedness"),
        Display("HANDEDNESS_TEXT", "Hand", Formula("initial", "handedness")),
        Display("DOB", "YOB", _subject("yob"), Kind.INTEGER, path=DEMOGRAPHICS + "yob"),
        Display("EDUC", "Education", _subject("education"), Kind.INTEGER, path=DEMOGRAPHICS + "education"),
        Display("SES", "SES", _subject("ses"), Kind.INTEGER, path=DEMOGRAPHICS + "ses"),
        Display("AGE", "Age", _subject("age"), Kind.INTEGER, path=DEMOGRAPHICS + "age"),
        Display("RACE", "Race", _subject("race"), path=DEMOGRAPHICS + "race"),
        Display("ETHNICITY", "Ethnicity", _subject("ethnicity"), path=DEMOGRAPHICS + "ethnicity"),
        Display("SUB_GROUP", "Group", _subject("group"), path="group"),
        Display("ADD_IDS", "Other IDs", Formula("nothing")),
        Display("INSERT_DATE", "Inserted", _subject("insert_date"), Kind.TIMESTAMP),
        Display("INSERT_USER", "Creator", _subject("insert_user")),
        Display("MR_COUNT", "MR", Formula("experiments_of_subject", MR_SESSION), Kind.INTEGER),
    ),
    aliases=aliases_of(
        SUBJECT,
        *("ID", "project", "label", "group", "src"),
        **{
            name: DEMOGRAPHICS + name
            for name in (
                *("dob", "yob", "age", "gender", "handedness", "ses", "education", "educationDesc"),
                *("race", "ethnicity", "weight", "height", *_BIRTH),
            )
        },
        **_INVESTIGATOR_ALIASES,
        insert_date="meta/insert_date",
        insert_user="meta/insert_user",
        last_modified="meta/last_modified",
    ),
    listing=(
        *("SUBJECT_LABEL", "PROJECT", "SUBJECTID", "SUBJECT_ID", "GENDER", "HANDEDNESS", "DOB", "EDUC", "SES"),
        "MR_COUNT",
    ),
)

_EXPERIMENT = DataType(
    name=EXPERIMENT,
    entity=Entity.EXPERIMENT,
    singular="Experiment",
    plural="Experiments",
    paths=(
        Path("ID", _experiment("id")),
        Path("project", _project("id")),
        Path("label", _experiment("label")),
        Path("visit_id", _experiment("visit_id")),
        Path("date", _experiment("date"), Kind.DATE),
        Path("time", _experiment("time"), Kind.TIME),
        Path("note", _experiment("note")),
        *facts("visit", "original", "protocol", "acquisition_site", "version"),
        *_INVESTIGATOR,
        *_VALIDATION,
        *_FIELDS,
        Path("meta/insert_date", _experiment("insert_date"), Kind.TIMESTAMP),
        Path("meta/insert_user", _experiment("insert_user")),
        Path("meta/last_modified", _experiment("last_modified"), Kind.TIMESTAMP),
        Path("meta/xsiType", _experiment("data_type")),
        *_SHARED,
    ),
    aliases=aliases_of(
        EXPERIMENT,
        *("ID", "project", "label", "date", "time", "note", "visit", "visit_id", "protocol"),
        **_INVESTIGATOR_ALIASES,
        **_VALIDATION_ALIASES,
        insert_date="meta/insert_date",
        insert_user="meta/insert_user",
        last_modified="meta/last_modified",
        xsiType="meta/xsiType",
    ),
)

_SUBJECT_ASSESSOR = DataType(
    name=SUBJECT_ASSESSOR,
    entity=Entity.EXPERIMENT,
    parent=EXPERIMENT,
    singular="Subject Assessor",
    plural="Subject Assessors",
    paths=(Path("subject_ID", _subject("id")), Path("age", _experiment("age"), Kind.FLOAT)),
    aliases=aliases_of(SUBJECT_ASSESSOR, "age", subject_ID="subject_id")
    | aliases_of(SUBJECT, subject_label="label", subject_project="project"),
)

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

_IMAGE_SESSION = DataType(
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

EXPERIMENT_DISPLAYS = (
    Display("SESSION_ID", "Session ID", _experiment("id"), path="ID"),
    Display("LABEL", "Label", _experiment("label")),
    Display("PROJECT", "Project", _project("id"), path="project"),
    Display("PROJECTS", "Projects", _project("id")),
    Display("SUBJECT_ID", "Subject ID", _subject("id"), path="subject_ID"),
    Display("SUBJECT_LABEL", "Subject", _subject("label")),
    Display("INSERT_DATE", "Inserted", _experiment("insert_date"), Kind.TIMESTAMP),
    Display("INSERT_USER", "Creator", _experiment("insert_user")),
)
"""Display fields that every kind of experiment has."""

_MR_SESSION = DataType(
    name=MR_SESSION,
    entity=Entity.EXPERIMENT,
    parent=IMAGE_SESSION,
    singular="MR Session",
    plural="MR Sessions",
    element="MRSession",
    details="image_sessions",
    displays=(
        *EXPERIMENT_DISPLAYS,
        Display("DATE", "Date", _experiment("date"), Kind.DATE, path="date"),
        Display("AGE", "Age", _experiment("age"), Kind.FLOAT, path="age"),
        Display("TYPE", "Type", Detail("session_type"), path="session_type"),
        Display("SCANNER", "Scanner", Detail("scanner"), path="scanner"),
        Display("OPERATOR", "Operator", Detail("operator"), path="operator"),
        Display("MARKER", "Marker", Detail("marker"), path="marker"),
        Display("STABILIZATION", "Stabilization", Detail("stabilization"), path="stabilization"),
        Display("MR_NOTES", "Notes", _experiment("note"), path="note"),
        Display("MR_SCAN_COUNT_AGG", "Scans", Formula("scan_summary")),
        Display("SCAN_COUNT_TYPE", "Scans of a type", Formula("scans_of_type"), Kind.INTEGER, takes_value=True),
        Display("MR_PROJECT_IDENTIFIER", "MR ID", Formula("label_in_project"), takes_value=True),
    ),
    listing=(
        *("LABEL", "PROJECT", "SESSION_ID", "SUBJECT_ID", "DATE", "SUBJECT_LABEL", "AGE", "TYPE", "SCANNER"),
        "MR_SCAN_COUNT_AGG",
    ),
)

_IMAGE_SCAN = DataType(
    name=IMAGE_SCAN,
    entity=Entity.SCAN,
    singular="Scan",
    plural="Scans",
    session=IMAGE_SESSION,
    paths=(
        Path("ID", _scan("id")),
        Path("type", _scan("type")),
        Path("image_session_ID", _experiment("id")),
        Path("note", _scan("note")),
        Path("quality", _scan("quality")),
        Path("condition", _scan("condition")),
        Path("series_description", _scan("series_description")),
        Path("scanner", _scan("scanner")),
        Path("modality", _scan("modality")),
        Path("frames", _scan("frames"), Kind.INTEGER),
        Path("startTime", _scan("start_time"), Kind.TIME),
        *facts("UID", "documentation", "operator", "series_class", "protocolName", "requestedProcedureDescription"),
        fact("bodyPartExamined"),
        *facts("scanner/manufacturer", "scanner/model", "scanner/softwareVersion"),
        fact("start_date", Kind.DATE),
        *_VALIDATION,
        *_FIELDS,
        Path("parameters/addParam/name", Many("parameters/addParam", "name")),
        Path("parameters/addParam/addField", Many("parameters/addParam", "value")),
        *_SHARED,
        Path("meta/key", _scan("key"), Kind.INTEGER),
        Path("meta/insert_date", _scan("insert_date"), Kind.TIMESTAMP),
        Path("meta/insert_user", _scan("insert_user")),
        Path("meta/last_modified", _scan("last_modified"), Kind.TIMESTAMP),
        Path("meta/xsiType", _scan("data_type")),
    ),
    aliases=aliases_of(
        IMAGE_SCAN,
        *("ID", "type", "note", "quality", "condition", "series_description", "scanner", "modality", "frames"),
        *("UID", "documentation"),
        **_VALIDATION_ALIASES,
        scanTime="startTime",
        xnat_imagescandata_id="meta/key",
        insert_date="meta/insert_date",
        insert_user="meta/insert_user",
        last_modified="meta/last_modified",
        xsiType="meta/xsiType",
    ),
)

_DIFFUSION = ("bValues", "bMax", "directionality", "orientations", "anisotropyType", "refocusFlipAngle")
_MR_TEXTS = (
    *("voxelRes/units", "orientation", "sequence", "origin", "imageType", "scanSequence", "seqVariant", "scanOptions"),
    *("acqType", "acqTime", "coil", "coilElements", "derivation", "readoutDirection", "matrix/units", "fov/units"),
    *("subjectPosition", "pmc", *(f"diffusion/{name}" for name in _DIFFUSION)),
    *(f"inPlanePhaseEncoding/{name}" for name in ("direction", "rotation", "polaritySwap", "directionPositive")),
    *("phaseEncodingDirection", "phaseEncodingDirectionPositive", "shimGroup", "seFieldMapGroup"),
)
_MR_NUMBERS = (
    *("voxelRes/x", "voxelRes/y", "voxelRes/z", "tr", "te", "ti", "flip"),
    *("pixelBandwidth", "readoutSampleSpacing", "echoSpacing", "deltaTE"),
)
_MR_COUNTS = ("fov/x", "fov/y", "matrix/x", "matrix/y", "partitions", "dtiAcqCount")

_MR_SCAN = DataType(
    name=MR_SCAN,
    entity=Entity.SCAN,
    parent=IMAGE_SCAN,
    singular="MR Scan",
    plural="MR Scans",
    element="MRScan",
    session=MR_SESSION,
    paths=(
        Path("coil", _scan("coil")),
        Path("fieldStrength", _scan("field_strength")),
        *facts("marker", "stabilization"),
        *facts(*(f"parameters/{name}" for name in _MR_TEXTS)),
        *facts(*(f"parameters/{name}" for name in _MR_NUMBERS), kind=Kind.FLOAT),
        *facts(*(f"parameters/{name}" for name in _MR_COUNTS), kind=Kind.INTEGER),
    ),
    displays=(
        Display("PROJECT", "Project", _project("id")),
        Display("SESSION_ID", "Session ID", _experiment("id"), path="image_session_ID"),
        Display("SESSION_LABEL", "Session", _experiment("label")),
        Display("SUBJECT_ID", "Subject ID", _subject("id")),
        Display("SUBJECT_LABEL", "Subject", _subject("label")),
        Display("ID", "Scan", _scan("id"), path="ID"),
        Display("TYPE", "Type", _scan("type"), path="type"),
        Display("SERIES_DESCRIPTION", "Series", _scan("series_description"), path="series_description"),
        Display("QUALITY", "Quality", _scan("quality"), path="quality"),
        Display("CONDITION", "Condition", _scan("condition"), path="condition"),
        Display("NOTE", "Note", _scan("note"), path="note"),
        Display("STARTTIME", "Start", _scan("start_time"), Kind.TIME, path="startTime"),
        Display("FRAMES", "Frames", _scan("frames"), Kind.INTEGER, path="frames"),
        Display("COIL", "Coil", _scan("coil"), path="coil"),
        Display("FIELDSTRENGTH", "Field", _scan("field_strength"), path="fieldStrength"),
        *(
            Display(f"PARAMETERS_{name.upper()}", name.upper(), Fact(f"parameters/{name}"), Kind.FLOAT)
            for name in ("tr", "te", "ti", "flip")
        ),
    ),
    aliases=aliases_of(MR_SCAN, "coil", "fieldStrength", "marker", "stabilization"),
    listing=(
        "PROJECT",
        "SESSION_ID",
        "SESSION_LABEL",
        "ID",
        "TYPE",
        "NOTE",
        "QUALITY",
        "CONDITION",
        "SERIES_DESCRIPTION",
    ),
)

ROOTS: tuple[DataType, ...] = (
    _PROJECT,
    _SUBJECT,
    _EXPERIMENT,
    _SUBJECT_ASSESSOR,
    _IMAGE_SESSION,
    _MR_SESSION,
    _IMAGE_SCAN,
    _MR_SCAN,
)
"""The types that every other one inherits from, and those of magnetic resonance; `imaging` adds the others."""

"""XNAT's own data types: their names, and the words in which they are declared.

    projects, subjects     one type each                 experiments   what all experiments have
    sessions, scans        of MR, and of all modalities  imaging       the other modalities, and the list of all
    derived                assessors, reconstructions, visits

To add a field, add a row to its type: listings, searches, items and the schema have it then.
Source: XNAT's schema, path shortcuts and display fields, as its clients ask for them.
"""

from connectomedb.server.types.datatypes import Column, Entity, Fact, Kind, Many, Path

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


def of_project(name: str) -> Column:
    """A column of the project that an object is in."""
    return Column(Entity.PROJECT, name)


def of_subject(name: str) -> Column:
    """A column of the subject that an object belongs to."""
    return Column(Entity.SUBJECT, name)


def of_experiment(name: str) -> Column:
    """A column of an experiment, or of the session that a scan is in."""
    return Column(Entity.EXPERIMENT, name)


def of_scan(name: str) -> Column:
    """A column of a scan."""
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


SHARED = (
    Path("sharing/share/project", Many("shares", "project")),
    Path("sharing/share/label", Many("shares", "label")),
)
FIELDS = (
    Path("fields/field/name", Many("fields/field", "name")),
    Path("fields/field/field", Many("fields/field", "value")),
)
PERSON = ("title", "firstname", "lastname", "institution", "department", "email", "phone", "ID")
INVESTIGATOR = facts(*(f"investigator/{name}" for name in PERSON))
INVESTIGATOR_ALIASES = {"pi_firstname": "investigator/firstname", "pi_lastname": "investigator/lastname"}
VALIDATION = (
    *facts("validation/method", "validation/status", "validation/notes", "validation/validated_by"),
    fact("validation/date", Kind.DATE),
)
VALIDATION_ALIASES = {f"validation_{name}": f"validation/{name}" for name in ("method", "status", "date", "notes")}

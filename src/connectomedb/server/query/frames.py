"""What the list of each level is called, and its columns when none are named. Source: XNAT's list resources."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectomedb.server.types import builtin
from connectomedb.xnat.address import Level


@dataclass(frozen=True, slots=True)
class Frame:
    """What lists of one level have: title, columns always there, columns when none are named."""

    title: str
    root: str
    always: tuple[str, ...]
    default: tuple[str, ...]
    may_page: bool = False


FRAMES: Mapping[Level, Frame] = {
    Level.PROJECTS: Frame(
        "Projects",
        builtin.PROJECT,
        ("ID",),
        ("ID", "secondary_ID", "name", "description", "pi_firstname", "pi_lastname"),
    ),
    Level.SUBJECTS: Frame(
        "Subjects", builtin.SUBJECT, ("ID",), ("ID", "project", "label", "insert_date", "insert_user"), may_page=True
    ),
    Level.EXPERIMENTS: Frame(
        "Experiments",
        builtin.EXPERIMENT,
        ("ID",),
        ("ID", "project", "date", "xsiType", "label", "insert_date"),
        may_page=True,
    ),
    Level.SCANS: Frame(
        "Scans",
        builtin.IMAGE_SCAN,
        ("xnat_imagescandata_id",),
        ("xnat_imagescandata_id", "ID", "type", "quality", "xsiType", "note", "series_description"),
    ),
    Level.RECONSTRUCTIONS: Frame(
        "Reconstructions",
        builtin.RECONSTRUCTION,
        ("xnat_reconstructedimagedata_id",),
        ("xnat_reconstructedimagedata_id", "ID", "type", "baseScanType"),
    ),
    Level.ASSESSORS: Frame(
        "Assessors",
        builtin.IMAGE_ASSESSOR,
        ("ID",),
        ("ID", "project", "label", "date", "xsiType", "insert_date", "session_ID", "session_label"),
    ),
}

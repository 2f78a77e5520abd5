"""Projects and what is in them, down to scans; what has no column of its own, and where else they are seen."""

from sqlalchemy import (
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Time,
    UniqueConstraint,
)

from connectomedb.server.tables.base import Key, history_columns, key_column, metadata, reference, text_columns

projects = Table(
    "projects",
    metadata,
    key_column(),
    Column("id", Text, nullable=False, unique=True),
    Column("accessibility", Text, nullable=False),
    *text_columns("secondary_id", "name", "description", "keywords", "pi_firstname", "pi_lastname", "current_arc"),
    *(Column(name, Integer) for name in ("quarantine_code", "prearchive_code")),
    *history_columns(),
)

project_aliases = Table(
    "project_aliases",
    metadata,
    Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
    Column("alias", Text, primary_key=True),
)

retired_projects = Table("retired_projects", metadata, Column("id", Text, primary_key=True))
"""IDs of projects that were deleted, in lower case: nobody gets them again."""

subjects = Table(
    "subjects",
    metadata,
    key_column(),
    Column("id", Text, nullable=False, unique=True),
    reference("projects", "project_key", index=False),
    Column("label", Text, nullable=False),
    *text_columns("group", "src", "gender", "handedness", "education_desc", "race", "ethnicity"),
    Column("dob", Date),
    *(Column(name, Integer) for name in ("yob", "age", "ses", "education")),
    *(Column(name, Double) for name in ("height", "weight")),
    *history_columns(),
    Column("status", Text),
    UniqueConstraint("project_key", "label"),
)

experiments = Table(
    "experiments",
    metadata,
    key_column(),
    Column("id", Text, nullable=False, unique=True),
    reference("projects", "project_key", index=False),
    reference("subjects", "subject_key", index=False),
    reference("experiments", "session_key", nullable=True),
    Column("data_type", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("date", Date),
    Column("time", Time),
    Column("age", Double),
    *text_columns("note", "visit_id"),
    *history_columns(),
    Column("status", Text),
    UniqueConstraint("project_key", "label"),
    Index(None, "data_type", "project_key"),
    Index(None, "subject_key", "data_type"),
)

image_sessions = Table(
    "image_sessions",
    metadata,
    Column("experiment_key", Key, ForeignKey("experiments.key", ondelete="CASCADE"), primary_key=True),
    *text_columns(
        "scanner", "operator", "session_type", "modality", "coil", "field_strength", "marker", "stabilization"
    ),
)

scans = Table(
    "scans",
    metadata,
    key_column(),
    reference("experiments", "experiment_key", index=False),
    Column("id", Text, nullable=False),
    Column("data_type", Text, nullable=False),
    *text_columns(
        "type", "quality", "condition", "series_description", "note", "modality", "scanner", "coil", "field_strength"
    ),
    Column("frames", Integer),
    Column("start_time", Time),
    *history_columns(),
    UniqueConstraint("experiment_key", "id"),
)

reconstructions = Table(
    "reconstructions",
    metadata,
    key_column(),
    reference("experiments", "experiment_key", index=False),
    Column("id", Text, nullable=False),
    Column("data_type", Text, nullable=False),
    *text_columns("type", "base_scan_type"),
    *history_columns(),
    UniqueConstraint("experiment_key", "id"),
)


def _facts(level: str) -> Table:
    """Fields that have no column: path of the field, name of the entry if it is one of a list, and its text.

    `position` keeps entries of a list in the order in which they came.
    """
    return Table(
        f"{level}_facts",
        metadata,
        Column("owner_key", Key, ForeignKey(f"{level}s.key", ondelete="CASCADE"), primary_key=True),
        Column("path", Text, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("value", Text, nullable=False),
        Column("position", Integer),
    )


def _shares(level: str) -> Table:
    """Objects that are seen in a project that is not their home."""
    return Table(
        f"{level}_shares",
        metadata,
        Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
        Column("owner_key", Key, ForeignKey(f"{level}s.key", ondelete="CASCADE"), primary_key=True, index=True),
        Column("label", Text, nullable=False),
    )


project_facts, subject_facts, experiment_facts, scan_facts, reconstruction_facts = (
    _facts(level) for level in ("project", "subject", "experiment", "scan", "reconstruction")
)
subject_shares, experiment_shares, scan_shares = (_shares(level) for level in ("subject", "experiment", "scan"))

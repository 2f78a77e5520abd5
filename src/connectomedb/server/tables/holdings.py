"""Resources, their files, and bytes that no file names."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from connectomedb.server.tables.base import key_column, metadata, reference, text_columns

_OWNERS = ("project_key", "subject_key", "experiment_key", "scan_key", "reconstruction_key")

resources = Table(
    "resources",
    metadata,
    key_column(),
    reference("projects", "project_key", nullable=True, index=False),
    reference("subjects", "subject_key", nullable=True, index=False),
    reference("experiments", "experiment_key", nullable=True, index=False),
    reference("scans", "scan_key", nullable=True, index=False),
    reference("reconstructions", "reconstruction_key", nullable=True, index=False),
    *text_columns("label", "format", "content", "description", "tags"),
    Column("is_input", Boolean, nullable=False, server_default=false()),
    *(UniqueConstraint(owner, "label", "is_input") for owner in _OWNERS),
    CheckConstraint(
        " + ".join(f"CASE WHEN {owner} IS NULL THEN 0 ELSE 1 END" for owner in _OWNERS) + " = 1", name="one_owner"
    ),
    sqlite_autoincrement=True,
)

files = Table(
    "files",
    metadata,
    key_column(),
    reference("resources", "resource_key", index=False),
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("md5", Text),
    Column("modified", DateTime),
    Column("store", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    *text_columns("format", "content", "tags", "description"),
    UniqueConstraint("resource_key", "path"),
    Index(None, "store", "object_key"),
)

loose_objects = Table(
    "loose_objects",
    metadata,
    key_column(),
    Column("store", Text, nullable=False),
    Column("object_key", Text, nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("since", DateTime, nullable=False),
)
"""Objects under `uploads/` that no file names: not yet (`owner` is the process that brings them) or no longer
(no owner). Triggers on `files` write the latter, whatever deleted or changed the row."""

"""Tables of subject keys: which coded id a publication gives which subject of a project.

projects ─ subject_keys ─ coded_subjects ─ subjects
"""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Table, Text, UniqueConstraint

from connectomedb.server.tables.schema import Key, metadata

subject_keys = Table(
    "subject_keys",
    metadata,
    Column("key", Key, primary_key=True),
    Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("pmid", Text, nullable=False),
    Column("owner_key", Key, ForeignKey("users.key", ondelete="CASCADE"), nullable=False, index=True),
    Column("is_shared", Boolean, nullable=False),
    Column("last_modified", DateTime, nullable=False),
    UniqueConstraint("project_key", "name"),
)

coded_subjects = Table(
    "coded_subjects",
    metadata,
    Column("list_key", Key, ForeignKey("subject_keys.key", ondelete="CASCADE"), primary_key=True),
    Column("code", Text, primary_key=True),
    Column("subject_key", Key, ForeignKey("subjects.key", ondelete="CASCADE"), nullable=False, index=True),
    UniqueConstraint("list_key", "subject_key"),
)

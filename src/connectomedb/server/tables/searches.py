"""Searches that are kept, and results that are paged through."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from connectomedb.server.tables.base import Key, history_columns, key_column, metadata, reference

saved_searches = Table(
    "saved_searches",
    metadata,
    key_column(),
    Column("id", Text, nullable=False, unique=True),
    reference("users", "owner_key"),
    reference("projects", "project_key", nullable=True),
    *(Column(name, Text, nullable=False) for name in ("name", "description", "tag", "root")),
    Column("is_secure", Boolean, nullable=False),
    Column("document", LargeBinary, nullable=False),
    *history_columns(),
)

saved_search_people = Table(
    "saved_search_people",
    metadata,
    Column("search_key", Key, ForeignKey("saved_searches.key", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
)

search_snapshots = Table(
    "search_snapshots",
    metadata,
    key_column(),
    Column("id", Text, nullable=False, unique=True),
    reference("users", "user_key"),
    Column("expires", DateTime, nullable=False),
    Column("rights", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("frame", JSON, nullable=False),
    Column("total", Integer, nullable=False),
)

search_snapshot_rows = Table(
    "search_snapshot_rows",
    metadata,
    Column("snapshot_key", Key, ForeignKey("search_snapshots.key", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("cells", JSON, nullable=False),
)

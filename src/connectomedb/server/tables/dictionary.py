"""Data types of measures and their fields, and numbers that are given once."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from connectomedb.server.tables.base import key_column, metadata, text_columns

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

data_types = Table(
    "data_types",
    metadata,
    Column("name", Text, primary_key=True),
    Column("singular", Text, nullable=False),
    Column("plural", Text, nullable=False),
    Column("table_name", Text, nullable=False, unique=True),
)

fields = Table(
    "fields",
    metadata,
    key_column(),
    Column("data_type", Text, ForeignKey("data_types.name", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("column_name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("tier", Text, nullable=False),
    *text_columns("category", "assessment", "description", "label", "unit", "levels"),
    *(Column(name, Double) for name in ("low", "high")),
    Column("holds_several", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("data_type", "name"),
)

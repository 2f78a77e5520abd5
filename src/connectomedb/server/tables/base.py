"""What all tables have in common: names of their constraints, keys, references, dates of making.

All times are UTC without zone.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer(), "sqlite")
"""Numbers rows. SQLite counts by itself only in a column of type INTEGER."""


def key_column() -> Column[int]:
    """The number of a row, given by the database."""
    return Column("key", Key, primary_key=True)


def reference(target: str, name: str, *, nullable: bool = False, index: bool = True) -> Column[Any]:
    """The row of another table that this one goes with."""
    return Column(name, Key, ForeignKey(f"{target}.key", ondelete="CASCADE"), nullable=nullable, index=index)


def text_columns(*names: str) -> list[Column[Any]]:
    """Texts that may be missing."""
    return [Column(name, Text) for name in names]


def history_columns() -> list[Column[Any]]:
    """When a row was made, by whom, and when it was changed last."""
    return [
        Column("insert_date", DateTime, nullable=False),
        Column("insert_user", Text, nullable=False),
        Column("last_modified", DateTime, nullable=False),
    ]

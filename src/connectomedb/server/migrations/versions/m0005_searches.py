"""Searches that are kept, and results that are paged through."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_saved()
    _make_snapshots()


def _make_saved() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner_key", KEY, nullable=False),
        sa.Column("project_key", KEY),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "description", "tag", "root")),
        sa.Column("is_secure", sa.Boolean(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("insert_date", sa.DateTime(), nullable=False),
        sa.Column("insert_user", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.DateTime(), nullable=False),
        _foreign_key("saved_searches", "owner_key", "users"),
        _foreign_key("saved_searches", "project_key", "projects"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("id", name=op.f("uq_saved_searches_id")),
    )
    op.create_index(op.f("ix_saved_searches_owner_key"), "saved_searches", ["owner_key"])
    op.create_index(op.f("ix_saved_searches_project_key"), "saved_searches", ["project_key"])
    op.create_table(
        "saved_search_people",
        sa.Column("search_key", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _foreign_key("saved_search_people", "search_key", "saved_searches"),
        sa.PrimaryKeyConstraint("search_key", "kind", "name", name=op.f("pk_saved_search_people")),
    )


def _make_snapshots() -> None:
    op.create_table(
        "search_snapshots",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("expires", sa.DateTime(), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("frame", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        _foreign_key("search_snapshots", "user_key", "users"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_search_snapshots")),
        sa.UniqueConstraint("id", name=op.f("uq_search_snapshots_id")),
    )
    op.create_index(op.f("ix_search_snapshots_user_key"), "search_snapshots", ["user_key"])
    op.create_table(
        "search_snapshot_rows",
        sa.Column("snapshot_key", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        _foreign_key("search_snapshot_rows", "snapshot_key", "search_snapshots"),
        sa.PrimaryKeyConstraint("snapshot_key", "position", name=op.f("pk_search_snapshot_rows")),
    )


def _foreign_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.key"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE")

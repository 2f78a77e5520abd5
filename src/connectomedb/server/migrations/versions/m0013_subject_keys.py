"""Subject keys: which coded id a publication gives which subject."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "subject_keys",
        sa.Column("key", KEY, nullable=False),
        sa.Column("project_key", KEY, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "title", "description", "pmid")),
        sa.Column("owner_key", KEY, nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("last_modified", sa.DateTime(), nullable=False),
        _to("subject_keys", "projects", "project_key"),
        _to("subject_keys", "users", "owner_key"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_subject_keys")),
        sa.UniqueConstraint("project_key", "name", name=op.f("uq_subject_keys_project_key_name")),
    )
    op.create_index(op.f("ix_subject_keys_owner_key"), "subject_keys", ["owner_key"])
    op.create_table(
        "coded_subjects",
        sa.Column("list_key", KEY, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject_key", KEY, nullable=False),
        _to("coded_subjects", "subject_keys", "list_key"),
        _to("coded_subjects", "subjects", "subject_key"),
        sa.PrimaryKeyConstraint("list_key", "code", name=op.f("pk_coded_subjects")),
        sa.UniqueConstraint("list_key", "subject_key", name=op.f("uq_coded_subjects_list_key_subject_key")),
    )
    op.create_index(op.f("ix_coded_subjects_subject_key"), "coded_subjects", ["subject_key"])


def _to(table: str, other: str, column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{other}.key"], name=name, ondelete="CASCADE")

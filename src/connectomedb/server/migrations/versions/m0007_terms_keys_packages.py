"""Data-use terms and who accepted them, S3 keys of users, prefixes of projects, checksums of package zips."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_terms()
    op.create_table(
        "prefixes",
        sa.Column("project_key", KEY, nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        _to("prefixes", "projects", "project_key"),
        sa.PrimaryKeyConstraint("project_key", "store", "prefix", name=op.f("pk_prefixes")),
    )
    op.create_table(
        "s3_keys",
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("access_key", sa.Text(), nullable=False),
        sa.Column("prefixes", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_s3_keys")),
    )
    op.create_table(
        "package_sums",
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("md5", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stamp", name=op.f("pk_package_sums")),
    )


def _make_terms() -> None:
    op.create_table(
        "terms",
        sa.Column("key", KEY, nullable=False),
        sa.Column("project_key", KEY, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("version", "title", "text", "digest")),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("insert_date", sa.DateTime(), nullable=False),
        sa.Column("insert_user", sa.Text(), nullable=False),
        _to("terms", "projects", "project_key"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_terms")),
        sa.UniqueConstraint("project_key", "version", name=op.f("uq_terms_project_key_version")),
    )
    op.create_table(
        "acceptances",
        sa.Column("terms_key", KEY, nullable=False),
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("accepted", sa.DateTime(), nullable=False),
        _to("acceptances", "terms", "terms_key"),
        _to("acceptances", "users", "user_key"),
        sa.PrimaryKeyConstraint("terms_key", "user_key", name=op.f("pk_acceptances")),
    )
    op.create_index(op.f("ix_acceptances_user_key"), "acceptances", ["user_key"])


def _to(table: str, target: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.key"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE")

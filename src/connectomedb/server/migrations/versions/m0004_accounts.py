"""Accounts: alias tokens, sign-in failures, groups of a project's own, favorites, and the audit log.

Sessions are thrown away: users sign in anew after the update.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_GUARD_SQLITE = """
CREATE TRIGGER audit_keeps_{verb} BEFORE {verb} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END
"""
_GUARD_POSTGRES = (
    """
    CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is append only'; END $$
    """,
    "CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keeps()",
)


def upgrade() -> None:
    """Make the tables."""
    op.add_column("users", sa.Column("is_verified", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("users", sa.Column("last_modified", sa.DateTime()))
    _make_sign_in()
    _make_groups()
    _make_audit()


def _make_sign_in() -> None:
    op.create_table(
        "tokens",
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("issued", sa.DateTime(), nullable=False),
        sa.Column("expires", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_key"], ["users.key"], name=op.f("fk_tokens_user_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_user_key"), "tokens", ["user_key"])
    op.drop_table("logins")
    op.create_table(
        "logins",
        sa.Column("id_hash", sa.Text(), nullable=False),
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("token_alias", sa.Text()),
        sa.Column("opened", sa.DateTime(), nullable=False),
        sa.Column("seen", sa.DateTime(), nullable=False),
        sa.Column("expires", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_key"], ["users.key"], name=op.f("fk_logins_user_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["token_alias"], ["tokens.alias"], name=op.f("fk_logins_token_alias"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_logins")),
    )
    op.create_index(op.f("ix_logins_user_key"), "logins", ["user_key"])
    op.create_index(op.f("ix_logins_token_alias"), "logins", ["token_alias"])
    op.create_table(
        "sign_in_failures",
        sa.Column("name_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", sa.DateTime(), nullable=False),
        sa.Column("closed_until", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_sign_in_failures")),
    )


def _make_groups() -> None:
    op.create_table(
        "project_groups",
        sa.Column("key", KEY, nullable=False),
        sa.Column("project_key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("displayname", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f("fk_project_groups_project_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_project_groups")),
        sa.UniqueConstraint("project_key", "id", name=op.f("uq_project_groups_project_key_id")),
    )
    with op.batch_alter_table("members") as members:
        members.add_column(sa.Column("group_key", KEY))
        members.create_foreign_key(
            op.f("fk_members_group_key"), "project_groups", ["group_key"], ["key"], ondelete="CASCADE"
        )
    op.create_index(op.f("ix_members_group_key"), "members", ["group_key"])
    op.create_table(
        "favorites",
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("project_key", KEY, nullable=False),
        sa.ForeignKeyConstraint(["user_key"], ["users.key"], name=op.f("fk_favorites_user_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f("fk_favorites_project_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_key", "project_key", name=op.f("pk_favorites")),
    )
    op.create_index(op.f("ix_favorites_project_key"), "favorites", ["project_key"])


def _make_audit() -> None:
    texts = ("login", "address", "action", "project", "target", "detail")
    op.create_table(
        "audit",
        sa.Column("key", KEY, nullable=False),
        sa.Column("time", sa.DateTime(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_time"), "audit", ["time"])
    op.create_index(op.f("ix_audit_login"), "audit", ["login"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    guards = [_GUARD_SQLITE.format(verb=verb) for verb in ("UPDATE", "DELETE")] if is_sqlite else _GUARD_POSTGRES
    for guard in guards:
        op.execute(guard)

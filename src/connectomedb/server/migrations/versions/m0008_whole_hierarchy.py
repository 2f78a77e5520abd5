"""The whole hierarchy: reconstructions, assessors, rare fields, shares, other names of projects."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OWNERS = ("project_key", "subject_key", "experiment_key", "scan_key", "reconstruction_key")
ONE_OWNER = " + ".join(f"CASE WHEN {owner} IS NULL THEN 0 ELSE 1 END" for owner in OWNERS) + " = 1"


def upgrade() -> None:
    """Make the tables, and the columns that older ones lack."""
    _make_reconstructions()
    _widen_projects()
    with op.batch_alter_table("experiments") as experiments:
        experiments.add_column(sa.Column("session_key", KEY))
        experiments.create_foreign_key(
            op.f("fk_experiments_session_key"), "experiments", ["session_key"], ["key"], ondelete="CASCADE"
        )
        experiments.create_index(op.f("ix_experiments_session_key"), ["session_key"])
    _widen_resources()
    for level in ("project", "subject", "experiment", "scan", "reconstruction"):
        _make_facts(level)
    for level in ("subject", "experiment", "scan"):
        _make_shares(level)


def _make_reconstructions() -> None:
    op.create_table(
        "reconstructions",
        sa.Column("key", KEY, nullable=False),
        sa.Column("experiment_key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("data_type", sa.Text(), nullable=False),
        sa.Column("type", sa.Text()),
        sa.Column("base_scan_type", sa.Text()),
        sa.Column("insert_date", sa.DateTime(), nullable=False),
        sa.Column("insert_user", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_key"], ["experiments.key"], name=op.f("fk_reconstructions_experiment_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_reconstructions")),
        sa.UniqueConstraint("experiment_key", "id", name=op.f("uq_reconstructions_experiment_key_id")),
    )


def _widen_projects() -> None:
    op.add_column("projects", sa.Column("current_arc", sa.Text()))
    op.add_column("projects", sa.Column("quarantine_code", sa.Integer()))
    op.add_column("projects", sa.Column("prearchive_code", sa.Integer()))
    op.create_table(
        "project_aliases",
        sa.Column("project_key", KEY, nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f("fk_project_aliases_project_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_key", "alias", name=op.f("pk_project_aliases")),
    )
    op.create_table(
        "retired_projects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retired_projects")),
    )


def _widen_resources() -> None:
    """A reconstruction may own resources; SQLite takes a new check only with a new table."""
    check = sa.CheckConstraint(ONE_OWNER, name=op.f("ck_resources_one_owner"))
    is_copied = op.get_context().dialect.name == "sqlite"
    counts_on = {"sqlite_autoincrement": True}  # the numbers of resources that are gone are never given again
    with op.batch_alter_table(
        "resources", table_args=(check,) if is_copied else (), table_kwargs=counts_on
    ) as resources:
        resources.add_column(sa.Column("reconstruction_key", KEY))
        resources.create_foreign_key(
            op.f("fk_resources_reconstruction_key"),
            *("reconstructions", ["reconstruction_key"], ["key"]),
            ondelete="CASCADE",
        )
        resources.create_unique_constraint(
            op.f("uq_resources_reconstruction_key_label"), ["reconstruction_key", "label"]
        )
        if not is_copied:
            resources.drop_constraint(op.f("ck_resources_one_owner"), type_="check")
            resources.create_check_constraint(op.f("ck_resources_one_owner"), sa.text(ONE_OWNER))


def _make_facts(level: str) -> None:
    name = f"{level}_facts"
    op.create_table(
        name,
        sa.Column("owner_key", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_key"], [f"{level}s.key"], name=op.f(f"fk_{name}_owner_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_key", "path", "name", name=op.f(f"pk_{name}")),
    )


def _make_shares(level: str) -> None:
    name = f"{level}_shares"
    op.create_table(
        name,
        sa.Column("project_key", KEY, nullable=False),
        sa.Column("owner_key", KEY, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_key"], [f"{level}s.key"], name=op.f(f"fk_{name}_owner_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f(f"fk_{name}_project_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_key", "owner_key", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_owner_key"), name, ["owner_key"])

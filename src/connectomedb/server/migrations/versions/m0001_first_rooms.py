"""The first rooms: users, projects, subjects, experiments, scans, resources, files, and the dictionary of measures."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OWNERS = ("project_key", "subject_key", "experiment_key", "scan_key")


def upgrade() -> None:
    """Make the tables."""
    _make_people()
    _make_levels()
    _make_files()
    _make_dictionary()


def _history() -> list[sa.Column[Any]]:
    return [
        sa.Column("insert_date", sa.DateTime(), nullable=False),
        sa.Column("insert_user", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.DateTime(), nullable=False),
    ]


def _make_people() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "users",
        sa.Column("key", KEY, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("firstname", sa.Text()),
        sa.Column("lastname", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("insert_date", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_table(
        "logins",
        sa.Column("id_hash", sa.Text(), nullable=False),
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("opened", sa.DateTime(), nullable=False),
        sa.Column("seen", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_key"], ["users.key"], name=op.f("fk_logins_user_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_logins")),
    )
    op.create_index(op.f("ix_logins_user_key"), "logins", ["user_key"])


def _make_levels() -> None:
    op.create_table(
        "projects",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("accessibility", sa.Text(), nullable=False),
        sa.Column("secondary_id", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("keywords", sa.Text()),
        sa.Column("pi_firstname", sa.Text()),
        sa.Column("pi_lastname", sa.Text()),
        *_history(),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_projects")),
        sa.UniqueConstraint("id", name=op.f("uq_projects_id")),
    )
    op.create_table(
        "members",
        sa.Column("project_key", KEY, nullable=False),
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f("fk_members_project_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_key"], ["users.key"], name=op.f("fk_members_user_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_key", "user_key", name=op.f("pk_members")),
    )
    op.create_index(op.f("ix_members_user_key"), "members", ["user_key"])
    op.create_table(
        "grants",
        sa.Column("project_key", KEY, nullable=False),
        sa.Column("user_key", KEY, nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f("fk_grants_project_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_key"], ["users.key"], name=op.f("fk_grants_user_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_key", "user_key", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_user_key"), "grants", ["user_key"])
    op.create_table(
        "subjects",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_key", KEY, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("group", sa.Text()),
        sa.Column("src", sa.Text()),
        sa.Column("gender", sa.Text()),
        sa.Column("handedness", sa.Text()),
        sa.Column("education_desc", sa.Text()),
        sa.Column("race", sa.Text()),
        sa.Column("ethnicity", sa.Text()),
        sa.Column("dob", sa.Date()),
        sa.Column("yob", sa.Integer()),
        sa.Column("age", sa.Integer()),
        sa.Column("ses", sa.Integer()),
        sa.Column("education", sa.Integer()),
        sa.Column("height", sa.Double()),
        sa.Column("weight", sa.Double()),
        *_history(),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f("fk_subjects_project_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_subjects")),
        sa.UniqueConstraint("id", name=op.f("uq_subjects_id")),
        sa.UniqueConstraint("project_key", "label", name=op.f("uq_subjects_project_key_label")),
    )
    op.create_table(
        "experiments",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_key", KEY, nullable=False),
        sa.Column("subject_key", KEY, nullable=False),
        sa.Column("data_type", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("date", sa.Date()),
        sa.Column("time", sa.Time()),
        sa.Column("age", sa.Double()),
        sa.Column("note", sa.Text()),
        sa.Column("visit_id", sa.Text()),
        *_history(),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f("fk_experiments_project_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subject_key"], ["subjects.key"], name=op.f("fk_experiments_subject_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_experiments")),
        sa.UniqueConstraint("id", name=op.f("uq_experiments_id")),
        sa.UniqueConstraint("project_key", "label", name=op.f("uq_experiments_project_key_label")),
    )
    op.create_index(op.f("ix_experiments_data_type_project_key"), "experiments", ["data_type", "project_key"])
    op.create_index(op.f("ix_experiments_subject_key_data_type"), "experiments", ["subject_key", "data_type"])
    op.create_table(
        "image_sessions",
        sa.Column("experiment_key", KEY, nullable=False),
        sa.Column("scanner", sa.Text()),
        sa.Column("operator", sa.Text()),
        sa.Column("session_type", sa.Text()),
        sa.Column("modality", sa.Text()),
        sa.Column("coil", sa.Text()),
        sa.Column("field_strength", sa.Text()),
        sa.Column("marker", sa.Text()),
        sa.Column("stabilization", sa.Text()),
        sa.ForeignKeyConstraint(
            ["experiment_key"], ["experiments.key"], name=op.f("fk_image_sessions_experiment_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("experiment_key", name=op.f("pk_image_sessions")),
    )
    op.create_table(
        "scans",
        sa.Column("key", KEY, nullable=False),
        sa.Column("experiment_key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("data_type", sa.Text(), nullable=False),
        sa.Column("type", sa.Text()),
        sa.Column("quality", sa.Text()),
        sa.Column("condition", sa.Text()),
        sa.Column("series_description", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("modality", sa.Text()),
        sa.Column("scanner", sa.Text()),
        sa.Column("coil", sa.Text()),
        sa.Column("field_strength", sa.Text()),
        sa.Column("frames", sa.Integer()),
        sa.Column("start_time", sa.Time()),
        *_history(),
        sa.ForeignKeyConstraint(
            ["experiment_key"], ["experiments.key"], name=op.f("fk_scans_experiment_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_scans")),
        sa.UniqueConstraint("experiment_key", "id", name=op.f("uq_scans_experiment_key_id")),
    )


def _make_files() -> None:
    op.create_table(
        "resources",
        sa.Column("key", KEY, nullable=False),
        sa.Column("project_key", KEY),
        sa.Column("subject_key", KEY),
        sa.Column("experiment_key", KEY),
        sa.Column("scan_key", KEY),
        sa.Column("label", sa.Text()),
        sa.Column("format", sa.Text()),
        sa.Column("content", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("tags", sa.Text()),
        sa.CheckConstraint(
            " + ".join(f"CASE WHEN {owner} IS NULL THEN 0 ELSE 1 END" for owner in OWNERS) + " = 1",
            name=op.f("ck_resources_one_owner"),
        ),
        sa.ForeignKeyConstraint(
            ["experiment_key"], ["experiments.key"], name=op.f("fk_resources_experiment_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_key"], ["projects.key"], name=op.f("fk_resources_project_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["scan_key"], ["scans.key"], name=op.f("fk_resources_scan_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["subject_key"], ["subjects.key"], name=op.f("fk_resources_subject_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_resources")),
        sa.UniqueConstraint("experiment_key", "label", name=op.f("uq_resources_experiment_key_label")),
        sa.UniqueConstraint("project_key", "label", name=op.f("uq_resources_project_key_label")),
        sa.UniqueConstraint("scan_key", "label", name=op.f("uq_resources_scan_key_label")),
        sa.UniqueConstraint("subject_key", "label", name=op.f("uq_resources_subject_key_label")),
        sqlite_autoincrement=True,  # clients remember resources by number: none is given again
    )
    op.create_table(
        "files",
        sa.Column("key", KEY, nullable=False),
        sa.Column("resource_key", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("md5", sa.Text()),
        sa.Column("modified", sa.DateTime()),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("format", sa.Text()),
        sa.Column("content", sa.Text()),
        sa.Column("tags", sa.Text()),
        sa.ForeignKeyConstraint(
            ["resource_key"], ["resources.key"], name=op.f("fk_files_resource_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_files")),
        sa.UniqueConstraint("resource_key", "path", name=op.f("uq_files_resource_key_path")),
    )


def _make_dictionary() -> None:
    op.create_table(
        "data_types",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("singular", sa.Text(), nullable=False),
        sa.Column("plural", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_data_types")),
        sa.UniqueConstraint("table_name", name=op.f("uq_data_types_table_name")),
    )
    op.create_table(
        "fields",
        sa.Column("key", KEY, nullable=False),
        sa.Column("data_type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("category", sa.Text()),
        sa.Column("assessment", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.ForeignKeyConstraint(
            ["data_type"], ["data_types.name"], name=op.f("fk_fields_data_type"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_fields")),
        sa.UniqueConstraint("data_type", "name", name=op.f("uq_fields_data_type_name")),
    )

"""The tables of the database.

    users ─┬─ logins                       who is signed in
           ├─ tokens                       alias and secret in place of login and password
           ├─ members ─ projects           role of a user in a project, perhaps by one of its own project_groups
           ├─ favorites ─ projects
           └─ grants  ─ projects           tiers of measures that a user may see there
    sign_in_failures                       of a login or an address, lately
    audit                                  who did what; rows are added, never changed
    projects ─ subjects ─ experiments ─┬─ scans, reconstructions
                                       ├─ experiments         assessors of the session
                                       ├─ image_sessions      what only imaging sessions have
                                       └─ measures_<n>        one table per data type of measures
    users ─┬─ saved_searches ─ saved_search_people      searches that are kept, and who else may use them
           └─ search_snapshots ─ search_snapshot_rows   results that are paged through
    resources  of one project, subject, experiment, scan or reconstruction;  files  of one resource
    <level>_facts   rare fields and custom variables of one object, a row each
    <level>_shares  other projects in which an object is seen too, with its label there
    loose_objects                      bytes that no file names yet, or any more

Tables of measures are made when data comes in, from `data_types` and `fields`; see `server.tables.measures`.
All times are UTC without zone. Migrations under `migrations/` make these tables; a test compares both.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Time,
    UniqueConstraint,
    false,
    true,
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


def _key() -> Column[int]:
    return Column("key", Key, primary_key=True)


def _to(target: str, name: str, *, nullable: bool = False, index: bool = True) -> Column[Any]:
    return Column(name, Key, ForeignKey(f"{target}.key", ondelete="CASCADE"), nullable=nullable, index=index)


def _texts(*names: str) -> list[Column[Any]]:
    return [Column(name, Text) for name in names]


def _history() -> list[Column[Any]]:
    return [
        Column("insert_date", DateTime, nullable=False),
        Column("insert_user", Text, nullable=False),
        Column("last_modified", DateTime, nullable=False),
    ]


counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

users = Table(
    "users",
    metadata,
    _key(),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    *_texts("firstname", "lastname", "email"),
    Column("is_enabled", Boolean, nullable=False),
    Column("is_verified", Boolean, nullable=False, server_default=true()),
    Column("is_admin", Boolean, nullable=False),
    Column("insert_date", DateTime, nullable=False),
    Column("last_modified", DateTime),
)

tokens = Table(
    "tokens",
    metadata,
    Column("alias", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False),
    _to("users", "user_key"),
    Column("issued", DateTime, nullable=False),
    Column("expires", DateTime, nullable=False),
)

logins = Table(
    "logins",
    metadata,
    Column("id_hash", Text, primary_key=True),
    _to("users", "user_key"),
    Column("token_alias", Text, ForeignKey("tokens.alias", ondelete="CASCADE"), index=True),
    Column("opened", DateTime, nullable=False),
    Column("seen", DateTime, nullable=False),
    Column("expires", DateTime, nullable=False),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("name_hash", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", DateTime, nullable=False),
    Column("closed_until", DateTime, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    _key(),
    Column("id", Text, nullable=False, unique=True),
    Column("accessibility", Text, nullable=False),
    *_texts("secondary_id", "name", "description", "keywords", "pi_firstname", "pi_lastname", "current_arc"),
    *(Column(name, Integer) for name in ("quarantine_code", "prearchive_code")),
    *_history(),
)

project_aliases = Table(
    "project_aliases",
    metadata,
    Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
    Column("alias", Text, primary_key=True),
)

retired_projects = Table("retired_projects", metadata, Column("id", Text, primary_key=True))
"""IDs of projects that were deleted, in lower case: nobody gets them again."""

project_groups = Table(
    "project_groups",
    metadata,
    _key(),
    _to("projects", "project_key", index=False),
    Column("id", Text, nullable=False),
    Column("displayname", Text, nullable=False),
    Column("role", Text, nullable=False),
    UniqueConstraint("project_key", "id"),
)

members = Table(
    "members",
    metadata,
    Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
    Column("user_key", Key, ForeignKey("users.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("role", Text, nullable=False),
    _to("project_groups", "group_key", nullable=True),
)

favorites = Table(
    "favorites",
    metadata,
    Column("user_key", Key, ForeignKey("users.key", ondelete="CASCADE"), primary_key=True),
    Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True, index=True),
)

grants = Table(
    "grants",
    metadata,
    Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
    Column("user_key", Key, ForeignKey("users.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("tier", Text, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _key(),
    Column("time", DateTime, nullable=False, index=True),
    Column("login", Text, nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("project", "target", "detail")),
)

subjects = Table(
    "subjects",
    metadata,
    _key(),
    Column("id", Text, nullable=False, unique=True),
    _to("projects", "project_key", index=False),
    Column("label", Text, nullable=False),
    *_texts("group", "src", "gender", "handedness", "education_desc", "race", "ethnicity"),
    Column("dob", Date),
    *(Column(name, Integer) for name in ("yob", "age", "ses", "education")),
    *(Column(name, Double) for name in ("height", "weight")),
    *_history(),
    Column("status", Text),
    UniqueConstraint("project_key", "label"),
)

experiments = Table(
    "experiments",
    metadata,
    _key(),
    Column("id", Text, nullable=False, unique=True),
    _to("projects", "project_key", index=False),
    _to("subjects", "subject_key", index=False),
    _to("experiments", "session_key", nullable=True),
    Column("data_type", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("date", Date),
    Column("time", Time),
    Column("age", Double),
    *_texts("note", "visit_id"),
    *_history(),
    Column("status", Text),
    UniqueConstraint("project_key", "label"),
    Index(None, "data_type", "project_key"),
    Index(None, "subject_key", "data_type"),
)

image_sessions = Table(
    "image_sessions",
    metadata,
    Column("experiment_key", Key, ForeignKey("experiments.key", ondelete="CASCADE"), primary_key=True),
    *_texts("scanner", "operator", "session_type", "modality", "coil", "field_strength", "marker", "stabilization"),
)

scans = Table(
    "scans",
    metadata,
    _key(),
    _to("experiments", "experiment_key", index=False),
    Column("id", Text, nullable=False),
    Column("data_type", Text, nullable=False),
    *_texts(
        "type", "quality", "condition", "series_description", "note", "modality", "scanner", "coil", "field_strength"
    ),
    Column("frames", Integer),
    Column("start_time", Time),
    *_history(),
    UniqueConstraint("experiment_key", "id"),
)

reconstructions = Table(
    "reconstructions",
    metadata,
    _key(),
    _to("experiments", "experiment_key", index=False),
    Column("id", Text, nullable=False),
    Column("data_type", Text, nullable=False),
    *_texts("type", "base_scan_type"),
    *_history(),
    UniqueConstraint("experiment_key", "id"),
)


def _facts(level: str) -> Table:
    """Fields that have no column: path of the field, name of the entry if it is one of a list, and its text.

    `position` keeps entries of a list in the order in which they came.
    """
    return Table(
        f"{level}_facts",
        metadata,
        Column("owner_key", Key, ForeignKey(f"{level}s.key", ondelete="CASCADE"), primary_key=True),
        Column("path", Text, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("value", Text, nullable=False),
        Column("position", Integer),
    )


def _shares(level: str) -> Table:
    """Objects that are seen in a project that is not their home."""
    return Table(
        f"{level}_shares",
        metadata,
        Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
        Column("owner_key", Key, ForeignKey(f"{level}s.key", ondelete="CASCADE"), primary_key=True, index=True),
        Column("label", Text, nullable=False),
    )


project_facts, subject_facts, experiment_facts, scan_facts, reconstruction_facts = (
    _facts(level) for level in ("project", "subject", "experiment", "scan", "reconstruction")
)
subject_shares, experiment_shares, scan_shares = (_shares(level) for level in ("subject", "experiment", "scan"))

_OWNERS = ("project_key", "subject_key", "experiment_key", "scan_key", "reconstruction_key")

resources = Table(
    "resources",
    metadata,
    _key(),
    _to("projects", "project_key", nullable=True, index=False),
    _to("subjects", "subject_key", nullable=True, index=False),
    _to("experiments", "experiment_key", nullable=True, index=False),
    _to("scans", "scan_key", nullable=True, index=False),
    _to("reconstructions", "reconstruction_key", nullable=True, index=False),
    *_texts("label", "format", "content", "description", "tags"),
    Column("is_input", Boolean, nullable=False, server_default=false()),
    *(UniqueConstraint(owner, "label", "is_input") for owner in _OWNERS),
    CheckConstraint(
        " + ".join(f"CASE WHEN {owner} IS NULL THEN 0 ELSE 1 END" for owner in _OWNERS) + " = 1", name="one_owner"
    ),
    sqlite_autoincrement=True,
)

files = Table(
    "files",
    metadata,
    _key(),
    _to("resources", "resource_key", index=False),
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("md5", Text),
    Column("modified", DateTime),
    Column("store", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    *_texts("format", "content", "tags", "description"),
    UniqueConstraint("resource_key", "path"),
    Index(None, "store", "object_key"),
)

loose_objects = Table(
    "loose_objects",
    metadata,
    _key(),
    Column("store", Text, nullable=False),
    Column("object_key", Text, nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("since", DateTime, nullable=False),
)
"""Objects under `uploads/` that no file names: not yet (`owner` is the process that brings them) or no longer
(no owner). Triggers on `files` write the latter, whatever deleted or changed the row."""

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
    _key(),
    Column("data_type", Text, ForeignKey("data_types.name", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("column_name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("tier", Text, nullable=False),
    *_texts("category", "assessment", "description", "label", "unit", "levels"),
    *(Column(name, Double) for name in ("low", "high")),
    Column("holds_several", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("data_type", "name"),
)

saved_searches = Table(
    "saved_searches",
    metadata,
    _key(),
    Column("id", Text, nullable=False, unique=True),
    _to("users", "owner_key"),
    _to("projects", "project_key", nullable=True),
    *(Column(name, Text, nullable=False) for name in ("name", "description", "tag", "root")),
    Column("is_secure", Boolean, nullable=False),
    Column("document", LargeBinary, nullable=False),
    *_history(),
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
    _key(),
    Column("id", Text, nullable=False, unique=True),
    _to("users", "user_key"),
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

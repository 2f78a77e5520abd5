"""Who may come in, and what each may do; and who did what."""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    true,
)

from connectomedb.server.tables.base import Key, key_column, metadata, reference, text_columns

users = Table(
    "users",
    metadata,
    key_column(),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    *text_columns("firstname", "lastname", "email"),
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
    reference("users", "user_key"),
    Column("issued", DateTime, nullable=False),
    Column("expires", DateTime, nullable=False),
)

logins = Table(
    "logins",
    metadata,
    Column("id_hash", Text, primary_key=True),
    reference("users", "user_key"),
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

project_groups = Table(
    "project_groups",
    metadata,
    key_column(),
    reference("projects", "project_key", index=False),
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
    reference("project_groups", "group_key", nullable=True),
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
    key_column(),
    Column("time", DateTime, nullable=False, index=True),
    Column("login", Text, nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("project", "target", "detail")),
)

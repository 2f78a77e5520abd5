"""Uploads: what files are described as, and objects that no file names yet, or any more."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_IS_OURS = "substr(OLD.object_key, 1, 8) = 'uploads/'"
_IS_REPLACED = f"{_IS_OURS} AND (OLD.object_key <> NEW.object_key OR OLD.store <> NEW.store)"
_NOTE = "INSERT INTO loose_objects (store, object_key, owner, since) VALUES (OLD.store, OLD.object_key, '', {now});"
_EVENTS = (
    ("files_deleted", "DELETE", _IS_OURS),
    ("files_replaced", "UPDATE", _IS_REPLACED),
)


def upgrade() -> None:
    """Make the table, and the triggers that fill it whatever deletes a file's row."""
    op.add_column("files", sa.Column("description", sa.Text()))
    op.create_index(op.f("ix_files_store_object_key"), "files", ["store", "object_key"])
    op.create_table(
        "loose_objects",
        sa.Column("key", KEY, nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_loose_objects")),
    )
    op.create_index(op.f("ix_loose_objects_object_key"), "loose_objects", ["object_key"])
    if op.get_bind().dialect.name == "postgresql":
        _make_postgres_triggers()
    else:
        _make_sqlite_triggers()


def _make_sqlite_triggers() -> None:
    for name, event, condition in _EVENTS:
        note = _NOTE.format(now="CURRENT_TIMESTAMP")
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON files FOR EACH ROW WHEN {condition} BEGIN {note} END")


def _make_postgres_triggers() -> None:
    """The conditions stand in the functions: a trigger's own would forbid changing the columns' collation."""
    note = _NOTE.format(now="now() AT TIME ZONE 'utc'")
    for name, event, condition in _EVENTS:
        op.execute(
            f"CREATE FUNCTION note_{name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {condition} THEN {note} END IF; RETURN NULL; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON files FOR EACH ROW EXECUTE FUNCTION note_{name}()")

"""Changes of tables: the steps of the migrations, and columns that come and go with a lab's measures.

The only module that knows Alembic, which takes as long to import as the rest of the database together; whoever
needs it imports it at that moment, so that a server whose tables are up to date starts without.
"""

from collections.abc import Iterable
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection


def upgrade(connection: Connection) -> None:
    """Take all steps that are left, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", "connectomedb.server:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def add_columns(connection: Connection, table: str, columns: Iterable[Column[Any]]) -> None:
    """Add columns at a table's end."""
    operations = Operations(MigrationContext.configure(connection))
    for column in columns:
        operations.add_column(table, column)


def drop_column(connection: Connection, table: str, name: str) -> None:
    """Remove a column with its values."""
    Operations(MigrationContext.configure(connection)).drop_column(table, name)

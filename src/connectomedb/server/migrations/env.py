"""Runs the steps on the connection that `Database.migrate` gives, inside its transaction."""

from alembic import context

from connectomedb.server.tables.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

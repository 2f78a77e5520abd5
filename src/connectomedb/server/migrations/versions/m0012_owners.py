"""One check of who owns a resource: SQLite had kept the older one, too, which knew no reconstructions."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

OWNERS = ("project_key", "subject_key", "experiment_key", "scan_key", "reconstruction_key")
ONE_OWNER = " + ".join(f"CASE WHEN {owner} IS NULL THEN 0 ELSE 1 END" for owner in OWNERS) + " = 1"


def upgrade() -> None:
    """Make the table anew with the one check, where the database is SQLite."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    resources = sa.Table("resources", sa.MetaData(), autoload_with=connection, sqlite_autoincrement=True)
    for check in [known for known in resources.constraints if isinstance(known, sa.CheckConstraint)]:
        resources.constraints.remove(check)
    resources.append_constraint(sa.CheckConstraint(ONE_OWNER, name=op.f("ck_resources_one_owner")))
    with op.batch_alter_table("resources", copy_from=resources, recreate="always"):
        pass

"""Resources of what an assessor or reconstruction was made from, beside those of what came out of it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

OWNERS = ("project_key", "subject_key", "experiment_key", "scan_key", "reconstruction_key")


def upgrade() -> None:
    """Add the column, and let a label stand once in each direction."""
    connection = op.get_bind()
    resources = sa.Table("resources", sa.MetaData(), autoload_with=connection, sqlite_autoincrement=True)
    with op.batch_alter_table("resources", copy_from=resources) as table:
        table.add_column(sa.Column("is_input", sa.Boolean(), nullable=False, server_default=sa.false()))
        for owner in OWNERS:
            table.drop_constraint(op.f(f"uq_resources_{owner}_label"), type_="unique")
            name = op.f(f"uq_resources_{owner}_label_is_input")
            table.create_unique_constraint(name, [owner, "label", "is_input"])

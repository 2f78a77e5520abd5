"""Status of subjects and experiments, and the order of an object's entries."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns; null is active, and no order but that of the names."""
    for table in ("subjects", "experiments"):
        op.add_column(table, sa.Column("status", sa.Text()))
    for level in ("project", "subject", "experiment", "scan", "reconstruction"):
        op.add_column(f"{level}_facts", sa.Column("position", sa.Integer()))

"""What columns of measures mean: label, unit, allowed values and range."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the columns; a repeated ingest fills them."""
    for name in ("label", "unit", "levels"):
        op.add_column("fields", sa.Column(name, sa.Text()))
    for name in ("low", "high"):
        op.add_column("fields", sa.Column(name, sa.Double()))
    op.add_column("fields", sa.Column("holds_several", sa.Boolean(), nullable=False, server_default=sa.false()))

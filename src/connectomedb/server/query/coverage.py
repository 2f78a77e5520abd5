"""How many subjects' measures have a value, column by column, as far as a caller may see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Rights
from connectomedb.server.access.visible import may_see
from connectomedb.server.tables.measures import table_name
from connectomedb.server.tables.schema import experiments
from connectomedb.server.types.catalogue import FieldColumn, measures_table
from connectomedb.server.types.datatypes import Entity


@dataclass(frozen=True, slots=True)
class Coverage:
    """Rows with a value, and rows without."""

    present: int
    missing: int


def count_values(
    connection: Connection, rights: Rights, data_type: str, columns: Sequence[FieldColumn], project: int | None = None
) -> dict[str, Coverage]:
    """Coverage by column; of columns above the open tier, over the projects where the caller holds a grant.

    `project`: key of the one whose subjects count; None for all that the caller may read.
    """
    table = measures_table(table_name(connection, data_type), list(columns))
    joined = table.join(experiments, experiments.c.key == table.c.experiment_key)
    where = [may_see(rights.caller, Entity.EXPERIMENT, experiments)]
    where += [] if project is None else [experiments.c.project_key == project]
    found: dict[str, Coverage] = {}
    for tier in Tier:
        mine = [column for column in columns if column.tier is tier and rights.may_use(tier)]
        if not mine:
            continue
        counts = select(func.count(), *(func.count(table.c[column.column]) for column in mine))
        granted = [] if tier is Tier.OPEN or rights.caller.is_admin else rights.projects_with(tier)
        within = [experiments.c.project_key.in_(granted)] if granted else []
        total, *present = connection.execute(counts.select_from(joined).where(*where, *within)).one()
        found |= {column.name: Coverage(number, total - number) for column, number in zip(mine, present, strict=True)}
        if tier is not Tier.OPEN:
            rights.read.update(column.name for column in mine)
    return found

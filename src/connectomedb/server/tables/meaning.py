"""What columns of measures mean, as rows of `fields`, both ways."""

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from connectomedb.hcp.dictionary import AllowedValue, FieldDefinition, Tier, ValueType
from connectomedb.server.tables.schema import fields


def facts_of(definition: FieldDefinition) -> dict[str, object]:
    """What a row says of a column, but for its name and type."""
    levels = {allowed.value: allowed.meaning for allowed in definition.values}
    return {
        "tier": definition.tier.value,
        "category": definition.category,
        "assessment": definition.assessment,
        "description": definition.description,
        "label": definition.label,
        "unit": definition.unit,
        "levels": json.dumps(levels, ensure_ascii=False) if levels else "",
        "low": definition.low,
        "high": definition.high,
        "holds_several": definition.holds_several,
    }


def definition_of(row: Row[Any]) -> FieldDefinition:
    """The column that a row describes."""
    levels: dict[str, str] = json.loads(row.levels) if row.levels else {}
    return FieldDefinition(
        name=row.name,
        type=ValueType(row.type),
        tier=Tier.of(row.tier),
        category=row.category or "",
        assessment=row.assessment or "",
        description=row.description or "",
        label=row.label or "",
        unit=row.unit or "",
        values=tuple(AllowedValue(value, meaning) for value, meaning in levels.items()),
        low=row.low,
        high=row.high,
        holds_several=bool(row.holds_several),
    )


def load_definitions(connection: Connection, data_type: str) -> dict[str, FieldDefinition]:
    """The columns of a data type by name, in the order in which they came."""
    rows = connection.execute(select(fields).where(fields.c.data_type == data_type).order_by(fields.c.key))
    return {row.name: definition_of(row) for row in rows}

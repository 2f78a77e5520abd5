"""Tables of measures: one real table per data type, one typed column per measure.

    data_types   hcp:nontoolboxdata   measures_1
    fields       hcp:nontoolboxdata   MMSE_Score   m1   integer   open
    measures_1   experiment_key  m1  m2  m3 ...

Columns have numbers for names, so no text from outside ever becomes part of a statement, names may
differ in case or hold anything, and identifiers fit every database. A column whose type must widen
(integers, then a fraction) is replaced by a new one that takes over its values.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, MetaData, Row, Table, cast, insert, select, update

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType, widest
from connectomedb.server.tables.counters import next_number
from connectomedb.server.tables.schema import Key, data_types, experiments, fields
from connectomedb.server.tables.texts import as_text
from connectomedb.server.types import builtin
from connectomedb.server.types.catalogue import COLUMN_TYPES, VERSION, FieldColumn, measures_table

RESERVED = frozenset(display.id for display in builtin.EXPERIMENT_DISPLAYS) | {"ID", "VISIT_ID"}
"""Names that searches need for themselves, in upper case."""

MAX_FIELDS = 1_400
"""Most measures of one data type: databases take 1,600 to 2,000 columns in a table."""

BATCH = 500
"""Rows written or compared at once."""

Measured = int | float | str | None


def declare_type(connection: Connection, name: str, singular: str, plural: str) -> None:
    """Make a data type of measures and its table, unless it is there. Raises ConfigError."""
    prefix, colon, local = name.partition(":")
    if not (colon and prefix.isidentifier() and local.isidentifier() and name.isascii()) or prefix == "xnat":
        raise ConfigError(f"A data type of measures is named {name!r}. Write prefix:name, and not the prefix xnat.")
    if connection.execute(select(data_types).where(data_types.c.name == name)).first():
        return
    table = f"measures_{next_number(connection, 'measures')}"
    owner = ForeignKey(experiments.c.key, ondelete="CASCADE")
    Table(table, MetaData(), Column("experiment_key", Key, owner, primary_key=True)).create(connection)
    row = {"name": name, "singular": singular, "plural": plural, "table_name": table}
    connection.execute(insert(data_types).values(row))
    next_number(connection, VERSION)


def declare_fields(connection: Connection, data_type: str, definitions: Sequence[FieldDefinition]) -> None:
    """Make or update the fields of a type; types widen as needed, tiers and words are replaced. Raises ConfigError."""
    known = {row.name: row for row in connection.execute(select(fields).where(fields.c.data_type == data_type))}
    check_names([*known, *(definition.name for definition in definitions if definition.name not in known)])
    table = table_name(connection, data_type)
    changed = False
    for definition in definitions:
        row = known.get(definition.name)
        wanted = definition.type or ValueType.TEXT
        if row is None:
            facts = {"column_name": add_column(connection, table, wanted), "type": wanted.value}
            facts |= _words(definition) | {"name": definition.name, "data_type": data_type}
            connection.execute(insert(fields).values(facts))
            changed = True
            continue
        facts = _words(definition)
        joined = widest(ValueType(row.type), wanted)
        if joined.value != row.type:
            facts |= {"column_name": _widen(connection, table, row, joined), "type": joined.value}
        if any(getattr(row, name) != value for name, value in facts.items()):
            connection.execute(update(fields).where(fields.c.key == row.key).values(facts))
            changed = True
    if changed:
        next_number(connection, VERSION)


def load_columns(connection: Connection, data_type: str) -> dict[str, FieldColumn]:
    """Name of a measure → its column."""
    rows = connection.execute(select(fields).where(fields.c.data_type == data_type).order_by(fields.c.key))
    return {
        row.name: FieldColumn(row.name, row.column_name, ValueType(row.type), Tier.of(row.tier), row.description or "")
        for row in rows
    }


def write_measures(
    connection: Connection, data_type: str, values: Mapping[int, Mapping[str, Measured]]
) -> frozenset[int]:
    """Set measures, by key of the experiment and name of the measure; others stay. Keys whose values changed.

    All experiments have the same measures, as rows of one table.
    """
    columns = load_columns(connection, data_type)
    table = measures_table(table_name(connection, data_type), list(columns.values()))
    changed: set[int] = set()
    for keys in batched(sorted(values), BATCH):
        rows = {key: {columns[name].column: value for name, value in values[key].items()} for key in keys}
        changed |= _write_rows(connection, table, rows)
    return frozenset(changed)


def _write_rows(connection: Connection, table: Table, rows: Mapping[int, Mapping[str, Measured]]) -> set[int]:
    kept = connection.execute(select(table).where(table.c.experiment_key.in_(rows))).mappings()
    before = {row["experiment_key"]: dict(row) for row in kept}
    new = set(rows) - set(before)
    if new:
        connection.execute(insert(table), [{"experiment_key": key, **rows[key]} for key in sorted(new)])
    other = {key for key, old in before.items() if any(old[name] != value for name, value in rows[key].items())}
    for key in other:
        connection.execute(update(table).where(table.c.experiment_key == key).values(dict(rows[key])))
    return other | new


def batched(keys: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    """Keys in pieces of at most `size`."""
    return (keys[start : start + size] for start in range(0, len(keys), size))


def table_name(connection: Connection, data_type: str) -> str:
    """Name of a type's table."""
    found: str = connection.execute(select(data_types.c.table_name).where(data_types.c.name == data_type)).scalar_one()
    return found


def check_names(names: Iterable[str]) -> None:
    """Refuse names that searches could not tell apart, and too many. Raises ConfigError."""
    seen: dict[str, str] = {}
    for name in names:
        folded = name.upper()
        if folded in RESERVED:
            raise ConfigError(f"A column of measures is named {name!r}, a name that searches need. Rename the column.")
        if folded in seen:
            raise ConfigError(f"Columns {seen[folded]!r} and {name!r} differ in case only. Rename one.")
        seen[folded] = name
    if len(seen) > MAX_FIELDS:
        raise ConfigError(f"The data type would have {len(seen)} columns, at most {MAX_FIELDS} fit. Use a second type.")


def add_column(connection: Connection, table: str, type: ValueType) -> str:
    """A new column at the end of a table of measures; its name."""
    from connectomedb.server.tables import alter

    name = f"m{next_number(connection, table)}"
    alter.add_column(connection, table, Column(name, COLUMN_TYPES[type]))
    return name


def _widen(connection: Connection, table: str, field: Row[Any], type: ValueType) -> str:
    """A column of a wider type with the same values; its name. Missing values stay missing."""
    from connectomedb.server.tables import alter

    name = add_column(connection, table, type)
    before = ValueType(field.type)
    both = Table(table, MetaData(), Column(field.column_name, COLUMN_TYPES[before]), Column(name, COLUMN_TYPES[type]))
    old = both.c[field.column_name]
    new = as_text(old, is_float=before is ValueType.FLOAT) if type is ValueType.TEXT else cast(old, COLUMN_TYPES[type])
    connection.execute(update(both).values({name: new}))
    alter.drop_column(connection, table, field.column_name)
    return name


def _words(definition: FieldDefinition) -> dict[str, str]:
    return {
        "tier": definition.tier.value,
        "category": definition.category,
        "assessment": definition.assessment,
        "description": definition.description,
    }

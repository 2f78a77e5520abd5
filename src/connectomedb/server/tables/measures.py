"""Tables of measures: one real table per data type, one typed column per measure.

    data_types   hcp:nontoolboxdata   measures_1
    fields       hcp:nontoolboxdata   MMSE_Score   m1   integer   open
    measures_1   experiment_key  m1  m2  m3 ...

Columns have numbers for names, so no text from outside ever becomes part of a statement, names may
differ in case or hold anything, and identifiers fit every database. A column whose type must widen
(integers, then a fraction) is replaced by a new one that takes over its values.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, MetaData, Row, Table, bindparam, cast, insert, select, update

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType, widest
from connectomedb.server.tables.counters import next_number, next_numbers
from connectomedb.server.tables.meaning import facts_of
from connectomedb.server.tables.schema import Key, data_types, experiments, fields
from connectomedb.server.tables.texts import as_text
from connectomedb.server.types.catalogue import COLUMN_TYPES, VERSION, FieldColumn, measures_table
from connectomedb.server.types.experiments import EXPERIMENT_DISPLAYS

RESERVED = frozenset(display.id for display in EXPERIMENT_DISPLAYS) | {"ID", "VISIT_ID"}
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


def declare_fields(connection: Connection, data_type: str, definitions: Sequence[FieldDefinition]) -> tuple[str, ...]:
    """Make or update the fields of a type; types widen as needed, tiers and words are replaced.

    Returns: the names of those that are new or other than before. Raises ConfigError.
    """
    known = {row.name: row for row in connection.execute(select(fields).where(fields.c.data_type == data_type))}
    check_names([*known, *(definition.name for definition in definitions if definition.name not in known)])
    table = table_name(connection, data_type)
    new = [definition for definition in definitions if definition.name not in known]
    _add_fields(connection, data_type, table, new)
    changed = [definition.name for definition in new]
    for definition in definitions:
        row = known.get(definition.name)
        if row is not None and _redefine(connection, table, row, definition):
            changed.append(definition.name)
    if changed:
        next_number(connection, VERSION)
    return tuple(changed)


def _add_fields(connection: Connection, data_type: str, table: str, new: Sequence[FieldDefinition]) -> None:
    types = [definition.type or ValueType.TEXT for definition in new]
    rows = [
        {
            **facts_of(definition),
            "data_type": data_type,
            "name": definition.name,
            "column_name": name,
            "type": type.value,
        }
        for definition, type, name in zip(new, types, _add_columns(connection, table, types), strict=True)
    ]
    if rows:
        connection.execute(insert(fields), rows)


def _redefine(connection: Connection, table: str, row: Row[Any], definition: FieldDefinition) -> bool:
    """Bring a field up to date; whether anything was to be done."""
    facts = facts_of(definition)
    joined = widest(ValueType(row.type), definition.type or ValueType.TEXT)
    if joined.value != row.type:
        facts |= {"column_name": _widen(connection, table, row, joined), "type": joined.value}
    if all(getattr(row, name) == value for name, value in facts.items()):
        return False
    connection.execute(update(fields).where(fields.c.key == row.key).values(facts))
    return True


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
    if not values:
        return frozenset()
    writer = MeasuresWriter(connection, data_type, list(next(iter(values.values()))))
    for keys in batched(sorted(values), BATCH):
        writer.write({key: [values[key][name] for name in writer.names] for key in keys})
    return frozenset(writer.new | writer.changed)


class MeasuresWriter:
    """Writes rows of the same measures of one type, batch by batch; other measures stay.

    Args:
        names: of the measures, in the order of the rows' values.
        fresh: keys of experiments that had no measures before the work at hand; those found new are added.
    Attributes:
        new, changed: keys of fresh experiments that were written, and of others that got other values.
        cells: name of a measure → how many cells of experiments that are not fresh hold something else now.
    """

    def __init__(
        self, connection: Connection, data_type: str, names: Sequence[str], fresh: set[int] | None = None
    ) -> None:
        columns = load_columns(connection, data_type)
        self._connection = connection
        self._table = measures_table(table_name(connection, data_type), list(columns.values()))
        self.names = tuple(names)
        self._columns = tuple(columns[name].column for name in names)
        self._fresh = set() if fresh is None else fresh
        self.new: set[int] = set()
        self.changed: set[int] = set()
        self.cells: Counter[str] = Counter()

    def write(self, rows: Mapping[int, Sequence[Measured]]) -> None:
        """Set the values of some experiments, by key; at most some hundred at once."""
        table, columns = self._table, self._columns
        kept = select(table.c.experiment_key, *(table.c[name] for name in columns))
        found = self._connection.execute(kept.where(table.c.experiment_key.in_(rows)))
        before = {key: values for key, *values in found}
        new = [key for key in sorted(rows) if key not in before]
        if new:
            made = [{"experiment_key": key, **dict(zip(columns, rows[key], strict=True))} for key in new]
            self._connection.execute(insert(table), made)
            self._fresh.update(new)
        other = [key for key, old in before.items() if old != list(rows[key])]
        if other:
            there = table.c.experiment_key == bindparam("key_of_row")
            statement = update(table).where(there).values({name: bindparam(name) for name in columns})
            changed = [{"key_of_row": key, **dict(zip(columns, rows[key], strict=True))} for key in other]
            self._connection.execute(statement, changed)
        self.new.update(key for key in rows if key in self._fresh)
        for key in other:
            if key not in self._fresh:
                self.changed.add(key)
                pairs = zip(self.names, before[key], rows[key], strict=True)
                self.cells.update(name for name, old, value in pairs if old != value)


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


def _add_columns(connection: Connection, table: str, types: Sequence[ValueType]) -> list[str]:
    """New columns at the end of a table of measures; their names."""
    from connectomedb.server.tables import alter

    if not types:
        return []
    names = [f"m{number}" for number in next_numbers(connection, table, len(types))]
    columns = [Column(name, COLUMN_TYPES[type]) for name, type in zip(names, types, strict=True)]
    alter.add_columns(connection, table, columns)
    return names


def _widen(connection: Connection, table: str, field: Row[Any], type: ValueType) -> str:
    """A column of a wider type with the same values; its name. Missing values stay missing."""
    from connectomedb.server.tables import alter

    (name,) = _add_columns(connection, table, [type])
    before = ValueType(field.type)
    both = Table(table, MetaData(), Column(field.column_name, COLUMN_TYPES[before]), Column(name, COLUMN_TYPES[type]))
    old = both.c[field.column_name]
    new = as_text(old, is_float=before is ValueType.FLOAT) if type is ValueType.TEXT else cast(old, COLUMN_TYPES[type])
    connection.execute(update(both).values({name: new}))
    alter.drop_column(connection, table, field.column_name)
    return name

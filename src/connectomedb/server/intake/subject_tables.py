"""Tables of measures as people have them: CSV, one row per subject, the label in the first column.

Empty cells are missing. Types are inferred from the values unless a definition states them.
Source: the CSV exports of ConnectomeDB.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType, check_field_name, infer_type, parse_value

NONTOOLBOX = "hcp:nontoolboxdata"
"""HCP's data type for measures."""

Measured = int | float | str | None


@dataclass(frozen=True, slots=True)
class SubjectTable:
    """A CSV file of measures and what is known of its columns.

    Attributes:
        definitions: of some or all columns.
        tier: of columns without a definition. Say open only of a file that was published as such.
    """

    path: Path
    definitions: Sequence[FieldDefinition] = ()
    tier: Tier = Tier.RESTRICTED


@dataclass(frozen=True, slots=True)
class Measures:
    """A table that was read: definitions of its columns, and subject → values by column."""

    definitions: tuple[FieldDefinition, ...]
    values: Mapping[str, Mapping[str, Measured]]


def read_subject_table(table: SubjectTable) -> Measures:
    """Read a CSV file. Raises ConfigError with file, line and column of what is wrong."""
    header, rows = _read_rows(table.path)
    known = {definition.name: definition for definition in table.definitions}
    definitions: list[FieldDefinition] = []
    columns: list[list[Measured]] = []
    for number, name in enumerate(header[1:], start=1):
        cells = [cells[number] for _, cells in rows]
        definition = known.get(name) or FieldDefinition(name, tier=table.tier)
        type = definition.type or infer_type(cells)
        definitions.append(replace(definition, type=type))
        columns.append(
            [_value(type, cell, table.path, line, name) for (line, _), cell in zip(rows, cells, strict=True)]
        )
    values = {
        cells[0]: {definition.name: column[index] for definition, column in zip(definitions, columns, strict=True)}
        for index, (_, cells) in enumerate(rows)
    }
    return Measures(tuple(definitions), values)


def join_measures(tables: Sequence[Measures]) -> Measures:
    """One table of several, side by side: subjects may lack some columns. Raises ConfigError for a repeated column."""
    definitions = [definition for table in tables for definition in table.definitions]
    names = [definition.name for definition in definitions]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(f"The tables of measures repeat the columns {', '.join(repeated)}. Leave them in one table.")
    subjects = dict.fromkeys(subject for table in tables for subject in table.values)
    missing: dict[str, Measured] = dict.fromkeys(names)
    joined = {
        subject: missing | {name: cell for table in tables for name, cell in table.values.get(subject, {}).items()}
        for subject in subjects
    }
    return Measures(tuple(definitions), joined)


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header, and rows with their line numbers; cells without blanks around."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader if line]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise ConfigError(f"Read {path}: no CSV table in UTF-8 ({fault}).") from fault
    if not lines:
        raise ConfigError(f"Read {path}: it is empty. Write a header line that begins with Subject.")
    header = lines[0][1]
    if header[0].lower() != "subject":
        raise ConfigError(f"Read {path}: the first column is {header[0]!r}. It must be Subject, the subject's label.")
    if len(set(header)) != len(header):
        raise ConfigError(f"Read {path}: a column name occurs twice. Rename or drop one.")
    for name in header[1:]:
        check_field_name(name)
    seen: set[str] = set()
    for line, cells in lines[1:]:
        if len(cells) != len(header):
            raise ConfigError(f"Read {path}, line {line}: {len(cells)} cells where the header has {len(header)}.")
        if not cells[0] or cells[0] in seen:
            raise ConfigError(f"Read {path}, line {line}: subject {cells[0]!r} is empty or occurs twice.")
        seen.add(cells[0])
    return header, lines[1:]


def _value(type: ValueType, cell: str, path: Path, line: int, name: str) -> Measured:
    try:
        return parse_value(type, cell)
    except ValueError as fault:
        raise ConfigError(f"Read {path}, line {line}, column {name}: {fault}.") from fault

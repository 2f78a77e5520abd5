"""Tables of measures as people have them: CSV or TSV, one row per subject, the label in the first column.

    Subject,Gender,MMSE_Score          participant_id	sex	score
    100307,F,29                        sub-100307	F	n/a

A second column `session_id` or `Session` says of which session a row is: `Subject,Session,Score` with the sessions
`pre` and `post` gives the columns `Score.pre` and `Score.post`. So a subject stays one row, and one predicate may speak
of several sessions.
Empty cells are missing. Types are inferred from the values unless a definition states them. A table is read twice,
a few hundred rows at a time: once to check it and to learn its types, once for its values.
Sources: the CSV exports of ConnectomeDB; BIDS specification, tabular files.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import (
    FieldDefinition,
    Tier,
    ValueType,
    infer_type,
    parse_value,
    widest,
)
from connectomedb.server.intake.table_lines import Line, Lines, SubjectTable

NONTOOLBOX = "hcp:nontoolboxdata"
"""HCP's data type for measures."""

BATCH_CELLS = 200_000
"""Cells of a table that are held at once."""

GENDER = "Gender"

Measured = int | float | str | None

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: labels of the subjects, and for each its values in the order of the columns."""

    labels: Sequence[str]
    rows: Sequence[Sequence[Measured]]


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """A table whose shape was found to be right.

    Attributes:
        definitions: of its columns, each with a type.
        labels: of its subjects, in the order of the rows.
        genders: what an open column Gender says of whom.
        session: the rows are those of this session alone; empty in a table without sessions.
    """

    table: SubjectTable
    definitions: tuple[FieldDefinition, ...]
    labels: Mapping[str, None]
    genders: Mapping[str, str]
    session: str = ""

    def __str__(self) -> str:
        return f"{self.table}, session {self.session}" if self.session else str(self.table)

    def batches(self, types: Mapping[str, ValueType]) -> Iterator[Batch]:
        """The values, as `types` says that columns keep them: the table's own types, or wider ones.

        Raises ConfigError with line and column of a value that is none of the table's type.
        """
        readers = [(one.name, _reader(one.type or ValueType.TEXT, types[one.name])) for one in self.definitions]
        with Lines(self.table, self.session) as lines:
            for batch in lines.batches(BATCH_CELLS):
                columns = list(zip(*(cells for _, cells in batch), strict=True))
                known = [label for label in columns[0] if label in self.labels]
                if len(known) < len(batch):
                    raise ConfigError(f"Read {self.table}: it changed while it was read. Ingest it again.")
                values = [
                    _read_column(read, cells, name, batch, self.table)
                    for (name, read), cells in zip(readers, columns[1:], strict=True)
                ]
                yield Batch(known, list(zip(*values, strict=True)) if values else [()] * len(known))


def check_table(table: SubjectTable) -> list[CheckedTable]:
    """Look through a table: it alone, or its part of each session.

    Raises ConfigError with file, line and column of what is wrong.
    """
    with Lines(table) as lines:
        sessions = lines.sessions()
    return [_check_part(table, session) for session in sessions]


def _check_part(table: SubjectTable, session: str) -> CheckedTable:
    known = {definition.name: definition for definition in table.definitions}
    with Lines(table, session) as lines:
        names = lines.header[1:]
        definitions = [_definition(known, name, session, table.tier) for name in names]
        open_columns = [place for place, definition in enumerate(definitions, 1) if definition.type is None]
        inferred: dict[int, ValueType | None] = dict.fromkeys(open_columns)
        labels: dict[str, None] = {}
        genders: dict[str, str] = {}
        is_told = any(definition.name == GENDER and definition.tier is Tier.OPEN for definition in definitions)
        for batch in lines.batches(BATCH_CELLS):
            for line, cells in batch:
                _check_label(cells[0], labels, table, line)
                labels[cells[0]] = None
            columns = list(zip(*(cells for _, cells in batch), strict=True))
            for place in open_columns:
                inferred[place] = _infer(inferred[place], columns[place])
            if is_told:
                genders |= zip(columns[0], columns[names.index(GENDER) + 1], strict=True)
    typed = (
        replace(definition, type=definition.type or inferred[place] or ValueType.TEXT)
        for place, definition in enumerate(definitions, 1)
    )
    return CheckedTable(table, tuple(typed), labels, genders, session)


def _definition(known: Mapping[str, FieldDefinition], name: str, session: str, tier: Tier) -> FieldDefinition:
    """What is known of a column; with sessions what is said of all of them, unless one is spoken of."""
    if not session:
        return known.get(name) or FieldDefinition(name, tier=tier)
    own = f"{name}.{session}"
    common = known.get(name) or FieldDefinition(name, tier=tier)
    label = f"{common.label}, session {session}" if common.label else ""
    return known.get(own) or replace(common, name=own, label=label)


def check_tables(tables: Sequence[SubjectTable]) -> list[CheckedTable]:
    """Several tables that stand side by side: subjects may lack some. Raises ConfigError, also for repeated columns."""
    checked = [part for table in tables for part in check_table(table)]
    names = [definition.name for table in checked for definition in table.definitions]
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(checked) > 1 else []
    if repeated:
        raise ConfigError(f"The tables of measures repeat the columns {', '.join(repeated)}. Leave them in one table.")
    return checked


def _check_label(label: str, seen: Mapping[str, None], table: SubjectTable, line: int) -> None:
    if not label or label in seen:
        raise ConfigError(f"Read {table}, line {line}: subject {label!r} is empty or occurs twice.")
    if not _LABEL.fullmatch(label):
        raise ConfigError(
            f"Read {table}, line {line}: a subject is labelled {label[:80]!r}. Use letters, digits, '_' and '-'."
        )


def _infer(before: ValueType | None, cells: Iterable[str]) -> ValueType | None:
    """The type that holds the cells before and these; None as long as all are empty."""
    if before is ValueType.TEXT:
        return before
    seen = set(cells) - {""}
    if not seen:
        return before
    found = infer_type(seen)
    return found if before is None else widest(before, found)


def _reader(own: ValueType, kept: ValueType) -> Callable[[str], Measured]:
    """What makes a value of a cell: checked against the table's type, then as the column keeps it."""
    if kept is own:
        return lambda cell: parse_value(own, cell)
    if kept is ValueType.TEXT:
        return lambda cell: cell if parse_value(own, cell) is not None else None
    return lambda cell: None if (value := parse_value(own, cell)) is None else float(value)


def _read_column(
    read: Callable[[str], Measured], cells: Sequence[str], name: str, lines: Sequence[Line], table: SubjectTable
) -> list[Measured]:
    try:
        known = {cell: read(cell) for cell in set(cells)}  # most columns repeat few values
    except ValueError:
        for (line, _), cell in zip(lines, cells, strict=True):
            try:
                read(cell)
            except ValueError as fault:
                raise ConfigError(f"Read {table}, line {line}, column {name}: {fault}.") from fault
        raise
    return [known[cell] for cell in cells]

"""Tables of subjects for others: coded ids in place of labels."""

from dataclasses import replace

from connectomedb.client.table import Table
from connectomedb.cohort.named import LABEL
from connectomedb.cohort.subject_key import HEADER, SubjectKey
from connectomedb.errors import ConfigError

CODED_ID = HEADER[0].lower().replace(" ", "_")
_SIDE_COLUMNS = ("quarantine_status",)
"""What searches add on their own."""


def label_column(table: Table) -> str:
    """Name of the column that has the subjects' labels, whatever the data type of the measures."""
    return next(column for field, column in table.asked.items() if field.endswith(f"/{LABEL}"))


def coded_table(table: Table, key: SubjectKey) -> Table:
    """The table of a cohort with coded ids, sorted by them. Raises ConfigError when the key lacks a subject."""
    label = table.columns.index(label_column(table))
    unknown = [row[label] for row in table.rows if row[label] not in key.subjects]
    if unknown:
        raise ConfigError(f"The subject key lacks {', '.join(unknown[:5])}. Make a key for all subjects of the table.")
    kept = [place for place, name in enumerate(table.columns) if place != label and name not in _SIDE_COLUMNS]
    rows = ((key.subjects[row[label]].id, *(row[place] for place in kept)) for row in table.rows)
    columns = (CODED_ID, *(table.columns[place] for place in kept))
    asked = {field: column for field, column in table.asked.items() if column in columns}
    types = {column: type for column, type in table.types.items() if column in columns}
    return replace(table, columns=columns, rows=tuple(sorted(rows)), types=types, asked=asked)

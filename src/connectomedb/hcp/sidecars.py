"""Which dictionary speaks of which table, when several tables come with several dictionaries.

    participants.tsv  participants.json      a dictionary of a table's own name is about that table alone
    behaviour.csv     columns.csv            any other is about all tables

Source: BIDS specification, sidecars of tabular files.
"""

from collections.abc import Mapping, Sequence

from connectomedb.hcp.dictionary import Dictionary, FieldDefinition


def definitions_of(
    table: str, tables: Sequence[str], dictionaries: Mapping[str, Dictionary]
) -> tuple[FieldDefinition, ...]:
    """What is said of a table's columns, by names of files: its own dictionary counts more than the others."""
    found = {field.name: field for field in common_definitions(tables, dictionaries)}
    for name, dictionary in dictionaries.items():
        if _stem(name) == _stem(table):
            found |= {field.name: field for field in dictionary}
    return tuple(found.values())


def common_definitions(tables: Sequence[str], dictionaries: Mapping[str, Dictionary]) -> tuple[FieldDefinition, ...]:
    """What is said of the columns of all tables; the last dictionary counts."""
    own = {_stem(table) for table in tables}
    found = {
        field.name: field for name, dictionary in dictionaries.items() if _stem(name) not in own for field in dictionary
    }
    return tuple(found.values())


def _stem(name: str) -> str:
    """A file's name without folders and ending."""
    return name.replace("\\", "/").rpartition("/")[2].partition(".")[0]

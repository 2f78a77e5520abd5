"""A compiled search → its table: a frame that describes the columns, and rows in batches of columns of text."""

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection

from connectomedb.server.query.sql import Search, SearchColumn
from connectomedb.server.types.columns import LAST_COLUMN
from connectomedb.server.types.values import format_column, format_value
from connectomedb.xnat.resultset import ResultTable

BATCH = 5_000
"""Rows that are read and written at once."""

ACTIVE = "active"
"""What `quarantine_status` says of an object that is neither in quarantine nor locked."""


def describe(search: Search) -> ResultTable:
    """The table without its rows."""
    return ResultTable(
        columns=(*(column.name for column in search.columns), LAST_COLUMN),
        rows=(),
        meta={"rootElementName": search.root.name},
        columns_meta=[*(_describe(column) for column in search.columns), {"key": LAST_COLUMN}],
    )


def read_rows(connection: Connection, search: Search) -> Iterator[Sequence[Sequence[object]]]:
    """The values of the columns asked for and the status, in batches of rows; whatever comes after them is cut off."""
    width = len(search.columns) + 2
    for rows in read_keyed_rows(connection, search):
        yield [row[1:width] for row in rows]


def read_keyed_rows(connection: Connection, search: Search) -> Iterator[Sequence[Sequence[object]]]:
    """As `read_rows`, with the key of the root's row in front, and whatever the statement needs at the end."""
    found = connection.execution_options(yield_per=BATCH).execute(search.statement)
    yield from found.partitions()


def format_batches(
    batches: Iterator[Sequence[Sequence[object]]], form: Callable[[object], str] = format_value
) -> Iterator[Sequence[Sequence[str]]]:
    """Rows of values as columns of text; the last one is the status."""
    for rows in batches:
        if rows:
            *columns, statuses = zip(*rows, strict=True)
            yield [*(format_column(values, form) for values in columns), [str(status or ACTIVE) for status in statuses]]


def _describe(column: SearchColumn) -> dict[str, str]:
    element = column.asked.data_type.name
    described = {
        "key": column.name,
        "type": column.kind.value,
        "xPATH": f"{element}.{column.id}",
        "element_name": element,
        "header": column.header,
        "id": column.id,
    }
    return described if column.is_visible else {**described, "visible": "false"}

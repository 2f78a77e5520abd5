"""Tables ⇄ XNAT's ResultSet JSON and CSV.

    {"ResultSet": {"Columns": [...], "Result": [{"ID": "P1", ...}], "title": "Projects", "totalRecords": "1"}}

Every cell is text, null is "". Source: XNAT's table representations; pyxnat reads the CSV and
xnatpy the JSON.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectomedb.errors import UnexpectedReply


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table of text. `meta` holds further keys of the ResultSet object, `columns_meta` its `Columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    total: int | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    columns_meta: Sequence[Mapping[str, str]] | None = None


def format_json(table: ResultTable) -> bytes:
    """Write a table as ResultSet JSON. `totalRecords` is left out when `total` is None."""
    result: dict[str, object] = {}
    if table.columns_meta is not None:
        result["Columns"] = [dict(column) for column in table.columns_meta]
    result["Result"] = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    result.update(table.meta)
    if table.title:
        result["title"] = table.title
    if table.total is not None:
        result["totalRecords"] = str(table.total)
    return json.dumps({"ResultSet": result}, ensure_ascii=False, separators=(",", ":")).encode()


def parse_json(document: bytes) -> ResultTable:
    """Read ResultSet JSON; columns come in the order of their first appearance. Raises UnexpectedReply."""
    try:
        result = json.loads(document)["ResultSet"]
        records: list[dict[str, object]] = result["Result"]
        columns = tuple(dict.fromkeys(key for record in records for key in record))
        if not records and "Columns" in result:
            columns = tuple(str(column["key"]) for column in result["Columns"])
        rows = tuple(tuple(_text(record.get(column)) for column in columns) for record in records)
        total = result.get("totalRecords")
        return ResultTable(
            columns, rows, str(result.get("title", "")), int(total) if total is not None else None
        )
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise UnexpectedReply(f"Asked for a table. The reply is no ResultSet: {fault!r}.") from fault


def format_csv(table: ResultTable) -> bytes:
    """Write a table as CSV: header line, `\\n` ends, quotes only where needed, newlines in cells as blanks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(
        [cell.replace("\r\n", " ").replace("\n", " ").replace("\r", " ") for cell in row]
        for row in table.rows
    )
    return out.getvalue().encode()


def parse_csv(document: bytes) -> ResultTable:
    """Read CSV with a header line. Raises UnexpectedReply when a row has another number of cells."""
    lines = list(csv.reader(io.StringIO(document.decode("utf-8-sig"))))
    if not lines:
        raise UnexpectedReply("Asked for a CSV table. The reply is empty, without even a header line.")
    columns = tuple(lines[0])
    for number, row in enumerate(lines[1:], start=2):
        if len(row) != len(columns):
            raise UnexpectedReply(
                f"Line {number} of the CSV has {len(row)} cells where the header has {len(columns)}."
            )
    return ResultTable(columns, tuple(tuple(row) for row in lines[1:]), total=len(lines) - 1)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)

"""Tables → their four representations, piece by piece: JSON, CSV, XML and HTML.

Every writer gives what stands before the rows, any number of batches of rows, and what stands after them,
so that a table of any length is written in little memory. A batch comes as columns of text, all of one
length: most work is done per column, which is several times faster than per cell.

Source: XNAT's table representations; pyxnat reads the CSV and xnatpy the JSON.
"""

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring  # written in C; of everything in `json` the one that takes single texts
from typing import Protocol, TypeAlias

from connectomedb.xnat.document import plain_text
from connectomedb.xnat.resultset import STATUS_COLUMN, ResultTable

Columns: TypeAlias = Sequence[Sequence[str]]
"""A batch of rows, as columns: one sequence per column of the table."""


class TableWriter(Protocol):
    """One representation. `total` of the table is the number of rows, or None when they are a part of all."""

    separator: str
    """What stands between two batches."""

    def head(self, table: ResultTable) -> str:
        """What stands before the rows."""
        ...

    def rows(self, table: ResultTable, columns: Columns) -> str:
        """At least one row."""
        ...

    def tail(self, table: ResultTable) -> str:
        """What stands after the rows."""
        ...


def write_table(writer: TableWriter, table: ResultTable) -> bytes:
    """A whole table that is in memory."""
    rows = writer.rows(table, list(zip(*table.rows, strict=True))) if table.rows and table.columns else ""
    return (writer.head(table) + rows + writer.tail(table)).encode()


def format_json(table: ResultTable) -> bytes:
    """Write a table as ResultSet JSON. `totalRecords` is left out when `total` is None."""
    return write_table(JsonWriter(), table)


def format_csv(table: ResultTable) -> bytes:
    """Write a table as CSV: header line, `\\n` ends, quotes only where needed, newlines in cells as blanks."""
    return write_table(CsvWriter(), table)


class JsonWriter:
    """`{"ResultSet":{"Columns":[...],"Result":[{...}], "title": "T","totalRecords": "1"}}`.

    Blanks and the order inside rows are XNAT's: xnatpy's own tests compare the text of a search's result.
    """

    separator = ","

    def head(self, table: ResultTable) -> str:
        """Up to the first row."""
        described = [dict(column) for column in table.columns_meta or ()]
        columns = "" if table.columns_meta is None else f'"Columns":{_json(described)},'
        return f'{{"ResultSet":{{{columns}"Result":['

    def rows(self, table: ResultTable, columns: Columns) -> str:
        """Objects, joined by commas. The texts of all cells and keys are laid out in one list and joined once."""
        count, width = len(columns[0]), 2 * len(columns)
        pieces = [""] * (count * width)
        opening = "{"
        for number, (name, cells) in enumerate(_status_first(zip(table.columns, columns, strict=True))):
            pieces[2 * number :: width] = [f"{opening}{_json(name)}:"] * count
            pieces[2 * number + 1 :: width] = map(encode_basestring, cells)
            opening = ","
        pieces[width::width] = [f"}},{pieces[0]}"] * (count - 1)
        return "".join(pieces) + "}"

    def tail(self, table: ResultTable) -> str:
        """Texts of the ResultSet, title and number of rows."""
        texts = dict(table.meta)
        if table.title:
            texts["title"] = table.title
        if table.total is not None:
            texts["totalRecords"] = str(table.total)
        words = ",".join(f"{_json(key)}: {_json(text)}" for key, text in texts.items())
        return f"], {words}}}}}" if words else "]}}"


class CsvWriter:
    """Header line, `\\n` ends, quotes only where needed, newlines in cells as blanks.

    `is_for_spreadsheet` puts an apostrophe before text that a spreadsheet would run as a formula; numbers
    stay as they are. Programs get every text as it is.
    """

    separator = ""

    def __init__(self, *, is_for_spreadsheet: bool = False) -> None:
        self._cells = _harmless if is_for_spreadsheet else _one_line

    def head(self, table: ResultTable) -> str:
        """The header line."""
        return _csv([self._cells(table.columns)])

    def rows(self, table: ResultTable, columns: Columns) -> str:
        """One line per row."""
        return _csv(zip(*(self._cells(cells) for cells in columns), strict=True))

    def tail(self, table: ResultTable) -> str:
        """Nothing."""
        return ""


class XmlWriter:
    """`<ResultSet totalRecords="1"><results title="T"><columns>...</columns><rows><row><cell>...`."""

    separator = ""

    def head(self, table: ResultTable) -> str:
        """Title and names of the columns."""
        total = "" if table.total is None else f' totalRecords="{table.total}"'
        title = f' title="{_escape(table.title)}"' if table.title else ""
        columns = "".join(f"<column>{_escape(name)}</column>" for name in table.columns)
        declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
        return f"{declaration}<ResultSet{total}><results{title}><columns>{columns}</columns><rows>"

    def rows(self, table: ResultTable, columns: Columns) -> str:
        """One element per row."""
        return _marked(columns, "<row><cell>", "</cell><cell>", "</cell></row>")

    def tail(self, table: ResultTable) -> str:
        """The ends of the elements."""
        return "</rows></results></ResultSet>"


class HtmlWriter:
    """A page with the table, for people."""

    separator = ""

    def head(self, table: ResultTable) -> str:
        """Title and names of the columns."""
        title = _escape(table.title or "Table")
        names = "".join(f"<th>{_escape(name)}</th>" for name in table.columns)
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
            f"<body><h1>{title}</h1><table><thead><tr>{names}</tr></thead>\n<tbody>\n"
        )

    def rows(self, table: ResultTable, columns: Columns) -> str:
        """One line per row."""
        return _marked(columns, "<tr><td>", "</td><td>", "</td></tr>\n")

    def tail(self, table: ResultTable) -> str:
        """The ends of the elements."""
        return "</tbody></table></body></html>\n"


_ENDS = re.compile(r"\r\n|\n|\r")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet run a cell. Source: OWASP, CSV injection."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def _status_first(columns: Iterable[tuple[str, Sequence[str]]]) -> list[tuple[str, Sequence[str]]]:
    """Columns by name, that of the status in front."""
    return sorted(columns, key=lambda column: column[0] != STATUS_COLUMN)


def _one_line(cells: Sequence[str]) -> Sequence[str]:
    """The cells with newlines as blanks; most columns have none, and one look at the whole column tells."""
    joined = "".join(cells)
    if "\n" not in joined and "\r" not in joined:
        return cells
    return [_ENDS.sub(" ", cell) for cell in cells]


def _harmless(cells: Sequence[str]) -> Sequence[str]:
    """The cells with an apostrophe before what would be run."""
    guarded = [f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell for cell in cells]
    return _one_line(guarded)


def _csv(rows: object) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]  # any iterable of sequences
    return out.getvalue()


def _marked(columns: Columns, opening: str, between: str, closing: str) -> str:
    escaped = zip(*([_escape(cell) for cell in cells] for cells in columns), strict=True)
    return "".join(f"{opening}{between.join(row)}{closing}" for row in escaped)


def _escape(text: str) -> str:
    return html.escape(plain_text(text))


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

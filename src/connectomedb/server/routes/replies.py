"""Answers in the representations of XNAT: tables as JSON, CSV, XML or HTML, objects as XML or JSON, text."""

import html
from collections.abc import Mapping
from enum import StrEnum
from xml.etree import ElementTree as ET

from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.routes.call import Call
from connectomedb.xnat.document import plain_text
from connectomedb.xnat.resultset import ResultTable, format_csv, format_json


class Format(StrEnum):
    """Representations, by the word of the `format` parameter."""

    JSON = "json"
    CSV = "csv"
    XML = "xml"
    HTML = "html"
    ZIP = "zip"
    TAR = "tar"
    TAR_GZ = "tar.gz"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.XML: "text/xml",
    Format.HTML: "text/html",
    Format.ZIP: "application/zip",
    Format.TAR: "application/x-tar",
    Format.TAR_GZ: "application/x-gzip",
}
TABLES = (Format.JSON, Format.CSV, Format.XML, Format.HTML)
ITEMS = (Format.XML, Format.JSON)

_ACCEPTED = {media_type: word for word, media_type in MEDIA_TYPES.items()} | {"application/xml": Format.XML}


def choose_format(call: Call, offered: tuple[Format, ...], default: Format) -> Format:
    """The representation asked for: `format=` decides, else `Accept`, else the default. Raises AddressError."""
    word = call.parameters.get("format").strip().lower()
    if word:
        chosen = _ACCEPTED.get(word) or next((known for known in Format if known.value == word), None)
        if chosen not in offered:
            raise AddressError(f"Asked for format={word!r}. Here there is {', '.join(offered)}.")
        return chosen
    for part in call.headers.get("accept", "").split(","):
        accepted = _ACCEPTED.get(part.partition(";")[0].strip().lower())
        if accepted in offered:
            return accepted
    return default


def text(content: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Plain text, to the letter: no newline is added."""
    return Response(content, status, headers, "text/plain; charset=utf-8")


def json_document(content: bytes) -> Response:
    """JSON that is written already."""
    return Response(content, media_type="application/json")


def xml_document(content: bytes) -> Response:
    """XML that is written already."""
    return Response(content, media_type="text/xml; charset=utf-8")


def table(call: Call, content: ResultTable, default: Format = Format.JSON) -> Response:
    """A table in the representation asked for."""
    chosen = choose_format(call, TABLES, default)
    writers = {
        Format.JSON: format_json,
        Format.CSV: format_csv,
        Format.XML: format_table_xml,
        Format.HTML: format_table_html,
    }
    return Response(writers[chosen](content), media_type=f"{MEDIA_TYPES[chosen]}; charset=utf-8")


def format_table_xml(content: ResultTable) -> bytes:
    """`<ResultSet totalRecords="1"><results title="T"><columns>...</columns><rows><row><cell>...`."""
    root = ET.Element("ResultSet", {} if content.total is None else {"totalRecords": str(content.total)})
    results = ET.SubElement(root, "results", {"title": content.title} if content.title else {})
    columns = ET.SubElement(results, "columns")
    for column in content.columns:
        ET.SubElement(columns, "column").text = column
    rows = ET.SubElement(results, "rows")
    for row in content.rows:
        node = ET.SubElement(rows, "row")
        for cell in row:
            ET.SubElement(node, "cell").text = plain_text(cell)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(ET.tostring(root, encoding="utf-8"))


def format_table_html(content: ResultTable) -> bytes:
    """A page with the table, for people."""
    title = html.escape(content.title or "Table")
    head = "".join(f"<th>{html.escape(column)}</th>" for column in content.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n" for row in content.rows
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></body></html>\n"
    ).encode()

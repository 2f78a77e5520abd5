"""Answers in the representations of XNAT: tables as JSON, CSV, XML or HTML, objects as XML or JSON, text."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import IO

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from connectomedb.errors import AddressError
from connectomedb.server.routes.call import Call
from connectomedb.xnat.resultset import ResultTable
from connectomedb.xnat.writers import Columns, CsvWriter, HtmlWriter, JsonWriter, TableWriter, XmlWriter


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
ITEMS = (Format.XML, Format.JSON, Format.HTML)

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


def json_value(content: object, status: int = 200) -> Response:
    """A plain value as JSON."""
    return Response(json.dumps(content, ensure_ascii=False), status, media_type="application/json")


def xml_document(content: bytes) -> Response:
    """XML that is written already."""
    return Response(content, media_type="text/xml; charset=utf-8")


MAX_IN_MEMORY = 16 << 20
"""Bytes of a table that are kept in memory; a longer one waits in a temporary file."""

_PIECE = 256 << 10


def table(call: Call, content: ResultTable, default: Format = Format.JSON) -> Response:
    """A table in the representation asked for."""
    batches = [list(zip(*content.rows, strict=True))] if content.rows and content.columns else []
    return table_of(call, content, batches, default)


def table_of(
    call: Call,
    frame: ResultTable,
    batches: Iterable[Columns],
    default: Format = Format.JSON,
    *,
    is_whole: bool = False,
) -> Response:
    """A table of any length: `frame` is all of it but the rows, which come in batches.

    They are counted, for the table's total, if they are `is_whole`: all that there are. The table is complete
    before the answer begins: no slow reader holds the database, and a fault is still told by a status.
    """
    chosen = choose_format(call, TABLES, default)
    writer = _writer(call, chosen)
    media_type = f"{MEDIA_TYPES[chosen]}; charset=utf-8"
    spool = tempfile.SpooledTemporaryFile(MAX_IN_MEMORY)  # noqa: SIM115 -- read after this function has ended
    count = 0
    for columns in batches:
        text = writer.rows(frame, columns)
        spool.write((writer.separator + text if count else text).encode())
        count += len(columns[0])
    whole = replace(frame, total=count) if is_whole else frame
    head, tail = writer.head(whole).encode(), writer.tail(whole).encode()
    length = len(head) + spool.tell() + len(tail)
    spool.seek(0)
    if length <= MAX_IN_MEMORY:
        with spool:
            return Response(head + spool.read() + tail, media_type=media_type)
    headers = {"Content-Length": str(length)}
    pieces = _pieces(head, spool, tail)
    return StreamingResponse(pieces, headers=headers, media_type=media_type, background=BackgroundTask(spool.close))


def _writer(call: Call, chosen: Format) -> TableWriter:
    match chosen:
        case Format.CSV:
            return CsvWriter(is_for_spreadsheet=is_browser(call))
        case Format.XML:
            return XmlWriter()
        case Format.HTML:
            return HtmlWriter()
        case _:
            return JsonWriter()


def is_browser(call: Call) -> bool:
    """Whether a person's browser follows a link: such a CSV is opened by a spreadsheet, not read by a program."""
    return call.headers.get("sec-fetch-mode") == "navigate" or "text/html" in call.headers.get("accept", "")


def _pieces(head: bytes, spool: IO[bytes], tail: bytes) -> Iterator[bytes]:
    yield head
    while piece := spool.read(_PIECE):
        yield piece
    yield tail

r"""Reads the data dictionary that HCP publishes, as it is.

    fullDisplayName,category,assessment,columnHeader,description

    byte order mark, CRLF, no last line end          read in UTF-8, UTF-16 or, what spreadsheets save, Windows-1252
    a column twice                                   the first counts, the other is noted
    \Zygosity\" or \"Retest\"                        "Zygosity", "Retest"; a quote left alone at the end goes
    <a href="http://x">y</a>, &amp;                  y (http://x), &
    blanks at the ends, several in a row             none, one

The file states neither tier nor type nor range: `hcp.known_columns` adds what is known, and what nothing is known of
is restricted. Two columns may have one label: only `columnHeader` names a column.
"""

import csv
import html
import io
import re
from dataclasses import dataclass

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import Dictionary, FieldDefinition
from connectomedb.hcp.known_columns import tier_of, with_facts

HEADER = ("fullDisplayName", "category", "assessment", "columnHeader", "description")


@dataclass(frozen=True, slots=True)
class DictionaryReading:
    """A dictionary that was read, and what was odd about it: sentences for people."""

    dictionary: Dictionary
    notes: tuple[str, ...] = ()


def is_hcp_dictionary(document: bytes) -> bool:
    """Whether the document begins with the header of HCP's dictionary."""
    first = decode(document[: 4 * len(",".join(HEADER))]).splitlines()
    return bool(first) and first[0].startswith(",".join(HEADER[:4]))


def parse_hcp_dictionary(document: bytes, name: str = "the dictionary") -> DictionaryReading:
    """Read HCP's data dictionary; `name` says in errors which file. Raises ConfigError with the line."""
    fields: dict[str, FieldDefinition] = {}
    notes: list[str] = []
    reader = csv.reader(io.StringIO(decode(document), newline=""), strict=True)
    try:
        header = next(reader, [])
        if tuple(cell.strip() for cell in header) != HEADER:
            raise ConfigError(f"Read {name}: its first line is {header}. HCP's dictionary begins {','.join(HEADER)}.")
        for row in reader:
            if not row:
                continue
            if len(row) != len(HEADER):
                raise ConfigError(f"Read {name}, line {reader.line_num}: {len(row)} cells where {len(HEADER)} are due.")
            field = _field(row)
            if field.name in fields:
                same = "the same" if field == fields[field.name] else "other words"
                notes.append(f"line {reader.line_num}: {field.name} again, with {same}; the first counts")
            fields.setdefault(field.name, field)
    except csv.Error as fault:
        raise ConfigError(f"Read {name}, line {reader.line_num}: no CSV ({fault}).") from fault
    except ConfigError as fault:
        if str(fault).startswith("Read "):
            raise
        raise ConfigError(f"Read {name}, line {reader.line_num}: {fault}") from fault
    return DictionaryReading(Dictionary(tuple(fields.values())), tuple(notes))


def _field(row: list[str]) -> FieldDefinition:
    label, category, assessment, name, description = (_plain(cell) for cell in row)
    return with_facts(FieldDefinition(name, None, tier_of(name, category), category, assessment, description, label))


def decode(document: bytes) -> str:
    """Text of a table in whatever encoding programs save it: UTF-8, UTF-16 with its mark, Windows-1252."""
    if document.startswith((b"\xff\xfe", b"\xfe\xff")):
        return document.decode("utf-16", errors="replace")
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError:
        return document.decode("cp1252", errors="replace")


_LINK = re.compile(r"""<a\s[^>]*?href\s*=\s*["']?([^"'\s>]+)["']?[^>]*>(.*?)</a\s*>""", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^>]*>")
_BREAK = re.compile(r"<(?:br|/p|/li|/tr|/div)\b[^>]*>", re.IGNORECASE)


def _plain(cell: str) -> str:
    """One cell as plain text."""
    text = cell.replace('\\"', '"').replace("\\", '"')
    if text.endswith('"') and text.count('"') % 2:
        text = text[:-1]
    text = _LINK.sub(lambda link: f"{link[2]} ({link[1]})", text)
    text = _TAG.sub("", _BREAK.sub(" ", text))
    return " ".join(html.unescape(text).split())

r"""Dictionaries in our own two forms, each read and written here.

CSV, a line per column, for spreadsheets and for people:

    name,label,category,assessment,type,unit,tier,values,low,high,holds_several,description
    Gender,Gender,Subject Information,Demographics,text,,open,F=female|M=male,,,,What the participant stated

`\|`, `\=` and `\\` stand for the signs themselves in `values`. JSON, the sidecar of a BIDS table, so that those of
BIDS data sets are read too; `Tier`, `Type`, `Category`, `Assessment` and `HoldsSeveral` are ours:

    {"Gender": {"LongName": "Gender", "Description": "...", "Levels": {"F": "female", "M": "male"}, "Tier": "open"}}

Only the name must be given. A column whose tier is not stated is restricted.
Source: BIDS specification, tabular files.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import AllowedValue, Dictionary, FieldDefinition, Tier, ValueType
from connectomedb.hcp.dictionary_hcp import DictionaryReading, decode, is_hcp_dictionary, parse_hcp_dictionary

COLUMNS = (
    *("name", "label", "category", "assessment", "type", "unit", "tier"),
    *("values", "low", "high", "holds_several", "description"),
)

_NOT_COLUMNS = frozenset({"MeasurementToolMetadata", "DerivativeDescription"})
"""What a BIDS sidecar says of the whole table."""

_ESCAPED = re.compile(r"([\\|=])")
_BARRED = re.compile(r"((?:[^\\|]|\\.)*)(?:\||\Z)", re.DOTALL)
_PAIR = re.compile(r"((?:[^\\=]|\\.)*)(?:=(.*))?", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def parse_dictionary(document: bytes, name: str = "the dictionary", tier: Tier = Tier.RESTRICTED) -> DictionaryReading:
    """Read a dictionary, whichever of the three forms it has: HCP's CSV, our CSV, our JSON. Raises ConfigError.

    `tier` is that of columns whose tier is not stated; that of HCP's columns is known.
    """
    if is_hcp_dictionary(document):
        return parse_hcp_dictionary(document, name)
    if decode(document).lstrip().startswith("{"):
        return DictionaryReading(parse_json(document, name, tier))
    return DictionaryReading(parse_csv(document, name, tier))


def format_csv(dictionary: Dictionary) -> str:
    """Write a dictionary as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(field) for field in dictionary)
    return text.getvalue()


def parse_csv(document: bytes, name: str = "the dictionary", tier: Tier = Tier.RESTRICTED) -> Dictionary:
    """Read our CSV; columns in any order, all but `name` may lack. Raises ConfigError with the line."""
    reader = csv.reader(io.StringIO(decode(document), newline=""), strict=True)
    fields = []
    line = 1
    try:
        header = [cell.strip() for cell in next(reader, [])]
        unknown = [cell for cell in header if cell not in COLUMNS]
        if "name" not in header or unknown or len(set(header)) != len(header):
            raise ConfigError(f"its header is {','.join(header)!r}. Write some of {','.join(COLUMNS)}, each once.")
        for row in reader:
            line = reader.line_num
            if not row:
                continue
            if len(row) != len(header):
                raise ConfigError(f"{len(row)} cells where the header has {len(header)}.")
            fields.append(_field(dict(zip(header, (cell.strip() for cell in row), strict=True)), tier))
        return Dictionary(tuple(fields))
    except (csv.Error, ValueError, ConfigError) as fault:
        raise ConfigError(f"Read {name}, line {line}: {fault}") from fault


def format_json(dictionary: Dictionary) -> str:
    """Write a dictionary as JSON, a line feed at its end."""
    return json.dumps({field.name: field_document(field) for field in dictionary}, indent=2, ensure_ascii=False) + "\n"


def parse_json(document: bytes, name: str = "the dictionary", tier: Tier = Tier.RESTRICTED) -> Dictionary:
    """Read our JSON, or the sidecar of a BIDS table. Raises ConfigError with the column."""
    column = ""
    try:
        columns = json.loads(decode(document))
        if not isinstance(columns, dict):
            raise ValueError("it is no JSON object. Write {column: {...}}.")
        fields = []
        for column, facts in columns.items():
            if column in _NOT_COLUMNS:
                continue
            if not isinstance(facts, dict):
                raise ValueError("it is described by no JSON object.")
            fields.append(_from_document(column, facts, tier))
        return Dictionary(tuple(fields))
    except (ValueError, RecursionError, ConfigError) as fault:
        where = f", column {column!r}" if column else ""
        raise ConfigError(f"Read {name}{where}: {fault}") from fault


def version_of(dictionary: Dictionary) -> str:
    """What names this dictionary's contents, whatever the order of its columns: `sha256:` and 64 hex."""
    ordered = Dictionary(tuple(sorted(dictionary, key=lambda field: field.name)))
    return f"sha256:{hashlib.sha256(format_json(ordered).encode()).hexdigest()}"


def _row(field: FieldDefinition) -> list[str]:
    return [
        field.name,
        field.label,
        field.category,
        field.assessment,
        field.type or "",
        field.unit,
        field.tier,
        "|".join(_format_allowed(allowed) for allowed in field.values),
        _format_limit(field.low),
        _format_limit(field.high),
        "TRUE" if field.holds_several else "",
        field.description,
    ]


def _field(cells: Mapping[str, str], tier: Tier) -> FieldDefinition:
    several = cells.get("holds_several", "").upper()
    if several not in ("", "TRUE", "FALSE"):
        raise ValueError(f"holds_several is {several!r}. Write TRUE or FALSE.")
    return FieldDefinition(
        name=cells["name"],
        type=_type(cells.get("type", "")),
        tier=_tier(cells.get("tier", ""), tier),
        category=cells.get("category", ""),
        assessment=cells.get("assessment", ""),
        description=cells.get("description", ""),
        label=cells.get("label", ""),
        unit=cells.get("unit", ""),
        values=tuple(_parse_allowed(part) for part in _BARRED.findall(cells.get("values", "")) if part),
        low=_limit(cells.get("low") or None),
        high=_limit(cells.get("high") or None),
        holds_several=several == "TRUE",
    )


def _format_allowed(allowed: AllowedValue) -> str:
    value, meaning = (_ESCAPED.sub(r"\\\1", part) for part in (allowed.value, allowed.meaning))
    return f"{value}={meaning}" if meaning else value


def _parse_allowed(text: str) -> AllowedValue:
    found = _PAIR.fullmatch(text)
    value, meaning = (_ESCAPE.sub(r"\1", part or "") for part in (found.groups() if found else (text, "")))
    return AllowedValue(value.strip(), meaning.strip())


def field_document(field: FieldDefinition) -> dict[str, object]:
    """One column as a value for JSON, without its name."""
    facts: dict[str, object] = {
        "LongName": field.label,
        "Description": field.description,
        "Category": field.category,
        "Assessment": field.assessment,
        "Type": field.type.value if field.type else None,
        "Units": field.unit,
        "Levels": {allowed.value: allowed.meaning for allowed in field.values},
        "Minimum": None if field.low is None else _shortly(field.low),
        "Maximum": None if field.high is None else _shortly(field.high),
        "HoldsSeveral": field.holds_several,
    }
    return {name: fact for name, fact in facts.items() if fact not in ("", None, {}, False) or fact == 0.0} | {
        "Tier": field.tier.value
    }


def _from_document(name: str, facts: Mapping[str, Any], tier: Tier) -> FieldDefinition:
    levels = facts.get("Levels", {})
    if not isinstance(levels, dict):
        raise ValueError("its Levels are no JSON object. Write {value: meaning}.")
    return FieldDefinition(
        name=name,
        type=_type(_text(facts, "Type")),
        tier=_tier(_text(facts, "Tier"), tier),
        category=_text(facts, "Category"),
        assessment=_text(facts, "Assessment"),
        description=_text(facts, "Description"),
        label=_text(facts, "LongName"),
        unit=_text(facts, "Units"),
        values=tuple(AllowedValue(str(value).strip(), _meaning(meaning)) for value, meaning in levels.items()),
        low=_limit(facts.get("Minimum")),
        high=_limit(facts.get("Maximum")),
        holds_several=facts.get("HoldsSeveral") is True,
    )


def _meaning(level: object) -> str:
    """A BIDS level is a text, or an object with a description."""
    words = level.get("Description", "") if isinstance(level, dict) else level
    return str(words).strip()


def _text(facts: Mapping[str, object], name: str) -> str:
    text = facts.get(name, "")
    if not isinstance(text, str):
        raise ValueError(f"its {name} is {text!r}, which is no text.")
    return text.strip()


def _type(text: str) -> ValueType | None:
    if text and text not in list(ValueType):
        raise ValueError(f"the type is {text!r}. Use one of {', '.join(ValueType)}, or none.")
    return ValueType(text) if text else None


def _tier(text: str, unstated: Tier) -> Tier:
    if text and text not in list(Tier):
        raise ValueError(f"the tier is {text!r}. Use one of {', '.join(Tier)}.")
    return Tier(text) if text else unstated


def _is_number(value: object) -> TypeGuard[int | float | str]:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _limit(value: object) -> float | None:
    if value is None:
        return None
    try:
        if _is_number(value):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{value!r} is no number. Write the smallest and largest value as numbers, or nothing.")


def _format_limit(limit: float | None) -> str:
    return "" if limit is None else str(_shortly(limit))


def _shortly(limit: float) -> int | float:
    """A number that is written the same, however it was stated: 1 and 1.0."""
    return int(limit) if float(limit).is_integer() else limit

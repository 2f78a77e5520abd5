"""What a request wants an object to hold: parameters or a document, read against the object's data type.

    group=control                                    alias           ┐
    xnat:subjectData/demographics[...]/gender=female schema path     ├→ values by path of the type
    <xnat:demographics><xnat:gender>female</...>     document        ┘
    xnat:subjectData/fields/field[name=consent]/field=yes            → entries by list and name

A parameter that is no field is ignored, as is a path of an unrelated type; a path of the type itself
that it does not have is refused. Fields of a document that the type does not have are kept as they are.
Source: XNAT's path shortcuts and its reader of documents.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectomedb.errors import AddressError, DocumentError, QueryError
from connectomedb.server.routes.call import View
from connectomedb.server.types.datatypes import ENTRIES, RECORDS, DataType, Entity, Fact, Kind, Many, Path, Registry
from connectomedb.server.types.values import parse_value
from connectomedb.xnat.document import Item

CLEAR = "NULL"
"""The value that clears a field."""

IGNORED = frozenset(
    {
        *("xsitype", "format", "req_format", "inbody", "columns", "activate", "quarantine", "triggerpipelines"),
        *("event_reason", "event_type", "event_action", "event_comment", "event_id", "removefiles", "_lock", "_unlock"),
        *("fixscantypes", "pulldatafromheaders", "allowdatadeletion", "accessibility", "primary", "alias"),
    }
)
"""Parameters that are no fields, in lower case."""

MAX_NAME = 255
"""Longest name of an unknown field."""

_FOREIGN = re.compile(r"[A-Za-z_][\w.\-]*(/[A-Za-z_][\w.\-]*)*")


@dataclass(slots=True)
class Draft:
    """Texts of fields by path of the type, None where one is to be cleared, and what stands below.

    Attributes:
        entries: list and name of an entry → its text.
        records: list of records → fields of each; of a list that is mentioned, all.
        children: lists of objects below, as a document has them.
        is_whole: what is not mentioned is to go.
    """

    values: dict[str, str | None] = field(default_factory=dict)
    entries: dict[tuple[str, str], str | None] = field(default_factory=dict)
    records: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    children: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    is_whole: bool = False

    def take(self, path: str) -> str:
        """The text of a field, which is then no longer in the draft; "" when it has none."""
        return self.values.pop(path, None) or ""

    def add(self, path: Path, text: str) -> None:
        """Note what one field is to hold."""
        value = None if text == CLEAR else text
        if isinstance(path.source, Fact) and path.source.name:
            self.entries[path.source.path, path.source.name] = value
        elif not isinstance(path.source, Many):
            self.values[path.path] = value


def find_type(registry: Registry, name: str, entity: Entity) -> DataType | None:
    """The type of a level by its name, its name without prefix, or its root element."""
    found = registry.find(name) or registry.find(f"xnat:{name}")
    if found is None:
        found = next((known for known in registry if known.element and known.element == name), None)
    return found if found and found.entity is entity else None


def read_parameters(draft: Draft, view: View, data_type: DataType, pairs: Iterable[tuple[str, str]]) -> None:
    """Put the fields among parameters into a draft. Raises AddressError for a field that the type lacks."""
    registry = view.registry
    aliases = {alias.lower(): full for alias, full in registry.aliases(data_type).items()}
    for name, text in pairs:
        full = name if "/" in name else aliases.get(name.lower(), "")
        owner = registry.find(full.partition("/")[0])
        if name.lower() in IGNORED or owner is None or not registry.are_related(owner, data_type):
            continue
        rest = full.partition("/")[2]
        path = view.path(data_type, rest)
        if path is None and data_type in registry.lineage(owner) and view.path(owner, rest):
            continue  # a field of a more special type than the object is
        if path is None:
            raise AddressError(f"Asked to set {name!r}. {data_type.name} has no such field: see its schema.")
        draft.add(path, text)


def read_item(draft: Draft, view: View, data_type: DataType, item: Item) -> None:
    """Put a document into a draft. Raises DocumentError."""
    for name, value in item.fields.items():
        path = view.path(data_type, name)
        if path is None:
            path = _foreign(name)
        draft.add(path, str(value))
    for list, text in ENTRIES.items():
        for entry in item.children.get(list, ()):
            name = str(entry.fields.get("name", ""))
            if not 0 < len(name) <= MAX_NAME:
                raise DocumentError(f"An entry of {list} has no name. Give each a name of at most {MAX_NAME} letters.")
            draft.entries[list, name] = str(entry.fields.get(text, ""))
    for list in RECORDS:
        known = view.path(data_type, f"{list}/{RECORDS[list][0]}")
        if known is not None and list in item.children:
            draft.records[list] = [_record(list, record) for record in item.children[list]]
    inside = (*ENTRIES, *RECORDS)
    draft.children = {name: items for name, items in item.children.items() if name not in inside}


def _record(list: str, item: Item) -> dict[str, str]:
    fields = {name: str(item.fields[name]) for name in RECORDS[list] if item.fields.get(name)}
    return fields | {name: _moment(fields[name]) for name in ("timestamp",) if name in fields}


def _moment(text: str) -> str:
    """A point in time as documents have it, with `T`; it may come with a blank, or with `Z`. Raises AddressError."""
    try:
        moment = parse_value(Kind.TIMESTAMP, text)
    except QueryError as fault:
        raise AddressError(f"Asked for the timestamp {text[:80]!r}. Write 2024-01-31T09:30:00.") from fault
    assert isinstance(moment, datetime), "that is what this kind is read as"
    return moment.isoformat()


def _foreign(name: str) -> Path:
    """A field that the type does not have, as a fact of its own."""
    if len(name) > MAX_NAME or not _FOREIGN.fullmatch(name):
        raise DocumentError(f"The document has a field {name[:80]!r}, which cannot be kept. Leave it out.")
    return Path(name, Fact(name))

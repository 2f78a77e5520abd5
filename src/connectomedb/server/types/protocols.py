"""Definitions of custom variables: which groups of them a project has, for which data type, with which fields.

    studyProtocol ID="P_xnat_subjectData" name="Subjects" data-type="xnat:subjectData"
      definitions/definition ID="group" description="" project-specific="1"
        fields/field name="foo" datatype="string" type="custom" required="0" xmlPath="..."
          possibleValues/possibleValue

A group is kept as one text. Values need no definition; clients show and convert by it. Every project has a
protocol for subjects and for each kind of session. Source: XNAT's schema, as pyxnat and xnatpy use it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectomedb.errors import DocumentError
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import DataType, Registry
from connectomedb.xnat.document import Item

PROTOCOL = "studyProtocol"
DEFINITIONS = "studyProtocol/definitions"
"""Path of the fact that holds a group; its name is `type/group`."""

MAX_NAME = 200
_GROUP = ("description", "project-specific")
_FIELD = ("name", "datatype", "type", "required", "sequence", "xmlPath")
_VALUES = "possibleValues/possibleValue"


def protocols_of(registry: Registry, project: str, groups: Mapping[str, str]) -> tuple[Item, ...]:
    """The protocols of a project; `groups` are its kept texts by name, in their order."""
    return tuple(_protocol(project, data_type, groups) for data_type in _types(registry, groups))


def groups_of(protocols: Iterable[Item]) -> dict[str, str]:
    """The groups in a document's protocols, as they are kept. Raises DocumentError."""
    found: dict[str, str] = {}
    for protocol in protocols:
        for group in protocol.children.get("definitions/definition", ()):
            of = str(group.fields.get("data-type") or protocol.fields.get("data-type") or "")
            id = str(group.fields.get("ID", ""))
            if not id or not of or len(f"{of}/{id}") > MAX_NAME:
                raise DocumentError(
                    f"The document defines custom variables in a group without ID or data type, or with names of more "
                    f"than {MAX_NAME} letters. Give each definition an ID and a data-type."
                )
            content = {name: str(group.fields[name]) for name in _GROUP if name in group.fields}
            fields = [_read_field(field) for field in group.children.get("fields/field", ())]
            found[f"{of}/{id}"] = json.dumps({**content, "fields": fields}, ensure_ascii=False)
    return found


def _types(registry: Registry, groups: Mapping[str, str]) -> Sequence[DataType]:
    """Subjects, each kind of session, and whatever has definitions."""
    session, defined = registry.get(builtin.IMAGE_SESSION), {name.partition("/")[0] for name in groups}
    return [
        known
        for known in registry
        if not known.is_abstract
        and (known.name == builtin.SUBJECT or session in registry.lineage(known) or known.name in defined)
    ]


def _protocol(project: str, data_type: DataType, groups: Mapping[str, str]) -> Item:
    id = f"{project}_{data_type.name.replace(':', '_')}"
    fields = {"ID": id, "name": data_type.plural, "data-type": data_type.name}
    mine = [(name.partition("/")[2], text) for name, text in groups.items() if name.startswith(f"{data_type.name}/")]
    definitions = tuple(_group(data_type, name, json.loads(text)) for name, text in mine)
    return Item("xnat:datatypeProtocol", fields, {"definitions/definition": definitions} if definitions else {})


def _group(data_type: DataType, id: str, content: Mapping[str, Any]) -> Item:
    fields = {"ID": id, "data-type": data_type.name, **{name: content[name] for name in _GROUP if name in content}}
    inside = tuple(_field(field) for field in content["fields"])
    return Item("xnat:fieldDefinitionGroup", fields, {"fields/field": inside})


def _field(content: Mapping[str, Any]) -> Item:
    fields = {name: content[name] for name in _FIELD if name in content}
    values = tuple(Item("xnat:possibleValue", {"possibleValue": value}) for value in content.get("values", ()))
    return Item("xnat:fieldDefinitionGroup_field", fields, {_VALUES: values} if values else {})


def _read_field(item: Item) -> dict[str, object]:
    fields: dict[str, object] = {name: str(item.fields[name]) for name in _FIELD if name in item.fields}
    values = [str(value.fields.get("possibleValue", "")) for value in item.children.get(_VALUES, ())]
    return {**fields, "values": values} if values else fields

"""One object with its fields and children ⇄ items JSON, ⇄ XML.

    {"items": [{"meta": {"isHistory": false, "xsi:type": "xnat:subjectData"},
                "data_fields": {"ID": "SITE_S00001", "label": "sub01"},
                "children": [{"field": "demographics", "items": [ ...nodes like this one... ]}]}]}

    <xnat:Subject ID="SITE_S00001" label="sub01" xmlns:xnat=...>
      <xnat:demographics xsi:type="xnat:demographicData"><xnat:gender>female</xnat:gender></xnat:demographics>
    </xnat:Subject>

A field's name is a path relative to its object (`scanner/manufacturer`), a child's too
(`experiments/experiment`). Source: XNAT's item representations, which xnatpy and pyxnat read.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from xml.etree import ElementTree as ET

from connectomedb.errors import DocumentError, UnexpectedReply
from connectomedb.xnat.tree import XSI, local_part, parse_tree

FieldValue: TypeAlias = str | int | float

_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "xnat:projectData": frozenset({"ID", "secondary_ID"}),
    "xnat:subjectData": frozenset({"ID", "project", "group", "label", "src"}),
    "xnat:resourceCatalog": frozenset({"label", "URI", "format", "content", "file_count", "file_size"}),
    "xnat:reconstructedImageData": frozenset({"ID", "type"}),
    "xnat:projectParticipant": frozenset({"project", "label"}),
    "xnat:experimentData_share": frozenset({"project", "label"}),
    "xnat:datatypeProtocol": frozenset({"ID", "name", "data-type"}),
    "xnat:fieldDefinitionGroup": frozenset({"ID", "data-type", "description", "project-specific"}),
    "xnat:investigatorData": frozenset({"ID"}),
}
_ATTRIBUTES_OF_SCANS = frozenset({"ID", "type", "UID"})
_ATTRIBUTES_OF_EXPERIMENTS = frozenset({"ID", "project", "label", "visit_id", "UID"})
"""Fields that are attributes in XML, by type; all other types are scans or experiments."""

_INNER_ATTRIBUTES = frozenset({"x", "y", "z", "units", "manufacturer", "model", "version", "arguments"})
"""Last parts of paths that are attributes of the element above them: `parameters/voxelRes/x`."""

_TEXTS: Mapping[str, str] = {
    "fields/field": "field",
    "parameters/addParam": "addField",
    "aliases/alias": "alias",
    "possibleValues/possibleValue": "possibleValue",
}
"""Lists whose entries are elements with a text → name of the text among the entry's fields; others are attributes."""

_PREFIXES: Mapping[str, str] = {"provenance/processStep": "prov"}
"""Lists whose entries are elements of another prefix than `xnat`."""

_LISTS = frozenset(
    {
        *_TEXTS,
        *("sharing/share", "experiments/experiment", "scans/scan", "reconstructions/reconstructedImage"),
        *("assessors/assessor", "resources/resource", "file", "out/file", "in/file", "investigators/investigator"),
        *("publications/publication", "provenance/processStep", "studyProtocol", "definitions/definition"),
    }
)
"""Paths of elements that may occur many times."""

_OF_EXPERIMENTS = frozenset({"date", "time", "note", "subject_ID", "age", "protocol", "original", "visit"})
_OF_EXPERIMENTS_BELOW = ("investigator/", "validation/")
"""Elements that types of other prefixes inherit, and that therefore have the prefix `xnat`."""

MAX_DEPTH = 24
"""Deepest nesting of elements that is read."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Item:
    """One object. Fields come in the order of the schema; missing ones are left out.

    `made` is when it was made, UTC without zone, where that is known.
    """

    type: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    children: Mapping[str, tuple["Item", ...]] = field(default_factory=dict)
    made: datetime | None = None


def format_item_json(item: Item) -> bytes:
    """Write one object as items JSON."""
    return json.dumps({"items": [_node(item)]}, ensure_ascii=False, separators=(",", ":")).encode()


def parse_item_json(document: bytes) -> Item:
    """Read the present version of the object in items JSON. Raises UnexpectedReply."""
    try:
        nodes = json.loads(document)["items"]
        return _parse_node(next(node for node in nodes if not node["meta"].get("isHistory")))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError) as fault:
        raise UnexpectedReply(f"Asked for an object. The reply is no item ({type(fault).__name__}).") from fault


def format_item_xml(item: Item, element: str, *, namespaces: Mapping[str, str], schema_location: str = "") -> bytes:
    """Write one object as XML with the root element `element` (`xnat:Subject`), UTF-8 with declaration.

    `namespaces` are URIs by prefix, of all prefixes in the object. Text that XML cannot carry loses the
    characters in question; names that cannot be elements get a `_` in front.
    """
    root = ET.Element(element)
    for prefix, uri in {**namespaces, "xsi": XSI}.items():
        root.set(f"xmlns:{prefix}", uri)
    if schema_location:
        root.set("xsi:schemaLocation", schema_location)
    _fill(root, item)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(ET.tostring(root, encoding="utf-8"))


def _node(item: Item) -> dict[str, object]:
    meta: dict[str, object] = {"isHistory": False, "xsi:type": item.type}
    if item.made is not None:
        meta["start_date"] = item.made.strftime("%a %b %d %H:%M:%S UTC %Y")
    return {
        "meta": meta,
        "data_fields": dict(item.fields),
        "children": [
            {"field": name, "items": [_node(child) for child in children]}
            for name, children in item.children.items()
            if children
        ],
    }


def _parse_node(node: Mapping[str, object]) -> Item:
    meta, fields, children = node["meta"], node["data_fields"], node["children"]
    if not isinstance(meta, dict) or not isinstance(fields, dict) or not isinstance(children, list):
        raise TypeError("no item")
    return Item(
        str(meta["xsi:type"]),
        {str(name): value for name, value in fields.items()},
        {str(child["field"]): tuple(_parse_node(item) for item in child["items"]) for child in children},
    )


def parse_item_xml(document: bytes) -> Item:
    """Read an object as XML; its type is what `xsi:type` of the root says, else the root element's name.

    Names are without prefix, for prefixes are the writer's choice; predicates of paths are not repeated.
    Raises DocumentError.
    """
    root = parse_tree(document, DocumentError)
    return _read_item(root, root.get(f"{XSI}}}type") or local_part(root.tag), MAX_DEPTH)


def _read_item(element: ET.Element, type: str, depth: int) -> Item:
    fields: dict[str, FieldValue] = {}
    children: dict[str, tuple[Item, ...]] = {}
    _read(element, "", fields, children, depth)
    return Item(type, fields, children)


def _read(
    element: ET.Element,
    path: str,
    fields: dict[str, FieldValue],
    children: dict[str, tuple[Item, ...]],
    depth: int,
) -> None:
    """Attributes and elements below an element as fields; those of lists as children."""
    if depth < 0:
        raise DocumentError(f"The document is nested deeper than {MAX_DEPTH} elements. Send a plainer one.")
    fields |= {f"{path}{name}": text for name, text in element.attrib.items() if "}" not in name}
    for child in element:
        name = f"{path}{local_part(child.tag)}"
        text = (child.text or "").strip()
        if name in _LISTS:
            item = _read_item(child, child.get(f"{XSI}}}type") or name, depth - 1)
            entry = {_TEXTS[name]: text} if name in _TEXTS else {}
            children[name] = (*children.get(name, ()), Item(item.type, {**item.fields, **entry}, item.children))
            continue
        if text or not (len(child) or child.attrib):
            fields[name] = text
        _read(child, f"{name}/", fields, children, depth - 1)


def _fill(element: ET.Element, item: Item, prefix: str = "xnat") -> None:
    """Put fields and children into an element; types of measures have elements of their own prefix."""
    attributes = _ATTRIBUTES.get(item.type) or (
        _ATTRIBUTES_OF_SCANS if item.type.endswith("ScanData") else _ATTRIBUTES_OF_EXPERIMENTS
    )
    own = item.type.partition(":")[0]
    for name, value in item.fields.items():
        inherited = name in _OF_EXPERIMENTS or name.startswith(_OF_EXPERIMENTS_BELOW)
        above, _, last = name.rpartition("/")
        if name in attributes:
            element.set(name, plain_text(str(value)))
        elif above and last in _INNER_ATTRIBUTES:
            _find(element, above, own).set(last, plain_text(str(value)))
        else:
            _find(element, name, prefix if inherited else own).text = plain_text(str(value))
    for name, children in item.children.items():
        for child in children:
            node = _descend(element, name, _PREFIXES.get(name, "xnat"))
            if name in _TEXTS:
                _fill_text(node, child, _TEXTS[name])
                _fill(node, Item(child.type, {}, child.children))
                continue
            node.set("xsi:type", child.type)
            _fill(node, child)


def _fill_text(node: ET.Element, item: Item, name: str) -> None:
    """An entry with a text: `<xnat:addParam name="foo">bar</xnat:addParam>`.

    pyxnat counts the texts of parameters two by two, for XNAT has a comment in each.
    """
    text = plain_text(str(item.fields.get(name, "")))
    for other, value in item.fields.items():
        if other != name:
            node.set(other, plain_text(str(value)))
    if name != "addField":
        node.text = text
        return
    node.text = "\n"
    comment = ET.Comment("")
    comment.tail = text
    node.append(comment)


def _find(element: ET.Element, path: str, prefix: str) -> ET.Element:
    """The one element at a path, made if it is missing."""
    for name in path.split("/"):
        tag = _tag(prefix, name)
        found = next((child for child in element if child.tag == tag), None)
        element = found if found is not None else ET.SubElement(element, tag)
    return element


def _descend(element: ET.Element, path: str, prefix: str) -> ET.Element:
    """A new element at a path; the parts above it, of the prefix `xnat`, are shared with what stands there already."""
    above, _, last = path.rpartition("/")
    return ET.SubElement(_find(element, above, "xnat") if above else element, _tag(prefix, last))


def _tag(prefix: str, name: str) -> str:
    clean = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return f"{prefix}:{clean if _NAME.fullmatch(clean) else f'_{clean}'}"


def plain_text(text: str) -> str:
    """The text without the characters that no XML 1.0 document can hold, even escaped."""
    return _NOT_XML.sub("", text)

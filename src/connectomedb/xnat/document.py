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
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from xml.etree import ElementTree as ET

from connectomedb.errors import DocumentError, UnexpectedReply
from connectomedb.xnat.tree import XSI, local_part, parse_tree

FieldValue: TypeAlias = str | int | float

_TEXTS: Mapping[str, str] = {
    "fields/field": "field",
    "parameters/addParam": "addField",
    "aliases/alias": "alias",
    "possibleValues/possibleValue": "possibleValue",
}
"""Lists whose entries are elements with a text → name of the text among the entry's fields; others are attributes."""

_LISTS = frozenset(
    {
        *_TEXTS,
        *("sharing/share", "experiments/experiment", "scans/scan", "reconstructions/reconstructedImage"),
        *("assessors/assessor", "resources/resource", "file", "out/file", "in/file", "investigators/investigator"),
        *("publications/publication", "provenance/processStep", "studyProtocol", "definitions/definition"),
    }
)
"""Paths of elements that may occur many times."""

_XNAT = "xnat"

MAX_DEPTH = 24
"""Deepest nesting of elements that is read."""

MAX_NAMES = 50_000
"""Most elements and attributes of a document that is read."""

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


@dataclass(frozen=True, slots=True)
class Shape:
    """How objects of one type are written in XML.

    Attributes:
        elements: path of each element → prefix of its namespace, in the order of the schema.
        attributes: paths of those fields that are attributes: `ID`, `parameters/voxelRes/x`.
        is_named: whether the schema has a name for the type, for `xsi:type`.
    """

    elements: Mapping[str, str] = field(default_factory=dict)
    attributes: frozenset[str] = frozenset()
    is_named: bool = True


_SHAPELESS = Shape(is_named=False)


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


def format_item_xml(
    item: Item,
    element: str,
    *,
    namespaces: Mapping[str, str],
    shapes: Mapping[str, Shape],
    schema_location: str = "",
) -> bytes:
    """Write one object as XML with the root element `element` (`xnat:Subject`), UTF-8 with declaration.

    `namespaces` are URIs by prefix, of all prefixes in the object; `shapes` say by type what is an attribute, and the
    order of the rest. Text that XML cannot carry loses the characters in question; names that cannot be elements get
    a `_` in front, and no namespace: no schema describes them.
    """
    root = ET.Element(element)
    for prefix, uri in {**namespaces, "xsi": XSI}.items():
        root.set(f"xmlns:{prefix}", uri)
    if schema_location:
        root.set("xsi:schemaLocation", schema_location)
    _fill(root, item, shapes)
    body = bytes(ET.tostring(root, encoding="utf-8"))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body.replace(b"\r", b"&#13;")  # else readers take it for \n


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
    names = sum(1 + len(element.attrib) for element in root.iter())
    if names > MAX_NAMES:
        raise DocumentError(f"The document has {names} elements and attributes. At most {MAX_NAMES} are read at once.")
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
        if name in _LISTS:
            item = _read_item(child, child.get(f"{XSI}}}type") or name, depth - 1)
            entry = {_TEXTS[name]: (child.text or "").strip()} if name in _TEXTS else {}  # XNAT breaks lines in them
            children[name] = (*children.get(name, ()), Item(item.type, {**item.fields, **entry}, item.children))
            continue
        is_blank = not (child.text or "").strip()
        if not is_blank or not (len(child) or child.attrib):
            fields[name] = "" if is_blank else str(child.text)
        _read(child, f"{name}/", fields, children, depth - 1)


def _fill(element: ET.Element, item: Item, shapes: Mapping[str, Shape]) -> None:
    """Put fields and children into an element, in the order of its type."""
    shape = shapes.get(item.type, _SHAPELESS)
    own = item.type.partition(":")[0]
    for name, value in item.fields.items():
        above, _, last = name.rpartition("/")
        if name in shape.attributes:
            target = _find(element, above, shape.elements.get(above, own)) if above else element
            target.set(last, plain_text(str(value)))
        else:
            _find(element, name, shape.elements.get(name, own)).text = plain_text(str(value))
    for name, children in item.children.items():
        for child in children:
            node = _descend(element, name, shape.elements)
            if name in _TEXTS:
                _fill_text(node, child, _TEXTS[name])
                _fill(node, Item(child.type, {}, child.children), shapes)
                continue
            if shapes.get(child.type, _SHAPELESS).is_named:
                node.set("xsi:type", child.type)
            _fill(node, child, shapes)
    ranks = {path: rank for rank, path in enumerate(shape.elements)}
    _sort(element, ranks, {path.rpartition("/")[0] for path in ranks if "/" in path}, "")


def _sort(element: ET.Element, ranks: Mapping[str, int], containers: Collection[str], above: str) -> None:
    """Bring elements into the order of their type; what it does not know comes last."""
    names = [f"{above}{str(child.tag).partition(':')[2]}" for child in element]
    for child, name in zip(element, names, strict=True):
        if name in containers:
            _sort(child, ranks, containers, f"{name}/")
    order = sorted(range(len(names)), key=lambda place: ranks.get(names[place], len(ranks)))
    element[:] = [element[place] for place in order]


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


def _descend(element: ET.Element, path: str, prefixes: Mapping[str, str]) -> ET.Element:
    """A new element at a path; the parts above it are shared with what stands there already."""
    above, _, last = path.rpartition("/")
    target = _find(element, above, prefixes.get(above, _XNAT)) if above else element
    return ET.SubElement(target, _tag(prefixes.get(path, _XNAT), last))


def _tag(prefix: str, name: str) -> str:
    """The name of an element; one that no element can have is changed, and then of no namespace."""
    if _NAME.fullmatch(name):
        return f"{prefix}:{name}"
    clean = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return clean if _NAME.fullmatch(clean) else f"_{clean}"


def plain_text(text: str) -> str:
    """The text without the characters that no XML 1.0 document can hold, even escaped."""
    return _NOT_XML.sub("", text)

"""Data types → XML schemas, one per prefix, from which xnatpy makes its classes and pyxnat its lists of fields.

What a type declares as schema paths becomes attributes and elements; lists of objects, resources and custom
variables, which are no paths, stand here. A schema names only what its caller may see.

    ID                       <xs:attribute name="ID">           date          <xs:element name="date" type="xs:date">
    scanner/manufacturer     an attribute inside `scanner`      fields/field  entries with a name and a text

Source: XNAT's schema, and what xnatpy relies on: the prefix `xs`, built-in types by that prefix, sequences,
extensions and `displayIdentifiers`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeAlias
from xml.etree import ElementTree as ET

from connectomedb.server.access.auth import Rights
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import PARTS, RECORDS, DataType, Entity, Kind, Path, Registry, local_name

XS = "http://www.w3.org/2001/XMLSchema"
XNAT, XDAT, PROV = "xnat", "xdat", "prov"

_TYPES: Mapping[Kind, str] = {
    Kind.STRING: "xs:string",
    Kind.INTEGER: "xs:integer",
    Kind.FLOAT: "xs:float",
    Kind.DATE: "xs:date",
    Kind.TIME: "xs:time",
    Kind.TIMESTAMP: "xs:dateTime",
}
_ATTRIBUTES: Mapping[Entity, frozenset[str]] = {
    Entity.PROJECT: frozenset({"ID", "secondary_ID"}),
    Entity.SUBJECT: frozenset({"ID", "project", "group", "label", "src"}),
    Entity.EXPERIMENT: frozenset({"ID", "project", "label", "visit_id", "UID"}),
}
_ATTRIBUTES_ELSEWHERE = frozenset({"ID", "type", "UID"})
"""Paths that are attributes of the object's element, by level; of scans and what else stands below a session."""

_INNER_ATTRIBUTES = frozenset({"x", "y", "z", "units", "manufacturer", "model"})
"""Last parts of paths that are attributes of the element above them."""

_TEXT_LISTS = ("fields/field", "parameters/addParam", "aliases/alias")
"""Lists of texts that have a name."""

_RESOURCE, _EXPERIMENT, _ASSESSOR = "xnat:abstractResource", builtin.SUBJECT_ASSESSOR, "xnat:imageAssessorData"
_PERSON = "xnat:investigatorData"
_PEOPLE = ("PI", "investigator")
_LISTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    builtin.PROJECT: (
        ("resources/resource", _RESOURCE),
        ("fields/field", ""),
        ("publications/publication", "xnat:publicationResource"),
        ("investigators/investigator", _PERSON),
        ("studyProtocol", "xnat:abstractProtocol"),
    ),
    builtin.SUBJECT: (("resources/resource", _RESOURCE), ("fields/field", ""), ("experiments/experiment", _EXPERIMENT)),
    builtin.EXPERIMENT: (("resources/resource", _RESOURCE), ("fields/field", "")),
    builtin.IMAGE_SESSION: (
        ("scans/scan", builtin.IMAGE_SCAN),
        ("reconstructions/reconstructedImage", "xnat:reconstructedImageData"),
        ("assessors/assessor", _ASSESSOR),
    ),
    builtin.IMAGE_SCAN: (("file", _RESOURCE), ("parameters/addParam", "")),
    "xnat:reconstructedImageData": (("out/file", _RESOURCE),),
    "xnat:derivedData": (("out/file", _RESOURCE),),
}
"""Lists of each type: path, and the type of the entries; "" for texts that have a name."""

_ORDER: Mapping[str, tuple[str, ...]] = {
    builtin.PROJECT: (
        *("name", "type", "description", "keywords", "aliases", "publications", "resources", "studyProtocol"),
        *("PI", "investigators", "fields"),
    )
}
"""Elements in XNAT's order, which pyxnat's lists of attributes show; of other types as they are declared."""

_PLAIN_TYPES: Mapping[str, str] = {
    "xnat:derivedData": builtin.EXPERIMENT,
    _ASSESSOR: "xnat:derivedData",
    "xnat:reconstructedImageData": "",
}
_IDENTIFIERS: Mapping[str, str] = {
    **dict.fromkeys((builtin.SUBJECT, builtin.EXPERIMENT, _RESOURCE), "label"),
    **dict.fromkeys(("abstractProtocol", "fieldDefinitionGroup"), "ID"),
}
"""By which of their fields people know objects of a type."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PREDICATE = re.compile(r"\[@xsi:type=([\w:.\-]+)\]", re.IGNORECASE)


@dataclass(slots=True)
class _Node:
    """One element: its own value's type, the type of its entries if it is a list, and what is inside."""

    type: str = ""
    entries: str | None = None
    inside: dict[str, "_Node"] = field(default_factory=dict)


_NAMELESS = "text"
"""What the entries of a list are where they are texts without a name."""

_Tree: TypeAlias = Mapping[str, _Node]


def namespace_of(prefix: str) -> str:
    """The namespace of a prefix, as XNAT forms them."""
    return "http://www.nbirn.net/prov" if prefix == PROV else f"http://nrg.wustl.edu/{prefix}"


def schema_names(registry: Registry) -> list[str]:
    """Names of all schemas: the prefixes of the types, and `xdat`, which clients ask for unseen."""
    others = {data_type.name.partition(":")[0] for data_type in registry} - {XNAT, XDAT}
    return [XNAT, XDAT, *sorted(others)]


def format_schema(prefix: str, registry: Registry, rights: Rights) -> bytes:
    """The schema of one prefix, UTF-8 with declaration."""
    root = ET.Element("xs:schema", {"targetNamespace": namespace_of(prefix), "xmlns:xs": XS})
    for name in dict.fromkeys((prefix, XNAT, XDAT)):
        root.set(f"xmlns:{name}", namespace_of(name))
    own = [data_type for data_type in registry if data_type.name.startswith(f"{prefix}:")]
    for data_type in own:
        if not data_type.is_abstract:
            ET.SubElement(root, "xs:element", {"name": data_type.element, "type": data_type.name})
    if prefix == XNAT:
        _add_resources(root)
        _add_demographics(root, registry)
        _add_records(root)
        _add_protocols(root)
        for name, parent in _PLAIN_TYPES.items():
            if registry.find(name) is None:
                _add_content(_add_type(root, name, parent), {}, _lists(name), ())
    for data_type in own:
        content = _add_type(root, data_type.name, data_type.parent or "")
        attributes = _ATTRIBUTES.get(data_type.entity, _ATTRIBUTES_ELSEWHERE)
        tree, order = _tree(data_type, registry, rights), _ORDER.get(data_type.name, ())
        lists = _lists(data_type.name)
        tree = {name: tree.pop(name, _Node()) for name in order if name in tree or name in lists} | tree
        _add_content(content, tree, lists, attributes)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(ET.tostring(root, encoding="utf-8"))


def _tree(data_type: DataType, registry: Registry, rights: Rights) -> dict[str, _Node]:
    """The type's own paths as elements. An element that a parent has too holds what it has there as well."""
    own = [path for path in data_type.paths if rights.may_use(path.tier)]
    tops = {_first(path) for path in own if "/" in path.path}
    inherited = [path for path in registry.paths(data_type) if _first(path) in tops and "/" in path.path]
    tree: dict[str, _Node] = {}
    for path in (*inherited, *own):
        _plant(tree, path)
    return tree


def _first(path: Path) -> str:
    return _PREDICATE.sub("", path.path).partition("/")[0]


def _plant(tree: dict[str, _Node], path: Path) -> None:
    """Add one path. Lists of texts are declared as such; `meta/` is ours, names that XML has not are left out."""
    parts = path.path.split("/")
    if parts[0] in _PEOPLE:
        tree.setdefault(parts[0], _Node(type=_PERSON))
        return
    if any(path.path.startswith(f"{known}/") for known in (*RECORDS, *PARTS)):
        return
    listed = next((known for known in _TEXT_LISTS if path.path.startswith(f"{known}/")), None)
    if "[" in path.path:
        if _PREDICATE.search(parts[0]):
            tree.setdefault(_PREDICATE.sub("", parts[0]), _Node(type="xnat:abstractDemographicData"))
        return
    if parts[0] == "meta" or not all(_NAME.fullmatch(part) for part in parts):
        return
    if listed:
        container, entry = listed.split("/")
        tree.setdefault(container, _Node()).inside.setdefault(entry, _Node(entries=""))
        return
    node = tree.setdefault(parts[0], _Node())
    for above, part in pairwise(parts):
        node = node.inside.setdefault(part, _Node(entries="*" if (above, part) == ("sharing", "share") else None))
    node.type = _TYPES[path.kind]


def _lists(name: str) -> dict[str, _Node]:
    tree: dict[str, _Node] = {}
    for path, entries in _LISTS.get(name, ()):
        container, _, entry = path.partition("/")
        node = tree.setdefault(container, _Node())
        if entry:
            node.inside[entry] = _Node(entries=entries)
        else:
            node.entries = entries
    return tree


def _add_type(root: ET.Element, name: str, parent: str) -> ET.Element:
    """An element that takes the type's content."""
    made = ET.SubElement(root, "xs:complexType", {"name": local_name(name)})
    if name in _IDENTIFIERS:
        _add_identifier(made, _IDENTIFIERS[name])
    return _extend(made, "xs:complexContent", parent) if parent else made


def _add_content(
    content: ET.Element, tree: Mapping[str, _Node], lists: Mapping[str, _Node], names: Iterable[str]
) -> None:
    """A sequence of elements, then attributes, which is the order of every schema."""
    joined = {name: _joined(tree.get(name), lists.get(name)) for name in dict.fromkeys((*tree, *lists))}
    elements = {name: node for name, node in joined.items() if name not in names}
    if elements:
        sequence = ET.SubElement(content, "xs:sequence")
        for name, node in elements.items():
            _add_element(sequence, name, node)
    for name, node in joined.items():
        if name in names:
            ET.SubElement(content, "xs:attribute", {"name": name, "type": node.type})


def _joined(one: _Node | None, other: _Node | None) -> _Node:
    found = [node for node in (one, other) if node is not None]
    inside = {name: node for part in found for name, node in part.inside.items()}
    return _Node(found[0].type, found[-1].entries, inside)


def _add_element(sequence: ET.Element, name: str, node: _Node) -> None:
    made = ET.SubElement(sequence, "xs:element", {"name": name, "minOccurs": "0"})
    if node.entries is not None:
        made.set("maxOccurs", "unbounded")
    if node.entries == "*" and "name" in node.inside:
        _add_identifier(made, "name")
    if node.entries == _NAMELESS:
        _extend(ET.SubElement(made, "xs:complexType"), "xs:simpleContent", "xs:string")
    elif node.entries == "":
        _add_identifier(made, "name")
        text = _extend(ET.SubElement(made, "xs:complexType"), "xs:simpleContent", "xs:string")
        ET.SubElement(text, "xs:attribute", {"name": "name", "type": "xs:string"})
    elif node.inside and node.type:  # a value with attributes of its own, as `scanner`
        text = _extend(ET.SubElement(made, "xs:complexType"), "xs:simpleContent", node.type)
        for part, inner in node.inside.items():
            ET.SubElement(text, "xs:attribute", {"name": part, "type": inner.type})
    elif node.inside:
        plain = [part for part, inner in node.inside.items() if not inner.inside]
        names = plain if node.entries == "*" else _INNER_ATTRIBUTES
        _add_content(ET.SubElement(made, "xs:complexType"), node.inside, {}, names)
    else:
        made.set("type", node.entries or node.type)


def _extend(made: ET.Element, content: str, base: str) -> ET.Element:
    return ET.SubElement(ET.SubElement(made, content), "xs:extension", {"base": base})


def _add_identifier(made: ET.Element, name: str) -> None:
    """Say by which of its fields people know an object; clients look it up by that."""
    note = ET.SubElement(ET.SubElement(made, "xs:annotation"), "xs:appinfo")
    ET.SubElement(note, "xdat:element", {"displayIdentifiers": name})


def _add_resources(root: ET.Element) -> None:
    """Folders of files: three types, each more definite than the one before."""
    plain = {name: _Node(_TYPES[Kind.STRING]) for name in ("label", "description", "note", "URI", "format", "content")}
    counts = {"file_count": _Node("xs:integer"), "file_size": _Node("xs:long")}
    first = {name: plain[name] for name in ("label", "note")} | counts
    rest = {name: plain[name] for name in ("description", "URI", "format", "content")}
    _add_content(_add_type(root, _RESOURCE, ""), first, {}, first)
    _add_content(_add_type(root, "xnat:resource", _RESOURCE), rest, {}, rest)
    _add_type(root, "xnat:resourceCatalog", "xnat:resource")


def _add_demographics(root: ET.Element, registry: Registry) -> None:
    """The types that paths name by `[@xsi:type=...]`, with those paths."""
    _add_type(root, "xnat:abstractDemographicData", "")
    found = dict(_predicated(registry))
    for name, tree in found.items():
        _add_content(_add_type(root, name, "xnat:abstractDemographicData"), tree, {}, ())


def _add_records(root: ET.Element) -> None:
    """People and publications."""
    for list, name in (("investigators/investigator", _PERSON), ("publications/publication", "publicationResource")):
        nodes = {field: _Node(_TYPES[Kind.STRING]) for field in RECORDS[list]}
        _add_content(_add_type(root, name, ""), nodes, {}, ("ID",))


def _add_protocols(root: ET.Element) -> None:
    """Definitions of custom variables; xnatpy looks them up by their IDs."""
    text = _Node(_TYPES[Kind.STRING])
    for name, parent, attributes, inside in (
        ("abstractProtocol", "", ("ID", "name", "data-type"), {"description": text}),
        (
            "datatypeProtocol",
            "xnat:abstractProtocol",
            (),
            {"definitions": _Node(inside={"definition": _Node(entries="xnat:fieldDefinitionGroup")})},
        ),
    ):
        made = _add_type(root, name, parent)
        _add_content(made, {**inside, **dict.fromkeys(attributes, text)}, {}, attributes)
    group = ("ID", "data-type", "description", "project-specific")
    made = _add_type(root, "fieldDefinitionGroup", "")
    field = {"possibleValues": _Node(inside={"possibleValue": _Node(entries=_NAMELESS)})}
    field |= dict.fromkeys(("name", "datatype", "type", "xmlPath"), text)
    field |= {"required": _Node("xs:boolean"), "sequence": _Node(_TYPES[Kind.INTEGER])}
    _add_content(
        made,
        {"fields": _Node(inside={"field": _Node(entries="*", inside=field)}), **dict.fromkeys(group, text)},
        {},
        group,
    )


def _predicated(registry: Registry) -> Iterator[tuple[str, dict[str, _Node]]]:
    trees: dict[str, dict[str, _Node]] = {}
    for path in registry.paths(registry.get(builtin.SUBJECT)):
        head, _, rest = path.path.partition("/")
        match = _PREDICATE.search(head)
        if match:
            _plant(trees.setdefault(match[1], {}), replace(path, path=rest))
    return iter(trees.items())

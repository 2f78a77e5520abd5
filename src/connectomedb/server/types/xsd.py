"""Data types → XML schemas, one per prefix, from which xnatpy makes its classes and pyxnat its lists of fields.

A schema names only what its caller may see. Documents of objects are valid by it.
Source: XNAT's schema, and what xnatpy relies on: the prefix `xs`, built-in types by that prefix, sequences,
extensions and `displayIdentifiers`.
"""

from xml.etree import ElementTree as ET

from connectomedb.server.access.auth import Rights
from connectomedb.server.types.datatypes import DataType, Registry, local_name
from connectomedb.server.types.elements import contents_of
from connectomedb.server.types.plain import IDENTIFIERS, INLINE, NAMELESS, PLAIN, TEXT, Content, Node, Tree

XS = "http://www.w3.org/2001/XMLSchema"
XNAT, XDAT, PROV = "xnat", "xdat", "prov"


def namespace_of(prefix: str) -> str:
    """The namespace of a prefix, as XNAT forms them."""
    return "http://www.nbirn.net/prov" if prefix == PROV else f"http://nrg.wustl.edu/{prefix}"


def schema_names(registry: Registry) -> list[str]:
    """Names of all schemas: the prefixes of the types, and `xdat`, which clients ask for unseen."""
    others = {data_type.name.partition(":")[0] for data_type in registry} - {XNAT, XDAT}
    return [XNAT, XDAT, *sorted(others)]


def format_schema(prefix: str, registry: Registry, rights: Rights) -> bytes:
    """The schema of one prefix, UTF-8 with declaration."""
    names = {"targetNamespace": namespace_of(prefix), "elementFormDefault": "qualified", "xmlns:xs": XS}
    root = ET.Element("xs:schema", names)
    for name in dict.fromkeys((prefix, XNAT, XDAT)):
        root.set(f"xmlns:{name}", namespace_of(name))
    if prefix != XNAT:
        imported = {"namespace": namespace_of(XNAT), "schemaLocation": f"/schemas/{XNAT}/{XNAT}.xsd"}
        ET.SubElement(root, "xs:import", imported)
    for data_type in registry:
        if data_type.name.startswith(f"{prefix}:") and not data_type.is_abstract:
            ET.SubElement(root, "xs:element", {"name": data_type.element, "type": data_type.name})
    for name, content in contents_of(registry, rights.may_use).items():
        if name.startswith(f"{prefix}:") and name not in INLINE:
            _add_type(root, name, content, registry.find(name))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(ET.tostring(root, encoding="utf-8"))


def _add_type(root: ET.Element, name: str, content: Content, data_type: DataType | None) -> None:
    made = ET.SubElement(root, "xs:complexType", {"name": local_name(name)})
    if name in IDENTIFIERS:
        _add_identifier(made, IDENTIFIERS[name])
    target = _extend(made, "xs:complexContent", content.parent) if content.parent else made
    _add_content(target, content.tree, content.attributes, has_others=data_type is not None and data_type.is_measures)


def _add_content(content: ET.Element, tree: Tree, attributes: frozenset[str], *, has_others: bool = False) -> None:
    """A sequence of elements, then attributes, which is the order of every schema."""
    elements = {name: node for name, node in tree.items() if name not in attributes}
    if elements or has_others:
        sequence = ET.SubElement(content, "xs:sequence")
        for name, node in elements.items():
            _add_element(sequence, name, node)
        if has_others:  # measures whose names XML has not: clients that make classes of a schema must not see them
            _add_any(sequence, "##local")
    for name, node in tree.items():
        if name in attributes:
            ET.SubElement(content, "xs:attribute", {"name": name, "type": node.type})


def _add_element(sequence: ET.Element, name: str, node: Node) -> None:
    if node.prefix:
        _add_any(sequence, namespace_of(node.prefix))
        return
    made = ET.SubElement(sequence, "xs:element", {"name": name, "minOccurs": "0"})
    if node.entries is not None:
        made.set("maxOccurs", "unbounded")
    if node.entries == NAMELESS:
        _extend(ET.SubElement(made, "xs:complexType"), "xs:simpleContent", TEXT)
    elif node.entries == "":
        _add_identifier(made, "name")
        text = _extend(ET.SubElement(made, "xs:complexType"), "xs:simpleContent", TEXT)
        ET.SubElement(text, "xs:attribute", {"name": "name", "type": TEXT})
    elif node.inside and node.type:  # a value with attributes of its own, as `scanner`
        text = _extend(ET.SubElement(made, "xs:complexType"), "xs:simpleContent", node.type)
        for part, inner in node.inside.items():
            ET.SubElement(text, "xs:attribute", {"name": part, "type": inner.type})
    elif node.entries in INLINE:
        _add_identifier(made, IDENTIFIERS[node.entries])
        content = PLAIN[node.entries]
        _add_content(ET.SubElement(made, "xs:complexType"), content.tree, content.attributes)
    elif node.inside:
        _add_content(ET.SubElement(made, "xs:complexType"), node.inside, node.inner_attributes)
    else:
        made.set("type", node.entries or node.type)


def _add_any(sequence: ET.Element, namespace: str) -> None:
    """Elements of another schema, which this one does not describe."""
    others = {"namespace": namespace, "processContents": "skip", "minOccurs": "0", "maxOccurs": "unbounded"}
    ET.SubElement(sequence, "xs:any", others)


def _extend(made: ET.Element, content: str, base: str) -> ET.Element:
    return ET.SubElement(ET.SubElement(made, content), "xs:extension", {"base": base})


def _add_identifier(made: ET.Element, name: str) -> None:
    """Say by which of its fields people know an object; clients look it up by that."""
    note = ET.SubElement(ET.SubElement(made, "xs:annotation"), "xs:appinfo")
    ET.SubElement(note, "xdat:element", {"displayIdentifiers": name})

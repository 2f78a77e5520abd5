"""Query ⇄ search XML, the document that XNAT's search engine takes.

    <xdat:bundle ID="@TYPE" xmlns:xdat="http://nrg.wustl.edu/security">
      <xdat:root_element_name>TYPE</xdat:root_element_name>
      <xdat:search_field> element_name field_ID sequence type header [value] </xdat:search_field> ...
      <xdat:search_where method="AND">
        <xdat:criteria> schema_field comparison_type value </xdat:criteria>
        <xdat:child_set method="OR"> criteria or child_set ... </xdat:child_set>
      </xdat:search_where>
      <xdat:sort_by> element_name field_ID </xdat:sort_by>
    </xdat:bundle>

The reader tolerates comments, unknown children and any root name, as XNAT does; it refuses document
type declarations, so entities cannot be defined.
Source: XNAT's stored-search documents, as pyxnat and xnatpy write them.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from connectomedb.errors import QueryError
from connectomedb.xnat.plain import to_plain
from connectomedb.xnat.query import PLAIN, Criterion, Group, Method, Query, SearchField, parse_comparison
from connectomedb.xnat.tree import parse_tree

NAMESPACE = "http://nrg.wustl.edu/security"
ET.register_namespace("xdat", NAMESPACE)

MAX_DEPTH = 64
"""Deepest nesting of groups that is read or written."""

MAX_FIELDS = 5_000
"""Most columns that one search names, those that it names twice included."""

MAX_SEQUENCE_DIGITS = 9
"""A longer `sequence` is no number, and Python refuses to read very long ones."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document can hold, even escaped (XML 1.0, section 2.2)."""


def format_bundle(query: Query) -> bytes:
    """Write a query as search XML, UTF-8 with declaration.

    Comparisons that XNAT lacks are said in its words (`xnat.plain`); so a query of XNAT's own comparisons comes back
    equal, another comes back meaning the same. Blanks around a text do not travel: readers drop them. Raises QueryError
    for what XNAT cannot say, for groups nested deeper than MAX_DEPTH and for characters that XML cannot hold.
    """
    return bytes(ET.tostring(bundle_element(query), encoding="UTF-8", xml_declaration=True))


def bundle_element(query: Query) -> ET.Element:
    """A query as the element of its document. Raises QueryError as `format_bundle` does."""
    root = ET.Element(bundle_tag("bundle"))
    add_text(root, "root_element_name", query.root)
    root.set("ID", f"@{query.root}")
    for sequence, field in enumerate(query.fields):
        node = _field(root, "search_field", field)
        add_text(node, "sequence", str(sequence))
        add_text(node, "type", field.type)
        add_text(node, "header", field.header)
        if field.value is not None:
            add_text(node, "value", field.value)
        if not field.is_visible:
            add_text(node, "visible", "0")
    if query.where is not None:
        _format_group(root, "search_where", to_plain(query.where), 0)
    if query.sort is not None:
        _field(root, "sort_by", query.sort)
    return root


def parse_bundle(document: bytes) -> Query:
    """Read search XML into a query. Raises QueryError with what is wrong."""
    return read_bundle(parse_document(document))


def read_bundle(root: ET.Element) -> Query:
    """Read the element of a search document. Raises QueryError with what is wrong."""
    name = _child_text(root, "root_element_name")
    if not name:
        raise QueryError("The search document names no root_element_name: say which data type is searched.")
    nodes = list(children_of(root, "search_field"))
    if len(nodes) > MAX_FIELDS:
        raise QueryError(f"The search names {len(nodes)} columns. Ask for at most {MAX_FIELDS} at once.")
    indexed = [(_sequence(node, position), _parse_field(node)) for position, node in enumerate(nodes)]
    fields = tuple(field for _, field in sorted(indexed, key=lambda pair: pair[0]))
    groups = tuple(_parse_group(node, 0) for node in children_of(root, "search_where"))
    where = groups[0] if len(groups) == 1 else Group(Method.AND, groups) if groups else None
    sort = next((_parse_field(node) for node in children_of(root, "sort_by")), None)
    return Query(name, fields, where, sort)


def _format_group(parent: ET.Element, name: str, group: Group, depth: int) -> None:
    _check_depth(depth)
    node = ET.SubElement(parent, bundle_tag(name), {"method": group.method.value})
    for member in group.members:
        if isinstance(member, Group):
            _format_group(node, "child_set", member, depth + 1)
        else:
            criteria = ET.SubElement(node, bundle_tag("criteria"), {"override_value_formatting": "0"})
            add_text(criteria, "schema_field", member.field)
            add_text(criteria, "comparison_type", member.comparison.value)
            add_text(criteria, "value", member.value)


def _parse_group(node: ET.Element, depth: int) -> Group:
    _check_depth(depth)
    word = (node.get("method") or "AND").strip().upper()
    if word not in Method.__members__:
        raise QueryError(f"A group is joined by {word!r}. Use AND or OR.")
    members: list[Criterion | Group] = []
    for child in node:
        match _local(child):
            case "criteria":
                members.append(_parse_criterion(child))
            case "child_set":
                members.append(_parse_group(child, depth + 1))
    return Group(Method(word), tuple(members))


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise QueryError(f"The search nests groups deeper than {MAX_DEPTH} levels. Flatten it.")


def _parse_criterion(node: ET.Element) -> Criterion:
    field = _child_text(node, "schema_field")
    if not field:
        raise QueryError("A criterion of the search names no schema_field.")
    comparison = parse_comparison(_child_text(node, "comparison_type") or "=")
    if comparison not in PLAIN:
        raise QueryError(f"Asked to compare with {comparison}, which is no comparison of XNAT's search documents.")
    return Criterion(field, comparison, _child_text(node, "value"))


def _parse_field(node: ET.Element) -> SearchField:
    value = next((child.text or "" for child in children_of(node, "value")), None)
    return SearchField(
        element=_child_text(node, "element_name"),
        field_id=_child_text(node, "field_ID"),
        value=value,
        type=_child_text(node, "type") or "string",
        header=_child_text(node, "header"),
        is_visible=_child_text(node, "visible").lower() not in ("0", "false"),
    )


def _sequence(node: ET.Element, position: int) -> tuple[int, int]:
    text = _child_text(node, "sequence")
    return (int(text) if text.isdecimal() and len(text) <= MAX_SEQUENCE_DIGITS else position, position)


def parse_document(document: bytes) -> ET.Element:
    """Read the root element of a search document, which may define no entities. Raises QueryError."""
    return parse_tree(document, QueryError)


def bundle_tag(name: str) -> str:
    """A name with the namespace of search documents."""
    return f"{{{NAMESPACE}}}{name}"


def _local(node: ET.Element) -> str:
    return str(node.tag).rpartition("}")[2]


def children_of(node: ET.Element, name: str) -> Iterator[ET.Element]:
    """Children of that name, whatever their namespace."""
    return (child for child in node if _local(child) == name)


def _child_text(node: ET.Element, name: str) -> str:
    return next(((child.text or "").strip() for child in children_of(node, name)), "")


def add_text(parent: ET.Element, name: str, text: str) -> None:
    """Add a child that holds a text. Raises QueryError for characters that XML cannot hold."""
    if unfit := _NOT_XML.search(text):
        raise QueryError(f"The search holds {unfit.group()!r}, which XML cannot carry. Leave that character out.")
    ET.SubElement(parent, bundle_tag(name)).text = text


def _field(parent: ET.Element, name: str, field: SearchField) -> ET.Element:
    node = ET.SubElement(parent, bundle_tag(name))
    add_text(node, "element_name", field.element)
    add_text(node, "field_ID", field.field_id)
    return node

"""The types of a schema that are not of objects: folders of files, people, protocols, what was done to make something.

`Content` and `Node` say what stands in a type; `types.elements` makes them of data types.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import RECORDS, Kind

TYPES: Mapping[Kind, str] = {
    Kind.STRING: "xs:string",
    Kind.INTEGER: "xs:integer",
    Kind.FLOAT: "xs:float",
    Kind.DATE: "xs:date",
    Kind.TIME: "xs:time",
    Kind.TIMESTAMP: "xs:dateTime",
}
TEXT = TYPES[Kind.STRING]

NAMELESS = "text"
"""What the entries of a list are where they are texts without a name."""

RESOURCE, PERSON, DEMOGRAPHICS = "xnat:abstractResource", "xnat:investigatorData", "xnat:abstractDemographicData"
DERIVED, ASSESSOR, RECONSTRUCTION = "xnat:derivedData", "xnat:imageAssessorData", "xnat:reconstructedImageData"
PROCESS_STEP = "prov:processStep"
"""One step of how something was made: of a schema that is not ours, and that nobody serves."""


@dataclass(slots=True)
class Node:
    """One element or attribute.

    Attributes:
        type: of its own value, "" without one.
        entries: of a list the type of its entries, "" for texts that have a name; None of what is no list.
        inside: elements below it, and attributes, which `attributes` names.
    """

    type: str = ""
    entries: str | None = None
    inside: dict[str, "Node"] = field(default_factory=dict)
    attributes: frozenset[str] = frozenset()

    @property
    def prefix(self) -> str:
        """Of its element, where that is of another schema than the type around it; else ""."""
        return "prov" if self.entries == PROCESS_STEP else ""

    @property
    def inner_attributes(self) -> frozenset[str]:
        """What is inside and no element; below a value nothing else can stand."""
        return frozenset(self.inside) if self.type else self.attributes

    def joined(self, other: "Node | None") -> "Node":
        """This element with what another declaration of it has too."""
        if other is None:
            return self
        entries = other.entries if self.entries is None else self.entries
        inside = {name: node.joined(other.inside.get(name)) for name, node in self.inside.items()}
        return Node(self.type or other.type, entries, other.inside | inside, self.attributes | other.attributes)


Tree: TypeAlias = dict[str, Node]


@dataclass(frozen=True, slots=True)
class Content:
    """What one type adds to its parent, "" without: elements in their order, and which of them are attributes."""

    parent: str = ""
    tree: Tree = field(default_factory=dict)
    attributes: frozenset[str] = frozenset()


def _texts(*names: str) -> Tree:
    return {name: Node(TEXT) for name in names}


def _attributes(parent: str, tree: Tree) -> Content:
    return Content(parent, tree, frozenset(tree))


def _within(container: str, entry: str, entries: str) -> Tree:
    return {container: Node(inside={entry: Node(entries=entries)})}


def _record(fields: Iterable[str]) -> Tree:
    """Fields of a record; `program/version` is an attribute of `program`."""
    tree: Tree = {}
    for name in fields:
        first, _, inner = name.partition("/")
        node = tree.setdefault(first, Node(TEXT))
        if inner:
            node.inside[inner] = Node(TEXT)
    return tree


_COUNTS = {"file_count": Node(TYPES[Kind.INTEGER]), "file_size": Node("xs:long")}
_GROUP = ("ID", "data-type", "description", "project-specific")
_FIELD = ("name", "datatype", "type", "xmlPath")

PLAIN: Mapping[str, Content] = {
    RESOURCE: _attributes("", _texts("label", "note") | _COUNTS),
    "xnat:resource": _attributes(RESOURCE, _texts("description", "URI", "format", "content")),
    "xnat:resourceCatalog": Content("xnat:resource"),
    DEMOGRAPHICS: Content(),
    PERSON: Content("", _record(RECORDS["investigators/investigator"]), frozenset({"ID"})),
    "xnat:publicationResource": Content("", _record(RECORDS["publications/publication"])),
    "xnat:projectParticipant": _attributes("", _texts("project", "label")),
    "xnat:experimentData_share": _attributes("", _texts("project", "label")),
    "xnat:abstractProtocol": Content(
        "", _texts("description", "ID", "name", "data-type"), frozenset({"ID", "name", "data-type"})
    ),
    "xnat:datatypeProtocol": Content(
        "xnat:abstractProtocol", _within("definitions", "definition", "xnat:fieldDefinitionGroup")
    ),
    "xnat:fieldDefinitionGroup": Content(
        "", _within("fields", "field", "xnat:fieldDefinitionGroup_field") | _texts(*_GROUP), frozenset(_GROUP)
    ),
    "xnat:fieldDefinitionGroup_field": Content(
        "",
        _within("possibleValues", "possibleValue", NAMELESS)
        | _texts(*_FIELD)
        | {"required": Node("xs:boolean"), "sequence": Node(TYPES[Kind.INTEGER])},
        frozenset((*_FIELD, "required", "sequence")),
    ),
    PROCESS_STEP: Content("", _record(RECORDS["provenance/processStep"])),
    DERIVED: Content(builtin.EXPERIMENT),
    ASSESSOR: Content(DERIVED),
    RECONSTRUCTION: Content(),
}
"""Types that every schema of `xnat` has; those of data types count more."""

INLINE = frozenset({"xnat:fieldDefinitionGroup_field"})
"""Types without a name in the schema, inside the element that they are of: xnatpy wants it of `fields`."""

IDENTIFIERS: Mapping[str, str] = {
    **dict.fromkeys((builtin.SUBJECT, builtin.EXPERIMENT, RESOURCE), "label"),
    **dict.fromkeys(("xnat:abstractProtocol", "xnat:fieldDefinitionGroup"), "ID"),
    "xnat:fieldDefinitionGroup_field": "name",
}
"""By which of their fields people know objects of a type; clients look them up by that."""

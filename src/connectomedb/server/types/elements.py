"""Data types → elements and attributes of their objects in XML, in order: for the schema and for the documents.

What a type declares as schema paths becomes attributes and elements; lists of objects, resources and custom
variables, which are no paths, stand in `LISTS`; types that are not of objects in `types.plain`.

    ID                       attribute `ID`                     date          element `date`
    scanner/manufacturer     an attribute of `scanner`          fields/field  entries with a name and a text

An element that a type has and a kind of it has more of, as `parameters` of scans, is declared by each kind alone:
a schema with both would allow two of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import PARTS, RECORDS, DataType, Entity, Path, Registry
from connectomedb.server.types.plain import (
    ASSESSOR,
    DEMOGRAPHICS,
    DERIVED,
    INLINE,
    PERSON,
    PLAIN,
    PROCESS_STEP,
    RECONSTRUCTION,
    RESOURCE,
    TYPES,
    Content,
    Node,
    Tree,
)
from connectomedb.xnat.document import Shape

_ATTRIBUTES: Mapping[Entity, frozenset[str]] = {
    Entity.PROJECT: frozenset({"ID", "secondary_ID"}),
    Entity.SUBJECT: frozenset({"ID", "project", "group", "label", "src"}),
    Entity.EXPERIMENT: frozenset({"ID", "project", "label", "visit_id", "UID"}),
}
_ATTRIBUTES_ELSEWHERE = frozenset({"ID", "type", "UID"})
"""Paths that are attributes of the object's element, by level; of scans and what else stands below a session."""

_INNER_ATTRIBUTES = frozenset({"x", "y", "z", "units", "manufacturer", "model", "version", "arguments"})
"""Last parts of paths that are attributes of the element above them."""

_TEXT_LISTS = ("fields/field", "parameters/addParam", "aliases/alias")
"""Lists of texts that have a name."""

_PEOPLE = ("PI", "investigator")
LISTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    builtin.PROJECT: (
        ("resources/resource", RESOURCE),
        ("fields/field", ""),
        ("publications/publication", "xnat:publicationResource"),
        ("investigators/investigator", PERSON),
        ("studyProtocol", "xnat:abstractProtocol"),
    ),
    builtin.SUBJECT: (
        ("resources/resource", RESOURCE),
        ("fields/field", ""),
        ("experiments/experiment", builtin.SUBJECT_ASSESSOR),
        ("sharing/share", "xnat:projectParticipant"),
    ),
    builtin.EXPERIMENT: (
        ("resources/resource", RESOURCE),
        ("fields/field", ""),
        ("sharing/share", "xnat:experimentData_share"),
    ),
    builtin.IMAGE_SESSION: (
        ("scans/scan", builtin.IMAGE_SCAN),
        ("reconstructions/reconstructedImage", RECONSTRUCTION),
        ("assessors/assessor", ASSESSOR),
    ),
    builtin.IMAGE_SCAN: (
        ("file", RESOURCE),
        ("parameters/addParam", ""),
        ("sharing/share", "xnat:experimentData_share"),
    ),
    RECONSTRUCTION: (("in/file", RESOURCE), ("out/file", RESOURCE)),
    DERIVED: (("in/file", RESOURCE), ("out/file", RESOURCE)),
}
"""Lists of each type: path, and the type of the entries; "" for texts that have a name."""

_ORDER: Mapping[str, tuple[str, ...]] = {
    builtin.PROJECT: (
        *("name", "type", "description", "keywords", "aliases", "publications", "resources", "studyProtocol"),
        *("PI", "investigators", "fields"),
    )
}
"""Elements in XNAT's order, which pyxnat's lists of attributes show; of other types as they are declared."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PREDICATE = re.compile(r"\[@xsi:type=([\w:.\-]+)\]", re.IGNORECASE)


def contents_of(registry: Registry, may_use: Callable[[Tier], bool]) -> dict[str, Content]:
    """What each type of a schema adds to its parent, by name, of fields of the tiers that one may use."""
    found = dict(PLAIN)
    for name, tree in _predicated(registry):
        found[name] = Content(DEMOGRAPHICS, tree)
    own = {data_type.name: _own(data_type, may_use) for data_type in registry}
    for data_type in registry:
        found[data_type.name] = _content(data_type, registry, own)
    return found


@lru_cache(4)
def shapes_of(registry: Registry) -> Mapping[str, Shape]:
    """How objects of each type are written: the order of the schema, for all that it may name."""
    contents = contents_of(registry, lambda tier: True)
    return {name: _shape(name, contents) for name in contents}


def _content(data_type: DataType, registry: Registry, own: Mapping[str, Tree]) -> Content:
    """The type's elements without those that are left to its kinds, and with those that its parents left to it."""
    prefix = data_type.name.partition(":")[0]
    above = [other.name for other in registry.lineage(data_type)[:0:-1] if other.name.startswith(f"{prefix}:")]
    left = {name for other in above for name in _left(registry.get(other), registry, own)}
    tree: Tree = {}
    for part in (*(own[other] for other in above), own[data_type.name]):
        for name, node in part.items():
            if name in left or part is own[data_type.name]:
                tree[name] = node.joined(tree.get(name))
    tree = {name: node for name, node in tree.items() if name not in _left(data_type, registry, own)}
    ordered = {name: tree[name] for name in _ORDER.get(data_type.name, ()) if name in tree}
    attributes = _ATTRIBUTES.get(data_type.entity, _ATTRIBUTES_ELSEWHERE)
    return Content(data_type.parent or "", ordered | tree, attributes)


def _left(data_type: DataType, registry: Registry, own: Mapping[str, Tree]) -> set[str]:
    """Elements that kinds of a type declare too."""
    prefix = data_type.name.partition(":")[0]
    kinds = [other.name for other in registry.descendants(data_type) if other is not data_type]
    declared = {name for kind in kinds if kind.startswith(f"{prefix}:") for name in own[kind]}
    return declared & own[data_type.name].keys()


def _own(data_type: DataType, may_use: Callable[[Tier], bool]) -> Tree:
    tree: Tree = {}
    for path in data_type.paths:
        if may_use(path.tier):
            _plant(tree, path)
    for list, entries in LISTS.get(data_type.name, ()):
        _grow(tree, list.split("/")).entries = entries
    return tree


def _plant(tree: Tree, path: Path, name: str | None = None) -> None:
    """Add one path. Lists are declared as such; `meta/` is ours, names that XML has not are left out."""
    plain = name or path.path
    parts = plain.split("/")
    if parts[0] in _PEOPLE:
        tree.setdefault(parts[0], Node(type=PERSON))
        return
    listed = next((known for known in _TEXT_LISTS if plain.startswith(f"{known}/")), None)
    if listed:
        _grow(tree, listed.split("/")).entries = ""
        return
    if plain.startswith("provenance/"):
        _grow(tree, ["provenance", "processStep"]).entries = PROCESS_STEP
        return
    if any(plain.startswith(f"{known}/") for known in (*RECORDS, *PARTS, "sharing/share")):
        return
    if _PREDICATE.search(parts[0]):
        tree.setdefault(_PREDICATE.sub("", parts[0]), Node(type=DEMOGRAPHICS))
    elif parts[0] != "meta" and all(_NAME.fullmatch(part) for part in parts):
        _grow(tree, parts).type = TYPES[path.kind]


def _grow(tree: Tree, parts: list[str]) -> Node:
    """The node at a path, made with all above it."""
    node = tree.setdefault(parts[0], Node())
    for part in parts[1:]:
        node.attributes = _INNER_ATTRIBUTES
        node = node.inside.setdefault(part, Node())
    return node


def _predicated(registry: Registry) -> Iterator[tuple[str, Tree]]:
    """The types that paths of subjects name by `[@xsi:type=...]`, with those paths."""
    trees: dict[str, Tree] = {}
    for path in registry.paths(registry.get(builtin.SUBJECT)):
        head, _, rest = path.path.partition("/")
        match = _PREDICATE.search(head)
        if match:
            _plant(trees.setdefault(match[1], {}), path, rest)
    return iter(trees.items())


def _shape(name: str, contents: Mapping[str, Content]) -> Shape:
    lineage = [name]
    while parent := contents[lineage[-1]].parent:
        lineage.append(parent)
    elements: dict[str, str] = {}
    attributes: set[str] = set()
    for owner in reversed(lineage):
        content = contents[owner]
        for path, node, is_attribute in _walk(content.tree, content.attributes, ""):
            elements.pop(path, None)
            if is_attribute:
                attributes.add(path)
            else:
                elements[path] = node.prefix or owner.partition(":")[0]
    return Shape(elements, frozenset(attributes), is_named=name not in INLINE)


def _walk(tree: Tree, attributes: frozenset[str], above: str) -> Iterator[tuple[str, Node, bool]]:
    """Paths in the order of a document, and whether each is an attribute."""
    for name, node in tree.items():
        yield above + name, node, name in attributes
        yield from _walk(node.inside, node.inner_attributes, f"{above}{name}/")

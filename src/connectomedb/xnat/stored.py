"""A search that is kept under an id: the document of `xnat.bundle`, and on it its name and who may use it.

    <xdat:bundle ID="id" brief-description="name" description="" tag="P1" secure="0" allow-diff-columns="0" ...>
      ... the query ...
      <xdat:allowed_user><xdat:login>bob</xdat:login></xdat:allowed_user>
      <xdat:allowed_groups><xdat:groupID>P1_member</xdat:groupID></xdat:allowed_groups>
    </xdat:bundle>

Source: XNAT's stored-search documents, as pyxnat writes and reads them.
"""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from connectomedb.xnat.bundle import add_text, bundle_element, bundle_tag, children_of, parse_document, read_bundle
from connectomedb.xnat.query import Query


@dataclass(frozen=True, slots=True)
class StoredSearch:
    """A query with a name.

    Attributes:
        name: `brief-description` on the wire, by which pyxnat finds it.
        tag: the project that it belongs to, if any.
        is_secure: only for those that it names.
        users: logins of those who may use it.
        groups: groups of projects (`P1_member`) whose people may use it.
    """

    query: Query
    id: str = ""
    name: str = ""
    description: str = ""
    tag: str = ""
    is_secure: bool = False
    allows_other_columns: bool = False
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def format_stored(search: StoredSearch) -> bytes:
    """Write the document, UTF-8 with declaration. Raises QueryError for what XML cannot carry."""
    root = bundle_element(search.query)
    root.set("ID", search.id or f"@{search.query.root}")
    root.set("brief-description", search.name)
    root.set("description", search.description)
    if search.tag:
        root.set("tag", search.tag)
    root.set("secure", "1" if search.is_secure else "0")
    root.set("allow-diff-columns", "1" if search.allows_other_columns else "0")
    for element, part, names in (
        ("allowed_user", "login", search.users),
        ("allowed_groups", "groupID", search.groups),
    ):
        for name in names:
            add_text(ET.SubElement(root, bundle_tag(element)), part, name)
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def parse_stored(document: bytes) -> StoredSearch:
    """Read the document; one without any of the attributes is a search without a name. Raises QueryError."""
    root = parse_document(document)
    return StoredSearch(
        query=read_bundle(root),
        id=root.get("ID", "").strip(),
        name=root.get("brief-description", ""),
        description=root.get("description", ""),
        tag=root.get("tag", "").strip(),
        is_secure=_is_true(root.get("secure", "")),
        allows_other_columns=_is_true(root.get("allow-diff-columns", "")),
        users=_names(root, "allowed_user", "login"),
        groups=_names(root, "allowed_groups", "groupID"),
    )


def _is_true(word: str) -> bool:
    return word.strip().lower() in ("1", "true")


def _names(root: ET.Element, element: str, part: str) -> tuple[str, ...]:
    """Texts of the parts of all such elements, each once: XNAT writes one part per element, pyxnat all in one."""
    found = ((child.text or "").strip() for node in children_of(root, element) for child in children_of(node, part))
    return tuple(dict.fromkeys(name for name in found if name))

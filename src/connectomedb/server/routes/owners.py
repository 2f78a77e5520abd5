"""The one object whose resources or files a request changes, and whether the caller may."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from sqlalchemy import Connection, insert, select

from connectomedb.errors import AccessDenied, AddressError, NotFound
from connectomedb.server.access.audit import Action, Event, record
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.editing import load_role, may_delete, may_edit
from connectomedb.server.changes.status import check_unlocked
from connectomedb.server.intake.keep import Target
from connectomedb.server.query.homes import OWNERS, home_project, owned_by
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.documents import ENTITIES
from connectomedb.server.tables.schema import projects, resources
from connectomedb.xnat.address import Address, Level, format_address

MAX_LABEL = 255
MAX_DIGITS = 19
_REFUSED_IN_LABELS = frozenset("/\\,?#%*")


@dataclass(frozen=True, slots=True)
class Owner:
    """An object and the key of its home project."""

    found: Found
    project: int


def find_owners(connection: Connection, caller: Caller, address: Address, *, deletes: bool = False) -> list[Owner]:
    """The objects above the resources of an address, which the caller may change. Raises NotFound, AccessDenied."""
    place = find_place(connection, caller, address, is_inside=True)
    if not place.last:
        raise AddressError("Asked for resources of the site. They belong to a project or to something in it.")
    owners = [Owner(found, home_project(connection, found)) for found in place.last]
    for owner in owners:
        role = load_role(connection, caller, owner.project)
        if not (may_delete(caller, role) if deletes else may_edit(caller, role)):
            verb, who = ("delete", "its owners") if deletes else ("change", "its owners and members")
            raise AccessDenied(
                f"Asked to {verb} files of a project. Only {who} may: ask an owner.",
                address=format_address(address),
                status=403,
            )
        check_unlocked(connection, ENTITIES[owner.found.level], owner.found.key)
    return owners


def find_owner(connection: Connection, caller: Caller, address: Address) -> Owner:
    """The one object that an address names. Raises AddressError when it names several."""
    owners = find_owners(connection, caller, address)
    if len(owners) > 1:
        raise AddressError("Asked to add files to several scans at once. Name one by its ID.")
    return owners[0]


def find_or_make_resource(connection: Connection, caller: Caller, address: Address, facts: Mapping[str, str]) -> Target:
    """The resource of an address; a label that there is none of becomes a new one. Raises NotFound, AccessDenied."""
    owner = find_owner(connection, caller, address)
    word = address.get(Level.RESOURCES)
    key = find_key(connection, owner.found, word)
    if key is None and word is not None and word.isdecimal():
        raise NotFound(f"There is no resource of the number {word} here. List the resources.")
    if key is None:
        key = make_resource(connection, owner.found, word, facts)
    return Target(key, owner.project)


def note_change(connection: Connection, call: Call, action: Action, project: int, detail: str) -> None:
    """A line of the audit log about this address, in the transaction at hand. `project`: key of the home project."""
    id: str = connection.execute(select(projects.c.id).where(projects.c.key == project)).scalar_one()
    record(connection, Event(call.actor, action, id, unquote(call.path), detail))


def find_key(connection: Connection, owner: Found, word: str | None) -> int | None:
    """Key of an owner's resource by label or number, or of the one without a label; None when there is none."""
    mine = select(resources.c.key).where(owned_by(owner)).order_by(resources.c.key)
    label = resources.c.label.is_(None) if word is None else resources.c.label == word
    key: int | None = connection.execute(mine.where(label)).scalars().first()
    if key is None and word is not None and word.isascii() and word.isdecimal() and len(word) < MAX_DIGITS:
        key = connection.execute(mine.where(resources.c.key == int(word))).scalars().first()
    return key


def make_resource(connection: Connection, owner: Found, label: str | None, facts: Mapping[str, str]) -> int:
    """A new resource; its key. Raises AddressError for a label that could not be asked for again."""
    if label is not None:
        check_label(label)
    column = OWNERS[owner.level].name
    row = {column: owner.key, "label": label, "is_input": owner.is_input, **facts}
    made: int = connection.execute(insert(resources).values(row).returning(resources.c.key)).scalar_one()
    return made


def check_label(label: str) -> None:
    """Raises AddressError unless this can be the label of a resource."""
    is_plain = label.strip() == label and label.isprintable() and not _REFUSED_IN_LABELS & set(label)
    if not is_plain or label.isdecimal() or label in ("", ".", "..") or len(label) > MAX_LABEL:
        raise AddressError(
            f"Asked to make the resource {label[:80]!r}. A label is at most {MAX_LABEL} characters, not digits alone, "
            f"and holds none of {' '.join(sorted(_REFUSED_IN_LABELS))}."
        )

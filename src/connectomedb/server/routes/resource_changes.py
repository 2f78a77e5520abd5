"""Resources that are made, and resources and files that are deleted."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select
from starlette.responses import Response

from connectomedb.errors import Conflict, NotFound, TooLarge
from connectomedb.server.access.audit import Action
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.owners import Owner, find_key, find_owner, find_owners, make_resource, note_change
from connectomedb.server.routes.replies import text
from connectomedb.server.routes.resources import find_resources
from connectomedb.server.routes.uploads import FACTS, facts_of
from connectomedb.server.routes.wishes import read_form
from connectomedb.server.tables.schema import files, resources
from connectomedb.xnat.address import Address, Level
from connectomedb.xnat.bundle import parse_document

MAX_DOCUMENT_BYTES = 64 << 10
_BATCH = 500


def put_resource(call: Call, address: Address) -> "NewResource":
    """Make the resource of an address. Raises Conflict when there is one."""
    return NewResource(call, address, is_posted=False)


def post_resource(call: Call, address: Address) -> "NewResource":
    """Make a resource in a list of them, by `label=` or a document; the answer is its address."""
    return NewResource(call, address, is_posted=True)


class NewResource:
    """A resource that is made once its body has come, `<xnat:Resource label= format=...>` or a form; most send none."""

    def __init__(self, call: Call, address: Address, *, is_posted: bool) -> None:
        self._call = call
        self._address = address
        self._is_posted = is_posted
        self._document = bytearray()
        with call.site.database.read() as connection:
            find_owner(connection, call.signed_in, address)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the document."""
        self._document += piece
        if len(self._document) > MAX_DOCUMENT_BYTES:
            raise TooLarge(f"The document of a resource is longer than {MAX_DOCUMENT_BYTES} bytes. Shorten it.")

    def finish(self) -> Response:
        """Make it."""
        words = {**self._words(), **facts_of(self._call)}
        label = self._address.get(Level.RESOURCES) or self._call.parameters.get("label") or words.pop("label", None)
        words.pop("label", None)
        place = _make(self._call, self._address, label, words)
        if not self._is_posted:
            return text("")
        full = f"{self._call.base_url.rstrip('/')}{place}"
        return text(full, headers={"Location": full})

    def drop(self) -> None:
        """Nothing is held."""

    def _words(self) -> dict[str, str]:
        """What the document or form says; other bodies say nothing."""
        body = bytes(self._document)
        is_document = body.lstrip().startswith(b"<")
        given = parse_document(body.strip()).attrib if is_document else dict(read_form(self._call.headers, body))
        return {name: given[name] for name in ("label", *FACTS) if given.get(name)}


def _make(call: Call, address: Address, label: str | None, facts: Mapping[str, str]) -> str:
    """Make a resource; its address by number."""
    with call.site.database.write() as connection:
        owner = find_owner(connection, call.signed_in, address)
        if label is not None and find_key(connection, owner.found, label) is not None:
            raise Conflict(f"Asked to make the resource {label!r}. There is one here already. Choose another label.")
        key = make_resource(connection, owner.found, label, facts)
        note_change(connection, call, Action.RESOURCE_MADE, owner.project, label or str(key))
        place = find_place(connection, call.signed_in, address, is_inside=True)
        return next(found for found in find_resources(connection, place, str(key)) if found.key == key).address


def delete_resources(call: Call, address: Address) -> Response:
    """Delete the resources of an address, and their files."""
    with call.site.database.write() as connection:
        owners, keys = _to_change(connection, call, address)
        detail = _count(connection, files.c.resource_key.in_(keys))
        connection.execute(delete(resources).where(resources.c.key.in_(keys)))
        for project in {owner.project for owner in owners}:
            note_change(connection, call, Action.RESOURCES_DELETED, project, detail)
    return text("")


def delete_files(call: Call, address: Address) -> Response:
    """Delete files: one, all of a folder, all that begin as the path before a `*`, or all of the resource."""
    path = address.get(Level.FILES)
    with call.site.database.write() as connection:
        owners, within = _to_change(connection, call, address)
        wanted = and_(files.c.resource_key.in_(within), *([] if path is None else [_matches(path)]))
        keys = connection.execute(select(files.c.key).where(wanted)).scalars().all()
        if not keys:
            raise NotFound(f"Asked to delete {path or 'all files'!r}. There is no such file here. List the files.")
        detail = _count(connection, wanted)
        for start in range(0, len(keys), _BATCH):
            connection.execute(delete(files).where(files.c.key.in_(keys[start : start + _BATCH])))
        for project in {owner.project for owner in owners}:
            note_change(connection, call, Action.FILES_DELETED, project, detail)
    return text("")


def _to_change(connection: Connection, call: Call, address: Address) -> tuple[list[Owner], Sequence[int]]:
    """Owners and keys of the resources that an address names, from which the caller may delete."""
    owners = find_owners(connection, call.signed_in, address, deletes=True)
    place = find_place(connection, call.signed_in, address, is_inside=True)
    found = find_resources(connection, place, address.get(Level.RESOURCES))
    return owners, [resource.key for resource in found]


def _count(connection: Connection, wanted: ColumnElement[bool]) -> str:
    number, size = connection.execute(select(func.count(), func.sum(files.c.size)).where(wanted)).one()
    return f"{number} files, {size or 0} bytes"


def _matches(path: str) -> ColumnElement[bool]:
    if path.endswith("*"):
        return _begins(path[:-1])
    below = _begins(f"{path.rstrip('/')}/")
    return below if path.endswith("/") else or_(files.c.path == path, below)


def _begins(text: str) -> ColumnElement[bool]:
    """Not LIKE: SQLite's does not tell `A` from `a`."""
    return func.substr(files.c.path, 1, len(text)) == text

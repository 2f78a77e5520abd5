"""Resources that are made, and resources and files that are deleted."""

from sqlalchemy import ColumnElement, delete, or_, select
from starlette.responses import Response

from connectomedb.errors import AddressError, Conflict, NotFound
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.owners import find_key, find_owner, find_owners, make_resource
from connectomedb.server.routes.replies import text
from connectomedb.server.routes.resources import find_resources
from connectomedb.server.routes.uploads import facts_of
from connectomedb.server.tables.schema import files, resources
from connectomedb.xnat.address import Address, Level

_BATCH = 500


def put_resource(call: Call, address: Address) -> Response:
    """Make the resource of an address. Raises Conflict when there is one."""
    label = address.get(Level.RESOURCES)
    assert label is not None, "the route has a label"
    _make(call, address, label)
    return text("")


def post_resource(call: Call, address: Address) -> Response:
    """Make a resource in a list of them, by `label=`; the answer is its address."""
    key, base = _make(call, address, call.parameters.get("label") or None)
    place = f"{call.base_url.rstrip('/')}{base}/{key}"
    return text(place, headers={"Location": place})


def _make(call: Call, address: Address, label: str | None) -> tuple[int, str]:
    with call.site.database.write() as connection:
        owner = find_owner(connection, call.user, address)
        if label is not None and find_key(connection, owner.found, label) is not None:
            raise Conflict(f"Asked to make the resource {label!r}. There is one here already. Choose another label.")
        key = make_resource(connection, owner.found, label, facts_of(call))
        place = find_place(connection, call.user, address, is_inside=True)
        made = next(found for found in find_resources(connection, place, str(key)) if found.key == key)
    return key, f"{made.base}/resources"


def delete_resources(call: Call, address: Address) -> Response:
    """Delete the resources of an address, and their files."""
    with call.site.database.write() as connection:
        find_owners(connection, call.user, address, deletes=True)
        place = find_place(connection, call.user, address, is_inside=True)
        found = find_resources(connection, place, address.get(Level.RESOURCES))
        connection.execute(delete(resources).where(resources.c.key.in_([resource.key for resource in found])))
    return text("")


def delete_files(call: Call, address: Address) -> Response:
    """Delete files: one, all of a folder, all that begin as the path before a `*`, or all of the resource."""
    path = address.get(Level.FILES)
    with call.site.database.write() as connection:
        find_owners(connection, call.user, address, deletes=True)
        place = find_place(connection, call.user, address, is_inside=True)
        found = find_resources(connection, place, address.get(Level.RESOURCES))
        wanted = select(files.c.key).where(files.c.resource_key.in_([resource.key for resource in found]))
        keys = connection.execute(wanted.where(_matches(path))).scalars().all()
        if not keys:
            raise NotFound(f"Asked to delete {path or 'all files'!r}. There is no such file here. List the files.")
        for start in range(0, len(keys), _BATCH):
            connection.execute(delete(files).where(files.c.key.in_(keys[start : start + _BATCH])))
    return text("")


def _matches(path: str | None) -> ColumnElement[bool]:
    if path is None:
        return files.c.key.is_not(None)
    if path.endswith("*"):
        return files.c.path.startswith(path[:-1], autoescape=True)
    below = files.c.path.startswith(f"{path.rstrip('/')}/", autoescape=True)
    return below if path.endswith("/") else or_(files.c.path == path, below)


def delete_below(call: Call, address: Address) -> Response:
    """Delete what an address of resources or files names."""
    if address.listing is Level.RESOURCES:
        raise AddressError("Asked to delete the list of resources. Name one, by label or number.")
    if address.listing is Level.FILES or address.get(Level.FILES) is not None:
        return delete_files(call, address)
    return delete_resources(call, address)

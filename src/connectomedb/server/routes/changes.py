"""Requests that make, change, share or delete objects: what is sent → a wish → rows → the answer that clients expect.

| request                                  | answer                                    |
|------------------------------------------|-------------------------------------------|
| PUT a new subject, experiment, assessor  | 201 and its accession ID                  |
| PUT an existing one                      | 200 and its accession ID; renamed: empty  |
| PUT a project, scan, reconstruction      | 200, empty                                |
| POST to a list                           | 200 and the absolute address              |
| DELETE                                   | 200, empty                                |
"""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from connectomedb.server.access.audit import Action, record
from connectomedb.server.changes import projects, sharing
from connectomedb.server.changes.levels import PUTS
from connectomedb.server.changes.removal import is_only_shared, remove
from connectomedb.server.changes.rights import home_of
from connectomedb.server.changes.writer import Writer
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.routes.call import Call, View, Way
from connectomedb.server.routes.documents import ENTITIES
from connectomedb.server.routes.extras import SHAREABLE
from connectomedb.server.routes.items import read_address
from connectomedb.server.routes.replies import text
from connectomedb.server.routes.wishes import MAX_DOCUMENT_BYTES, read_wish
from connectomedb.xnat.address import Address, Level, Step, format_address


def put(call: Call) -> Response:
    """Make or change the object of an address."""
    address, last = _object_address(call)
    wish = read_wish(call)
    with call.change() as view:
        outcome = PUTS[last.level](Writer.of(view, call.actor), address, last.id, wish)
        record(view.connection, call.event(Action.MADE if outcome.is_new else Action.CHANGED, outcome.id))
    return text(outcome.id if outcome.is_told else "", 201 if outcome.is_new and outcome.is_told else 200)


def post(call: Call) -> Response:
    """Make an object in a list; the answer is its address."""
    address = read_address(call.path)
    if address.listing is None:
        return put(call)
    if address.listing not in PUTS:
        raise HTTPException(405, headers=_READ_ONLY)
    wish = read_wish(call, is_post=True)
    with call.change() as view:
        outcome = PUTS[address.listing](Writer.of(view, call.actor), address, "", wish)
        record(view.connection, call.event(Action.MADE, outcome.id))
    uri = call.base_url.rstrip("/") + format_address(_of_new(address, address.listing, outcome.id))
    return text(uri, headers={"Location": uri})


def delete(call: Call) -> Response:
    """Delete the object of an address; with `removeFiles=true` the bytes of its files too."""
    address, _ = _object_address(call)
    with call.change() as view:
        place = find_place(view.connection, view.caller, address)
        writer = Writer.of(view, call.actor)
        gone: list[tuple[str, str]] = []
        for found in place.last:
            entity = ENTITIES[found.level]
            is_shared = place.project is not None and is_only_shared(view, entity, found, place.project)
            record(view.connection, call.event(Action.SHARE_ENDED if is_shared else Action.DELETED, found.id))
            gone += remove(writer, entity, found, place.project)
    if call.parameters.is_true("removeFiles"):
        call.site.archive.discard(gone)
    return text("")


def share(call: Call) -> Response:
    """Show an object in another project, or with `primary=true` move it there."""
    with call.change() as view:
        found, project = _shared(call, view)
        is_move = call.parameters.is_true("primary")
        change = sharing.move if is_move else sharing.share
        change(Writer.of(view, call.actor), ENTITIES[found.level], found, project, call.parameters.get("label"))
        record(view.connection, call.event(Action.MOVED if is_move else Action.SHARED, found.id))
    return text("")


def unshare(call: Call) -> Response:
    """Show an object no longer in a project; in its home that is deleting it."""
    with call.change() as view:
        found, project = _shared(call, view)
        entity, writer = ENTITIES[found.level], Writer.of(view, call.actor)
        is_home = project.key == home_of(view, entity, found.key)
        gone = remove(writer, entity, found, None) if is_home else ()
        if not is_home:
            sharing.unshare(writer, entity, found, project)
        record(view.connection, call.event(Action.DELETED if is_home else Action.SHARE_ENDED, found.id))
    if call.parameters.is_true("removeFiles"):
        call.site.archive.discard(gone)
    return text("")


def put_code(call: Call) -> Response:
    """Set one of a project's codes."""
    with call.change() as view:
        name = call.path.split("/")[-2]
        projects.set_code(Writer.of(view, call.actor), _project(call, view).key, name, call.words["value"])
        record(view.connection, call.event(Action.CHANGED))
    return text("")


def _object_address(call: Call) -> tuple[Address, Step]:
    """The address of one object, and its last step; files are changed elsewhere."""
    address = read_address(call.path)
    if address.listing is not None or address.last is None or address.last.level not in PUTS:
        raise HTTPException(405, headers=_READ_ONLY)
    return address, address.last


def _of_new(address: Address, level: Level, id: str) -> Address:
    """The plainest address of an object that was just made: by its accession ID alone, if it has one."""
    if level in (Level.PROJECTS, Level.SUBJECTS, Level.EXPERIMENTS):
        return Address().child(level, id)
    if level is Level.ASSESSORS:
        return Address().child(Level.EXPERIMENTS, id)
    return Address(address.steps).child(level, id)


def _project(call: Call, view: View) -> Found:
    """The project that the route names."""
    address = Address().child(Level.PROJECTS, call.words["project"])
    return find_place(view.connection, view.caller, address).last[0]


def _shared(call: Call, view: View) -> tuple[Found, Found]:
    """The object and the project of a request about sharing. Raises NotFound."""
    address = read_address(call.path.rpartition("/projects/")[0])
    found = find_place(view.connection, view.caller, address).last
    target = Address().child(Level.PROJECTS, call.words["target"])
    return found[0], find_place(view.connection, view.caller, target, is_inside=True).last[0]


_READ_ONLY = {"Allow": "GET, HEAD"}

_PROJECT = "/data/projects/{project}"

WAYS = (
    *(
        Way(method, f"/data/{above}/projects/{{target}}", handler, is_slow=True, max_body_bytes=MAX_DOCUMENT_BYTES)
        for above in SHAREABLE
        for method, handler in (("PUT", share), ("DELETE", unshare))
    ),
    *(Way("PUT", f"/data/projects/{{project}}/{name}/{{value}}", put_code, is_slow=True) for name in projects.CODES),
    *(
        Way(method, _PROJECT, handler, is_slow=True, changes_rights=True, max_body_bytes=MAX_DOCUMENT_BYTES)
        for method, handler in (("PUT", put), ("POST", post), ("DELETE", delete))
    ),
    *(
        Way(method, f"/data/{level}{rest}", handler, is_slow=True, max_body_bytes=MAX_DOCUMENT_BYTES)
        for level in ("projects", "subjects", "experiments")
        for rest in ("", "/{address:path}")
        for method, handler in (("PUT", put), ("POST", post), ("DELETE", delete))
    ),
)

"""What an address tells of an object beside its fields: state, history, projects, codes; and lists of kinds."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Table, select
from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.access.visible import may_see
from connectomedb.server.changes.projects import CODES, FIRST_CODES
from connectomedb.server.changes.sharing import list_shares
from connectomedb.server.changes.status import status_of
from connectomedb.server.query.entries import ROWS, SHARES
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.routes.call import Call, View, Way
from connectomedb.server.routes.documents import ENTITIES
from connectomedb.server.routes.items import read_address
from connectomedb.server.routes.replies import table, text
from connectomedb.server.tables.schema import experiments, image_sessions, projects, scans
from connectomedb.server.types.datatypes import Entity
from connectomedb.server.types.values import format_value
from connectomedb.xnat.resultset import ResultTable

_BELOW_SITE = ("", "projects/{project}/", "projects/{project}/subjects/{subject}/")
SUBJECTS = ("subjects/{subject}", "projects/{project}/subjects/{subject}")
EXPERIMENTS = tuple(f"{above}experiments/{{experiment}}" for above in _BELOW_SITE)
SHAREABLE = (
    *SUBJECTS,
    *EXPERIMENTS,
    *(f"{above}/{level}/{{id}}" for above in EXPERIMENTS for level in ("scans", "assessors")),
)
"""Addresses of objects that can be shared, as routes write them."""

_SHARES = ("label", "ID", "Secondary_ID", "Name")
_HISTORY = ("event_date", "event_user", "event_action")


def get_status(call: Call) -> Response:
    """Whether an object is active, in quarantine or locked."""
    with call.view() as view:
        found = _object(call, view, "/status")
        return text(status_of(view.connection, ENTITIES[found.level], found.key))


def get_history(call: Call) -> Response:
    """When an object was made, and when it was changed last."""
    with call.view() as view:
        found = _object(call, view, "/history")
        rows = ROWS[ENTITIES[found.level]]
        columns = select(rows.c.insert_date, rows.c.insert_user, rows.c.last_modified).where(rows.c.key == found.key)
        row = view.connection.execute(columns).one()
    events = [(format_value(row.insert_date), row.insert_user, "Created")]
    if row.last_modified != row.insert_date:
        events.append((format_value(row.last_modified), "", "Modified"))
    return table(call, ResultTable(_HISTORY, tuple(events), "History", len(events)))


def get_shares(call: Call) -> Response:
    """The projects in which an object is seen, its home first. XNAT gives no count here."""
    with call.view() as view:
        found = _object(call, view, "/projects")
        entity = ENTITIES[found.level]
        if entity not in SHARES:
            raise AddressError("Asked for the projects of what cannot be shared.")
        rows = tuple((one.label, one.id, one.secondary_id, one.name) for one in list_shares(view, entity, found))
    return table(call, ResultTable(_SHARES, rows, "Projects"))


def get_code(call: Call) -> Response:
    """One of a project's codes."""
    address, _, name = call.path.rpartition("/")
    with call.view() as view:
        project = find_place(view.connection, view.caller, read_address(address)).last[0]
        value = view.connection.execute(select(projects.c[name]).where(projects.c.key == project.key)).scalar()
    return text(FIRST_CODES[name] if value is None else str(value))


def get_scan_types(call: Call) -> Response:
    """Types of the scans that the caller may read, each once; below a project those of the project."""
    return _kinds(call, "type", scans, "/scan_types")


def get_scanners(call: Call) -> Response:
    """Scanners of the sessions that the caller may read, each once."""
    return _kinds(call, "scanner", image_sessions, "/scanners")


def _kinds(call: Call, header: str, rows: Table, suffix: str) -> Response:
    column: ColumnElement[str | None] = rows.c[header]
    with call.view() as view:
        limits = [may_see(view.caller, Entity.EXPERIMENT, experiments), column.is_not(None), column != ""]
        if "project" in call.words:
            limits.append(experiments.c.project_key == _object(call, view, suffix, is_inside=True).key)
        found: Iterable[str | None] = view.connection.execute(
            select(column).select_from(experiments.join(rows)).where(*limits).distinct().order_by(column)
        ).scalars()
        cells = tuple((str(kind),) for kind in found)
    return table(call, ResultTable((header,), cells, header.capitalize() + "s", len(cells)))


def _object(call: Call, view: View, suffix: str, *, is_inside: bool = False) -> Found:
    """The one object whose address stands before the suffix."""
    address = read_address(call.path.removesuffix(suffix))
    found = find_place(view.connection, view.caller, address, is_inside=is_inside).last
    if len(found) != 1:
        raise AddressError("Asked for one object. The address names several.")
    return found[0]


WAYS = (
    *(Way("GET", f"/data/{above}/status", get_status) for above in SHAREABLE),
    *(Way("GET", f"/data/{above}/history", get_history) for above in ("projects/{project}", *SHAREABLE)),
    *(Way("GET", f"/data/{above}/projects", get_shares) for above in SHAREABLE),
    *(Way("GET", f"/data/projects/{{project}}/{name}", get_code) for name in CODES),
    Way("GET", "/data/scan_types", get_scan_types),
    Way("GET", "/data/projects/{project}/scan_types", get_scan_types),
    Way("GET", "/data/scanners", get_scanners),
    Way("GET", "/data/projects/{project}/scanners", get_scanners),
)

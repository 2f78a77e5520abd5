"""Lists of projects by what they are to the caller, with the columns of their display fields.

    accessible=true            those that the caller may read
    owner=, member=, collaborator=true      by her role, several are either
    data=, restrict=, permissions=          read, edit or delete: what she may do there
    favorite=true, recent=true              marked by her; the last changed first
    activeSince=2024-01-31, prearc_code=4   by change, by code
    admin=true, users=true                  all, of an administrator

`false` gives the others. Source: XNAT's list of projects, which answers these from its display fields.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, not_, or_, select, true
from starlette.responses import Response

from connectomedb.errors import AddressError, QueryError
from connectomedb.server.access.auth import Role
from connectomedb.server.access.visible import may_list, may_read
from connectomedb.server.changes.projects import FIRST_CODES
from connectomedb.server.routes.call import Call, View
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.routes.replies import table
from connectomedb.server.tables.schema import favorites, members, projects
from connectomedb.server.types.datatypes import Kind
from connectomedb.server.types.values import format_rows, parse_value
from connectomedb.xnat.resultset import ResultTable

_RIGHTS = ("data", "restrict", "permissions")
_FLAGS = ("accessible", "favorite", "admin", "users")
_OTHERS = ("recent", "activeSince", "prearc_code")
_COLUMNS = (
    *("id", "name", "description", "secondary_id", "pi", "insert_date", "insert_user", "last_modified"),
    *("project_access", "user_role", "URI"),
)
_READ = frozenset({"read", "readable"})
_EDIT = frozenset({"edit", "editable", "create", "creatable", "write", "writable", "modify"})
_DELETE = frozenset({"delete", "deletable", "manage", "owner"})


def is_view(parameters: Parameters) -> bool:
    """Whether a list of projects is asked for by what they are to the caller."""
    return any(parameters.has(name) for name in (*Role, *_RIGHTS, *_FLAGS, *_OTHERS))


def list_view(call: Call, view: View) -> Response:
    """The list. Raises AddressError for words that mean nothing."""
    caller, given, row = view.caller, call.parameters, projects.c
    mine = and_(members.c.project_key == row.key, members.c.user_key == caller.key)
    group = case(*((members.c.role == role, literal(role.group)) for role in Role), else_=literal(""))
    wanted = (
        select(
            *(row.id, row.name, row.description, row.secondary_id),
            case((row.pi_firstname.is_(None), row.pi_lastname), else_=row.pi_lastname + ", " + row.pi_firstname),
            *(row.insert_date, row.insert_user, row.last_modified, row.accessibility, group),
            literal("/data/projects/") + row.id,
        )
        .select_from(projects.outerjoin(members, mine))
        .where(may_list(caller, row.key), *_limits(view, given))
    )
    order = (row.last_modified.desc(), row.key) if given.is_true("recent") else (row.key,)
    found = view.connection.execute(wanted.order_by(*order)).all()
    return table(call, ResultTable(_COLUMNS, tuple(format_rows(found)) if found else (), "Projects", len(found)))


def _limits(view: View, given: Parameters) -> Iterator[ColumnElement[bool]]:
    caller, row = view.caller, projects.c
    asked = [role for role in Role if given.is_true(role)]
    if asked:
        yield _has_role(*asked)
    yield from (not_(_has_role(role)) for role in Role if given.has(role) and role not in asked)
    marked = exists().where(favorites.c.project_key == row.key, favorites.c.user_key == caller.key)
    all_or_none = true() if caller.is_admin else false()
    flags = {"accessible": may_read(caller, row.key), "favorite": marked, "admin": all_or_none, "users": all_or_none}
    for name, condition in flags.items():
        if given.has(name):
            yield condition if given.is_true(name) else not_(condition)
    yield from (_may(view, given.get(name)) for name in _RIGHTS if given.has(name))
    if given.has("activeSince"):
        try:
            yield row.last_modified >= parse_value(Kind.TIMESTAMP, given.get("activeSince"))
        except QueryError as fault:
            raise AddressError(f"Asked for projects that changed since then. {fault}") from fault
    code = given.count("prearc_code", None)
    if code is not None:
        yield func.coalesce(row.prearchive_code, int(FIRST_CODES["prearchive_code"])) == code


def _has_role(*roles: Role) -> ColumnElement[bool]:
    return and_(members.c.role.is_not(None), members.c.role.in_(roles))


def _may(view: View, word: str) -> ColumnElement[bool]:
    """Where the caller may do that. Raises AddressError."""
    everywhere = true() if view.caller.is_admin else false()
    if word.lower() in _READ:
        return may_read(view.caller, projects.c.key)
    if word.lower() in _EDIT:
        return or_(everywhere, _has_role(Role.OWNER, Role.MEMBER))
    if word.lower() in _DELETE:
        return or_(everywhere, _has_role(Role.OWNER))
    raise AddressError(f"Asked for projects where you may {word[:80]!r}. Say read, edit or delete.")

"""Signing in and out, and who is who."""

from sqlalchemy import select
from starlette.responses import Response

from connectomedb.errors import AccessDenied
from connectomedb.server.access.auth import Role
from connectomedb.server.access.login import cookie, csrf_token, new_session_id
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.parameters import parse_parameters
from connectomedb.server.routes.replies import table, text
from connectomedb.server.tables.schema import members, projects, users
from connectomedb.server.types.values import format_value
from connectomedb.xnat.address import parse_address
from connectomedb.xnat.resultset import ResultTable

MAX_FORM_BYTES = 8 << 10

_USERS = ("xdat_user_id", "login", "firstname", "lastname", "email")
_MEMBERS = ("GROUP_ID", "displayname", "login", "firstname", "lastname", "email")


def get_session(call: Call) -> Response:
    """The session's id; somebody who has none gets one that is nobody's."""
    session_id = call.session_id if call.caller and call.session_id else new_session_id()
    token = f"; XNAT_CSRF={csrf_token(session_id)}" if call.parameters.is_true("CSRF") else ""
    return text(session_id + token, headers={"Set-Cookie": cookie(session_id, call.base_url)})


def delete_session(call: Call) -> Response:
    """End the session."""
    if call.session_id:
        call.site.logins.end(call.session_id)
    return text("")


def sign_in(call: Call) -> Response:
    """Sign in by a form; the answer is the session's id."""
    form = parse_parameters(call.body.decode("utf-8", "replace"))
    login = form.get("username") or form.get("j_username")
    signed_in = call.site.logins.sign_in(login, form.get("password") or form.get("j_password"))
    id = signed_in.session_id
    return text(id, headers={"Set-Cookie": cookie(id, call.base_url)})


def get_auth(call: Call) -> Response:
    """The sentence by which xnatpy knows that it is signed in."""
    return text(f"User '{call.user.login}' is logged in")


def get_username(call: Call) -> Response:
    """The caller's login."""
    return text(call.user.login)


def get_users(call: Call) -> Response:
    """All users, for administrators."""
    if not call.user.is_admin:
        raise AccessDenied("The list of users is for administrators.", status=403)
    columns = select(users.c.key, users.c.login, users.c.firstname, users.c.lastname, users.c.email)
    with call.site.database.read() as connection:
        found = connection.execute(columns.order_by(users.c.key)).all()
    rows = tuple(tuple(format_value(cell) for cell in row) for row in found)
    return table(call, ResultTable(_USERS, rows, "Users", len(rows)))


def get_members(call: Call) -> Response:
    """Who has which role in a project, for those who may read it."""
    address = parse_address(call.path.removesuffix("/users"))
    columns = select(members.c.role, users.c.login, users.c.firstname, users.c.lastname, users.c.email)
    with call.view() as view:
        project = find_place(view.connection, view.caller, address, is_inside=True).last[0]
        joined = columns.select_from(members.join(users)).where(members.c.project_key == project.key)
        found = view.connection.execute(joined.order_by(users.c.key)).all()
    rows = tuple(
        (f"{project.id}_{row.role}", Role(row.role).group, *(format_value(cell) for cell in row[1:])) for row in found
    )
    return table(call, ResultTable(_MEMBERS, rows, "Projects", len(rows)))


def get_accessibility(call: Call) -> Response:
    """`private`, `protected` or `public`."""
    address = parse_address(call.path.removesuffix("/accessibility"))
    with call.view() as view:
        project = find_place(view.connection, view.caller, address).last[0]
        word = select(projects.c.accessibility).where(projects.c.key == project.key)
        return text(view.connection.execute(word).scalar_one())


WAYS = (
    Way("GET POST", "/data/JSESSION", get_session, is_open=True),
    Way("DELETE", "/data/JSESSION", delete_session, is_open=True, is_slow=True),
    Way("PUT POST", "/data/services/auth", sign_in, is_open=True, is_slow=True, max_body_bytes=MAX_FORM_BYTES),
    Way("GET", "/data/auth", get_auth),
    Way("GET", "/xapi/users/username", get_username),
    Way("GET", "/data/users", get_users),
    Way("GET", "/data/projects/{project}/users", get_members),
    Way("GET", "/data/projects/{project}/accessibility", get_accessibility),
)

"""People of a project: who is in which group, its groups, and whom it is open to."""

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from connectomedb.errors import AccessDenied, AddressError
from connectomedb.server.access.auth import GUEST, Accessibility, Role
from connectomedb.server.access.groups import (
    Group,
    Project,
    delete_group,
    find_group,
    list_groups,
    list_members,
    make_group,
    put_member,
    role_in,
    take_member,
)
from connectomedb.server.access.users import set_accessibility
from connectomedb.server.access.visible import list_roles
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.routes.replies import json_value, table, text
from connectomedb.server.routes.rights import check_owner
from connectomedb.server.tables.schema import projects
from connectomedb.xnat.address import Address, Level
from connectomedb.xnat.resultset import ResultTable

_MEMBERS = ("GROUP_ID", "displayname", "login", "firstname", "lastname", "email")
_GROUPS = ("id", "displayname", "tag", "xdat_usergroup_id", "users")


def get_members(call: Call) -> Response:
    """Who is in which group of a project, for users who may read it; mail addresses only for its own people."""
    with call.site.database.read() as connection:
        project = find_project(call, connection, is_inside=True)
        if call.user.is_guest:
            raise AccessDenied("Who is in a project is told to those who are signed in.", status=403)
        return _members(call, connection, project)


def change_member(call: Call) -> Response:
    """Put a user into a group, and out of any other of the project; or take her out. Answers with the table."""
    word, login = call.words["group"], call.words["login"]
    with call.site.database.write() as connection:
        project = find_project(call, connection)
        check_owner(call, connection, project.key)
        if login.lower() == GUEST.login:
            raise HTTPException(412, "Guests are in no group. Open the project by its accessibility.")
        group = find_group(connection, project, word)
        change = put_member if call.method == "PUT" else take_member
        change(connection, project, group, login, call.actor)
        return _members(call, connection, project)


def get_groups(call: Call) -> Response:
    """The groups of a project."""
    with call.site.database.read() as connection:
        project = find_project(call, connection, is_inside=True)
        return _groups(call, project, list_groups(connection, project))


def get_group(call: Call) -> Response:
    """One group of a project, as a table of one row."""
    with call.site.database.read() as connection:
        project = find_project(call, connection, is_inside=True)
        return _groups(call, project, [find_group(connection, project, call.words["group"])])


def put_group(call: Call) -> Response:
    """Make a group of a project's own, or change it: `?displayName=Raters&role=member`."""
    with call.site.database.write() as connection:
        project = find_project(call, connection)
        check_owner(call, connection, project.key)
        id = call.words["group"]
        name = call.parameters.get("displayName") or id.removeprefix(f"{project.id}_")
        make_group(connection, project, id, name, _role(call.parameters), call.actor)
        return _groups(call, project, list_groups(connection, project))


def remove_group(call: Call) -> Response:
    """Delete a group of a project's own, and with it the membership of those who are in it."""
    with call.site.database.write() as connection:
        project = find_project(call, connection)
        check_owner(call, connection, project.key)
        delete_group(connection, project, find_group(connection, project, call.words["group"]), call.actor)
        return _groups(call, project, list_groups(connection, project))


def get_accessibility(call: Call) -> Response:
    """`private`, `protected` or `public`."""
    with call.site.database.read() as connection:
        project = find_project(call, connection)
        word = select(projects.c.accessibility).where(projects.c.key == project.key)
        return text(connection.execute(word).scalar_one())


def put_accessibility(call: Call) -> Response:
    """Open or close a project; the answer repeats the word."""
    word = call.words["level"].lower()
    with call.site.database.read() as connection:
        project = find_project(call, connection)
        check_owner(call, connection, project.key)
    if word not in list(Accessibility):
        raise AddressError(f"Asked to make {project.id} {word!r}. Say {', '.join(Accessibility)}.")
    set_accessibility(call.site.database, project.id, Accessibility(word), actor=call.actor)
    return text(word)


def get_access(call: Call) -> Response:
    """The caller's projects with her role in each, as JSON."""
    with call.site.database.read() as connection:
        return json_value(list_roles(connection, call.user))


def find_project(call: Call, connection: Connection, *, is_inside: bool = False) -> Project:
    """The project of the address. Raises NotFound; AccessDenied where only its record is open and more is wanted."""
    address = Address().child(Level.PROJECTS, call.words["project"])
    found = find_place(connection, call.user, address, is_inside=is_inside).last[0]
    return Project(found.key, found.id)


def _members(call: Call, connection: Connection, project: Project) -> Response:
    is_inside = role_in(connection, call.user, project.key) is not None
    rows = tuple(
        (
            *(member.group.id, member.group.displayname, member.login, member.firstname, member.lastname),
            member.email if is_inside or member.login == call.user.login else "",
        )
        for member in list_members(connection, project)
    )
    return table(call, ResultTable(_MEMBERS, rows, "Projects", len(rows)))


def _groups(call: Call, project: Project, groups: list[Group]) -> Response:
    rows = tuple(
        (group.id, group.displayname, project.id, "" if group.key is None else str(group.key), str(group.users))
        for group in groups
    )
    return table(call, ResultTable(_GROUPS, rows, "Projects", len(rows)))


def _role(parameters: Parameters) -> Role:
    """The rights of a group: by `role=`, else by XNAT's flags per data type (`xnat:subjectData_E=1` lets it edit)."""
    word = parameters.get("role").lower()
    if word:
        if word not in list(Role):
            raise AddressError(f"Asked for the role {word!r}. Say {', '.join(Role)}.")
        return Role(word)
    flags = [name for name, _ in parameters.pairs if ":" in name and name.endswith(("_C", "_E", "_D"))]
    return Role.MEMBER if any(parameters.is_true(flag) for flag in flags) else Role.COLLABORATOR


_PROJECT = "/data/projects/{project}"

WAYS = (
    Way("GET", f"{_PROJECT}/users", get_members),
    Way("PUT DELETE", f"{_PROJECT}/users/{{group}}/{{login}}", change_member, is_slow=True, changes_rights=True),
    Way("GET", f"{_PROJECT}/groups", get_groups),
    Way("GET", f"{_PROJECT}/groups/{{group}}", get_group),
    Way("PUT", f"{_PROJECT}/groups/{{group}}", put_group, is_slow=True, changes_rights=True),
    Way("DELETE", f"{_PROJECT}/groups/{{group}}", remove_group, is_slow=True, changes_rights=True),
    Way("GET", f"{_PROJECT}/accessibility", get_accessibility),
    Way("PUT", f"{_PROJECT}/accessibility/{{level}}", put_accessibility, is_slow=True, changes_rights=True),
    Way("GET", "/xapi/access/projects", get_access),
)

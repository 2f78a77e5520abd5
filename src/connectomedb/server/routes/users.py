"""The users of a site: lists and profiles, roles, groups, and the sessions of those who are signed in."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection
from starlette.responses import Response

from connectomedb.errors import AccessDenied, AddressError, ConfigError, NotFound
from connectomedb.server.access.accounts import (
    ADMINISTRATOR,
    MAX_TEXT,
    Account,
    change_account,
    check_password,
    find_account,
    list_accounts,
    list_sessions,
)
from connectomedb.server.access.audit import Action, Event, record
from connectomedb.server.access.clock import epoch_ms
from connectomedb.server.access.groups import Project, find_group, groups_of, put_member, take_member
from connectomedb.server.access.login import end_sessions
from connectomedb.server.access.users import create_user
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.replies import json_value, table
from connectomedb.server.routes.rights import check_admin, check_owner
from connectomedb.xnat.address import Address, Level
from connectomedb.xnat.resultset import ResultTable

MAX_PROFILE_BYTES = 64 << 10

_USERS = ("xdat_user_id", "login", "firstname", "lastname", "email")
_TEXTS = {"firstName": "firstname", "lastName": "lastname", "email": "email"}
_FLAGS = {"enabled": "is_enabled", "verified": "is_verified"}


def get_users(call: Call) -> Response:
    """All users, as a table. A refusal in JSON is an empty table, too: xnatpy reads it in spite of the 403."""
    try:
        found = _all(call)
    except AccessDenied as refusal:
        if call.parameters.get("format").lower() != "json":
            raise
        return json_value({"ResultSet": {"Result": [], "title": str(refusal), "totalRecords": "0"}}, 403)
    rows = tuple((str(user.key), user.login, user.firstname, user.lastname, user.email) for user in found)
    return table(call, ResultTable(_USERS, rows, "Users", len(rows)))


def get_names(call: Call) -> Response:
    """The logins of all users."""
    return json_value([user.login for user in _all(call)])


def get_profiles(call: Call) -> Response:
    """The profiles of all users."""
    return json_value([_profile(user) for user in _all(call)])


def get_current(call: Call) -> Response:
    """The caller's own profile."""
    with call.site.database.read() as connection:
        return json_value(_profile(find_account(connection, call.signed_in.login)))


def get_profile(call: Call) -> Response:
    """One user's profile, for herself and for those who may list users."""
    with call.site.database.read() as connection:
        return json_value(_profile(_of_path(call, connection)))


def post_user(call: Call) -> Response:
    """Make a user."""
    check_admin(call)
    profile = _read_profile(call)
    login, password = profile.get("username"), profile.get("password")
    if not isinstance(login, str) or not isinstance(password, str):
        raise AddressError("Asked to make a user. Send JSON with username and password.")
    try:
        check_password(password, login, call.site.settings.access)
        create_user(
            call.site.database,
            login,
            password,
            is_enabled=bool(profile.get("enabled", True)),
            is_verified=bool(profile.get("verified", True)),
            firstname=str(profile.get("firstName", "")),
            lastname=str(profile.get("lastName", "")),
            email=str(profile.get("email", "")),
            actor=call.actor,
        )
    except ConfigError as fault:
        raise AddressError(str(fault)) from fault
    with call.site.database.read() as connection:
        return json_value(_profile(find_account(connection, login)), 201)


def put_user(call: Call) -> Response:
    """Change a profile: users their own names and password, administrators everything; 304 if nothing differs."""
    profile = _read_profile(call)
    changes: dict[str, str | bool] = {name: str(profile[key]) for key, name in _TEXTS.items() if key in profile}
    flags = {name: bool(profile[key]) for key, name in _FLAGS.items() if key in profile}
    password = profile.get("password") or None
    with call.site.database.write() as connection:
        account = _of_path(call, connection)
        if account.login != call.user.login or any(getattr(account, name) != flag for name, flag in flags.items()):
            check_admin(call)
        if profile.get("username", account.login) != account.login:
            raise AddressError("Asked to change a login. Logins stay; make a new user.")
        try:
            if password is not None:
                check_password(str(password), account.login, call.site.settings.access)
            secret = None if password is None else str(password)
            is_changed = change_account(connection, account, {**changes, **flags}, secret, call.actor)
        except ConfigError as fault:
            raise AddressError(str(fault)) from fault
        profile_now = _profile(find_account(connection, account.login))
    return json_value(profile_now) if is_changed else Response(status_code=304)


def put_flag(call: Call) -> Response:
    """Enable or verify a user, or end it: `.../enabled/false`."""
    check_admin(call)
    flag = call.words["flag"].lower()
    if flag not in ("true", "false"):
        raise AddressError(f"Asked for {flag!r}. Say true or false.")
    with call.site.database.write() as connection:
        account = find_account(connection, call.words["login"])
        changes = {_FLAGS[call.path.split("/")[-2]]: flag == "true"}
        is_changed = change_account(connection, account, changes, None, call.actor)
    return json_value(flag == "true") if is_changed else Response(status_code=304)


def get_roles(call: Call) -> Response:
    """Names of a user's roles on the site."""
    with call.site.database.read() as connection:
        return json_value(_of_path(call, connection).roles)


def change_role(call: Call) -> Response:
    """Make a user an administrator, or end it."""
    check_admin(call)
    if call.words["role"].lower() != ADMINISTRATOR.lower():
        raise NotFound(f"Asked for the role {call.words['role']!r}. There is {ADMINISTRATOR}.")
    with call.site.database.write() as connection:
        account = find_account(connection, call.words["login"])
        change_account(connection, account, {"is_admin": call.method == "PUT"}, None, call.actor)
        return json_value(find_account(connection, account.login).roles)


def get_groups(call: Call) -> Response:
    """IDs of a user's groups in all projects."""
    with call.site.database.read() as connection:
        return json_value(groups_of(connection, _of_path(call, connection).key))


def change_group(call: Call) -> Response:
    """Put a user into a group, `P_owner`, or take her out; for owners of the project."""
    login, word = call.words["login"], call.words["group"]
    with call.site.database.write() as connection:
        project = _project_of(call, connection, word)
        check_owner(call, connection, project.key)
        group = find_group(connection, project, word)
        change = put_member if call.method == "PUT" else take_member
        change(connection, project, group, login, call.actor)
        return json_value(groups_of(connection, find_account(connection, login).key))


def get_active(call: Call) -> Response:
    """Who is signed in: login → count and times of the sessions."""
    login = call.words.get("login")
    if login != call.signed_in.login:
        check_admin(call)
    with call.site.database.read() as connection:
        if login is not None:
            find_account(connection, login)
        sessions = list_sessions(connection, call.site.settings.access, login)
    found: dict[str, list[dict[str, object]]] = {} if login is None else {login: []}
    for session in sessions:
        times = {"opened": epoch_ms(session.opened), "lastRequest": epoch_ms(session.seen)}
        found.setdefault(session.login, []).append({"session": session.mark, **times})
    return json_value(found if login is None else found[login])


def delete_active(call: Call) -> Response:
    """End all sessions of a user: one's own, or, for administrators, anybody's. The answer names them by marks."""
    if call.words["login"] != call.signed_in.login:
        check_admin(call)
    with call.site.database.write() as connection:
        account = find_account(connection, call.words["login"])
        marks = end_sessions(connection, account.key)
        record(connection, Event(call.actor, Action.SESSIONS_ENDED, target=account.login, detail=f"{len(marks)}"))
    return json_value(marks)


def _all(call: Call) -> list[Account]:
    if call.user.is_admin or (call.site.settings.access.lists_users_to_all and not call.user.is_guest):
        with call.site.database.read() as connection:
            return list_accounts(connection)
    raise AccessDenied("The list of users is for administrators.", status=403)


def _of_path(call: Call, connection: Connection) -> Account:
    """The user of the address: oneself, or anybody for those who may list users."""
    if call.words["login"] != call.signed_in.login and not call.site.settings.access.lists_users_to_all:
        check_admin(call)
    return find_account(connection, call.words["login"])


def _project_of(call: Call, connection: Connection, group_id: str) -> Project:
    """The project of a group's ID. IDs of projects may hold `_` themselves: the longest that fits counts."""
    parts = group_id.split("_")
    for length in range(len(parts) - 1, 0, -1):
        try:
            address = Address().child(Level.PROJECTS, "_".join(parts[:length]))
            found = find_place(connection, call.user, address).last[0]
        except (NotFound, AddressError):
            continue
        return Project(found.key, found.id)
    raise NotFound(f"Asked for the group {group_id!r}. There is none, or none that you may see.")


def _profile(user: Account) -> Mapping[str, object]:
    return {
        "id": user.key,
        "username": user.login,
        "firstName": user.firstname,
        "lastName": user.lastname,
        "email": user.email,
        "enabled": user.is_enabled,
        "verified": user.is_verified,
        "lastModified": epoch_ms(user.last_modified),
    }


def _read_profile(call: Call) -> Mapping[str, object]:
    """The profile that was sent. Raises AddressError."""
    try:
        profile = json.loads(call.body)
    except (ValueError, RecursionError):
        profile = None
    if not isinstance(profile, dict):
        raise AddressError("Asked to write a user's profile. Send it as a JSON object.")
    for name in ("username", "password", *_TEXTS):
        value = profile.get(name, "")
        if not isinstance(value, str) or not _is_whole(value) or (name in _TEXTS and not _is_line(value)):
            raise AddressError(f"The profile's {name} is no line of text of at most {MAX_TEXT} characters.")
    for name in _FLAGS:
        if not isinstance(profile.get(name, True), bool):
            raise AddressError(f"The profile's {name} is neither true nor false.")
    return profile


def _is_whole(text: str) -> bool:
    """Whether it is text: JSON may name halves of characters, which no database and no hash takes."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _is_line(text: str) -> bool:
    return len(text) <= MAX_TEXT and text.isprintable()


_USER = "/xapi/users/{login}"

WAYS = (
    Way("GET", "/data/users", get_users),
    Way("GET", "/xapi/users", get_names),
    Way("POST", "/xapi/users", post_user, is_slow=True, max_body_bytes=MAX_PROFILE_BYTES),
    Way("GET", "/xapi/users/profiles", get_profiles),
    Way("GET", "/xapi/users/current", get_current),
    Way("GET", "/xapi/users/active", get_active),
    Way("GET", "/xapi/users/active/{login}", get_active),
    Way("DELETE", "/xapi/users/active/{login}", delete_active, is_slow=True),
    Way("GET", _USER, get_profile),
    Way("PUT", _USER, put_user, is_slow=True, changes_rights=True, max_body_bytes=MAX_PROFILE_BYTES),
    *(Way("PUT", f"{_USER}/{name}/{{flag}}", put_flag, is_slow=True, changes_rights=True) for name in _FLAGS),
    Way("GET", f"{_USER}/roles", get_roles),
    Way("PUT DELETE", f"{_USER}/roles/{{role}}", change_role, is_slow=True, changes_rights=True),
    Way("GET", f"{_USER}/groups", get_groups),
    Way("PUT DELETE", f"{_USER}/groups/{{group}}", change_group, is_slow=True, changes_rights=True),
)

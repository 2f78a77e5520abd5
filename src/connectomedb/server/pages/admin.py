"""Administration of the site: users, grants and the audit log."""

import json
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.access.accounts import ADMINISTRATOR
from connectomedb.server.access.audit import Action
from connectomedb.server.pages.ask import ask, ask_json, ask_rows
from connectomedb.server.pages.forms import form_way, send_on
from connectomedb.server.pages.render import render, segment
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.routes.rights import check_admin

MOST_SHOWN = 200
"""Users on one page; a search finds the others."""

PAGE = 100
"""Lines of the audit log on one page."""

_FILTERS = ("user", "action", "project", "from", "to")


def get_admin(call: Call) -> Response:
    """Users, those that `q` names, and all grants."""
    check_admin(call)
    words = call.parameters.get("q").strip().lower()
    everybody = ask_json(call, "/xapi/users/profiles")
    found = [user for user in everybody if words in " ".join(map(str, user.values())).lower()]
    shown = [{**user, "is_admin": ADMINISTRATOR in _roles(call, user["username"])} for user in found[:MOST_SHOWN]]
    values = {"users": shown, "found": len(found), "count": len(everybody), "words": call.parameters.get("q")}
    return render(call, "admin.html", {**values, "grants": ask_rows(call, "/data/grants")})


def get_audit(call: Call) -> Response:
    """The newest lines of the log that the filters leave."""
    check_admin(call)
    asked = {name: call.parameters.get(name).strip() for name in _FILTERS}
    filters = {name: word for name, word in asked.items() if word}
    offset = call.parameters.count("offset", 0) or 0
    rows = ask_rows(call, "/data/audit", **filters, limit=str(PAGE + 1), offset=str(offset))
    values: dict[str, Any] = {"asked": asked, "rows": rows[:PAGE], "actions": list(Action), "query": urlencode(filters)}
    values |= {"older": offset + PAGE if len(rows) > PAGE else None, "newer": max(0, offset - PAGE) if offset else None}
    return render(call, "audit.html", values)


def post_user(call: Call, form: Parameters) -> Response:
    """Make a user."""
    names = {"username": "login", "password": "password", "firstName": "first", "lastName": "last", "email": "email"}
    profile = {key: form.get(name) if key == "password" else form.get(name).strip() for key, name in names.items()}
    ask(call, "/xapi/users", "POST", body=json.dumps(profile).encode())
    return send_on("/admin", "user-made")


def post_change(call: Call, form: Parameters) -> Response:
    """One change of one user."""
    user = f"/xapi/users/{segment(form.get('login'))}"
    match form.get("change"):
        case "disable" | "enable" as word:
            reply = ask(call, f"{user}/enabled/{'true' if word == 'enable' else 'false'}", "PUT")
        case "promote":
            reply = ask(call, f"{user}/roles/{ADMINISTRATOR}", "PUT")
        case "demote":
            reply = ask(call, f"{user}/roles/{ADMINISTRATOR}", "DELETE")
        case "password":
            reply = ask(call, user, "PUT", body=json.dumps({"password": form.get("password")}).encode())
        case word:
            raise AddressError(f"Asked to change a user by {word!r}. There is no such change.")
    return send_on("/admin", "nothing" if reply.status_code == 304 else "user-changed")


def _roles(call: Call, login: str) -> list[str]:
    found: list[str] = ask_json(call, f"/xapi/users/{segment(login)}/roles")
    return found


WAYS = (
    Way("GET", "/admin", get_admin),
    Way("GET", "/admin/audit", get_audit, is_slow=True),
    form_way("/admin/users", post_user, is_slow=True),
    form_way("/admin/users/change", post_change, is_slow=True),
)

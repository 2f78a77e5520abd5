"""Who is in a project and who sees its restricted measures, for the project's owners."""

from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.access.auth import Role
from connectomedb.server.pages.ask import ask, ask_rows
from connectomedb.server.pages.forms import form_way, send_on
from connectomedb.server.pages.render import render, segment
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.parameters import Parameters

NOBODY = "nobody"
"""The word of the form that takes somebody out of a project."""


def get_people(call: Call) -> Response:
    """Members and grants."""
    project = call.words["project"]
    base = f"/data/projects/{segment(project)}"
    values = {
        "project": project,
        "grants": ask_rows(call, f"{base}/grants"),
        "people": ask_rows(call, f"{base}/users"),
        "groups": ask_rows(call, f"{base}/groups"),
        "nobody": NOBODY,
    }
    return render(call, "people.html", values)


def post_member(call: Call, form: Parameters) -> Response:
    """Put somebody into a group, or take her out of the one that she is in."""
    project = call.words["project"]
    base, login, group = f"/data/projects/{segment(project)}/users", _login(form), form.get("group")
    if group == NOBODY:
        own = [row["GROUP_ID"] for row in ask_rows(call, base) if row["login"] == login]
        for one in own:
            ask(call, f"{base}/{segment(one)}/{segment(login)}", "DELETE")
    else:
        ask(call, f"{base}/{segment(group or Role.COLLABORATOR.group)}/{segment(login)}", "PUT")
    return send_on(f"/projects/{segment(project)}/people", "member")


def post_grant(call: Call, form: Parameters) -> Response:
    """Grant a tier, or take away what was granted."""
    project, tier = call.words["project"], form.get("tier")
    grant = f"/data/projects/{segment(project)}/grants/{segment(_login(form))}"
    if tier == "open":
        ask(call, grant, "DELETE")
    else:
        ask(call, f"{grant}/{segment(tier)}", "PUT")
    return send_on(f"/projects/{segment(project)}/people", "granted")


def _login(form: Parameters) -> str:
    login = form.get("login").strip()
    if not login:
        raise AddressError("Asked to change what a user may do. The form names nobody. Fill in a login.")
    return login


_PEOPLE = "/projects/{project}/people"

WAYS = (
    Way("GET", _PEOPLE, get_people),
    form_way(f"{_PEOPLE}/member", post_member),
    form_way(f"{_PEOPLE}/grant", post_grant),
)

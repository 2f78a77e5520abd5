"""Groups of subjects, kept and opened from the dashboard; Python and `cdb cohort` know them by the same names."""

from urllib.parse import urlencode

from starlette.responses import Response

from connectomedb.cohort.columns import NONTOOLBOX
from connectomedb.errors import NotFound
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.pages.ask import ask, ask_json
from connectomedb.server.pages.explored import ask_explore, explore_address
from connectomedb.server.pages.forms import form_way, send_on
from connectomedb.server.pages.render import segment
from connectomedb.server.pages.selection import Selection
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.parameters import Parameters


def list_groups(call: Call, project: str) -> list[dict[str, str]]:
    """The groups that are of this project, or of all: name, predicate, project."""
    groups: list[dict[str, str]] = ask_json(call, f"{explore_address(project)}/groups")["groups"]
    return groups


def open_group(call: Call, project: str, name: str) -> Selection:
    """The subjects of a kept group, in the tier that its predicate needs. Raises NotFound, QueryError."""
    found = next((group for group in list_groups(call, project) if group["name"] == name), None)
    if found is None:
        raise NotFound(f"There is no group {name!r} of {project}, or none that you may use.", status=404)
    data_type = "" if found["data_type"] == NONTOOLBOX else found["data_type"]
    opened = Selection(project, found["predicate"], tier=Tier.SENSITIVE, data_type=data_type)
    return opened.but(tier=Tier(ask_explore(call, opened, "/predicate")["tier"]))


def post_group(call: Call, form: Parameters) -> Response:
    """Keep the subjects of a view as a group."""
    selection = Selection.read(call.words["project"], form)
    address = f"{explore_address(selection.project)}/groups/{segment(form.get('name').strip())}"
    ask(call, address, "PUT", body=urlencode(selection.asked).encode())
    return send_on(selection.address, "group-saved")


WAYS = (form_way("/projects/{project}/groups", post_group),)

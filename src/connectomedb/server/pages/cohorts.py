"""Groups of subjects, kept and opened from the dashboard; Python and `cdb cohort` know them by the same names."""

from starlette.responses import Response

from connectomedb.cohort.named import NamedCohort, parse_description, stored_cohort
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.errors import ConfigError, NotFound, QueryError
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.pages.ask import ask, ask_rows
from connectomedb.server.pages.explored import ask_explore
from connectomedb.server.pages.forms import form_way, send_on
from connectomedb.server.pages.render import segment
from connectomedb.server.pages.selection import Selection
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.parameters import Parameters
from connectomedb.xnat.stored import format_stored

_SAVED = "/data/search/saved"


def open_group(call: Call, project: str, name: str) -> Selection:
    """The subjects of a kept group, in the tier that its predicate needs. Raises NotFound, QueryError."""
    row = next((row for row in ask_rows(call, _SAVED) if row["id"] == name), None)
    cohort = parse_description(row["description"]) if row else None
    if cohort is None:
        raise NotFound(f"There is no group {name!r}, or none that you may use.", status=404)
    opened = Selection(cohort.project or project, cohort.predicate, tier=Tier.SENSITIVE)
    return opened.but(tier=Tier(ask_explore(call, opened, "/predicate")["tier"]))


def list_groups(call: Call, project: str) -> list[str]:
    """Names of the groups that are of this project, or of all."""
    rows = ((row["id"], parse_description(row["description"])) for row in ask_rows(call, _SAVED))
    return [name for name, cohort in rows if cohort and cohort.project in ("", project)]


def post_group(call: Call, form: Parameters) -> Response:
    """Keep the subjects of a view as a group."""
    selection = Selection.read(call.words["project"], form)
    name = form.get("name").strip()
    try:
        kept = stored_cohort(name, NamedCohort(selection.where, selection.project), parse_predicate(selection.where))
    except ConfigError as slip:
        raise QueryError(str(slip)) from slip
    ask(call, f"{_SAVED}/{segment(name)}", "PUT", body=format_stored(kept))
    return send_on(selection.address, "group-saved")


WAYS = (form_way("/projects/{project}/groups", post_group),)

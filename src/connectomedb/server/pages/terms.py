"""The data-use terms of a project, and accepting them."""

from starlette.responses import Response

from connectomedb.server.pages.ask import ask, ask_json
from connectomedb.server.pages.forms import form_way, own_address, send_on
from connectomedb.server.pages.render import render, segment
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.parameters import Parameters


def get_terms(call: Call) -> Response:
    """The words, and the button."""
    terms = ask_json(call, _address(call))
    return render(
        call, "terms.html", {"project": terms["project"], "terms": terms, "next": call.parameters.get("next")}
    )


def post_acceptance(call: Call, form: Parameters) -> Response:
    """Accept the version that was shown, and go on to where the terms stood in the way."""
    ask(call, f"{_address(call)}/acceptance", "PUT", parameters={"version": form.get("version")})
    next = form.get("next")
    return send_on(own_address(next) if next else f"/projects/{segment(call.words['project'])}", "terms")


def _address(call: Call) -> str:
    return f"/data/projects/{segment(call.words['project'])}/terms"


_TERMS = "/projects/{project}/terms"

WAYS = (
    Way("GET", _TERMS, get_terms),
    form_way(_TERMS, post_acceptance),
)

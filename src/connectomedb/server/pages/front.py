"""The first page: the projects, and where their reader stands with each."""

from dataclasses import dataclass
from enum import StrEnum

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.server.pages.ask import ask_json, ask_rows
from connectomedb.server.pages.faults import takes_pages
from connectomedb.server.pages.forms import send_on
from connectomedb.server.pages.render import render, segment
from connectomedb.server.routes.call import Call, Way


class Standing(StrEnum):
    """What stands between a reader and a project's contents."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EXEMPT = "exempt"
    REQUIRED = "required"
    CLOSED = "closed"

    @property
    def is_readable(self) -> bool:
        """Whether nothing does."""
        return self not in (Standing.REQUIRED, Standing.CLOSED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One project of the list."""

    id: str
    name: str
    description: str
    standing: Standing


def get_front(call: Call) -> Response:
    """The projects; browsers of people who are not signed in are sent to the form.

    xnatpy knows by words of this page whether it is signed in, and as whom.
    """
    if call.caller is None and takes_pages(call.headers):
        return send_on("/login")
    entries = list_projects(call) if call.caller else []
    return render(call, "front.html", {"entries": entries, "s3": s3_state(call)})


def s3_state(call: Call) -> str:
    """Whether the caller has S3 keys here: `enabled`, `available`, or empty where there are none to be had."""
    if not ask_json(call, "/xapi/siteConfig/buildInfo")["s3keys"] or call.caller is None or call.caller.is_guest:
        return ""
    try:
        ask_json(call, "/data/services/s3keys")
    except NotFound:
        return "available"
    return "enabled"


def list_projects(call: Call) -> list[Entry]:
    """The projects that the caller may know of."""
    readable = {row["ID"] for row in ask_json(call, "/xapi/access/projects")}
    return [
        Entry(row["ID"], row["name"] or row["ID"], row["description"], standing(call, row["ID"], row["ID"] in readable))
        for row in ask_rows(call, "/data/projects")
    ]


def standing(call: Call, project: str, is_readable: bool) -> Standing:
    """Where the caller stands with a project that she may know of."""
    terms = ask_json(call, f"/data/projects/{segment(project)}/terms")
    if not terms["demanded"]:
        return Standing.OPEN if is_readable else Standing.CLOSED
    if terms["accepted"]:
        return Standing.ACCEPTED if is_readable else Standing.CLOSED
    return Standing.EXEMPT if is_readable else Standing.REQUIRED


WAYS = (Way("GET", "/", get_front, is_open=True),)

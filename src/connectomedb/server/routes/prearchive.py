"""The prearchive, XNAT's room for scanners' sessions before they are archived. Nothing waits here: what comes in is
archived at once. Clients that look into it find it empty, and what they would do with a session in it is refused.
"""

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.membership import find_project
from connectomedb.server.routes.replies import table
from connectomedb.xnat.resultset import ResultTable

_COLUMNS = (
    *("scan_time", "status", "subject", "tag", "TIMEZONE", "uploaded", "lastmod", "scan_date", "url", "timestamp"),
    *("prevent_auto_commit", "project", "SOURCE", "prevent_anon", "autoarchive", "name", "folderName", "VISIT"),
    "PROTOCOL",
)


def get_sessions(call: Call) -> Response:
    """The sessions that wait, of the site or of one project: none."""
    if "project" in call.words:
        with call.site.database.read() as connection:
            find_project(call, connection, is_inside=True)
    return table(call, ResultTable(_COLUMNS, (), "", 0))


def get_session(call: Call) -> Response:
    """One session, or what is in it."""
    raise NotFound("There is no such session in the prearchive, which is empty here.")


def refuse_service(call: Call) -> Response:
    """What is done to sessions that wait: archiving, deleting, moving them, reading their headers anew."""
    call.refuse_guests()
    asked = call.parameters.get("src") or "a session"
    raise NotFound(
        f"Asked to do something with {asked[:200]} in the prearchive, where nothing waits: what comes in is archived "
        "at once. Look for it in its project."
    )


WAYS = (
    *(
        Way("POST", f"/data/services/{service}", refuse_service)
        for service in ("archive", "prearchive/delete", "prearchive/rebuild", "prearchive/move")
    ),
    Way("GET", "/data/prearchive", get_sessions),
    Way("GET", "/data/prearchive/projects", get_sessions),
    Way("GET", "/data/prearchive/projects/{project}", get_sessions),
    Way("GET", "/data/prearchive/projects/{project}/{session:path}", get_session),
)

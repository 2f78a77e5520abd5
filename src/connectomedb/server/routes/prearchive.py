"""The prearchive, XNAT's room for scanners' sessions before they are archived. Nothing waits here: what comes in is
archived at once. Clients that look into it find it empty.
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


WAYS = (
    Way("GET", "/data/prearchive", get_sessions),
    Way("GET", "/data/prearchive/projects", get_sessions),
    Way("GET", "/data/prearchive/projects/{project}", get_sessions),
    Way("GET", "/data/prearchive/projects/{project}/{session:path}", get_session),
)

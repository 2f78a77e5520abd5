"""What is known to be wrong with files of a subject, and what the letters of quality codes mean.

GET /data/projects/HCP_1200/subjects/117122/advisories
{"advisories": [{"id", "kind", "paths", "summary", "source", "is_complete"}], "qc_codes": {"A": {"summary", "paths"}}}
"""

from starlette.responses import Response

from connectomedb.hcp.advisories import known_advisories
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.items import read_address
from connectomedb.server.routes.replies import json_value


def get_advisories(call: Call) -> Response:
    """Advisories of one subject in the release of its project, the gravest first; and all quality codes."""
    with call.view() as view:
        place = find_place(view.connection, view.caller, read_address(call.path.removesuffix("/advisories")))
    assert place.project is not None and place.subject is not None, "the route names both"
    known = known_advisories()
    found = known.of_subject(place.subject.label, place.project.id)
    return json_value(
        {
            "advisories": [
                {
                    **{"id": one.id, "kind": one.kind, "paths": one.paths, "summary": one.summary},
                    **{"source": one.source, "is_complete": one.is_complete},
                }
                for one in found
            ],
            "qc_codes": {code: {"summary": one.summary, "paths": one.paths} for code, one in known.qc_codes.items()},
        }
    )


WAYS = (Way("GET", "/data/projects/{project}/subjects/{subject}/advisories", get_advisories),)

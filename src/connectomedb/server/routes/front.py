"""The first page, and what the site says of itself."""

import json

from starlette.responses import Response

from connectomedb.__about__ import __version__
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.replies import json_document

XNAT_VERSION = "1.8.10"
"""The version of XNAT whose protocol is spoken; clients choose their ways by it."""

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>ConnectomeDB</title></head>
<body><h1>ConnectomeDB</h1>
<p>XNAT's REST API: projects are listed at <a href="/data/projects?format=html">/data/projects</a>.</p>
</body></html>
"""


def get_front(call: Call) -> Response:
    """A page for people and for clients that look where redirects lead."""
    return Response(_PAGE, media_type="text/html; charset=utf-8")


def get_build_info(call: Call) -> Response:
    """The version of the protocol, and of us."""
    return json_document(json.dumps({"version": XNAT_VERSION, "connectomedb": __version__}).encode())


WAYS = (
    Way("GET", "/", get_front, is_open=True),
    Way("GET", "/xapi/siteConfig/buildInfo", get_build_info, is_open=True),
)

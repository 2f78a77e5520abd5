"""The first page, and what the site says of itself."""

import html
import time

from starlette.responses import Response

from connectomedb.__about__ import __version__
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.replies import json_value, text
from connectomedb.server.tables.counters import SITE_ID

XNAT_VERSION = "1.8.10"
"""The version of XNAT whose protocol is spoken; clients choose their ways by it."""

_STARTED = time.monotonic()

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>ConnectomeDB</title></head>
<body><h1>ConnectomeDB</h1>
<p>{who}</p>
<p>XNAT's REST API: projects are listed at <a href="/data/projects?format=html">/data/projects</a>.</p>
</body></html>
"""


def get_front(call: Call) -> Response:
    """A page for people, and for clients that look where redirects lead and who they are.

    xnatpy knows by these very words that it is a guest.
    """
    name = None if call.caller is None else html.escape(call.caller.login)
    if name is None:
        who = "Not signed in."
    elif call.user.is_guest:
        who = '<span id="user_info">Logged in as: <span style="color:red;">Guest</span></span>'
    else:
        who = f'<span id="user_info">Logged in as: &nbsp;<a href="/xapi/users/current">{name}</a></span>'
    return Response(_PAGE.format(who=who), media_type="text/html; charset=utf-8")


def get_site_id(call: Call) -> Response:
    """First part of accession IDs."""
    return text(SITE_ID)


def get_plugins(call: Call) -> Response:
    """XNAT's plugins: none."""
    return json_value({})


def get_uptime(call: Call) -> Response:
    """How long this process has been serving."""
    seconds = int(time.monotonic() - _STARTED)
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    parts = {"days": days, "hours": hours, "minutes": minutes, "seconds": seconds % 60}
    return json_value({name: str(part) for name, part in parts.items()})


def get_build_info(call: Call) -> Response:
    """The version of the protocol, and of us."""
    return json_value({"version": XNAT_VERSION, "connectomedb": __version__})


WAYS = (
    Way("GET", "/", get_front, is_open=True),
    Way("GET", "/xapi/siteConfig/buildInfo", get_build_info, is_open=True),
    Way("GET", "/xapi/siteConfig/uptime", get_uptime),
    Way("GET", "/xapi/siteConfig/siteId", get_site_id, is_open=True),
    Way("GET", "/xapi/plugins", get_plugins),
)

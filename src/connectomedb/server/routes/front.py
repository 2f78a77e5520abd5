"""What the site says of itself."""

import time

from starlette.responses import Response

from connectomedb.__about__ import __version__
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.replies import json_value, text
from connectomedb.server.tables.counters import SITE_ID

XNAT_VERSION = "1.8.10"
"""The version of XNAT whose protocol is spoken; clients choose their ways by it."""

_STARTED = time.monotonic()


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
    """The version of the protocol, and of us; whether users make S3 keys here."""
    return json_value({"version": XNAT_VERSION, "connectomedb": __version__, "s3keys": call.site.keys is not None})


WAYS = (
    Way("GET", "/xapi/siteConfig/buildInfo", get_build_info, is_open=True),
    Way("GET", "/xapi/siteConfig/uptime", get_uptime),
    Way("GET", "/xapi/siteConfig/siteId", get_site_id, is_open=True),
    Way("GET", "/xapi/plugins", get_plugins),
)

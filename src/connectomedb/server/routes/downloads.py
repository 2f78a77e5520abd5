"""Which requests took file bytes away: what the audit log calls a download."""

import re

from starlette.responses import Response

from connectomedb.server.routes.call import Call

_GIVEN = (200, 206)
_SENT_ELSEWHERE = (302, 303, 307)
_MEASURES = re.compile(r"/data/(?:search|explore|projects/[^/]+/explore)/?")
"""Exports of measures are no files; what is restricted in them, and zips of chosen files, leave lines of their own."""


def is_download(call: Call, reply: Response) -> bool:
    """Whether a reply gives the bytes of files, or points to them: one file, a part of it, or an archive of many.

    The reply tells, not the address: an archive may be asked for by a header, a file by its number in a list.
    """
    if call.method != "GET" or call.caller is None or _MEASURES.match(call.path):
        return False
    if reply.status_code in _SENT_ELSEWHERE:
        return "location" in reply.headers
    return reply.status_code in _GIVEN and reply.headers.get("content-disposition", "").startswith("attachment")

"""Which requests took file bytes away: what the audit log calls a download."""

from starlette.responses import Response

from connectomedb.server.routes.call import Call

ARCHIVES = ("zip", "tar", "tar.gz", "application/zip", "application/x-tar", "application/x-gzip")

PICTURES = ("preview", "describe")
"""Parameters that ask for a picture or a description of a file in place of its bytes."""

_GIVEN = (200, 206, 302, 303, 307)


def is_download(call: Call, reply: Response) -> bool:
    """Whether a reply gives, or points to, the bytes of files: one file, a part of it, or an archive of many."""
    if call.method != "GET" or reply.status_code not in _GIVEN or call.caller is None:
        return False
    if call.parameters.get("format").lower() in ARCHIVES:
        return True
    if call.path.startswith("/spring/download/"):
        return call.path.endswith(".zip")
    if any(call.parameters.has(name) for name in PICTURES):
        return False
    _, found, path = call.path.partition("/files/")
    return bool(found and path) and not path.endswith("/")

"""Which version of a file a reply is of, as far as that is sure enough to join bytes of two replies.

Source: RFC 9110, section 8.8: a weak ETag does not speak of bytes; a time of change does once it is so long past, by
the server's own clock, that the file cannot have changed again within it.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

SETTLED_S = 60.0
"""A file that was changed less long ago may be changing still. Source: RFC 7232, section 2.2.2."""


def version_of(headers: Mapping[str, str]) -> str | None:
    """A strong ETag, else the time of the last change; None where neither is sure enough.

    Args:
        headers: of the reply; names in any case.
    """
    etag, changed = headers.get("ETag", ""), headers.get("Last-Modified", "")
    if etag.startswith('"') and len(etag) > 2:
        return etag
    try:
        apart = parsedate_to_datetime(headers.get("Date", "")) - parsedate_to_datetime(changed)
        return changed if apart.total_seconds() >= SETTLED_S else None
    except (TypeError, ValueError):
        return None

"""Whether a reply answers what was asked: the same object, the very part of it, a listing that goes on.

HTTP lets servers, and what stands between, send something else under a success; bytes of it would land in the wrong
place, and where no checksum is known nobody would ever notice.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from connectomedb.transfer.source import Span

RowT = TypeVar("RowT", bound=Mapping[str, object])

PARTIAL = 206
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/", re.IGNORECASE)


class Misfit(Exception):
    """A reply that is no answer; its text says in a sentence what came."""


def version_of(etag: str | None) -> str:
    """The version that a reply is of. Raises Misfit where it names none: S3 names that of every object it sends."""
    if not etag:
        raise Misfit("It sends no ETag, as every S3 does: a web page may have come, or something stands between.")
    return etag


def is_whole(status: int, headers: Mapping[str, str], span: Span) -> bool:
    """Whether all of an object comes, as a server may choose; else it is the part that was asked for.

    Raises Misfit where it is another part. A part may end early: what lacks is asked for again.
    """
    if status != PARTIAL:
        return True
    found = _CONTENT_RANGE.match(headers.get("content-range", ""))
    first, last = (int(found[1]), int(found[2])) if found else (-1, -1)
    if first != span.offset or last < first or (span.length is not None and last >= span.offset + span.length):
        raise Misfit("It sends another part of the object than was asked for.")
    length = headers.get("content-length", "")
    if "transfer-encoding" not in headers and length.isdecimal() and int(length) != last - first + 1:
        raise Misfit(f"It sends {length} bytes as {last - first + 1} of the object: something stands between.")
    return False


def advancing(pages: Iterable[Sequence[RowT]], name: str) -> Iterator[Sequence[RowT]]:
    """Pages of a listing. Raises Misfit for one that came before: the listing would never end.

    Args:
        name: the item of a page's rows that tells one from another.
    """
    seen: set[tuple[int, object, object]] = set()
    for page in pages:
        if page:
            sight = (len(page), page[0][name], page[-1][name])
            if sight in seen:
                raise Misfit("Its listing goes round in circles: a page came twice.")
            seen.add(sight)
        yield page

"""Zips made while they are sent: stored members, their length known before the first byte."""

from collections.abc import Iterator, Sequence

from starlette.responses import Response, StreamingResponse
from zipstream import ZipStream

Member = tuple[str, int, Iterator[bytes]]
"""Name in the zip, size in bytes, and the bytes, opened when their turn comes."""


def zip_reply(method: str, members: Sequence[Member], disposition: str) -> Response:
    """A zip of the members, without buffering any; of HEAD the headers alone."""
    stream = ZipStream(sized=True)
    for name, size, pieces in members:
        stream.add(pieces if size else b"", name, size=size)
    headers = {"Content-Length": str(len(stream)), "Content-Disposition": disposition, "Cache-Control": "no-store"}
    if method == "HEAD":
        return Response(headers=headers, media_type="application/zip")
    return StreamingResponse(iter(stream), headers=headers, media_type="application/zip")

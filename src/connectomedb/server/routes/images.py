"""Looks into images: what is in a file, in place of its bytes. The address is the file's own.

| parameter                       | answers                                                                        |
|---------------------------------|--------------------------------------------------------------------------------|
| `describe=image`                | JSON: kind, dimensions, frames, maps, where the values lie                     |
| `preview=png&size=256`          | a picture so many pixels across: slices of a volume, surfaces from their sides |
| `frame=n`                       | one frame of a volume as NIfTI                                                 |
| `frame=n&structure=CORTEX_LEFT` | one map of a CIFTI or GIFTI file as GIFTI values of a surface                  |
| `series=i,j,k`                  | JSON: the values of a voxel in all frames                                      |
| `series=CORTEX_LEFT,v`, `series=n` | the same at a vertex, or of a grayordinate                                  |

Each is bounded in bytes, memory and time by `[images]`, and few run at once: others wait, then hear 429.
"""

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from connectomedb.errors import AddressError, TooManyRequests
from connectomedb.hcp.images import ImageKind, kind_of, surfaces_for
from connectomedb.server.access.audit import Action
from connectomedb.server.pictures import Pictures
from connectomedb.server.routes.call import Call, Later
from connectomedb.server.routes.contents import StoredFile, disposition
from connectomedb.server.routes.ranges import Version, choose_part
from connectomedb.server.routes.replies import MAX_IN_MEMORY, json_value

if TYPE_CHECKING:
    from connectomedb.server.images.answers import Look
    from connectomedb.server.images.reading import Source

PARAMETERS = ("preview", "describe", "frame", "series")
SIZES = (32, 2048)
DEFAULT_SIZE = 256
MOST_WAITING = 24
"""Looks that wait at once in a process: each keeps a thread, of which other answers need some."""
DRAWING = 2
"""Number of the way in which pictures are drawn: a new one makes kept pictures old."""

_WORDS: Mapping[str, str] = {"preview": "png", "describe": "image"}
_BYTES = "application/octet-stream"
_PIECE = 256 << 10
OK = 200
_KEPT = {"Cache-Control": "private, must-revalidate"}

Siblings = Callable[[], Sequence[StoredFile]]
"""Gives the surfaces that lie beside a file, as the caller may see them."""


def asks_for_image(call: Call) -> bool:
    """Whether a look into the file is wanted in place of its bytes."""
    return any(call.parameters.has(name) for name in PARAMETERS)


def look_into(call: Call, file: StoredFile, siblings: Siblings) -> Later:
    """The look that the parameters ask for. Raises AddressError for what cannot be asked of such a file."""
    asked = next(name for name in PARAMETERS if call.parameters.has(name))
    word = call.parameters.get(asked)
    if asked in _WORDS and word != _WORDS[asked]:
        raise AddressError(f"Asked for {asked}={word!r}. Write {asked}={_WORDS[asked]}.")
    kind = kind_of(file.path)
    if kind is None:
        raise AddressError(
            f"Asked to look into {file.name}, which is no image by its name. There are .nii, .nii.gz, .surf.gii, "
            ".shape.gii, .func.gii, .label.gii, and of CIFTI .dscalar.nii, .dtseries.nii, .dlabel.nii, .dconn.nii, "
            ".pscalar.nii, .ptseries.nii, .plabel.nii and .pconn.nii."
        )
    if asked == "preview":
        preview = _preview(call, file, kind, siblings)
        return Later(lambda: _noted(call, asked, preview.begin()))
    if asked == "describe":
        return Later(lambda: _answer(call, file, kind, lambda look: json_value(look.describe())))
    if asked == "series":
        return Later(lambda: _noted(call, asked, _answer(call, file, kind, lambda look: json_value(look.series(word)))))
    number = call.parameters.count("frame", 0)
    if number is None:
        raise AddressError("Asked for frame='*'. Give the number of one frame, counted from 0.")
    return Later(lambda: _answer(call, file, kind, lambda look: _frame(call, look, number)))


def _answer(call: Call, file: StoredFile, kind: ImageKind, give: Callable[["Look"], Response]) -> Response:
    """An answer that is ready when it is sent, unless the client has it: no slow reader keeps a turn."""
    headers = {**_tag(file.version), **_KEPT}
    if choose_part(call.headers, file.version).status == 304:
        return Response(status_code=304, headers=headers)
    with _turn(call):
        reply = give(_look(call, file, kind))
    reply.headers.update(headers)
    return reply


def _noted(call: Call, asked: str, reply: Response) -> Response:
    """The answer; what it tells of the file's values is a download for the audit log, as a frame is one by itself."""
    if call.method == "GET" and reply.status_code == OK:
        call.note(Action.DOWNLOAD, asked)
    return reply


def _frame(call: Call, look: "Look", number: int) -> Response:
    """One frame, which waits in memory or, when it is long, on the disk."""
    frame = look.frame(number, call.parameters.get("structure"))
    spool = tempfile.SpooledTemporaryFile(MAX_IN_MEMORY)  # noqa: SIM115 -- read after this function has ended
    try:
        for piece in frame.pieces:
            spool.write(piece)
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    headers = {"Content-Length": str(frame.length), "Content-Disposition": disposition(frame.name)}
    pieces = iter(lambda: spool.read(_PIECE), b"")
    return StreamingResponse(pieces, headers=headers, media_type=_BYTES, background=BackgroundTask(spool.close))


def _preview(call: Call, file: StoredFile, kind: ImageKind, siblings: Siblings) -> Later:
    width = call.parameters.count("size", DEFAULT_SIZE)
    if width is None or not SIZES[0] <= width <= SIZES[1]:
        raise AddressError(f"Asked for size={call.parameters.get('size')!r}. Choose {SIZES[0]} to {SIZES[1]} pixels.")
    beside = {other.path: other for other in siblings()} if kind.lies_on_surfaces else {}
    surfaces = {side: beside[path] for side, path in surfaces_for(file.path, beside).items()}
    settings = call.site.settings.images
    pictures = Pictures(call.site.folder.pictures, settings.cache_bytes)
    key = Pictures.key(DRAWING, width, kind, *(_identity(one) for one in (file, *surfaces.values())))

    def begin() -> Response:
        version = Version(0, key[:32], file.version.modified)
        headers = {**_tag(version), **_KEPT}
        if choose_part(call.headers, version).status == 304:
            return Response(status_code=304, headers=headers)
        content = pictures.get(key)
        if content is None:
            with _turn(call):
                sources = {side: _source(call, other) for side, other in surfaces.items()}
                content = _look(call, file, kind).picture(sources, width)
            pictures.put(key, content)
        return Response(content, headers=headers, media_type="image/png")

    return Later(begin)


def _look(call: Call, file: StoredFile, kind: ImageKind) -> "Look":
    """What looks into a file. Its libraries are loaded now: a server that is asked for no image does without."""
    from connectomedb.server.images.answers import Look

    return Look(_source(call, file), kind, call.site.settings.images)


def _source(call: Call, file: StoredFile) -> "Source":
    from connectomedb.server.images.reading import Source

    return Source(call.site.archive, file.store, file.key, file.name, file.version.size)


def _identity(file: StoredFile) -> str:
    """Equal for equal bytes: the checksum, else where they lie and since when."""
    version = file.version
    return version.md5 or f"{file.store} {file.key} {version.size} {version.modified}"


def _tag(version: Version) -> dict[str, str]:
    found = {"ETag": version.etag, "Last-Modified": version.last_modified}
    return {name: value for name, value in found.items() if value}


@cache
def _places(at_once: int) -> tuple[threading.BoundedSemaphore, threading.BoundedSemaphore]:
    """Of a process: seats, for those who wait or look, and turns, for those who look."""
    return threading.BoundedSemaphore(at_once + MOST_WAITING), threading.BoundedSemaphore(at_once)


@contextmanager
def _turn(call: Call) -> Iterator[None]:
    """Wait for one of the few turns. Raises TooManyRequests when too many wait, or none becomes free in time."""
    settings = call.site.settings.images
    busy = TooManyRequests(
        "Others are looking into images at present. Come back later.", status=429, retry_after_s=settings.within_s
    )
    seats, turns = _places(settings.at_once)
    if not seats.acquire(blocking=False):
        raise busy
    try:
        if not turns.acquire(timeout=settings.within_s):
            raise busy
        try:
            yield
        finally:
            turns.release()
    finally:
        seats.release()

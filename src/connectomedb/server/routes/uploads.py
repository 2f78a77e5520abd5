"""Files that come in: raw or as a form, as they are or out of an archive.

    PUT or POST .../resources/R/files[/path]?overwrite=&extract=&format=&content=&tags=&description=&inbody=

`format` is here what the file is stored as, not how the answer looks.
"""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection
from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.access.audit import Action
from connectomedb.server.intake.bodies import Body, FormBody, RawBody, Received, too_large
from connectomedb.server.intake.keep import Kept, Parcel, Target, check_new_path, keep_files
from connectomedb.server.intake.part import Part
from connectomedb.server.intake.unpack import unpack
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.owners import find_or_make_resource, find_owner, note_change
from connectomedb.server.routes.replies import text
from connectomedb.xnat.address import Address, Level

FACTS = ("format", "content", "tags", "description")


def receive_files(call: Call, address: Address) -> "Upload":
    """Make ready for an upload: whoever may not is refused before the first byte."""
    caller = call.signed_in
    with call.site.database.read() as connection:
        find_owner(connection, caller, address)
    if call.parameters.has("reference"):
        raise AddressError(
            "Asked to add files by reference to the server's disk. Send their bytes, or let the administrator "
            "bring them in with cdb ingest."
        )
    most = call.site.settings.files.max_upload_bytes
    length = call.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise too_large(most)
    return Upload(call, address)


def facts_of(parameters_of: Call) -> dict[str, str]:
    """What is stored beside a file or a resource: `format`, `content`, `tags`, `description`."""
    found = {name: parameters_of.parameters.get(name) for name in FACTS}
    return {name: value for name, value in found.items() if value}


class Reception:
    """A body that is being received into parts of the staging folder."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._settings = call.site.settings.files
        self._parts: list[Part] = []
        self._body = self._open_body(call.headers)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._body.feed(piece)

    def finish(self) -> list[Received]:
        """The files, when all came."""
        return self._body.finish()

    def drop(self) -> None:
        """Remove what was not kept."""
        for part in self._parts:
            part.drop()

    def new_part(self) -> Part:
        """One more file that is being received."""
        part = Part(self._call.site.staging.new_path())
        self._parts.append(part)
        return part

    def _open_body(self, headers: Mapping[str, str]) -> Body:
        most = self._settings.max_upload_bytes
        content_type = headers.get("content-type", "")
        if not content_type.lower().startswith("multipart/form-data"):
            return RawBody(self.new_part, most)
        if self._call.parameters.is_true("inbody"):
            raise AddressError("Asked to keep the body itself (inbody), and sent a form. Do one of the two.")
        return FormBody(content_type, self.new_part, most, self._settings.max_members)


class Upload:
    """One upload under way."""

    def __init__(self, call: Call, address: Address) -> None:
        self._call = call
        self._address = address
        self._received = Reception(call)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._received.feed(piece)

    def finish(self) -> Response:
        """Keep what came. 200 without a word, or with the list of files that were there already."""
        call = self._call
        found = paths_of(call, self._received, self._address.get(Level.FILES) or "")
        duplicates = keep_files(
            call.site,
            [Parcel(found, facts_of(call))],
            lambda connection: [find_or_make_resource(connection, call.signed_in, self._address, {})],
            overwrite=call.parameters.is_true("overwrite"),
            note=self._note,
        )
        return text("") if not duplicates else Response(_duplicates(duplicates), media_type="application/json")

    def _note(self, connection: Connection, target: Target, kept: Sequence[Kept]) -> None:
        total = sum(file.size for file in kept)
        detail = kept[0].path if len(kept) == 1 else f"{len(kept)} files"
        note_change(connection, self._call, Action.UPLOAD, target.project, f"{detail}, {total} bytes")

    def drop(self) -> None:
        """Remove what was not kept."""
        self._received.drop()


def paths_of(call: Call, received: Reception, path: str) -> list[tuple[str, Part]]:
    """What was received, by path below the path of the address; with `extract=true` members of archives.

    Raises AddressError when nothing came, or two files under one path; what an archive may raise.
    """
    sent = received.finish()
    if not sent:
        raise AddressError("Asked to keep a file. Nothing was sent: send it as body, or as part of a form.")
    found = _unpacked(call, received, sent, path) if call.parameters.is_true("extract") else _named(sent, path)
    if len({name for name, _ in found}) < len(found):
        raise AddressError("Asked to keep several files under one path. Give each file a name of its own.")
    return found


def _named(received: list[Received], path: str) -> list[tuple[str, Part]]:
    """Paths of files: the one of the address, or their own names, in its folder if several came."""
    if path and not path.endswith("/") and len(received) == 1:
        return [(check_new_path(path), received[0].part)]
    folder = f"{path.rstrip('/')}/" if path else ""
    nameless = next((file for file in received if not file.name), None)
    if nameless is not None:
        raise AddressError("Asked to keep a file without a name. Put its path behind files/ in the address.")
    return [(check_new_path(folder + file.name), file.part) for file in received]


def _unpacked(call: Call, reception: Reception, received: list[Received], path: str) -> list[tuple[str, Part]]:
    """Paths of an archive's members, below the folder of the address."""
    folder = path[: path.rindex("/") + 1] if "/" in path else ""
    found: list[tuple[str, Part]] = []
    for file in received:
        for member, part in unpack(file.part.path, reception.new_part, call.site.settings.files):
            found.append((check_new_path(folder + member), part))
        file.part.drop()
    if not found:
        raise AddressError("Unpacked the archive: it has no file. Send one that has.")
    return found


def _duplicates(paths: list[str]) -> bytes:
    return json.dumps({"duplicates": paths}).encode()

"""Whole sessions that come in at once: `POST /data/services/import`, answered by the address of what they became.

    ?project=P&subject=S&session=E            where it goes; or dest=/archive/projects/P/subjects/S/experiments/E
    ?overwrite=none|append|delete             what becomes of a session that is there: 409, more files, a new one
    ?src=/user/cache/resources/R/files/x.zip  a file of the caller's cache in place of a body
    ?resource=LABEL, ?xsiType=                for files that say neither resource nor kind of session

The body is a zip, tar or tar.gz, a single file, or a form with several. DICOM files say themselves to which person,
session and scan they belong, and what is named beside counts more. Everything appears in one moment, or nothing.
Without a session and without DICOM, files go to the subject, or to the project. Source: XNAT's import service.
"""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection
from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.access.audit import Action
from connectomedb.server.access.rules import Action as Right
from connectomedb.server.changes.importing import Destination, make_targets
from connectomedb.server.changes.rights import require
from connectomedb.server.intake.bodies import Received, too_large
from connectomedb.server.intake.dicom import read_header
from connectomedb.server.intake.keep import Kept, Parcel, Target, check_new_path, keep_files
from connectomedb.server.intake.part import Part
from connectomedb.server.intake.sorting import DICOM, sort_files
from connectomedb.server.intake.unpack import is_archive, unpack
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call, Later, Way
from connectomedb.server.routes.owners import check_label, note_change
from connectomedb.server.routes.replies import text
from connectomedb.server.routes.uploads import Reception
from connectomedb.server.routes.user_cache import cached_file
from connectomedb.xnat.address import Address, Level, format_address, parse_address

_HANDLERS = ("", "si", "dicom-zip")
_OVERWRITE = ("", "none", "append", "delete")
_RESOURCE = "FILES"
_PIECE_BYTES = 1 << 20
_DATA, _ARCHIVE = "/data", "/data/archive"


def post_import(call: Call) -> "Import | Later":
    """Make ready for an import: whoever may not is refused before the first byte."""
    destination = _destination(call)
    with call.view() as view:
        project = Address().child(Level.PROJECTS, destination.project)
        found = find_place(view.connection, call.signed_in, project, is_inside=True).last[0]
        require(view, found.key, Right.CREATE)
    most = call.site.settings.files.max_upload_bytes
    length = call.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise too_large(most)
    source = call.parameters.get("src")
    if not source:
        return Import(call, destination)
    held = cached_file(call, source)
    return Later(lambda: _import_cached(call, destination, held), frozenset([call.site.settings.files.uploads]))


def _import_cached(call: Call, destination: Destination, held: Path) -> Response:
    wanted = Import(call, destination)
    try:
        with held.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                wanted.feed(piece)
        return wanted.finish(held.name)
    finally:
        wanted.drop()


class Import:
    """One import under way."""

    def __init__(self, call: Call, destination: Destination) -> None:
        self._call = call
        self._destination = destination
        self._received = Reception(call)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._received.feed(piece)

    def finish(self, name: str = "") -> Response:
        """Keep what came. The answer is the address of the session, subject or project, and a line's end."""
        files = self._files(self._received.finish(), name)
        found = sort_files(files, self._destination.resource)
        parcels = [Parcel(series.files, {"format": DICOM}) for series in found.series]
        parcels += [Parcel(held) for held in found.others.values()]
        made: list[Address] = []

        def find_targets(connection: Connection) -> Sequence[Target]:
            address, targets = make_targets(self._call, connection, self._destination, found)
            made.append(address)
            return targets

        keep_files(self._call.site, parcels, find_targets, overwrite=True, note=self._note)
        return text(f"{_ARCHIVE}{format_address(made[-1]).removeprefix(_DATA)}\r\n")

    def drop(self) -> None:
        """Remove what was not kept."""
        self._received.drop()

    def _files(self, received: list[Received], name: str) -> list[tuple[str, Part]]:
        """All files by path, archives unpacked; `name` is of a body. Raises AddressError when there is none."""
        found: list[tuple[str, Part]] = []
        for file in received:
            if not is_archive(file.part.path):
                if not (file.name or name) and read_header(file.part.path) is None:
                    raise AddressError("Asked to import what is neither zip nor tar, nor DICOM. Send one of these.")
                found.append((check_new_path(file.name or name or "image.dcm"), file.part))
                continue
            members = unpack(file.part.path, self._received.new_part, self._call.site.settings.files)
            found += [(check_new_path(path), part) for path, part in members]
            file.part.drop()
        if not found:
            raise AddressError("Asked to import nothing. Send a zip or tar of files as body, or files in a form.")
        return found

    def _note(self, connection: Connection, target: Target, kept: Sequence[Kept]) -> None:
        detail = f"import: {len(kept)} files, {sum(file.size for file in kept)} bytes"
        note_change(connection, self._call, Action.UPLOAD, target.project, detail)


def _destination(call: Call) -> Destination:
    """What the request says of where it goes. Raises AddressError."""
    given = call.parameters
    handler, overwrite = given.get("import-handler").lower(), given.get("overwrite").lower()
    if handler not in _HANDLERS:
        raise AddressError(f"Asked for the import handler {handler!r}. There is SI: a zip or tar of files.")
    if overwrite not in _OVERWRITE:
        raise AddressError(f"Asked to overwrite {overwrite!r}. Say none, append or delete.")
    resource = given.get("resource") or _RESOURCE
    check_label(resource)
    dest = given.get("dest").removeprefix(_DATA)
    if dest.startswith("/prearchive"):
        raise AddressError("Asked to import into the prearchive. There is none here: send it to dest=/archive.")
    place = parse_address(dest.removeprefix("/archive"))
    if place.get(Level.RESOURCES) or place.get(Level.SCANS):
        raise AddressError("Asked to import into a scan or resource. Upload to its files, with extract=true.")
    project = place.get(Level.PROJECTS) or given.get("project")
    if not project:
        raise AddressError("Asked to import without saying where. Name the project: project=P.")
    subject = place.get(Level.SUBJECTS) or given.get("subject")
    session = place.get(Level.EXPERIMENTS) or given.get("session")
    return Destination(project, subject, session, resource, overwrite, given.get("xsiType"))


WAYS = (Way("POST", "/data/services/import", post_import, is_slow=True),)

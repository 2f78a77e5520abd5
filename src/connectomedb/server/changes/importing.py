"""Objects that an import needs: subject, session, scans and resources, found or made in the transaction at hand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connectomedb.errors import AddressError, Conflict, NotFound
from connectomedb.server.access.audit import Action
from connectomedb.server.changes.levels import PUTS
from connectomedb.server.changes.removal import remove
from connectomedb.server.changes.wish import Wish
from connectomedb.server.changes.writer import Writer
from connectomedb.server.intake.dicom import Header
from connectomedb.server.intake.keep import Target
from connectomedb.server.intake.sorting import DICOM, Series, Sorted
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.owners import find_or_make_resource, note_change
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import Entity, Registry
from connectomedb.xnat.address import Address, Level

_SPELLED = {"PT": "pet"}
"""Modalities of DICOM that types of data spell in another way."""


@dataclass(frozen=True, slots=True)
class Destination:
    """What an import said of itself; "" where it left that to the files.

    Attributes:
        resource: label for files that name none.
        overwrite: `append` or `delete` where the session may be there already.
    """

    project: str
    subject: str = ""
    session: str = ""
    resource: str = ""
    overwrite: str = ""
    data_type: str = ""


def make_targets(
    call: Call, connection: Connection, destination: Destination, found: Sorted
) -> tuple[Address, Sequence[Target]]:
    """Where everything goes: the address of the whole, and the resource of each series and of each other parcel.

    Raises NotFound, AccessDenied, Conflict, AddressError, Unusable.
    """
    writer = Writer.of(call.view_of(connection, call.signed_in), call.actor)
    address = _make_above(call, writer, destination, found)
    is_session = address.get(Level.EXPERIMENTS) is not None
    if not is_session and any(scan for scan, _ in found.others):
        raise AddressError("Asked to import scans without saying of which session. Name it: session=LABEL.")
    places = []
    for series in found.series:
        _put_scan(writer, address, series)
        places.append((series.id, DICOM))
    for scan, label in found.others:
        if scan and not _is_there(writer, address.child(Level.SCANS, scan)):
            PUTS[Level.SCANS](writer, address, scan, Wish([("ID", scan)]))
        places.append((scan, label))
    targets = [
        find_or_make_resource(
            connection,
            call.signed_in,
            (address.child(Level.SCANS, scan) if scan else address).child(Level.RESOURCES, label),
            {},
        )
        for scan, label in places
    ]
    return address, targets


def _make_above(call: Call, writer: Writer, destination: Destination, found: Sorted) -> Address:
    """The session, else the subject, else the project that all goes to."""
    header = found.series[0].header if found.series else Header()
    subject = destination.subject or header.name or header.patient
    session = destination.session or header.patient or header.name
    if found.series and not session:
        raise AddressError("The DICOM files do not say whose they are. Name subject= and session= in the address.")
    project = Address().child(Level.PROJECTS, destination.project)
    if not subject:
        if session:
            raise AddressError("Asked to import a session without a subject. Name it: subject=LABEL.")
        return project
    above = project.child(Level.SUBJECTS, subject)
    if session:
        return _make_session(call, writer, above, session, destination, found)
    if not _is_there(writer, above):
        PUTS[Level.SUBJECTS](writer, project, subject, Wish())
        _note(call, writer, project, Action.MADE, subject)
    return above


def _make_session(
    call: Call, writer: Writer, above: Address, label: str, destination: Destination, found: Sorted
) -> Address:
    address = above.child(Level.EXPERIMENTS, label)
    known = _find(writer, address)
    if known and destination.overwrite not in ("append", "delete"):
        raise Conflict(f"Asked to import the session {label}. There is one already: send overwrite=append or delete.")
    if known and destination.overwrite == "delete":
        remove(writer, Entity.EXPERIMENT, known, None)
        _note(call, writer, above, Action.DELETED, label)
    if known is None or destination.overwrite == "delete":
        registry = writer.view.registry
        data_type = destination.data_type or _session_type(registry, found.series)
        header = found.series[0].header if found.series else Header()
        pairs = [("xsiType", data_type)]
        pairs += [(name, text) for name, text in (("date", header.date), ("UID", header.session_uid)) if text]
        PUTS[Level.EXPERIMENTS](writer, above, label, Wish(pairs))
        _note(call, writer, above, Action.MADE, label)
    return address


def _put_scan(writer: Writer, address: Address, series: Series) -> None:
    registry, modality = writer.view.registry, _word(series.header.modality)
    data_type = registry.find(f"xnat:{modality}ScanData") or registry.get("xnat:otherDicomScanData")
    known = {path.path for path in registry.paths(data_type)}
    fields = {**series.header.fields, "frames": str(len(series.files))}
    pairs = [("xsiType", data_type.name), ("ID", series.id)]
    pairs += [(f"{data_type.name}/{path}", text) for path, text in fields.items() if path in known]
    PUTS[Level.SCANS](writer, address, series.id, Wish(pairs))


def _session_type(registry: Registry, series: Sequence[Series]) -> str:
    """The type of session of most images; without images that of magnetic resonance."""
    if not series:
        return builtin.MR_SESSION
    counts = Counter({one.id: len(one.files) for one in series})
    most = next(one for one in series if one.id == counts.most_common(1)[0][0])
    found = registry.find(f"xnat:{_word(most.header.modality)}SessionData")
    return found.name if found else "xnat:otherDicomSessionData"


def _word(modality: str) -> str:
    return _SPELLED.get(modality, modality.lower())


def _is_there(writer: Writer, address: Address) -> bool:
    return _find(writer, address) is not None


def _find(writer: Writer, address: Address) -> Found | None:
    try:
        return find_place(writer.connection, writer.view.caller, address).last[0]
    except NotFound:
        return None


def _note(call: Call, writer: Writer, address: Address, action: Action, detail: str) -> None:
    project = Address().child(Level.PROJECTS, address.get(Level.PROJECTS) or "")
    key = find_place(writer.connection, writer.view.caller, project).last[0].key
    note_change(writer.connection, call, action, key, detail)

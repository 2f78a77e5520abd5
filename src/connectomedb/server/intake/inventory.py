"""What a release brings: its files with size, checksum and place, and its scans. Reads stores, writes nothing.

A listing is in HCP's layout, `PREFIX/100307/...`, or that of a BIDS data set, `PREFIX/sub-01/...`; keys tell which.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from connectomedb.errors import AddressError
from connectomedb.hcp.archive import archive_of
from connectomedb.hcp.bids import APART, BidsPath, Scan, parse_bids
from connectomedb.hcp.layout import ReleasePath, SubjectPath, crest_label, parse_key
from connectomedb.hcp.manifest import FOLDER as MANIFESTS
from connectomedb.hcp.manifest import Entry, join_entries, parse_manifest
from connectomedb.hcp.release import Release
from connectomedb.server.archive import Archive
from connectomedb.stores.base import ObjectInfo

MAX_MANIFEST_BYTES = 64 << 20

_UNPROCESSED = "unprocessed"


@dataclass(frozen=True, slots=True)
class SharedFile:
    """One file: the object that holds its bytes. `modified` is UTC without zone."""

    store: str
    key: str
    size: int
    md5: str
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class StoredFile(SharedFile):
    """One file of a subject, and its path inside it."""

    path: SubjectPath


@dataclass(frozen=True, slots=True)
class Inventory:
    """Files by subject, and what is wrong with the delivery.

    Attributes:
        skipped: objects below the release's prefix that are no release files, with the reason.
        uncovered: release paths without a line in any manifest.
        conflicts: objects whose size is not what their manifest says.
        absent: keys that a manifest names and no store has.
        shared: of a BIDS data set, what belongs to no subject: path inside the data set → file.
    """

    files: Mapping[str, tuple[StoredFile, ...]]
    skipped: Mapping[str, str] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    shared: Mapping[str, SharedFile] = field(default_factory=dict)

    @property
    def visits(self) -> dict[str, str]:
        """Label of an experiment → the session of BIDS that it is."""
        paths = (file.path for found in self.files.values() for file in found)
        return {path.experiment: path.session for path in paths if isinstance(path, BidsPath) and path.session}


@dataclass(frozen=True, slots=True)
class Folder:
    """A resource to be: label of its experiment, empty of the project's own; its own label; and path in it → file."""

    experiment: str
    label: str
    files: Mapping[str, SharedFile]


def take_inventory(archive: Archive, release: Release, listings: Mapping[str, Iterable[ObjectInfo]]) -> Inventory:
    """Look through listings of stores, the preferred store first: of a file in several, the first counts.

    Manifests are read, and files that neither a manifest nor the store vouches for. Raises StoreError,
    ManifestError.
    """
    objects, shared, skipped = _release_objects(release, listings)
    claims = _read_manifests(archive, release, objects)
    files: dict[str, list[StoredFile]] = {}
    uncovered: list[str] = []
    conflicts: list[str] = []
    for path, (store, info) in objects.items():
        claim = claims.get(info.key)
        if claim is None:
            uncovered.append(str(path))
        elif claim.size != info.size:
            conflicts.append(f"{info.key}: {info.size} bytes, its manifest says {claim.size}")
        facts = _facts(archive, store, info, claim.md5 if claim else None)
        files.setdefault(path.subject, []).append(StoredFile(*facts, path))
    absent = sorted(set(claims) - {info.key for _, info in objects.values()})
    return Inventory(
        {subject: tuple(found) for subject, found in sorted(files.items())},
        skipped,
        tuple(uncovered),
        tuple(conflicts),
        tuple(absent),
        {path: SharedFile(*_facts(archive, *place)) for path, place in shared.items()},
    )


def _facts(
    archive: Archive, store: str, info: ObjectInfo, md5: str | None = None
) -> tuple[str, str, int, str, datetime | None]:
    """Store, key, size, checksum and time of an object; without a checksum from elsewhere its bytes are read."""
    known = md5 or info.md5 or archive.md5(store, info.key)
    return store, info.key, info.size, known, _without_zone(info.modified)


def folders_of(files: Iterable[StoredFile], project: str) -> list[Folder]:
    """The resources that hold a subject's files: all of them in the CREST one, most also in one of a session."""
    found: dict[tuple[str, str], dict[str, SharedFile]] = {}
    for file in files:
        crest = crest_label(file.path.subject)
        found.setdefault((crest, crest), {})[file.path.path] = file
        if place := _place_of(file.path, project):
            experiment, label, path = place
            found.setdefault((experiment, label), {})[path] = file
    return [Folder(experiment, label, held) for (experiment, label), held in sorted(found.items())]


def _place_of(path: SubjectPath, project: str) -> tuple[str, str, str] | None:
    """Experiment, resource, and path in it. Not every file of a release lies in a resource of a session."""
    if isinstance(path, BidsPath):
        return (path.experiment, *path.resource) if path.experiment else None
    try:
        place = archive_of(ReleasePath(path.subject, path.path), project)
    except AddressError:
        return None
    return place.session, place.label, place.path


def scans_of(files: Iterable[StoredFile]) -> dict[str, list[Scan]]:
    """Label of an experiment → the scans acquired in it, from `unprocessed/<field>/<scan>/...` or images of BIDS."""
    found: dict[str, set[Scan]] = {}
    for file in files:
        if isinstance(file.path, BidsPath):
            if scan := file.path.scan:
                found.setdefault(file.path.experiment, set()).add(scan)
            continue
        match file.path.path.split("/"):
            case [folder, strength, name, _, *_] if folder == _UNPROCESSED and strength != "MEG":
                found.setdefault(f"{file.path.subject}_{strength}", set()).add(Scan(name, name))
    return {experiment: sorted(scans, key=lambda scan: scan.name) for experiment, scans in found.items()}


_Place: TypeAlias = tuple[str, ObjectInfo]
"""Name of a store, and the object there."""


def _release_objects(
    release: Release, listings: Mapping[str, Iterable[ObjectInfo]]
) -> tuple[dict[SubjectPath, _Place], dict[str, _Place], dict[str, str]]:
    """Files of subjects, files of a BIDS data set that belong to none, and keys that were left out, with the reason."""
    found: dict[SubjectPath, _Place] = {}
    others: dict[str, _Place] = {}
    skipped: dict[str, str] = {}
    is_bids = False
    for store, info in _objects(listings):
        if info.key.endswith("/") or not info.key.startswith(f"{release.prefix}/"):
            continue
        inside = info.key.removeprefix(f"{release.prefix}/")
        try:
            if path := parse_bids(inside):
                is_bids = True
                found.setdefault(path, (store, info))
            else:
                found.setdefault(parse_key(release, info.key), (store, info))
        except AddressError as reason:
            skipped[info.key] = str(reason)
            others.setdefault(inside, (store, info))
    if not is_bids:
        return found, {}, skipped
    shared = {path: place for path, place in others.items() if _is_shared(path)}
    ours = {info.key for _, info in shared.values()}
    return found, shared, {key: reason for key, reason in skipped.items() if key not in ours}


def _is_shared(inside: str) -> bool:
    """Whether a file of a BIDS data set, of no subject, is one that describes the data set."""
    folder, slash, _ = inside.partition("/")
    return not inside.startswith((".", "sub-")) and not (slash and folder in APART)


def _objects(listings: Mapping[str, Iterable[ObjectInfo]]) -> Iterator[tuple[str, ObjectInfo]]:
    for store, listing in listings.items():
        for info in listing:
            yield store, info


def _read_manifests(archive: Archive, release: Release, objects: Mapping[SubjectPath, _Place]) -> dict[str, Entry]:
    """Key → what the manifests say. They name files as the bucket does, not by release path."""
    entries: dict[str, list[Entry]] = {}
    for path, (store, info) in objects.items():
        if path.path.startswith(f"{MANIFESTS}/") and path.path.endswith(".json"):
            document = archive.read(store, info.key, MAX_MANIFEST_BYTES)
            entries.setdefault(path.subject, []).extend(parse_manifest(document, name=info.key).entries)
    claims: dict[str, Entry] = {}
    for subject, found in entries.items():
        joined = join_entries(found, name=f"manifests of {subject}")
        claims |= {f"{release.prefix}/{subject}/{path}": entry for path, entry in joined.items()}
    return claims


def _without_zone(time: datetime | None) -> datetime | None:
    return time.astimezone(UTC).replace(tzinfo=None) if time and time.tzinfo else time

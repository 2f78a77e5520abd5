"""What a release brings: its files with size, checksum and place, and its scans. Reads stores, writes nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectomedb.errors import AddressError
from connectomedb.hcp.archive import archive_of
from connectomedb.hcp.layout import ReleasePath, crest_label, parse_key
from connectomedb.hcp.manifest import FOLDER as MANIFESTS
from connectomedb.hcp.manifest import Entry, join_entries, parse_manifest
from connectomedb.hcp.release import Release
from connectomedb.server.archive import Archive
from connectomedb.stores.base import ObjectInfo

MAX_MANIFEST_BYTES = 64 << 20

_UNPROCESSED = "unprocessed"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file: its release path, and the object that holds its bytes. `modified` is UTC without zone."""

    path: ReleasePath
    store: str
    key: str
    size: int
    md5: str
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Files by subject, and what is wrong with the delivery.

    Attributes:
        skipped: objects below the release's prefix that are no release files, with the reason.
        uncovered: release paths without a line in any manifest.
        conflicts: objects whose size is not what their manifest says.
        absent: keys that a manifest names and no store has.
    """

    files: Mapping[str, tuple[StoredFile, ...]]
    skipped: Mapping[str, str] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """A resource to be: label of its experiment, its own label, and path in it → file."""

    experiment: str
    label: str
    files: Mapping[str, StoredFile]


def take_inventory(archive: Archive, release: Release, listings: Mapping[str, Iterable[ObjectInfo]]) -> Inventory:
    """Look through listings of stores, the preferred store first: of a file in several, the first counts.

    Manifests are read, and files that neither a manifest nor the store vouches for. Raises StoreError,
    ManifestError.
    """
    objects, skipped = _release_objects(release, listings)
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
        md5 = claim.md5 if claim else info.md5 or archive.md5(store, info.key)
        file = StoredFile(path, store, info.key, info.size, md5, _without_zone(info.modified))
        files.setdefault(path.subject, []).append(file)
    absent = sorted(set(claims) - {info.key for _, info in objects.values()})
    return Inventory(
        {subject: tuple(found) for subject, found in sorted(files.items())},
        skipped,
        tuple(uncovered),
        tuple(conflicts),
        tuple(absent),
    )


def folders_of(files: Iterable[StoredFile], project: str) -> list[Folder]:
    """The resources that hold a subject's files: all of them in the CREST one, most also in one of a session."""
    found: dict[tuple[str, str], dict[str, StoredFile]] = {}
    for file in files:
        crest = crest_label(file.path.subject)
        found.setdefault((crest, crest), {})[file.path.path] = file
        try:
            place = archive_of(file.path, project)
        except AddressError:  # not every file of a release lies in a resource of a session
            continue
        found.setdefault((place.session, place.label), {})[place.path] = file
    return [Folder(experiment, label, held) for (experiment, label), held in sorted(found.items())]


def scans_of(files: Iterable[StoredFile]) -> dict[str, list[str]]:
    """Label of an experiment → names of the scans acquired in it, from `unprocessed/<field>/<scan>/...`."""
    found: dict[str, set[str]] = {}
    for file in files:
        match file.path.path.split("/"):
            case [folder, strength, scan, _, *_] if folder == _UNPROCESSED and strength != "MEG":
                found.setdefault(f"{file.path.subject}_{strength}", set()).add(scan)
    return {experiment: sorted(scans) for experiment, scans in found.items()}


def _release_objects(
    release: Release, listings: Mapping[str, Iterable[ObjectInfo]]
) -> tuple[dict[ReleasePath, tuple[str, ObjectInfo]], dict[str, str]]:
    found: dict[ReleasePath, tuple[str, ObjectInfo]] = {}
    skipped: dict[str, str] = {}
    for store, info in _objects(listings):
        if info.key.endswith("/") or not info.key.startswith(f"{release.prefix}/"):
            continue
        try:
            found.setdefault(parse_key(release, info.key), (store, info))
        except AddressError as reason:
            skipped[info.key] = str(reason)
    return found, skipped


def _objects(listings: Mapping[str, Iterable[ObjectInfo]]) -> Iterator[tuple[str, ObjectInfo]]:
    for store, listing in listings.items():
        for info in listing:
            yield store, info


def _read_manifests(
    archive: Archive, release: Release, objects: Mapping[ReleasePath, tuple[str, ObjectInfo]]
) -> dict[str, Entry]:
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

"""Received files become files of resources: bytes first, rows after, all of an upload or nothing.

1. a row announces the objects          (a process that dies now leaves nothing unaccounted for)
2. the bytes are moved or sent to the store, under keys that were never used
3. one transaction: who may is asked again, files name the objects, the announcement is forgotten

What a file named before stays readable until the third step, and is removed by the sweep after it.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, insert, select, update

from connectomedb.errors import AddressError, Conflict, ConnectomeDBError, TooLarge
from connectomedb.hcp.paths import check_path
from connectomedb.server.access.clock import now
from connectomedb.server.intake.part import Part
from connectomedb.server.query.homes import resources_of_project
from connectomedb.server.site import Site
from connectomedb.server.tables import loose
from connectomedb.server.tables.schema import files

MAX_PATH_BYTES, MAX_NAME_BYTES = 1_024, 255
"""Longest path in a resource, and longest part of it: what disks take."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where files go: keys of a resource, and of the project that it belongs to."""

    resource: int
    project: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """Finished parts by path that go into one resource, and columns of their new rows."""

    files: Sequence[tuple[str, Part]]
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was made or replaced: its path in the resource, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class _Object:
    path: str
    part: Part
    key: str


def check_new_path(path: str) -> str:
    """The path itself, if a file of that path may be made. Raises AddressError."""
    check_path(path)
    if len(path.encode()) > MAX_PATH_BYTES or any(len(part.encode()) > MAX_NAME_BYTES for part in path.split("/")):
        most = f"{MAX_PATH_BYTES} bytes, {MAX_NAME_BYTES} in each part"
        raise AddressError(f"Asked to make {path[:80]!r}...: the path is too long. It may have {most}.")
    return path


def keep_files(
    site: Site,
    parcels: Sequence[Parcel],
    find_targets: Callable[[Connection], Sequence[Target]],
    *,
    overwrite: bool,
    note: Callable[[Connection, Target, Sequence[Kept]], None],
) -> list[str]:
    """Make files of finished parts, all or none. Paths that were taken and are not to be overwritten come back.

    Args:
        find_targets: tells where each parcel goes, and makes what it must; asked inside the transaction. What it
            raises leaves everything as it was.
        note: told what was kept where, inside the transaction; not asked when nothing was.
    Raises: TooLarge (quota), Conflict (a file stands where a folder is needed), StoreError, DiskFull.
    """
    store = site.settings.files.uploads
    sent = [[_Object(check_new_path(path), part, _new_key()) for path, part in parcel.files] for parcel in parcels]
    keys = [made.key for objects in sent for made in objects]
    with site.database.write() as connection:
        loose.announce(connection, store, keys, site.staging.claim(), now())
    try:
        for made in (made for objects in sent for made in objects):
            site.archive.adopt(store, made.key, made.part.path)
        duplicates: list[str] = []
        taken: set[str] = set()
        with site.database.write() as connection:
            targets = find_targets(connection)
            for parcel, objects, target in zip(parcels, sent, targets, strict=True):
                there = _write_rows(connection, target.resource, store, objects, parcel.facts, overwrite)
                duplicates += sorted(there)
                taken |= {made.key for made in objects if made.path in there}
                kept = [Kept(made.path, made.part.size) for made in objects if made.path not in there]
                if kept:
                    note(connection, target, kept)
            for project in {target.project for target in targets}:
                _check_quota(connection, project, site.settings.files.project_quota_bytes)
            loose.forget(connection, [key for key in keys if key not in taken])
            loose.give_up(connection, sorted(taken))
    except BaseException:
        with suppress(ConnectomeDBError), site.database.write() as connection:  # else the sweep finds them later
            loose.give_up(connection, keys)
        raise
    return duplicates


def _new_key() -> str:
    name = uuid.uuid4().hex
    return f"{loose.PREFIX}{name[:2]}/{name}"


def _write_rows(
    connection: Connection,
    resource: int,
    store: str,
    objects: Sequence[_Object],
    facts: Mapping[str, str],
    overwrite: bool,
) -> set[str]:
    known = _known_paths(connection, resource, [made.path for made in objects])
    time = now()
    new: list[dict[str, object]] = []
    duplicates: set[str] = set()
    for made in objects:
        blocking = next((folder for folder in _folders(made.path) if folder in known), None)
        if blocking is not None:
            raise Conflict(f"Asked to make {made.path!r}. {blocking!r} is a file: delete it, or choose a path.")
        row = {
            "path": made.path,
            "size": made.part.size,
            "md5": made.part.md5,
            "modified": time,
            "store": store,
            "object_key": made.key,
            **facts,
        }
        if made.path not in known:
            new.append({"resource_key": resource, **row})
        elif overwrite:
            connection.execute(update(files).where(files.c.key == known[made.path]).values(row))
        else:
            duplicates.add(made.path)
    for start in range(0, len(new), loose.BATCH):
        connection.execute(insert(files), new[start : start + loose.BATCH])
    return duplicates


def _known_paths(connection: Connection, resource: int, paths: Sequence[str]) -> dict[str, int]:
    """Files of the resource at these paths, or where these need a folder: path → key of the row."""
    asked = sorted({place for path in paths for place in (path, *_folders(path))})
    known: dict[str, int] = {}
    for start in range(0, len(asked), loose.BATCH):
        wanted = files.c.path.in_(asked[start : start + loose.BATCH])
        rows = connection.execute(select(files.c.path, files.c.key).where(files.c.resource_key == resource, wanted))
        known |= {row.path: row.key for row in rows}
    return known


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _check_quota(connection: Connection, project: int, quota_bytes: int) -> None:
    if not quota_bytes:
        return
    held = select(func.sum(files.c.size)).where(files.c.resource_key.in_(resources_of_project(project)))
    total = connection.execute(held).scalar() or 0
    if total > quota_bytes:
        raise TooLarge(
            f"The files of this project would have {total} bytes, its quota is {quota_bytes}. "
            "Delete some, or ask the administrator for more."
        )

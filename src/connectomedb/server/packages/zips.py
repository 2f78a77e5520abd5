"""The zip of one package of one subject: its files in the bucket's layout, and a manifest of them.

100307_3T_tfMRI_MOTOR_preproc.zip
  100307/.xdlm/100307_3T_tfMRI_MOTOR_preproc.json     made for this zip: it lists all that is in it
  100307/MNINonLinear/Results/tfMRI_MOTOR_LR/...      as under the release's prefix, so it unpacks into a mirror
  100307/release-notes/tfMRI_MOTOR_preproc.txt
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Row, insert, select

from connectomedb.hcp.manifest import Entry, Manifest, format_manifest, manifest_path
from connectomedb.hcp.packages import Package
from connectomedb.hcp.release import release_of
from connectomedb.server.archive import Archive
from connectomedb.server.packages.fixed_zip import Member, length_of, zip_pieces
from connectomedb.server.packages.holdings import Subject, files_of
from connectomedb.server.routes.contents import open_exactly
from connectomedb.server.tables.agreements import package_sums
from connectomedb.server.tables.database import Database


@dataclass(frozen=True, slots=True)
class PackageZip:
    """A zip to be sent: its name, its members, and a stamp that changes when anything in it does.

    `stores`: names of those in which the members lie.
    """

    name: str
    members: tuple[Member, ...]
    stamp: str
    stores: frozenset[str]

    @property
    def size(self) -> int:
        """Length in bytes."""
        return length_of(self.members)

    def pieces(self) -> Iterator[bytes]:
        """The bytes, the same each time. Raises StoreError."""
        return zip_pieces(self.members)


@dataclass(frozen=True, slots=True)
class _Object:
    store: str
    key: str


def zip_name(subject: str, package: Package) -> str:
    """Name of a zip: `100307_3T_tfMRI_MOTOR_preproc.zip`."""
    return f"{subject}_{package.id}.zip"


def plan_zip(connection: Connection, archive: Archive, subject: Subject, package: Package) -> PackageZip:
    """The zip of a subject's package. Raises NotFound when the subject has no files of it."""
    held = files_of(connection, subject, package)
    members, stamp = members_of(archive, subject, held, package.id)
    return PackageZip(zip_name(subject.label, package), members, stamp, frozenset(str(row.store) for row in held))


def members_of(
    archive: Archive, subject: Subject, held: "Sequence[Row[*tuple[object, ...]]]", name: str
) -> tuple[tuple[Member, ...], str]:
    """A subject's files as members of a zip, a manifest of that name before them; and a stamp of all that."""
    release = release_of(subject.project)
    rows = {release.to_bucket(str(row.path)): row for row in held}
    entries = tuple(Entry(path, row.size, row.md5) for path, row in rows.items() if row.md5)
    manifest = format_manifest(Manifest(subject.label, entries))
    members = (
        Member(f"{subject.label}/{manifest_path(subject.label, name)}", len(manifest), lambda: iter([manifest])),
        *(
            Member(
                f"{subject.label}/{path}",
                row.size,
                partial(_open, archive, row.store, row.object_key, row.size),
            )
            for path, row in rows.items()
        ),
    )
    return members, _stamp(manifest, rows)


def md5_of(database: Database, planned: PackageZip) -> str:
    """MD5 of the zip, 32 lower-case hex digits: read once, then remembered. Raises StoreError."""
    known = select(package_sums.c.md5).where(package_sums.c.stamp == planned.stamp)
    with database.read() as connection:
        found: str | None = connection.execute(known).scalar()
    if found is not None:
        return found
    digest = hashlib.md5(usedforsecurity=False)
    for piece in planned.pieces():
        digest.update(piece)
    with database.write() as connection:
        if connection.execute(known).first() is None:
            connection.execute(insert(package_sums).values(stamp=planned.stamp, md5=digest.hexdigest()))
    return digest.hexdigest()


def _open(archive: Archive, store: str, key: str, size: int) -> Iterator[bytes]:
    return open_exactly(archive, _Object(store, key), 0, size)


def _stamp(manifest: bytes, rows: "dict[str, Row[*tuple[object, ...]]]") -> str:
    """SHA-256 of what the bytes depend on: the manifest, and of files without checksum all that is known."""
    digest = hashlib.sha256(manifest)
    for path, row in rows.items():
        facts = row.md5 or f"{row.store} {row.object_key} {row.modified}"
        digest.update(f"\n{path}\n{row.size} {facts}".encode())
    return digest.hexdigest()

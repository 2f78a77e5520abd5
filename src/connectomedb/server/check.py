"""Do rows and bytes agree? Every file has its bytes, and all bytes that the server made belong to a file.

    missing      a file names an object that its store does not have
    size         the object has another number of bytes than the file
    digest       the object's bytes are not those of the file (only when digests are asked for)
    unreadable   the store refused to say
    key          an identity reads by an S3 key of which no row tells, see `server.check_keys`
    orphan       an object under `uploads/` that no file names, and that nobody announced or let go of

A running server may be checked: stores are listed before rows are read, so what changes meanwhile is no fault.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import select

from connectomedb.errors import ConnectomeDBError, ObjectMissing
from connectomedb.server.archive import Archive
from connectomedb.server.site import Site
from connectomedb.server.tables.loose import PREFIX
from connectomedb.server.tables.schema import files, loose_objects
from connectomedb.stores.base import WritableStore

Place: TypeAlias = tuple[str, str]
"""Store and key of an object."""


class Fault(StrEnum):
    """What can be wrong with an object; the last two with rows, see `server.check_rows`."""

    MISSING = "missing"
    SIZE = "size"
    DIGEST = "digest"
    UNREADABLE = "unreadable"
    ORPHAN = "orphan"
    KEY = "key"
    REFERENCE = "reference"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that is not as it should be. `path` is that of a file which names it, `""` of an orphan."""

    fault: Fault
    store: str
    key: str
    path: str = ""
    detail: str = ""
    is_repaired: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """An object as files have it: size in bytes, MD5 if known, and the path of one of the files."""

    store: str
    key: str
    size: int
    md5: str | None
    path: str


def check_files(site: Site, *, digests: bool = False, repair: bool = False) -> Iterator[Finding]:
    """Compare all rows with all stores; what is wrong, as it is found. Repairing removes orphans.

    Args:
        digests: also read every byte.
    """
    listed = _list_uploads(site.archive)
    named = _named_objects(site)
    for place in _orphans(site, listed, named):
        yield _orphan(site, *place, repair=repair)
    for item in named.values():
        found = _check(site.archive, item, listed.get((item.store, item.key)), digests=digests)
        if found is not None and _is_named_now(site, item.store, item.key):
            yield found


def count_orphans(site: Site) -> int:
    """How many objects the server made of which no file tells. Raises StoreError."""
    listed = _list_uploads(site.archive)
    return sum(1 for _ in _orphans(site, listed, _named_objects(site)))


def _orphans(site: Site, listed: Collection[Place], named: Collection[Place]) -> Iterator[Place]:
    for place in sorted(set(listed) - set(named) - _announced(site)):
        if not _is_named_now(site, *place):
            yield place


def _list_uploads(archive: Archive) -> dict[Place, int]:
    """Store and key → size of all objects that the server made."""
    stores = {name: archive.store(name) for name in archive.names}
    return {
        (name, info.key): info.size
        for name, store in stores.items()
        if isinstance(store, WritableStore)
        for info in store.list(PREFIX)
    }


def _named_objects(site: Site) -> dict[Place, Named]:
    columns = (files.c.store, files.c.object_key, files.c.size, files.c.md5, files.c.path)
    with site.database.read() as connection:
        rows = connection.execute(select(*columns).order_by(files.c.store, files.c.object_key))
        return {(row.store, row.object_key): Named(*row) for row in rows}


def _announced(site: Site) -> set[Place]:
    """Objects that an upload under way brings, or that wait to be removed."""
    with site.database.read() as connection:
        rows = connection.execute(select(loose_objects.c.store, loose_objects.c.object_key))
        return {(row.store, row.object_key) for row in rows}


def _is_named_now(site: Site, store: str, key: str) -> bool:
    wanted = select(files.c.key).where(files.c.store == store, files.c.object_key == key).limit(1)
    with site.database.read() as connection:
        return connection.execute(wanted).first() is not None


def _orphan(site: Site, store: str, key: str, *, repair: bool) -> Finding:
    if repair:
        site.archive.delete(store, key)
    return Finding(Fault.ORPHAN, store, key, is_repaired=repair)


def _check(archive: Archive, item: Named, listed: int | None, *, digests: bool) -> Finding | None:
    def found(fault: Fault, detail: str = "") -> Finding:
        return Finding(fault, item.store, item.key, item.path, detail)

    try:
        size = archive.store(item.store).head(item.key).size if listed is None else listed
        if size != item.size:
            return found(Fault.SIZE, f"{size} bytes, not {item.size}")
        if digests and item.md5 and archive.md5(item.store, item.key) != item.md5:
            return found(Fault.DIGEST, f"not {item.md5}")
    except ObjectMissing:
        return found(Fault.MISSING)
    except ConnectomeDBError as fault:
        return found(Fault.UNREADABLE, str(fault))
    return None

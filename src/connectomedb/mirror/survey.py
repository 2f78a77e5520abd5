"""Finds out which files a subject has at or below a path, and what each ought to be.

The first store that lists anything is believed; manifests add size and MD5, and files that the store
lacks although their manifest names them. A file set is what listings and manifests say, never what a
template says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectomedb.errors import NotFound, ObjectMissing, StoreError
from connectomedb.hcp.manifest import Entry
from connectomedb.hcp.release import Release
from connectomedb.mirror.ledger import is_within
from connectomedb.stores.base import ObjectInfo, Store
from connectomedb.transfer.checksum import Expected, Proof

MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Survey:
    """What a subject has: path inside the subject → what it ought to be, and when it was published."""

    files: Mapping[str, Expected]
    modified: Mapping[str, datetime]


def survey(
    stores: Sequence[Store], release: Release, subject: str, path: str, manifests: Mapping[str, Entry]
) -> Survey:
    """List a subject's files at or below `path` (empty: all of them).

    Args:
        stores: in the order in which they are believed.
        manifests: path inside the subject → entry, over all manifests of the subject.
    Raises: NotFound when no store and no manifest knows the path; it says what is there instead.
    """
    root = f"{release.prefix}/{subject}/"
    listed = {info.key[len(root) :]: info for info in _list_first(stores, root, path)}
    files = {name: info.expected() for name, info in listed.items()}
    for name, entry in manifests.items():
        if is_within(name, path):
            files[name] = Expected(entry.size, entry.md5, Proof.MANIFEST)
    if not files:
        raise _not_found(stores, release, subject, path)
    return Survey(files, {name: info.modified for name, info in listed.items() if info.modified})


def _list_first(stores: Sequence[Store], root: str, path: str) -> list[ObjectInfo]:
    """What the first store that answers with anything lists; a fault counts only when no store answers."""
    fault: StoreError | None = None
    for store in stores:
        try:
            found = _list(store, root, path)
        except ObjectMissing:
            continue
        except StoreError as broken:
            fault = fault or broken
            continue
        if found:
            return found
    if fault is not None:
        raise fault
    return []


def _list(store: Store, root: str, path: str) -> list[ObjectInfo]:
    """The folder `path`, or the one file `path`."""
    if not path:
        return list(store.list(root))
    return list(store.list(f"{root}{path}/")) or [store.head(f"{root}{path}")]


def _not_found(stores: Sequence[Store], release: Release, subject: str, path: str) -> NotFound:
    """An error that says what stands in the nearest folder that exists."""
    parts = [release.prefix, subject, *(part for part in path.split("/") if part)]
    asked = f"Asked {release.project} for {'/'.join(parts[1:])}."
    for depth in range(len(parts) - 1, 0, -1):
        folder = "/".join(parts[:depth])
        names = _names_below(stores, f"{folder}/")
        if names:
            here = "/".join(parts[1:depth]) or release.project
            return NotFound(f"{asked} There is no such file or folder. {here} holds: {_shorten(names)}.", address=path)
    where = ", ".join(store.name for store in stores)
    return NotFound(f"{asked} Nothing of this release is at {where}. Check project and prefix.", address=path)


def _names_below(stores: Sequence[Store], folder: str) -> list[str]:
    for store in stores:
        try:
            level = store.list_level(folder)
        except StoreError:
            continue
        keys = [*level.prefixes, *(info.key for info in level.objects if info.key != folder)]
        if keys:
            return sorted(key[len(folder) :] for key in keys)
    return []


def _shorten(names: Iterable[str]) -> str:
    ordered = list(names)
    more = f" and {len(ordered) - MOST_NAMES} more" if len(ordered) > MOST_NAMES else ""
    return ", ".join(ordered[:MOST_NAMES]) + more

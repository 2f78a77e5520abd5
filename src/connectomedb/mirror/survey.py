"""Finds out which files a subject has at or below a path, and what each ought to be.

The first store that lists anything is believed; a mere copy, as folders are, only together with those that follow it:
it may lack files, manifests too, or have damaged ones. Manifests add size and MD5, and files that the store lacks
although their manifest names them: whether one of the next stores has those is looked up. A file set is what listings
and manifests say, never what a template says.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectomedb.errors import ManifestError, NotFound, ObjectMissing, StoreError
from connectomedb.hcp.manifest import Entry
from connectomedb.hcp.paths import fault_of_path
from connectomedb.hcp.release import Release
from connectomedb.mirror.ledger import is_within
from connectomedb.mirror.record import Record, Records
from connectomedb.stores.base import ObjectInfo, Store
from connectomedb.transfer.checksum import Expected, Proof

MOST_NAMES = 12
PAGE = 1000
"""Objects after which the listener hears how far a listing is."""


@dataclass(slots=True)
class Survey:
    """What a subject has: path inside the subject → what it ought to be; and what went wrong, in sentences.

    `asked` are the stores that listed it, `is_whole` whether one did that is no mere copy, or all were asked.
    """

    claims: Records = field(default_factory=Records)
    notes: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    is_whole: bool = True

    def take(self, store: str, listed: Records) -> None:
        """Take in what a store lists: of two claims on one file the stronger counts.

        Of sizes that nothing proves those of the later store count, for the earlier is a mere copy; where they differ,
        the later one is asked for the file first.
        """
        self.asked.add(store)
        if not self.claims:
            self.claims = listed
            return
        for path, later in listed.items():
            known = self.claims.get(path)
            if known is None:
                self.claims[path] = later
            elif known.expected.proof is Proof.SIZE:
                is_like = known.expected.size == later.expected.size
                self.claims[path] = replace(later, source=known.source if is_like else later.source)


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Asks the stores about one subject.

    Args:
        stores: in the order in which they are believed.
        on_listed: hears how many files were listed so far, page by page.
    """

    stores: Sequence[Store]
    release: Release
    subject: str
    on_listed: Callable[[int], None] = lambda count: None

    @property
    def root(self) -> str:
        """What the keys of the subject begin with."""
        return f"{self.release.prefix}/{self.subject}/"

    def survey(self, path: str) -> Survey:
        """The files at or below `path` (empty: all), as the stores have them up to the first that is no mere copy.

        None if none lists any. Raises StoreError when no store answers.
        """
        fault: StoreError | None = None
        found = Survey()
        for store in self.stores:
            misnamed = Misnamed(store.name)
            try:
                listed = Records.of(self._claims(store, path, misnamed))
            except ObjectMissing:
                continue
            except StoreError as broken:
                fault = fault or broken
                continue
            found.notes += misnamed.notes()
            if listed:
                found.take(store.name, listed)
                if not store.is_copy:
                    break
        else:
            found.is_whole = fault is None
        if fault is not None:
            if not found.claims:
                raise fault
            found.notes.insert(0, str(fault))
        return found

    def join(self, found: Survey, entries: Iterable[Entry], path: str) -> Survey:
        """What the listing and the manifests (entries of all of them, one after the other) say together of `path`.

        The claims found are changed in place, and entries are not kept: there may be a hundred thousand.
        Raises: NotFound when neither knows the path; it says what is there instead. ManifestError when two entries
            disagree on one file.
        """
        claims = found.claims
        lacking = []
        for entry in entries:
            if not is_within(entry.path, path):
                continue
            expected = Expected(entry.size, entry.md5, Proof.MANIFEST)
            known = claims.get(entry.path)
            if known is None:
                lacking.append(entry.path)
                claims[entry.path] = Record(expected)
            elif known.expected.proof is not Proof.MANIFEST:
                claims[entry.path] = Record(expected, None, known.modified, known.source)
            elif known.expected != expected:
                raise ManifestError(
                    f"Read the manifests of {self.subject}: {entry.path} is listed twice with different size or "
                    "checksum. Ask who publishes it which is right."
                )
        if not claims:
            raise self.not_found(path)
        notes = list(found.notes)
        for name, source in self._look_elsewhere(lacking, found, notes):
            claims[name] = replace(claims[name], source=source)
        return Survey(claims, notes, found.asked, found.is_whole)

    def not_found(self, path: str) -> NotFound:
        """An error that says what stands in the nearest folder that exists."""
        parts = [self.release.prefix, self.subject, *(part for part in path.split("/") if part)]
        asked = f"Asked {self.release.project} for {'/'.join(parts[1:])}."
        for depth in range(len(parts) - 1, 0, -1):
            folder = "/".join(parts[:depth])
            names = _names_below(self.stores, f"{folder}/")
            if names:
                here = "/".join(parts[1:depth]) or self.release.project
                said = f"There is no such file or folder. {here} holds: {shorten(names)}."
                return NotFound(f"{asked} {said}", address=path)
        where = ", ".join(store.name for store in self.stores)
        return NotFound(
            f"{asked} Nothing of this release is at {where}. Check project, prefix and bucket.", address=path
        )

    def _claims(self, store: Store, path: str, misnamed: "Misnamed") -> Iterator[tuple[str, Record]]:
        for count, info in enumerate(self._objects(store, path), 1):
            if count % PAGE == 0:
                self.on_listed(count)
            if misnamed.has(info.key):
                continue
            modified = info.modified.timestamp() if info.modified else None
            yield info.key[len(self.root) :], Record(info.expected(), None, modified, store.name)

    def _objects(self, store: Store, path: str) -> Iterator[ObjectInfo]:
        """The folder `path`, or the one file `path`; that with a slash at its end is a folder."""
        if not path or path.endswith("/"):
            yield from store.list(f"{self.root}{path}")
            return
        is_folder = False
        for info in store.list(f"{self.root}{path}/"):
            is_folder = True
            yield info
        if not is_folder:
            yield store.head(f"{self.root}{path}")

    def _look_elsewhere(self, lacking: Sequence[str], found: Survey, notes: list[str]) -> Iterator[tuple[str, str]]:
        """Which of the stores after the one that was believed lists a file that this one lacks."""
        left = set(lacking)
        for store in self.stores:
            if not left or store.name in found.asked:
                continue
            folder = posixpath.commonpath([posixpath.dirname(name) for name in left])
            try:
                below = store.list(self.root + (f"{folder}/" if folder else ""))
                listed = {info.key[len(self.root) :] for info in below}
            except ObjectMissing:
                continue
            except StoreError as fault:
                notes.append(str(fault))
                continue
            yield from ((name, store.name) for name in left & listed)
            left -= listed


@dataclass(slots=True)
class Misnamed:
    """Objects of a listing whose keys can be no paths; one of them must not keep all the others away.

    Some would lead out of the mirror's folder.
    """

    store: str
    count: int = 0
    named: list[str] = field(default_factory=list)

    def has(self, key: str) -> bool:
        """Whether a key is one of them; then it is noted."""
        fault = fault_of_path(key)
        if fault is None:
            return False
        self.count += 1
        if self.count <= MOST_NAMES:
            self.named.append(f"{key!r} ({fault})")
        return True

    def notes(self) -> Iterator[str]:
        """What there is to say of them, in a sentence."""
        if self.count:
            more = f" and {self.count - len(self.named)} more" if self.count > len(self.named) else ""
            yield (
                f"{self.store} lists {self.count} that can be no files of a folder, and were left out: "
                f"{', '.join(self.named)}{more}. Ask who publishes them to rename them."
            )


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


def shorten(names: Iterable[str]) -> str:
    """The first few names for a message, and how many more there are."""
    ordered = list(names)
    more = f" and {len(ordered) - MOST_NAMES} more" if len(ordered) > MOST_NAMES else ""
    return ", ".join(ordered[:MOST_NAMES]) + more

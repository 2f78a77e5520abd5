"""The quick answer: whether all chosen files of a subject are on disk as they were proven. No request, no plan.

The ledger's columns are compared with the disk, folder by folder; nothing else is built. What was read is kept in
memory for the next call, for as long as the ledger's file stays the same.
"""

import gc
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress, groupby
from pathlib import Path
from typing import TypeAlias

from connectomedb.mirror.choice import Choice
from connectomedb.mirror.file_reports import FileReport, FileReports
from connectomedb.mirror.ledger import Stamp, is_within
from connectomedb.mirror.ledger_file import DAMAGE, OnDisk, Runs, spread
from connectomedb.mirror.shelf import Shelf
from connectomedb.transfer.checksum import Proof

MOST_KEPT = 4
"""Subjects whose inventory stays in memory."""

Folder: TypeAlias = tuple[str, list[str], list[int | None], list[int | None]]
"""Name of a folder inside the subject; of files in it names, sizes and modification times in ns."""


@dataclass(slots=True)
class Inventory:
    """The chosen files of one subject as the ledger has them, all of which were on disk when it was written.

    `folders` are runs of files of one folder, in the order of paths; `proofs` and `by` say what proves each and which
    of `served` gave it.
    """

    root: str
    folders: list[Folder]
    proofs: Runs
    by: Runs
    served: list[tuple[str, ...]]
    _paths: list[Path] | None = None
    _reports: FileReports | None = None

    def is_there(self) -> bool:
        """Whether every file is on disk, with the size and time it had when it was proven."""
        return all(_are_there(self.root, *folder) for folder in self.folders)

    def paths(self) -> list[Path]:
        """Local paths, sorted."""
        if self._paths is None:
            with _uncollected():
                self._paths = [
                    path for folder, names, _, _ in self.folders for path in _below(Path(self.root + folder), names)
                ]
        return list(self._paths)

    def reports(self) -> FileReports:
        """A report per file, sorted by path."""
        if self._reports is None:
            self._reports = FileReports(sorted(self._each(), key=lambda report: report.path))
        return self._reports

    def _each(self) -> Iterator[FileReport]:
        root = self.root.rstrip("/")
        rows = (
            (folder, name, size)
            for folder, names, sizes, _ in self.folders
            for name, size in zip(names, sizes, strict=True)
        )
        for (folder, name, size), proof, by in zip(rows, spread(self.proofs), spread(self.by), strict=True):
            path = f"{folder}/{name}" if folder else name
            yield FileReport(path, root, size, False, Proof(proof), self.served[by])


class Inventories:
    """The inventories that were asked for last; safe to share between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Path, Choice], tuple[Stamp, Inventory | None]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, shelf: Shelf, subject: str, choice: Choice) -> Inventory | None:
        """The inventory of the chosen files if they are all on disk as proven, else None."""
        stamp, key = shelf.ledger.stamp(subject), (shelf.ledger.path(subject), choice)
        if stamp is None:
            return None
        with self._lock:
            known = self._kept.get(key)
        if known is None or known[0] != stamp:
            known = (stamp, take_inventory(shelf, subject, choice))
            with self._lock:
                self._kept[key] = known
                self._kept.move_to_end(key)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        inventory = known[1]
        return inventory if inventory is not None and inventory.is_there() else None


INVENTORIES = Inventories()
"""Those of this process: a mirror that is opened anew need not read the ledger anew."""


def take_inventory(shelf: Shelf, subject: str, choice: Choice) -> Inventory | None:
    """What the ledger says of the chosen files; None unless it lists them all and all were proven.

    Raises ConfigError when the folder holds another release.
    """
    text = shelf.ledger.read(subject)
    if text is None:
        return None
    try:
        if not any(not listed or is_within(choice.path, listed) for listed in text.texts("complete")):
            return None
        served, disk = text.served(), OnDisk.parse(text.disk)
        if choice.path or choice.is_filtered:
            disk = _chosen(disk, map(choice.filter(shelf.release, subject), disk.paths()))
        has_all = None not in disk.mtimes and all(proof is not None for proof, _ in disk.proofs)
        if not disk.names or not has_all or not all(0 <= by < len(served) for by, _ in disk.by):
            return None
        doubtful = text.unsynced().doubtful
        if doubtful and any(path in doubtful for path in disk.paths()):
            return None
        for proof, _ in disk.proofs:
            Proof(proof)
        return Inventory(f"{shelf.local(subject, '')}/", list(_folders(disk)), disk.proofs, disk.by, served)
    except DAMAGE:
        return None  # a damaged ledger: the files are looked at one by one, and it is written anew


def _chosen(disk: OnDisk, is_chosen: Iterable[bool]) -> OnDisk:
    """Some of the rows."""
    chosen = list(is_chosen)

    def narrow(column: Runs) -> Runs:
        return [(cell, sum(1 for _ in same)) for cell, same in groupby(compress(spread(column), chosen))]

    return OnDisk(
        narrow(disk.folders),
        list(compress(disk.names, chosen)),
        list(compress(disk.sizes, chosen)),
        list(compress(disk.mtimes, chosen)),
        narrow(disk.proofs),
        narrow(disk.by),
    )


def _folders(disk: OnDisk) -> Iterator[Folder]:
    start = 0
    for folder, count in disk.folders:
        rows = slice(start, start := start + count)
        yield folder, disk.names[rows], disk.sizes[rows], disk.mtimes[rows]


def _below(folder: Path, names: Sequence[str]) -> list[Path]:
    """Paths of files in a folder.

    By the way that pathlib itself takes for what it lists, where this Python has it: it need not parse names anew,
    which for thousands of files costs more than all the rest of a call.
    """
    child = getattr(folder, "_make_child_relpath", folder.joinpath)
    return [child(name) for name in names]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Garbage is not looked for while thousands of values are made that are none: it would take as long as they do."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _are_there(
    root: str, folder: str, names: Sequence[str], sizes: Sequence[int | None], mtimes: Sequence[int | None]
) -> bool:
    """Compare files of one folder. Relative to the open folder, as long paths take the system long to walk."""
    try:
        place = os.open(root + folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    stat = os.stat
    try:
        for name, size, mtime_ns in zip(names, sizes, mtimes, strict=True):
            facts = stat(name, dir_fd=place)
            if facts.st_mtime_ns != mtime_ns or (facts.st_size != size and size is not None):
                return False
    except (OSError, ValueError):
        return False
    finally:
        os.close(place)
    return True

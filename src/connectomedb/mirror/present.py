"""The quick answer: whether all chosen files of a subject are on disk as they were proven. No request, no plan.

The ledger's columns are compared with the disk, folder by folder; nothing else is built. What was read is kept in
memory for the next call, for as long as the ledger's file stays the same.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any, TypeAlias

from connectomedb.mirror.choice import Choice
from connectomedb.mirror.ledger import is_within
from connectomedb.mirror.report import FileReport
from connectomedb.mirror.shelf import Shelf
from connectomedb.transfer.checksum import Proof

MOST_KEPT = 4
"""Subjects whose inventory stays in memory."""

Row: TypeAlias = tuple[str, int | None, int]
"""Name inside its folder, size, modification time in ns."""

Stamp: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class Inventory:
    """The chosen files of one subject as the ledger has them, all of which were on disk when it was written.

    `folders` are runs of files of one folder, in the order of paths; `proofs` are proof and server of each file.
    """

    root: str
    folders: list[tuple[str, list[Row]]]
    proofs: list[tuple[str, int]]
    served: list[tuple[str, ...]]
    _paths: list[Path] = field(default_factory=list)
    _reports: tuple[FileReport, ...] = ()

    def is_there(self) -> bool:
        """Whether every file is on disk, with the size and time it had when it was proven."""
        return all(_are_there(self.root + folder, rows) for folder, rows in self.folders)

    def paths(self) -> list[Path]:
        """Local paths, sorted."""
        if not self._paths:
            paths: list[Path] = []
            for folder, rows in self.folders:
                place = Path(self.root + folder)
                paths.extend([place / row[0] for row in rows])
            self._paths = paths
        return list(self._paths)

    def reports(self) -> tuple[FileReport, ...]:
        """A report per file, sorted by path."""
        if not self._reports:
            rows = (
                (f"{folder}/{name}" if folder else name, size)
                for folder, rows in self.folders
                for name, size, _ in rows
            )
            root = self.root.rstrip("/")
            found = [
                FileReport(path, root, size, False, Proof(proof), self.served[by])
                for (path, size), (proof, by) in zip(rows, self.proofs, strict=True)
            ]
            self._reports = tuple(sorted(found, key=lambda report: report.path))
        return self._reports


class Inventories:
    """The inventories that were asked for last; safe to share between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Path, Choice], tuple[Stamp, Inventory | None]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, shelf: Shelf, subject: str, choice: Choice) -> Inventory | None:
        """The inventory of the chosen files if they are all on disk as proven, else None."""
        file = shelf.ledger.path(subject)
        try:
            facts = os.stat(file)
        except OSError:
            return None
        stamp, key = (facts.st_ino, facts.st_mtime_ns, facts.st_size), (file, choice)
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
    document = shelf.ledger.read(subject)
    if document is None:
        return None
    try:
        if not any(not listed or is_within(choice.path, listed) for listed in _texts(document["complete"])):
            return None
        served = [tuple(_texts(sources)) for sources in _cells(document["served"])]
        columns = [_cells(document[name]) for name in ("path", "size", "mtime_ns", "proof", "by")]
        if choice.path or choice.is_filtered:
            is_chosen = choice.filter(shelf.release, subject)
            chosen = [is_chosen(path) for path in _texts(columns[0])]
            columns = [list(compress(column, chosen)) for column in columns]
        paths, sizes, times, proofs, by = columns
        if not paths or None in times or max(by) >= len(served):
            return None
        folders = _by_folder(paths, sizes, times)
        return Inventory(f"{shelf.local(subject, '')}/", folders, list(zip(proofs, by, strict=True)), served)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # a damaged ledger: the files are looked at one by one, and it is written anew


def _by_folder(paths: list[str], sizes: list[int | None], times: list[int]) -> list[tuple[str, list[Row]]]:
    """Runs of files of one folder, in the order of the paths."""
    folders: list[tuple[str, list[Row]]] = []
    rows: list[Row] = []
    last = None
    for path, size, mtime_ns in zip(paths, sizes, times, strict=True):
        folder, _, name = path.rpartition("/")
        if folder != last:
            rows = []
            folders.append((folder, rows))
            last = folder
        rows.append((name, size, mtime_ns))
    return folders


def _are_there(folder: str, rows: list[Row]) -> bool:
    """Compare files of one folder. Relative to the open folder, as long paths take the system long to walk."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    stat = os.stat
    try:
        for name, size, mtime_ns in rows:
            facts = stat(name, dir_fd=place)
            if facts.st_mtime_ns != mtime_ns or (facts.st_size != size and size is not None):
                return False
    except OSError:
        return False
    finally:
        os.close(place)
    return True


def _cells(column: object) -> list[Any]:  # raw JSON
    if not isinstance(column, list):
        raise TypeError("not a column")
    return column


def _texts(column: object) -> Iterator[str]:
    return (str(cell) for cell in _cells(column))

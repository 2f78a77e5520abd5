"""The quick answer: whether all chosen files of a subject are on disk as they were proven. No request, no plan.

The ledger's columns are compared with the disk, folder by folder; nothing else is built. What was read is kept in
memory for the next call, for as long as the ledger's file stays the same.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress, groupby
from pathlib import Path
from typing import TypeAlias

from connectomedb.mirror.choice import Choice
from connectomedb.mirror.ledger import is_within
from connectomedb.mirror.report import FileReport
from connectomedb.mirror.shelf import Shelf
from connectomedb.transfer.checksum import Proof

MOST_KEPT = 4
"""Subjects whose inventory stays in memory."""

Row: TypeAlias = tuple[str, int | None, int, str, int]
"""Path inside the subject, size, modification time in ns, proof, who served it (an index)."""

Stamp: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class Inventory:
    """The chosen files of one subject as the ledger has them, all of which were on disk when it was written."""

    folder: Path
    rows: list[Row]
    served: list[tuple[str, ...]]
    _paths: list[Path] = field(default_factory=list)
    _reports: tuple[FileReport, ...] = ()

    def is_there(self) -> bool:
        """Whether every file is on disk, with the size and time it had when it was proven."""
        return all(_are_there(f"{self.folder}/{name}", rows) for name, rows in groupby(self.rows, _folder_of))

    def paths(self) -> list[Path]:
        """Local paths, sorted."""
        if not self._paths:
            for name, rows in groupby(self.rows, _folder_of):
                place = self.folder / name
                self._paths.extend([place / row[0].rpartition("/")[2] for row in rows])
        return list(self._paths)

    def reports(self) -> tuple[FileReport, ...]:
        """A report per file, sorted by path."""
        if not self._reports:
            found = [
                FileReport(path, local, size, False, Proof(proof), self.served[by])
                for (path, size, _, proof, by), local in zip(self.rows, self.paths(), strict=True)
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
        if not columns[0] or None in columns[2]:
            return None
        rows: list[Row] = list(zip(*columns, strict=True))
        if max(row[4] for row in rows) >= len(served):
            return None
        return Inventory(shelf.local(subject, ""), rows, served)
    except (KeyError, TypeError, ValueError):
        return None  # a damaged ledger: the files are looked at one by one, and it is written anew


def _are_there(folder: str, rows: Iterable[Row]) -> bool:
    """Compare files of one folder. Relative to the open folder, as long paths take the system long to walk."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    stat = os.stat
    try:
        for path, size, mtime_ns, _, _ in rows:
            facts = stat(path.rpartition("/")[2], dir_fd=place)
            if facts.st_mtime_ns != mtime_ns or (facts.st_size != size and size is not None):
                return False
    except OSError:
        return False
    finally:
        os.close(place)
    return True


def _folder_of(row: Row) -> str:
    return row[0].rpartition("/")[0]


def _cells(column: object) -> list[object]:
    if not isinstance(column, list):
        raise TypeError("not a column")
    return column


def _texts(column: object) -> Iterator[str]:
    return (str(cell) for cell in _cells(column))

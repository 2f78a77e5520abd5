"""How a ledger is written: three lines of JSON.

    {"format": 4, "release": "HCP_Q1", "complete": ["T1w", ".xdlm"], "asked": ["s3://bucket"],
     "names": ["s3://bucket", ...], "served": [["s3://bucket"], ...],
     "unsynced": {"boot": "...", "paths": [...]}}
    {"folder": [["T1w", 2], ...], "name": ["a.nii.gz", ...], "size": [...], "mtime_ns": [...],
     "proof": [["manifest", 2], ...], "by": [[0, 2], ...]}
    {"md5": [...], "claim": [["manifest", 2], ...], "modified": [...], "listed": [[0, 2], ...]}

The first says what the ledger is about: `complete` names the paths below which every file is listed (the empty path is
the whole subject), `asked` the stores that were asked for it, `unsynced` large files that may not be on the disk itself
should the machine go down that was started as `boot`. The second says what is on disk, which is all that a call
for files that are all there has to read; the third what else the files ought to be. Columns hold one cell per file,
ordered by the parts of its path; where neighbours mostly agree they are runs of a cell and how often it follows itself.
`listed` is an index into `names` (the store that lists the file), `by` one into `served`; `modified` is in seconds
since 1970. `mtime_ns`, `proof` and `by` are null where the file is not there.
"""

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain, groupby, islice, repeat
from typing import Any, Self

from connectomedb.mirror.record import Held, Record, Records
from connectomedb.mirror.unsynced import Unsynced
from connectomedb.transfer.checksum import Expected, Proof

FORMAT = 4
_CELLS = 4096
"""Cells that are written at once: the text of a whole column is large."""

Runs = list[tuple[Any, int]]  # raw JSON

DAMAGE = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)
"""What reading a damaged ledger raises."""


@dataclass(frozen=True, slots=True)
class Text:
    """A ledger as read: the first line's document, and the other two lines."""

    head: Mapping[str, object]
    disk: bytes
    claims: bytes

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Cut a file's content. Raises one of DAMAGE, also when the format is another."""
        head, disk, claims, *_ = content.split(b"\n", 3)
        document = json.loads(head)
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}, understood is {FORMAT}")
        return cls(document, disk, claims)

    def texts(self, name: str) -> list[str]:
        """A list of texts of the head."""
        return cells(self.head[name], str)

    def unsynced(self) -> Unsynced:
        """What may have been lost with the machine."""
        match self.head["unsynced"]:
            case {"boot": str(boot), "paths": paths}:
                return Unsynced(boot, frozenset(cells(paths, str)))
        raise TypeError("no account of what is unsynced")

    def served(self) -> list[tuple[str, ...]]:
        """The sources that `by` speaks of."""
        return [tuple(cells(sources, str)) for sources in cells(self.head["served"], list)]


@dataclass(frozen=True, slots=True)
class OnDisk:
    """The second line: what is on disk."""

    folders: Runs
    names: list[str]
    sizes: list[int | None]
    mtimes: list[int | None]
    proofs: Runs
    by: Runs

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Read it. Raises one of DAMAGE."""
        document = json.loads(line)
        names = cells(document["name"], str)
        sizes, mtimes = cells(document["size"], int, _NONE), cells(document["mtime_ns"], int, _NONE)
        if not len(names) == len(sizes) == len(mtimes):
            raise ValueError("columns of different lengths")
        return cls(
            runs(document["folder"], len(names), str),
            names,
            sizes,
            mtimes,
            runs(document["proof"], len(names), str, _NONE),
            runs(document["by"], len(names), int, _NONE),
        )

    def paths(self) -> Iterator[str]:
        """Paths inside the subject, row by row."""
        for folder, name in zip(spread(self.folders), self.names, strict=True):
            yield f"{folder}/{name}" if folder else name


def decode(text: Text) -> Iterator[tuple[str, Record]]:
    """Path and record, row by row. Raises one of DAMAGE."""
    disk, document = OnDisk.parse(text.disk), json.loads(text.claims)
    count = len(disk.names)
    proofs = {proof.value: proof for proof in Proof}
    names, served = text.texts("names"), text.served()
    columns = zip(
        disk.paths(),
        disk.sizes,
        cells(document["md5"], str, _NONE),
        spread(runs(document["claim"], count, str)),
        cells(document["modified"], float, int, _NONE),
        spread(runs(document["listed"], count, int, _NONE)),
        disk.mtimes,
        spread(disk.proofs),
        spread(disk.by),
        strict=True,
    )
    for path, size, md5, claim, modified, listed, mtime_ns, proof, by in columns:
        held = None if mtime_ns is None else Held(mtime_ns, proofs[proof], served[by])
        source = None if listed is None else names[listed]
        yield path, Record(Expected(size, md5, proofs[claim]), held, modified, source)


def encode(
    release: str, complete: Iterable[str], asked: Sequence[str], unsynced: Unsynced, records: Records
) -> Iterator[bytes]:
    """The file's content, piece by piece."""
    rows, claims = _rows_in_order(records), records.claims
    head = {
        "format": FORMAT,
        "release": release,
        "complete": sorted(complete),
        "asked": asked,
        "names": claims.sources.values,
        "served": records.served.values,
        "unsynced": {"boot": unsynced.boot, "paths": sorted(unsynced.paths)},
    }
    yield json.dumps(head, separators=(",", ":")).encode()
    yield from _object(
        {
            "folder": _runs(claims.paths[row].rpartition("/")[0] for row in rows),
            "name": (claims.paths[row].rpartition("/")[2] for row in rows),
            "size": (claims.size(row) for row in rows),
            "mtime_ns": (held.mtime_ns if held else None for held in map(records.held_in, rows)),
            "proof": _runs(held.proof.value if held else None for held in map(records.held_in, rows)),
            "by": _runs(records.served.code(held.sources) if held else None for held in map(records.held_in, rows)),
        }
    )
    yield from _object(
        {
            "md5": (claims.md5(row) for row in rows),
            "claim": _runs(claims.proof(row).value for row in rows),
            "modified": (_short(claims.modified(row)) for row in rows),
            "listed": _runs(
                None if claims.source(row) is None else claims.sources.code(claims.source(row)) for row in rows
            ),
        }
    )


def _rows_in_order(records: Records) -> "array[int]":
    """Rows by the parts of their paths; sorted in pieces, since keys for all at once take as much as the paths do."""
    left, pieces = iter(records), []
    while piece := sorted(islice(left, _CELLS), key=path_order):
        pieces.append(piece)
    return array("i", map(records.row, merge(*pieces, key=path_order)))


def path_order(path: str) -> str:
    """Key to sort paths as pathlib does, part by part: the end of a part comes before every letter."""
    return path.replace("/", "\0")


def cells(column: object, *kinds: type) -> list[Any]:  # raw JSON
    """A column, if all its cells are of these kinds; looked at all together, for there are thousands."""
    if not isinstance(column, list) or not set(map(type, column)) <= set(kinds):
        raise TypeError("not such a column")
    return column


def runs(column: object, count: int, *kinds: type) -> Runs:
    """A column of runs, if it stands for `count` cells of these kinds."""
    found = [(cell, length) for cell, length in cells(column, list)]
    cells([cell for cell, _ in found], *kinds)
    lengths = cells([length for _, length in found], int)
    if sum(lengths) != count or min(lengths, default=1) < 1:
        raise ValueError("runs of another length")
    return found


def spread(column: Runs) -> Iterator[Any]:  # raw JSON
    """The cells that runs stand for."""
    return chain.from_iterable(repeat(cell, length) for cell, length in column)


_NONE = type(None)


def _runs(values: Iterable[object]) -> Iterator[tuple[object, int]]:
    return ((value, sum(1 for _ in same)) for value, same in groupby(values))


def _short(seconds: float | None) -> float | int | None:
    """Whole seconds, as S3 and the web give them, are written and read in half the time of fractions."""
    return int(seconds) if seconds is not None and seconds.is_integer() else seconds


def _object(columns: Mapping[str, Iterable[object]]) -> Iterator[bytes]:
    opening = "\n{"
    for name, column in columns.items():
        yield f'{opening}"{name}":['.encode()
        opening = ","
        separator = ""
        values = iter(column)
        while some := list(islice(values, _CELLS)):
            yield f"{separator}{json.dumps(some, separators=(',', ':'))[1:-1]}".encode()
            separator = ","
        yield b"]"
    yield b"}"

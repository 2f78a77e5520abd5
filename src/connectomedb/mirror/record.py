"""What is known of a subject's files, in columns: some fifty bytes a file, where values of their own take five hundred.

A hundred thousand files should cost little more memory than a thousand. Single values are made when asked for.
"""

from array import array
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from math import isnan, nan
from os import stat_result
from typing import Generic, Self, TypeVar

from connectomedb.transfer.checksum import Expected, Proof

T = TypeVar("T")

NONE = -1
"""A cell without value, in columns of numbers."""

PROOFS = tuple(Proof)
PROOF_CODES = {proof: code for code, proof in enumerate(PROOFS)}
_HAS_MD5 = 0x80
_MD5_BYTES = 16


@dataclass(frozen=True, slots=True)
class Held:
    """A file on disk, as it was when proven: modification time in ns, proof, and who served it."""

    mtime_ns: int
    proof: Proof
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What a file ought to be, what we hold of it, when it was published, and which store lists it (None: none).

    `modified` is in seconds since 1970.
    """

    expected: Expected
    held: Held | None = None
    modified: float | None = None
    source: str | None = None

    def is_held(self, facts: stat_result) -> bool:
        """Whether the file on disk is still the one that was proven."""
        return (
            self.held is not None
            and facts.st_mtime_ns == self.held.mtime_ns
            and (self.expected.size is None or facts.st_size == self.expected.size)
        )


class Coded(Generic[T]):
    """Values that thousands of cells share, each kept once and told by its number; None is NONE."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._codes: dict[T, int] = {}

    def code(self, value: T | None) -> int:
        """The number of a value."""
        if value is None:
            return NONE
        code = self._codes.get(value)
        if code is None:
            code = self._codes[value] = len(self.values)
            self.values.append(value)
        return code

    def __getitem__(self, code: int) -> T | None:
        return None if code == NONE else self.values[code]


class ClaimColumns:
    """Paths, and what each file ought to be, row by row."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.sizes = array("q")
        self.sources: Coded[str] = Coded()
        self._md5s = bytearray()
        self._proofs = bytearray()
        self._modified = array("d")
        self._sources = array("i")

    def __len__(self) -> int:
        return len(self.paths)

    def add(self, path: str, expected: Expected, modified: float | None, source: str | None) -> None:
        """One more row."""
        self.paths.append(path)
        self.sizes.append(NONE)
        self._md5s += bytes(_MD5_BYTES)
        self._proofs.append(0)
        self._modified.append(nan)
        self._sources.append(NONE)
        self.put(len(self.paths) - 1, expected, modified, source)

    def put(self, row: int, expected: Expected, modified: float | None, source: str | None) -> None:
        """Overwrite a row. Raises ValueError for what is no MD5, OverflowError for what is no size."""
        code = PROOF_CODES[expected.proof]
        if expected.md5 is not None:
            md5 = bytes.fromhex(expected.md5)
            if len(md5) != _MD5_BYTES:
                raise ValueError(f"{expected.md5!r} is no MD5")
            self._md5s[row * _MD5_BYTES : (row + 1) * _MD5_BYTES] = md5
            code |= _HAS_MD5
        self.sizes[row] = NONE if expected.size is None else expected.size
        self._proofs[row] = code
        self._modified[row] = nan if modified is None else modified
        self._sources[row] = self.sources.code(source)

    def size(self, row: int) -> int | None:
        """Bytes that the file ought to have."""
        size = self.sizes[row]
        return None if size == NONE else size

    def md5(self, row: int) -> str | None:
        """MD5 that the file ought to have, in hex."""
        if not self._proofs[row] & _HAS_MD5:
            return None
        return self._md5s[row * _MD5_BYTES : (row + 1) * _MD5_BYTES].hex()

    def proof(self, row: int) -> Proof:
        """What size and MD5 prove when both agree."""
        return PROOFS[self._proofs[row] & ~_HAS_MD5]

    def expected(self, row: int) -> Expected:
        """What the file ought to be."""
        return Expected(self.size(row), self.md5(row), self.proof(row))

    def modified(self, row: int) -> float | None:
        """When it was published."""
        modified = self._modified[row]
        return None if isnan(modified) else modified

    def source(self, row: int) -> str | None:
        """Which store lists it."""
        return self.sources[self._sources[row]]


class Records(MutableMapping[str, Record]):
    """Path inside the subject → record."""

    def __init__(self) -> None:
        self.claims = ClaimColumns()
        self.served: Coded[tuple[str, ...]] = Coded()
        self._rows: dict[str, int] = {}
        self._mtimes = array("q")
        self._proofs = bytearray()
        self._served = array("i")

    @classmethod
    def of(cls, records: Iterable[tuple[str, Record]]) -> Self:
        """Records of paths; the last of several for one path counts."""
        found = cls()
        for path, record in records:
            found[path] = record
        return found

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __contains__(self, path: object) -> bool:
        return path in self._rows

    def __getitem__(self, path: str) -> Record:
        row = self._rows[path]
        claims = self.claims
        return Record(claims.expected(row), self.held_in(row), claims.modified(row), claims.source(row))

    def __setitem__(self, path: str, record: Record) -> None:
        row = self._rows.get(path)
        if row is None:
            self.claims.add(path, record.expected, record.modified, record.source)
            row = self._rows[path] = len(self.claims) - 1
            self._mtimes.append(NONE)
            self._proofs.append(0)
            self._served.append(NONE)
        else:
            self.claims.put(row, record.expected, record.modified, record.source)
        self._hold(row, record.held)

    def __delitem__(self, path: str) -> None:
        del self._rows[path]  # its cells are left where they are: a ledger is made anew by every run

    def row(self, path: str) -> int:
        """Where its cells are."""
        return self._rows[path]

    def hold(self, path: str, held: Held | None) -> None:
        """Record that a file is on disk, or no longer."""
        self._hold(self._rows[path], held)

    def held(self, path: str) -> Held | None:
        """What we hold of a file."""
        return self.held_in(self._rows[path])

    def held_in(self, row: int) -> Held | None:
        """What we hold of the file of a row."""
        mtime_ns = self._mtimes[row]
        served = self.served[self._served[row]]
        return None if served is None else Held(mtime_ns, PROOFS[self._proofs[row]], served)

    def are_all_held(self) -> bool:
        """Whether every file is on disk."""
        return all(self._served[row] != NONE for row in self._rows.values())

    def _hold(self, row: int, held: Held | None) -> None:
        self._served[row] = self.served.code(held.sources if held else None)
        if held is not None:
            self._mtimes[row] = held.mtime_ns
            self._proofs[row] = PROOF_CODES[held.proof]

"""Many files' reports as one compact sequence."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from connectomedb.errors import ConnectomeDBError
from connectomedb.mirror.record import NONE, PROOF_CODES, PROOFS, Coded
from connectomedb.transfer.checksum import Proof


@dataclass(frozen=True, slots=True)
class FileReport:
    """One wanted file: its size in bytes, what proves it, who served it, or what kept it away.

    Attributes:
        path: inside the subject.
        folder: the subject's own on this disk.
        fetched: whether this run brought it.
    """

    path: str
    folder: str
    size: int | None
    fetched: bool
    proof: Proof | None = None
    sources: tuple[str, ...] = ()
    error: ConnectomeDBError | None = None

    @property
    def local(self) -> Path:
        """Where it lies, made when asked for: a report holds thousands of files."""
        return Path(f"{self.folder}/{self.path}")


_FETCHED = 0x80
_NO_PROOF = len(PROOFS)


class FileReports(Sequence[FileReport]):
    """A sequence of reports, kept in columns (mirror.record)."""

    def __init__(self, reports: Iterable[FileReport] = ()) -> None:
        self._paths: list[str] = []
        self._sizes = array("q")
        self._flags = bytearray()
        self._shared = array("i")
        self._values: Coded[tuple[str, tuple[str, ...]]] = Coded()
        self._errors: dict[int, ConnectomeDBError] = {}
        for report in reports:
            self._add(report)

    @classmethod
    def of(cls, reports: Iterable[FileReport]) -> "FileReports":
        """The same, if they are compact already."""
        return reports if isinstance(reports, FileReports) else cls(reports)

    def _add(self, report: FileReport) -> None:
        if report.error is not None:
            self._errors[len(self._paths)] = report.error
        self._paths.append(report.path)
        self._sizes.append(NONE if report.size is None else report.size)
        proof = _NO_PROOF if report.proof is None else PROOF_CODES[report.proof]
        self._flags.append(proof | _FETCHED if report.fetched else proof)
        self._shared.append(self._values.code((report.folder, report.sources)))

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, index: int) -> FileReport: ...

    @overload
    def __getitem__(self, index: slice) -> "FileReports": ...

    def __getitem__(self, index: int | slice) -> "FileReport | FileReports":
        if isinstance(index, slice):
            return FileReports(self[row] for row in range(len(self))[index])
        row = range(len(self))[index]
        size, flags = self._sizes[row], self._flags[row]
        proof = flags & ~_FETCHED
        folder, sources = self._values.values[self._shared[row]]
        return FileReport(
            self._paths[row],
            folder,
            None if size == NONE else size,
            bool(flags & _FETCHED),
            None if proof == _NO_PROOF else PROOFS[proof],
            sources,
            self._errors.get(row),
        )

    def __iter__(self) -> Iterator[FileReport]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileReports):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((len(self), *self._paths[:1]))

    def __repr__(self) -> str:
        return f"<{len(self)} files>"

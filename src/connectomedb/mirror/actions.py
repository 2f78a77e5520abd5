"""Many actions as one compact sequence."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import overload

from connectomedb.mirror.record import ClaimColumns, Coded, Record
from connectomedb.transfer.checksum import Expected


class Act(StrEnum):
    """What is to be done with one file."""

    KEEP = "keep"
    CHECK = "check"
    FETCH = "fetch"


@dataclass(frozen=True, slots=True)
class Action:
    """One file: path inside the subject, what to do, the reason in words, and what it ought to be.

    `source` is the first store that lists it, None when no store does; `modified` is when it was published, in
    seconds since 1970.
    """

    path: str
    act: Act
    reason: str
    expected: Expected
    source: str | None = None
    modified: float | None = None

    def claim(self) -> Record:
        """What the action knows of the file, as the ledger keeps it."""
        return Record(self.expected, None, self.modified, self.source)


_ACTS = tuple(Act)
_ACT_CODES = {act: code for code, act in enumerate(_ACTS)}


class Actions(Sequence[Action]):
    """A sequence of actions, kept in columns (mirror.record)."""

    def __init__(self, actions: Iterable[Action] = ()) -> None:
        self._claims = ClaimColumns()
        self._acts = bytearray()
        self._reasons = array("i")
        self._texts: Coded[str] = Coded()
        for action in actions:
            self._claims.add(action.path, action.expected, action.modified, action.source)
            self._acts.append(_ACT_CODES[action.act])
            self._reasons.append(self._texts.code(action.reason))

    @classmethod
    def of(cls, actions: Iterable[Action]) -> "Actions":
        """The same, if they are compact already."""
        return actions if isinstance(actions, Actions) else cls(actions)

    def __len__(self) -> int:
        return len(self._acts)

    @overload
    def __getitem__(self, index: int) -> Action: ...

    @overload
    def __getitem__(self, index: slice) -> "Actions": ...

    def __getitem__(self, index: int | slice) -> "Action | Actions":
        if isinstance(index, slice):
            return Actions(self[row] for row in range(len(self))[index])
        row = range(len(self))[index]
        claims = self._claims
        return Action(
            claims.paths[row],
            _ACTS[self._acts[row]],
            self._texts.values[self._reasons[row]],
            claims.expected(row),
            claims.source(row),
            claims.modified(row),
        )

    def __iter__(self) -> Iterator[Action]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Actions):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((len(self), *self._claims.paths[:1]))

    def __repr__(self) -> str:
        return f"<{len(self)} actions>"

    def paths(self) -> Sequence[str]:
        """Their paths, in their order."""
        return self._claims.paths

    def act(self, row: int) -> Act:
        """What one is."""
        return _ACTS[self._acts[row]]

    def size(self, row: int) -> int | None:
        """Bytes that one is about."""
        return self._claims.size(row)

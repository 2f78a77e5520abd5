"""What a run tells while it goes on, as values; showing them is somebody else's work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from connectomedb.errors import ConnectomeDBError
from connectomedb.mirror.plan import Plan


@dataclass(frozen=True, slots=True)
class Listed:
    """So many files of a subject were listed so far."""

    subject: str
    count: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A subject was listed and compared; nothing is fetched yet."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Arrived:
    """Bytes came in."""

    size: int


@dataclass(frozen=True, slots=True)
class Ended:
    """One file is done, or was given up."""

    path: str
    error: ConnectomeDBError | None = None


Event: TypeAlias = Listed | Planned | Arrived | Ended
OnEvent: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Hear nothing."""

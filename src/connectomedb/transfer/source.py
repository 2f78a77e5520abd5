"""What the engine needs of a place that has the file."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

Sink: TypeAlias = Callable[[memoryview], None]
"""Takes the next piece of bytes. The view is valid only during the call."""

OnVersion: TypeAlias = Callable[[str], None]
"""Hears which version the bytes are of that come next; may refuse them with VersionChanged."""


def ignore(version: str) -> None:
    """Hear no version."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is wanted of a file: its bytes from `offset`, at most `length` of them (None: all that follow).

    `version` is what an earlier call told of the file; bytes of another version must not come.
    """

    offset: int = 0
    length: int | None = None
    version: str | None = None


class Streams(Enum):
    """How many requests at once carry most from a place."""

    ONE = "one stream is as fast as several"
    FEW = "the way takes no time: short requests, and few, cost the place least"
    MANY = "the way takes time, and each stream is bounded: many carry more, long ones wait less"


class Source(Protocol):
    """One file in one place."""

    @property
    def name(self) -> str:
        """For people: which store."""
        ...

    @property
    def streams(self) -> Streams:
        """How many requests at once serve best, as far as is known by now."""
        ...

    def pour(self, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand the bytes of a span to the sink, in order.

        `on_version` hears, before the first byte, which version (an ETag) they are of, if the place has such.
        Raises: StoreError; VersionChanged when the object is not that version any more.
        """
        ...

"""What the engine needs of a place that has the file."""

from collections.abc import Callable
from dataclasses import dataclass
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


class Source(Protocol):
    """One file in one place."""

    @property
    def name(self) -> str:
        """For people: which store."""
        ...

    @property
    def is_parallel(self) -> bool:
        """Whether several ranges at once are faster than one stream."""
        ...

    def pour(self, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand the bytes of a span to the sink, in order.

        `on_version` hears, before the first byte, which version (an ETag) they are of, if the place has such.
        Raises: StoreError; VersionChanged when the object is not that version any more.
        """
        ...

"""What the engine needs of a place that has the file."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

Sink: TypeAlias = Callable[[memoryview], None]
"""Takes the next piece of bytes. The view is valid only during the call."""


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

    def pour(self, sink: Sink, offset: int = 0, length: int | None = None, version: str | None = None) -> str | None:
        """Hand the bytes from `offset`, at most `length`, to the sink, in order.

        Args:
            version: what an earlier call returned; bytes of another version must not come.
        Returns: the version (an ETag) that the bytes belong to, None when the place has no such thing.
        Raises: StoreError; VersionChanged when the object is not that version any more.
        """
        ...

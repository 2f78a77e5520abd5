"""How many long bodies come at once from a store near by.

Between two places far apart each stream is slow, and more of them carry more. A store on this machine or beside it is
another case: a few streams fill whatever lies between, and each further one costs the store buffers and time
(docs/decisions/0005).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from connectomedb.errors import Interrupted

NEAR_BODIES = 5

_LOOK_S = 0.5


class Gate:
    """Lets a few long bodies through at a time, those of the longest files first. All files of a run share one.

    The longest files decide when a run ends; and while their bodies come, those of others come beside them, so that
    all are hashed side by side (transfer.digest).
    """

    def __init__(self, bodies: int = NEAR_BODIES) -> None:
        self._free = bodies
        self._waiting: list[int] = []
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many wait for room."""
        return len(self._waiting)

    @contextmanager
    def passing(self, size: int, stop: threading.Event) -> Iterator[None]:
        """Wait for room for a body of a file of `size` bytes, and take it until the end of the context.

        Raises Interrupted when the run is stopped.
        """
        with self._changed:
            self._waiting.append(size)
            try:
                while not self._free or size < max(self._waiting):
                    if stop.is_set():
                        raise Interrupted("The run was stopped. Run again to go on.")
                    self._changed.wait(_LOOK_S)
                self._free -= 1
            finally:
                self._waiting.remove(size)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

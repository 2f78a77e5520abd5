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
    """Lets a few long bodies through at a time. All files of a run share one."""

    def __init__(self, bodies: int = NEAR_BODIES) -> None:
        self._free = threading.BoundedSemaphore(bodies)

    @contextmanager
    def passing(self, stop: threading.Event) -> Iterator[None]:
        """Wait for room, and take it until the end of the context. Raises Interrupted when the run is stopped."""
        while not self._free.acquire(timeout=_LOOK_S):
            if stop.is_set():
                raise Interrupted("The run was stopped. Run again to go on.")
        try:
            yield
        finally:
            self._free.release()

"""Holds the bytes of many threads together to so many per second."""

import threading
import time
from collections.abc import Callable
from functools import cache

BURST_S = 0.25
"""What was left unused may be caught up with later, up to this many seconds' worth."""

LEAST_PER_WORKER = 250_000
"""Bytes per second below which a connection is not worth keeping: servers hang up on readers that are too slow."""


class Rate:
    """At most `bytes_per_s`, over all threads that call `spend`; None is no limit.

    Bytes are paid for after they came, one thread after the other: each call books the time that its bytes take
    behind what is booked already, and waits until that time has come.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, bytes_per_s: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = bytes_per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._booked_until = 0.0

    def spend(self, count: int, stop: threading.Event) -> None:
        """Wait until `count` more bytes may have passed, or `stop` is set."""
        if self._per_s is None:
            return
        with self._lock:
            now = self._clock()
            self._booked_until = max(self._booked_until, now - BURST_S) + count / self._per_s
            wait_s = self._booked_until - now
        if wait_s > 0:
            stop.wait(wait_s)

    def workers(self, wanted: int) -> int:
        """How many connections share the limit sensibly, at most `wanted`."""
        if self._per_s is None:
            return wanted
        return max(1, min(wanted, int(self._per_s / LEAST_PER_WORKER)))


@cache
def rate_of(bytes_per_s: float | None) -> Rate:
    """The limit that this process keeps: all subjects share one, or each of many small ones would begin afresh."""
    return Rate(bytes_per_s)

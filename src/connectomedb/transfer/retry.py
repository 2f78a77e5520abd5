"""Whether to try again, when, and whom to ask: the only place that waits before another try."""

import random
import threading
import time
from collections.abc import Callable, Sequence

from connectomedb.errors import ConnectomeDBError, StoreUnreachable
from connectomedb.transfer.source import Source

TRIES = 6
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 15.0
LONGEST_ASKED_S = 120.0
"""What a store may ask for; for more than that the run is not kept waiting."""
FAULTS_IN_A_ROW = 3
SHORTEST_ABSENCE_S = 2.0
LONGEST_ABSENCE_S = 120.0


class Patience:
    """How many more faults in a row one file may meet; the budget is full again when bytes flow."""

    def __init__(self, stop: threading.Event, tries: int = TRIES) -> None:
        self._stop = stop
        self._tries = tries
        self._faults = 0

    def progressed(self) -> None:
        """Bytes arrived."""
        self._faults = 0

    def wait_after(self, fault: ConnectomeDBError) -> bool:
        """Wait before another try; False when there is to be none.

        Waits are drawn between nothing and a bound that doubles, so that many clients that failed together do
        not come back together; a store's own `Retry-After` is the least.
        """
        self._faults += 1
        if not fault.transient or self._faults >= self._tries:
            return False
        bound = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**self._faults)
        asked = fault.retry_after_s if isinstance(fault, StoreUnreachable) else None
        return not self._stop.wait(max(random.uniform(0, bound), min(asked or 0.0, LONGEST_ASKED_S)))


class Health:
    """Which sources answer, over all files of a run; one that keeps failing is asked last for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._faults: dict[str, int] = {}
        self._away_until: dict[str, float] = {}

    def order(self, sources: Sequence[Source]) -> list[Source]:
        """The sources, those set aside at the end."""
        now = self._clock()
        with self._lock:
            return sorted(sources, key=lambda source: self._away_until.get(source.name, 0.0) > now)

    def answered(self, name: str) -> None:
        """A source gave bytes."""
        if self._faults.get(name):
            with self._lock:
                self._faults[name] = 0
                self._away_until.pop(name, None)

    def failed(self, name: str) -> None:
        """A source failed in a way that is its own: it does not answer, or denies."""
        with self._lock:
            faults = self._faults[name] = self._faults.get(name, 0) + 1
            if faults >= FAULTS_IN_A_ROW:
                absence = min(LONGEST_ABSENCE_S, SHORTEST_ABSENCE_S * 2 ** (faults - FAULTS_IN_A_ROW))
                self._away_until[name] = self._clock() + absence

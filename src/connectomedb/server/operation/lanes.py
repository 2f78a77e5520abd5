"""How many threads may do what at once, so that nothing that stands still takes the threads of all the rest.

    database    handlers, as many as the database gains from
    passwords   what is slow to check on purpose, and writing
    machines    questions of how the server is
    stores      whatever waits for a store of file bytes; of each store a lane of its own, and one for long work
    intake      keeping what was uploaded
    keys        bringing S3 keys in line with rights

A store that is frozen (a disk of the network, a bucket) keeps the threads of its own lane until its requests time
out. Who comes then is told to come back; listings, sign-in and the other stores go on.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from math import inf
from typing import TypeVar

from anyio import CapacityLimiter, fail_after, to_thread

from connectomedb.errors import ConnectomeDBError, StoreUnreachable

PASSWORD_THREADS = 1
MACHINE_THREADS = 4
STORE_THREADS = 32
LONG_THREADS = 2
"""Of each store, for what reads whole packages before it says a word."""

INTAKE_THREADS = 16
KEY_THREADS = 4

PATIENCE_S = 10.0
"""How long a request waits for one of its store's threads, in seconds, before it is told to come back."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


class BrokenOff(Exception):
    """Ends an answer that has begun and cannot be given; why is in the log already."""


class StoreLane:
    """The threads of one store, or of several that one answer is made from."""

    def __init__(self, name: str, threads: int, patience_s: float) -> None:
        self._name = name
        self._limiter = CapacityLimiter(threads)
        self._unbounded = CapacityLimiter(inf)
        self._patience_s = patience_s

    async def begin(self, work: Callable[[], T]) -> T:
        """What `work` returns, run in a thread of the lane. Raises StoreUnreachable when none becomes free in time."""
        try:
            with fail_after(self._patience_s):
                await self._limiter.acquire()
        except TimeoutError:
            message = f"All threads that ask the store {self._name} have waited for it for {self._patience_s:g} s."
            raise StoreUnreachable(message, store=self._name) from None
        try:
            return await to_thread.run_sync(work, limiter=self._unbounded)
        finally:
            self._limiter.release()

    async def pieces(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces, each fetched in a thread of the lane; an answer that has begun waits as long as it takes.

        Raises BrokenOff where the store fails: the client sees a body that is too short.
        """
        try:
            while (piece := await to_thread.run_sync(next, pieces, None, limiter=self._limiter)) is not None:
                yield piece
        except ConnectomeDBError as fault:
            logger.error("An answer breaks off: %s", fault)
            raise BrokenOff from fault


class Lanes:
    """The lanes of one process."""

    def __init__(self, readers: int) -> None:
        self.database = CapacityLimiter(readers)
        self.passwords = CapacityLimiter(PASSWORD_THREADS)
        self.machines = CapacityLimiter(MACHINE_THREADS)
        self.intake = CapacityLimiter(INTAKE_THREADS)
        self.keys = CapacityLimiter(KEY_THREADS)
        self._stores: dict[tuple[frozenset[str], bool], StoreLane] = {}

    def of_stores(self, names: frozenset[str], *, is_long: bool = False) -> StoreLane:
        """The lane of answers that are made from these stores; who does long work waits for as long as it takes."""
        if (names, is_long) not in self._stores:
            threads, patience_s = (LONG_THREADS, inf) if is_long else (STORE_THREADS, PATIENCE_S)
            self._stores[names, is_long] = StoreLane(", ".join(sorted(names)), threads, patience_s)
        return self._stores[names, is_long]

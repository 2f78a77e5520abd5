"""Runs many fetches with bounded workers, tries again what is transient, and reports as events.

The only place that waits before another try. Events are data; who shows them is no concern here.
"""

import random
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Generic, Protocol, TypeVar

from connectomedb.errors import ConnectomeDBError, DiskFull

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

WORKERS = 16
TRIES = 4
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 8.0


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of one job: a value, or the error that ended it."""

    name: str
    value: T | None = None
    error: ConnectomeDBError | None = None


class Job(Protocol[T_co]):
    """One piece of work with a name for people; may be run again after a transient fault."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def run(self, stop: Event) -> T_co:
        """Do it, and end soon with Interrupted once `stop` is set. Raises ConnectomeDBError."""
        ...


def run(
    jobs: Iterable[Job[T]],
    *,
    workers: int = WORKERS,
    on_outcome: Callable[[Outcome[T]], None] = lambda outcome: None,
) -> list[Outcome[T]]:
    """Run jobs in at most `workers` threads; `on_outcome` hears of each end, in this thread.

    Jobs are drawn from the iterable as workers come free. A full disk ends the whole run, since every
    further file would fail; an interrupt lets running jobs clean up and starts no new one.
    """
    outcomes: list[Outcome[T]] = []
    running: set[Future[Outcome[T]]] = set()
    queue = iter(jobs)
    stop = Event()
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="fetch")
    try:
        exhausted = False
        while running or not exhausted:
            while not exhausted and len(running) < 2 * workers:
                job = next(queue, None)
                if job is None:
                    exhausted = True
                else:
                    running.add(pool.submit(_attempt, job, stop))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                outcomes.append(outcome)
                on_outcome(outcome)
                exhausted = exhausted or isinstance(outcome.error, DiskFull)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return outcomes


def _attempt(job: Job[T], stop: Event) -> Outcome[T]:
    for attempt in range(1, TRIES + 1):
        try:
            return Outcome(job.name, value=job.run(stop))
        except ConnectomeDBError as fault:
            if not fault.transient or attempt == TRIES or stop.is_set():
                return Outcome(job.name, error=fault)
        # Full jitter: many clients that failed together do not come back together.
        stop.wait(random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)))
    raise AssertionError("unreachable: the last try returns")

"""Runs many jobs with bounded workers, and reports each end.

Waiting and trying again is `transfer.retry`'s; who displays what ended is no concern here.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Generic, Protocol, TypeVar

from connectomedb.errors import ConnectomeDBError, DiskFull

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

WORKERS = 16


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of one job: a value, or the error that ended it."""

    name: str
    value: T | None = None
    error: ConnectomeDBError | None = None


class Job(Protocol[T_co]):
    """One piece of work with a name for people."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def run(self) -> T_co:
        """Do it. Raises ConnectomeDBError."""
        ...


def run(
    jobs: Iterable[Job[T]],
    *,
    stop: Event,
    workers: int = WORKERS,
    on_outcome: Callable[[Outcome[T]], None] = lambda outcome: None,
) -> list[Outcome[T]]:
    """Run jobs in at most `workers` threads; `on_outcome` hears of each end, in this thread.

    Jobs are drawn from the iterable as workers come free. `stop` is set when the run ends early: jobs that look
    at it end soon with Interrupted. That is so on an interrupt, and when the disk is full, since every further
    file would fail.
    """
    outcomes: list[Outcome[T]] = []
    running: set[Future[Outcome[T]]] = set()
    queue = iter(jobs)
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="fetch")
    try:
        exhausted = False
        while running or not exhausted:
            while not exhausted and len(running) < 2 * workers:
                job = next(queue, None)
                if job is None:
                    exhausted = True
                else:
                    running.add(pool.submit(_attempt, job))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                outcomes.append(outcome)
                on_outcome(outcome)
                if isinstance(outcome.error, DiskFull):
                    exhausted = True
                    stop.set()
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return outcomes


def _attempt(job: Job[T]) -> Outcome[T]:
    try:
        return Outcome(job.name, value=job.run())
    except ConnectomeDBError as fault:
        return Outcome(job.name, error=fault)

"""Runs many jobs with bounded workers, and reports each end.

Waiting and trying again is `transfer.retry`'s; who displays what ended is no concern here.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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
    stop: threading.Event,
    workers: int = WORKERS,
    on_outcome: Callable[[Outcome[T]], None],
) -> None:
    """Run jobs in at most `workers` threads; `on_outcome` hears of each end, in this thread.

    Jobs are drawn from the iterable as workers come free. `stop` is set when the run ends early: jobs that look
    at it end soon with Interrupted. That is so on an interrupt, and when the disk is full, since every further
    file would fail.
    """
    line = _Line(iter(jobs), stop)
    threads = [threading.Thread(target=line.work, name=f"fetch-{number}", daemon=True) for number in range(workers)]
    try:
        for thread in threads:
            thread.start()
        for outcome in line.outcomes(len(threads)):
            on_outcome(outcome)
    except BaseException:
        line.close()
        raise
    finally:
        for thread in threads:
            if thread.is_alive():  # an interrupt may come before all were started
                thread.join()


class _Line(Generic[T]):
    """Jobs that wait their turn, and the outcomes that come back; threads take the next as they come free.

    Plain threads over one queue: an executor's futures, waited for by the thousand, cost as much as a small file.
    """

    def __init__(self, jobs: Iterator[Job[T]], stop: threading.Event) -> None:
        self._jobs = jobs
        self._stop = stop
        self._is_open = True
        self._lock = threading.Lock()
        self._ended: queue.SimpleQueue[Outcome[T] | BaseException | None] = queue.SimpleQueue()

    def close(self) -> None:
        """Hand out no further job, and let those under way end soon."""
        self._is_open = False
        self._stop.set()

    def work(self) -> None:
        """A thread's life: job after job."""
        try:
            while (job := self._next()) is not None:
                outcome = _attempt(job)
                if isinstance(outcome.error, DiskFull):
                    self.close()
                self._ended.put(outcome)
            self._ended.put(None)
        except BaseException as fault:  # a mistake of ours: it is raised where the run was asked for
            self._ended.put(fault)

    def outcomes(self, threads: int) -> Iterator[Outcome[T]]:
        """Outcomes as they come, until every thread has ended."""
        while threads:
            ended = self._ended.get()
            if ended is None:
                threads -= 1
            elif isinstance(ended, Outcome):
                yield ended
            else:
                raise ended

    def _next(self) -> Job[T] | None:
        with self._lock:
            return next(self._jobs, None) if self._is_open else None


def _attempt(job: Job[T]) -> Outcome[T]:
    try:
        return Outcome(job.name, value=job.run())
    except ConnectomeDBError as fault:
        _let_go(fault)
        return Outcome(job.name, error=fault)


def _let_go(fault: BaseException | None) -> None:
    """Drop the frames that a kept error holds: buffers of thousands of failed files would stay in memory."""
    while fault is not None:
        fault.__traceback__ = None
        fault = fault.__cause__ or fault.__context__

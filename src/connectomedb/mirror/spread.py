"""Does a piece of work for many subjects: on other machines, or a few ahead of their turn on this one.

On a Dask cluster it is one task per subject over the same mirror folder; tasks share nothing but that folder.
Anything else that submits work as `concurrent.futures` does will serve, too.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

AHEAD = 4
"""Subjects that are listed at once."""

T = TypeVar("T")
U = TypeVar("U")


@runtime_checkable
class Cluster(Protocol):
    """What we need of a `dask.distributed.Client`."""

    def get_executor(self) -> Executor:
        """The cluster as an executor."""
        ...


Scheduler: TypeAlias = Cluster | Executor
"""Where tasks run: a `dask.distributed.Client`, or an executor."""


def spread(scheduler: Scheduler, work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """Run `work` on each item somewhere, and give the results as they come.

    The first fault is raised; what has not begun by then is called off, as it is when the iterator is closed.
    """
    if isinstance(scheduler, Cluster):
        with scheduler.get_executor() as executor:
            yield from _results(executor, work, items)
    else:
        yield from _results(scheduler, work, items)


def _results(executor: Executor, work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    pending = {executor.submit(work, item) for item in items}
    try:
        for future in as_completed(tuple(pending)):
            pending.discard(future)  # a release's results are not to be held all at once
            yield future.result()
    finally:
        for future in pending:
            future.cancel()


def ahead(work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """Results in the order of the items; a few are worked on before they are asked for, in threads."""
    waiting: deque[Future[U]] = deque()
    with ThreadPoolExecutor(AHEAD, thread_name_prefix="ahead") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

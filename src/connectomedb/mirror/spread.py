"""Does a piece of work for many subjects: on other machines, or a few ahead of their turn on this one.

On a Dask cluster it is one task per subject over the same mirror folder; tasks share nothing but that folder.
Anything else that submits work as `concurrent.futures` does will serve, too.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from typing import Protocol, TypeAlias, TypeVar

AHEAD = 4
"""Subjects that are listed at once."""

T = TypeVar("T")
U = TypeVar("U")


class Task(Protocol):
    """A piece of work on a cluster."""

    def result(self) -> object:
        """What it came to; waits for it. Raises what it raised."""
        ...


class Cluster(Protocol):
    """What we need of a `dask.distributed.Client`."""

    def submit(self, func: Callable[..., object], *args: object, pure: bool) -> Task:
        """Have a call done somewhere; one that is not pure is done even if an equal one was."""
        ...

    def cancel(self, futures: Sequence[Task]) -> None:
        """Call off what has not begun."""
        ...


Scheduler: TypeAlias = Cluster | Executor
"""Where tasks run: a `dask.distributed.Client`, or an executor of `concurrent.futures`."""


def spread(scheduler: Scheduler, work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """Run `work` on each item somewhere, and give the results as they come.

    The first fault is raised; what has not begun by then is called off, as it is when the iterator is closed.
    """
    if isinstance(scheduler, Executor):
        return _over_executor(scheduler, work, items)
    return _over_cluster(scheduler, work, items)


def _over_executor(executor: Executor, work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    pending = {executor.submit(work, item) for item in items}
    try:
        for future in as_completed(tuple(pending)):
            pending.discard(future)  # a release's results are not to be held all at once
            yield future.result()
    finally:
        for future in pending:
            future.cancel()


def _over_cluster(cluster: Cluster, work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    from distributed import as_completed as as_ended

    pending = {cluster.submit(work, item, pure=False) for item in items}
    try:
        for task in as_ended(list(pending)):
            pending.discard(task)
            yield task.result()
    finally:
        if pending:
            cluster.cancel(list(pending))


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

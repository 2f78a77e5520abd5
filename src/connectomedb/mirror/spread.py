"""Lets other machines bring subjects: one task per subject on a Dask cluster, over the same mirror folder.

Tasks share nothing but that folder. Anything else that submits work as `concurrent.futures` does will serve, too.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, as_completed
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

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

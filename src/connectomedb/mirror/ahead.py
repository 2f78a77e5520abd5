"""Items of an iterator, made by a thread of their own before they are asked for."""

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")

BATCH = 500
BATCHES = 20
"""So many wait at most: whoever takes them may be slower, and there may be a hundred thousand."""

_LOOK_S = 0.5


@contextmanager
def made_ahead(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """Let a thread make items until the context ends. Taking them raises what making them raised, in its place."""
    made: queue.Queue[list[T] | BaseException] = queue.Queue(BATCHES)
    stop = threading.Event()

    def hand_over(batch: list[T] | BaseException) -> None:
        while not stop.is_set():
            try:
                made.put(batch, timeout=_LOOK_S)
            except queue.Full:
                continue
            return

    def make() -> None:
        left = iter(items)
        try:
            while (batch := list(islice(left, BATCH))) and not stop.is_set():
                hand_over(batch)
            hand_over([])
        except BaseException as fault:  # it belongs to whoever takes
            hand_over(fault)

    def batches() -> Iterator[list[T]]:
        while batch := made.get():
            if isinstance(batch, BaseException):
                raise batch
            yield batch

    threading.Thread(target=make, name="ahead", daemon=True).start()
    try:
        yield chain.from_iterable(batches())
    finally:
        stop.set()

"""Items made ahead: in their order, never too many, and a fault comes where it happened."""

import threading
from collections.abc import Iterator

import pytest

from connectomedb.mirror.ahead import BATCH, BATCHES, made_ahead


def test_all_come_in_their_order() -> None:
    count = 3 * BATCH + 1
    with made_ahead(range(count)) as items:
        assert list(items) == list(range(count))


def test_they_are_made_before_they_are_asked_for_by_another_thread() -> None:
    made_by, done = list[str](), threading.Event()

    def make() -> Iterator[int]:
        made_by.append(threading.current_thread().name)
        yield 1
        done.set()

    with made_ahead(make()) as items:
        assert done.wait(10)
        assert list(items) == [1] and made_by == ["ahead"]


def test_a_fault_is_raised_behind_what_came_before_it() -> None:
    def make() -> Iterator[int]:
        yield from range(BATCH)
        raise ValueError("broken")

    with made_ahead(make()) as items:
        assert [next(items) for _ in range(BATCH)] == list(range(BATCH))
        with pytest.raises(ValueError, match="broken"):
            next(items)


def test_who_does_not_take_them_bounds_how_many_are_made() -> None:
    made, ended = list[int](), threading.Event()

    def make() -> Iterator[int]:
        try:
            for number in range(10 * BATCH * BATCHES):
                made.append(number)
                yield number
        finally:
            ended.set()

    with made_ahead(make()) as items:
        assert next(items) == 0
    assert ended.wait(10)
    assert len(made) <= BATCH * (BATCHES + 2)

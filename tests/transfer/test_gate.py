"""The gate: few long bodies at a time, those of the longest files first, and nobody waits beyond a stop."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from connectomedb.errors import Interrupted
from connectomedb.transfer.gate import Gate

SOON_S = 10


def start(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_as_many_pass_as_there_is_room_for() -> None:
    gate, stopped = Gate(2), threading.Event()
    stopped.set()
    with gate.passing(1, stopped), gate.passing(1, stopped), pytest.raises(Interrupted), gate.passing(1, stopped):
        pass
    with gate.passing(1, stopped):
        assert gate.waiting == 0


def test_the_longest_file_goes_first() -> None:
    gate, stop, passed = Gate(1), threading.Event(), list[int]()

    def pass_through(size: int) -> None:
        with gate.passing(size, stop):
            passed.append(size)

    with gate.passing(1, stop):
        threads = [start(partial(pass_through, size)) for size in (20, 300, 1)]
        deadline = time.monotonic() + SOON_S
        while gate.waiting < len(threads) and time.monotonic() < deadline:
            time.sleep(0.001)
        assert (gate.waiting, passed) == (len(threads), [])
    for thread in threads:
        thread.join(SOON_S)
    assert passed == [300, 20, 1]

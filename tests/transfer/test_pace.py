"""Bytes that only drip are told from bytes that come slowly, however long what came is worked on."""

import time
from collections.abc import Iterator

import pytest

from connectomedb.transfer.pace import LEAST_BYTES_PER_S, Pace, at_pace

PATIENCE_S = 20.0


@pytest.mark.parametrize("size", [1, 100, LEAST_BYTES_PER_S - 1])
def test_drops_are_as_good_as_silence(size: int) -> None:
    pace = Pace(PATIENCE_S)
    with pytest.raises(TimeoutError, match="hardly any bytes"):
        for _ in range(22):
            pace.came(size, 1.0)


def test_patience_is_kept_to_the_end() -> None:
    pace = Pace(PATIENCE_S)
    for _ in range(20):
        pace.came(0, 1.0)


def test_slow_is_slow_and_no_fault() -> None:
    pace = Pace(PATIENCE_S)
    for _ in range(1000):
        pace.came(LEAST_BYTES_PER_S, 1.0)


def test_what_came_fast_before_does_not_pay_for_drops_later() -> None:
    pace = Pace(PATIENCE_S)
    for _ in range(21):
        pace.came(1 << 20, 1.0)
    with pytest.raises(TimeoutError):
        for _ in range(21):
            pace.came(1, 1.0)


def test_pieces_pass_unchanged_and_the_time_of_who_takes_them_does_not_count() -> None:
    taken: list[bytes] = []
    for piece in at_pace([b"a", b"", b"bc"], 0.02):
        time.sleep(0.03)
        taken.append(piece)
    assert taken == [b"a", b"", b"bc"]


def test_a_body_that_drips_ends_with_what_came() -> None:
    def drip() -> Iterator[bytes]:
        while True:
            time.sleep(0.01)
            yield b"."

    taken: list[bytes] = []
    with pytest.raises(TimeoutError):
        taken.extend(at_pace(drip(), 0.05))
    assert len(taken) < 10

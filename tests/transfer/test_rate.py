"""Bytes of many threads are held to a limit; sizes are read and written as people do."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import ConfigError
from connectomedb.transfer.rate import BURST_S, Rate
from connectomedb.transfer.sizes import format_size, parse_size


class Clock(threading.Event):
    """Time that passes only while somebody waits; also the event that would stop the waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.floats(1e3, 1e6))
def test_bytes_never_pass_faster_than_the_limit(counts: list[int], limit: float) -> None:
    clock = Clock()
    rate = Rate(limit, lambda: clock.now)
    for count in counts:
        rate.spend(count, clock)
    spent = clock.now - 100.0
    assert spent >= sum(counts) / limit - BURST_S - 1e-6
    assert spent <= sum(counts) / limit + 1e-6


def test_a_pause_may_be_caught_up_with_but_not_for_long() -> None:
    clock = Clock()
    rate = Rate(1000.0, lambda: clock.now)
    rate.spend(1000, clock)
    clock.now += 3600.0
    before = clock.now
    rate.spend(1000, clock)
    assert clock.now - before == pytest.approx(1.0 - BURST_S)


def test_without_limit_nobody_waits() -> None:
    clock = Clock()
    Rate(None, lambda: clock.now).spend(10**12, clock)
    assert clock.now == 100.0


def test_a_stop_ends_the_waiting() -> None:
    stop = threading.Event()
    rate = Rate(1.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(rate.spend, 10**9, stop)
        stop.set()
        waiting.result(timeout=10)


def test_threads_share_one_limit() -> None:
    rate, stop = Rate(1e6), threading.Event()
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: rate.spend(100_000, stop), range(8)))
    assert time.monotonic() - started >= 0.8 - BURST_S - 0.05


@pytest.mark.parametrize(("limit", "workers"), [(None, 16), (1e9, 16), (1e6, 4), (1e5, 1), (1, 1)])
def test_a_low_limit_is_shared_by_few_connections(limit: float | None, workers: int) -> None:
    assert Rate(limit).workers(16) == workers


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("1234", 1234),
        ("10MB", 10**7),
        ("10 MB", 10**7),
        ("10mb/s", 10**7),
        ("1.5G", 1_500_000_000),
        ("2GiB", 2 << 30),
        ("512KiB", 512 << 10),
        ("1tb", 10**12),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "MB", "-1", "1,5GB", "10 apples", "1e9", "ten", "1.MB", "9" * 99])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no number of bytes"):
        parse_size(text)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (5 * 10**15, "5000.0 TB")]
)
def test_sizes_are_written_short(count: int, text: str) -> None:
    assert format_size(count) == text


@given(st.integers(0, 10**14))
def test_a_size_comes_back_nearly_the_same(count: int) -> None:
    assert parse_size(format_size(count)) == pytest.approx(count, rel=0.06)

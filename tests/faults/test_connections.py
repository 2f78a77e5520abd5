"""Connections that break off, fall silent or are slow: the file comes all the same, and is right."""

import pytest

from tests.faults.faults import Chunked, Cut, Delay, Fault, Stall, always, on_connections, on_first
from tests.faults.proxy import Proxy
from tests.faults.site import LARGE, LARGE_BYTES, SMALL, Site

MIB = 1 << 20


def test_the_proxy_alone_changes_nothing(site: Site, proxy: Proxy) -> None:
    site.fetch_whole()
    assert proxy.sent == sum(map(len, site.published.files.values()))
    assert not proxy.struck


@pytest.mark.parametrize("reset", [True, False], ids=["RST", "FIN"])
def test_every_connection_breaks_off_and_the_file_comes(site: Site, proxy: Proxy, reset: bool) -> None:
    proxy.rule = always(Cut(3 * MIB, reset=reset))
    site.fetch_whole(LARGE)
    assert proxy.struck[Cut] >= LARGE_BYTES // (3 * MIB) - 1
    assert proxy.sent <= 2 * LARGE_BYTES


@pytest.mark.parametrize("reset", [True, False], ids=["RST", "FIN"])
@pytest.mark.parametrize("after", [0, 1, 499])
def test_replies_that_break_off_at_once_are_asked_for_again(
    site: Site, proxy: Proxy, after: int, reset: bool
) -> None:
    proxy.rule = on_first(8, Cut(after, reset=reset))
    site.fetch_whole(SMALL)
    assert proxy.struck[Cut] == 8


def test_connections_fall_silent_and_the_file_comes(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_first(3, Stall(MIB))
    site.fetch_whole(LARGE)
    assert proxy.struck[Stall] >= 1


def test_small_files_behind_silent_connections_come(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_connections(5, Stall(100))
    site.fetch_whole(SMALL)
    assert proxy.struck[Stall] >= 1


@pytest.mark.parametrize("fault", [Delay(0.05), Chunked()], ids=["delay", "chunked"])
def test_slow_and_unusual_replies_are_as_good_as_others(site: Site, proxy: Proxy, fault: Fault) -> None:
    proxy.rule = always(fault)
    site.fetch_whole(SMALL)
    site.fetch_whole(LARGE)
    assert proxy.struck[type(fault)] >= len(site.published.below(SMALL))


def test_a_store_that_is_gone_in_mid_run_is_told_and_what_came_stays(site: Site, proxy: Proxy) -> None:
    def go_away() -> None:
        proxy.rule = lambda request: Cut(0)

    proxy.when_sent(200_000, go_away)
    report = site.try_fetch(SMALL)
    here = set(site.on_disk())
    assert here and not isinstance(report, Exception) and report.failures
    assert all(error.error is not None and error.error.transient for error in report.failures.values())
    proxy.forget()
    site.fetch_whole(SMALL)
    assert proxy.sent == sum(len(content) for path, content in site.published.below(SMALL).items() if path not in here)

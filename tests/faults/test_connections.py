"""Connections that break off, fall silent or are slow: the file comes all the same, and is right."""

import time

from tests.faults.faults import (
    Chunked,
    Cut,
    Delay,
    Drip,
    Headed,
    Stall,
    Whole,
    always,
    in_turn,
    on_connections,
    on_first,
    on_keys,
)
from tests.faults.proxy import Proxy
from tests.faults.site import LARGE, SMALL, Site

MIB = 1 << 20


def test_the_proxy_alone_changes_nothing(site: Site, proxy: Proxy) -> None:
    site.fetch_whole()
    assert proxy.sent == sum(len(content) for path, content in site.published.files.items() if ".xdlm" not in path)
    assert not proxy.struck


def test_replies_that_break_off_at_once_are_asked_for_again(site: Site, proxy: Proxy) -> None:
    places = [(after, reset) for after in (0, 1, 499) for reset in (True, False)]
    proxy.rule = on_keys({f"{number:02}.txt": Cut(*place) for number, place in enumerate(places)}, times=2)
    site.fetch_whole(SMALL)
    assert proxy.struck[Cut] == 2 * len(places)


def test_connections_fall_silent_and_the_file_comes(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_first(3, Stall(MIB))
    site.fetch_whole(LARGE)
    assert proxy.struck[Stall] >= 1


def test_small_files_behind_silent_connections_come(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_connections(5, Stall(100))
    site.fetch_whole(SMALL)
    assert proxy.struck[Stall] >= 1


def test_connections_that_only_drip_are_given_up_and_the_file_comes_once(site: Site, proxy: Proxy) -> None:
    site.timeout_s = 0.4
    proxy.rule = on_first(3, Drip(MIB))
    site.fetch_whole(LARGE)
    assert proxy.struck[Drip] >= 1
    assert proxy.sent <= len(site.published.files[LARGE]) + 3 * MIB


def test_bytes_that_drip_where_the_wire_is_not_plain_are_given_up_too(site: Site, proxy: Proxy) -> None:
    """Encoded replies are left to the other engine, whose own request then drips."""
    site.timeout_s = 0.4
    (path, content), *_ = site.published.below(SMALL).items()
    proxy.rule = in_turn(Headed({"Content-Encoding": "gzip"}), Drip(0, every_s=0.05))
    started = time.monotonic()
    site.fetch_whole(path)
    assert proxy.struck[Drip] == 1
    assert time.monotonic() - started < 0.05 * len(content) / 2, "the file came drop by drop"


def test_slow_replies_are_as_good_as_others(site: Site, proxy: Proxy) -> None:
    proxy.rule = always(Delay(0.05))
    site.fetch_whole(SMALL)
    site.fetch_whole(LARGE)
    assert proxy.struck[Delay] >= len(site.published.below(SMALL))


def test_replies_without_a_length_do_no_harm(site: Site, proxy: Proxy) -> None:
    files = dict.fromkeys(("00.txt", "01.txt", "02.txt"), Chunked())
    proxy.rule = on_keys(files)
    site.fetch_whole(SMALL)
    assert proxy.struck[Chunked] >= len(files)


def test_large_files_may_come_in_chunks(site: Site, proxy: Proxy) -> None:
    proxy.rule = always(Chunked())
    site.fetch_whole(LARGE)
    assert proxy.struck[Chunked] > 1


def test_a_store_that_ignores_ranges_gives_right_files(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_first(20, Whole())
    site.fetch_whole(LARGE)


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

"""Processes that are killed while they fetch, and several that fetch the same files at once."""

import json
import random

from tests.faults.runner import RUN_S, start
from tests.faults.site import Site

KILLS = 6
SEED = 7
CROWD = 6


def test_a_killed_process_leaves_nothing_wrong_and_the_next_ones_complete(site: Site) -> None:
    dice = random.Random(SEED)
    total = sum(map(len, site.published.files.values()))
    killed = 0
    for _ in range(KILLS):
        with site.watched(), start(site) as process:
            site.proxy.when_sent(site.proxy.sent + int(total * dice.random()), process.kill)
            process.communicate(timeout=RUN_S)
        killed += process.returncode != 0
        site.check_disk()
    assert killed >= KILLS // 2
    site.recover()


def test_a_process_killed_while_it_lists_or_records_leaves_nothing_wrong(site: Site) -> None:
    for requests in (1, 2, 3):
        with start(site) as process:
            site.proxy.when_asked(requests, process.kill)
            process.communicate(timeout=RUN_S)
        site.check_disk()
        site.proxy.forget()
    site.recover()


def test_processes_that_fetch_the_same_files_at_once_all_have_them(site: Site) -> None:
    with site.watched():
        crowd = [start(site) for _ in range(CROWD)]
        replies = [process.communicate(timeout=RUN_S)[0] for process in crowd]
    assert [process.returncode for process in crowd] == [0] * CROWD
    for reply in replies:
        assert set(json.loads(reply).values()) == {None}
    assert site.holds(site.published.files)
    site.recover()

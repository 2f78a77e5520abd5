"""Processes that are killed while they fetch, and several that fetch the same files at once."""

import json
import os
import random
from pathlib import Path

from tests.faults.proxy import Proxy
from tests.faults.runner import CROWD_SCRIPT, RUN_S, start
from tests.faults.site import Published, Site

KILLS = 6
SEED = 7
CROWD = int(os.environ.get("CONNECTOMEDB_CROWD", "50"))
CROWD_S = 60 + CROWD
"""No crowd takes so long."""


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


def test_a_crowd_that_wants_the_same_files_at_once_fetches_them_about_once(
    published: Published, proxy: Proxy, tmp_path: Path
) -> None:
    """Jobs of a cluster on one shared folder whose locks do nothing: all have the files, the store sends them once."""
    site = Site(published, proxy, tmp_path)
    total = sum(len(content) for path, content in published.files.items() if ".xdlm" not in path)
    with site.watched():
        reply = start(site, str(CROWD), script=CROWD_SCRIPT).communicate(timeout=CROWD_S)[0]
    assert json.loads(reply) == {"well": CROWD, "codes": [0]}
    assert site.holds(published.files)
    assert proxy.sent <= 1.5 * total
    site.recover()

"""Processes that are killed while they fetch, and several that fetch the same files at once."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from tests.faults.site import Site

SCRIPT = Path(__file__).with_name("fetch_once.py")
KILLS = 6
SEED = 7
CROWD = 6
RUN_S = 60


def start(site: Site, *more: str) -> subprocess.Popen[str]:
    """A process that fetches the whole subject into the site's folder."""
    access = site.published.access
    keys = {"AWS_ACCESS_KEY_ID": access.access_key or "", "AWS_SECRET_ACCESS_KEY": access.secret_key or ""}
    command = [sys.executable, str(SCRIPT), site.proxy.endpoint_url, site.published.bucket, str(site.root), *more]
    return subprocess.Popen(command, env={**os.environ, **keys}, stdout=subprocess.PIPE, text=True)


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
    assert site.on_disk() == site.published.files
    site.recover()

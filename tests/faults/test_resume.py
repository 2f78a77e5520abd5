"""What came once is not fetched again: in the same run, in a later one, in another process."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.faults import Cut, Stall, always, on_connections, s3_error
from tests.faults.proxy import Proxy
from tests.faults.runner import RUN_S, start
from tests.faults.site import LARGE, PREFIX, SUBJECT, Published, Site, manifest_of, upload, upload_parts

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ConnectomeDBError
from connectomedb.hcp.manifest import manifest_path
from connectomedb.mirror.report import Report
from connectomedb.stores.s3 import S3Store
from connectomedb.transfer.large import LANES, RANGE_BYTES

MIB = 1 << 20
SIZE = 48 * MIB
CAME = 36 * MIB
"""Bytes that pass before the store goes away."""

UNPROVEN = (LANES + 1) * RANGE_BYTES
"""So much of what came may be fetched again: bytes that were on their way."""

KILLED_AT = 44 * MIB
UNWRITTEN = 32 * MIB
"""So much of what came to a killed process may be fetched again: a few ranges of which it had not yet taken note."""

OLD, NEW = (random.Random(seed).randbytes(SIZE) for seed in (1, 2))


@pytest.fixture(scope="module")
def covered(s3_access: S3Settings, s3_store: Callable[[str], S3Store]) -> Published:
    """One large file and its manifest."""
    store = s3_store("resume")
    files = {LARGE: OLD, manifest_path(SUBJECT, "3T_all"): manifest_of({LARGE: OLD})}
    upload(store, files)
    return Published(store.bucket, s3_access, files)


@pytest.fixture
def site(covered: Published, proxy: Proxy, tmp_path: Path) -> Site:
    return Site(covered, proxy, tmp_path)


@pytest.fixture
def changing(s3_access: S3Settings, s3_store: Callable[[str], S3Store], proxy: Proxy, tmp_path: Path) -> Site:
    """A large file that no manifest covers, and that may be the old one or the new one."""
    store = s3_store("changing")
    store.put(f"{PREFIX}{LARGE}", OLD)
    return Site(Published(store.bucket, s3_access, {LARGE: OLD}), proxy, tmp_path, also_right={LARGE: {NEW}})


def test_a_later_run_goes_on_where_the_store_went_away(site: Site, proxy: Proxy) -> None:
    break_off(site)
    site.recover(LARGE)
    assert proxy.sent <= SIZE - CAME + UNPROVEN


def test_a_later_run_goes_on_where_a_killed_process_was(site: Site, proxy: Proxy) -> None:
    with start(site) as process:
        proxy.when_sent(KILLED_AT, process.kill)
        process.communicate(timeout=RUN_S)
    assert process.returncode < 0
    site.check_disk()
    site.recover(LARGE)
    assert proxy.sent <= SIZE - KILLED_AT + UNWRITTEN


def test_a_run_that_completes_leaves_nothing_of_the_ones_before(site: Site, proxy: Proxy) -> None:
    with start(site) as process:
        proxy.when_sent(KILLED_AT, process.kill)
        process.communicate(timeout=RUN_S)
    site.recover()
    assert site.leftovers() == []


def test_what_a_broken_disk_did_to_an_unfinished_file_never_lands(site: Site) -> None:
    break_off(site)
    for path in (site.root / PREFIX / name for name in site.leftovers()):
        size = path.stat().st_size
        with path.open("r+b") as file:
            for place in range(size // 2, size, MIB):
                file.seek(place)
                file.write(b"broken"[: size - place])
    site.recover(LARGE)


def test_an_object_replaced_between_two_runs_is_fetched_from_its_beginning(changing: Site) -> None:
    break_off(changing)
    replace(changing)
    with changing.watched():
        changing.check(changing.fetch(LARGE))
        changing.check(changing.fetch(LARGE, refresh=True))
    assert changing.holds({LARGE: NEW})


def test_an_object_without_checksum_replaced_between_two_runs_is_never_half_old(changing: Site) -> None:
    upload_parts(changing.published.access, changing.published.bucket, LARGE, OLD)
    break_off(changing)
    upload_parts(changing.published.access, changing.published.bucket, LARGE, NEW)
    with changing.watched():
        changing.check(changing.fetch(LARGE))
        changing.check(changing.fetch(LARGE, refresh=True))
    assert changing.holds({LARGE: NEW})


def test_an_object_replaced_after_its_listing_comes_without_listing_by_hand(changing: Site, proxy: Proxy) -> None:
    break_off(changing)
    replace(changing)
    changing.fetch(LARGE).raise_for_failures()
    assert changing.holds({LARGE: NEW})


@pytest.mark.parametrize("reset", [True, False], ids=["RST", "FIN"])
def test_every_connection_breaks_off_and_the_file_comes_once(site: Site, proxy: Proxy, reset: bool) -> None:
    proxy.rule = always(Cut(3 * MIB, reset=reset))
    site.fetch_whole(LARGE)
    assert proxy.struck[Cut] >= SIZE // (3 * MIB) - 1
    assert proxy.sent <= SIZE + UNPROVEN


def test_every_connection_falls_silent_and_the_file_comes_once(site: Site, proxy: Proxy) -> None:
    site.timeout_s = 0.3
    proxy.rule = always(Stall(5 * MIB))
    site.fetch_whole(LARGE)
    assert proxy.struck[Stall] >= SIZE // (5 * MIB) - 1
    assert proxy.sent <= SIZE + UNPROVEN


def test_one_silent_connection_does_not_hold_up_the_others(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_connections(3, Stall(2 * MIB))
    site.fetch_whole(LARGE)
    assert proxy.sent <= SIZE + UNPROVEN


def break_off(site: Site) -> None:
    """A run whose store hangs up after most of the file, and refuses from then on."""

    def refuse() -> None:
        site.proxy.rule = always(s3_error(403, "ExpiredToken"))
        site.proxy.hang_up()

    site.proxy.when_sent(CAME, refuse)
    outcome = site.try_fetch(LARGE)
    assert isinstance(outcome, ConnectomeDBError) or (isinstance(outcome, Report) and LARGE in outcome.failures)
    assert LARGE not in site.on_disk()
    site.proxy.forget()


def replace(site: Site) -> None:
    """Put the new file in the place of the old one."""
    S3Store(site.published.bucket, site.published.access).put(f"{PREFIX}{LARGE}", NEW)

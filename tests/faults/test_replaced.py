"""Objects that are replaced while they are read: the old file or the new one, never some of each."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.faults import PASS, Cut, Fault, Request, Rule, on_data
from tests.faults.proxy import Proxy
from tests.faults.site import PREFIX, SUBJECT, Published, Site, manifest_of, upload, upload_parts

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ConnectomeDBError
from connectomedb.hcp.manifest import manifest_path
from connectomedb.stores.s3 import S3Store

FILE = "Late/scan.bin"
SIZE = 12 << 20
OLD, NEW = (random.Random(seed).randbytes(SIZE) for seed in (1, 2))


@pytest.fixture
def store(s3_store: Callable[[str], S3Store]) -> S3Store:
    return s3_store("replaced")


@pytest.fixture
def site(store: S3Store, s3_access: S3Settings, proxy: Proxy, tmp_path: Path) -> Site:
    """A file that no manifest covers, and that may be the old one or the new one."""
    store.put(f"{PREFIX}{FILE}", OLD)
    return Site(Published(store.bucket, s3_access, {FILE: OLD}), proxy, tmp_path, also_right={FILE: {NEW}})


def on_second_request(replace: Callable[[], None]) -> Rule:
    """The first reply breaks off in the middle; before the second, the object is replaced."""
    numbers: list[int] = []

    def rule(request: Request) -> Fault:
        numbers.append(request.number)
        if len(numbers) == 1:
            return Cut(3 << 20)
        if len(numbers) == 2:
            replace()
        return PASS

    return on_data(rule)


def test_a_file_with_a_checksum_is_never_half_old_and_half_new(site: Site, store: S3Store, proxy: Proxy) -> None:
    proxy.rule = on_second_request(lambda: upload(store, {FILE: NEW}))
    site.try_fetch(FILE)
    assert proxy.struck[Cut] == 1
    proxy.forget()
    site.check(site.fetch(FILE, refresh=True))
    assert site.holds({FILE: NEW})


def test_a_file_without_a_checksum_is_never_half_old_and_half_new(site: Site, proxy: Proxy) -> None:
    access, bucket = site.published.access, site.published.bucket
    upload_parts(access, bucket, FILE, OLD)
    proxy.rule = on_second_request(lambda: upload_parts(access, bucket, FILE, NEW))
    site.try_fetch(FILE)
    assert proxy.struck[Cut] == 1
    proxy.forget()
    site.check(site.fetch(FILE, refresh=True))


def test_a_file_of_another_length_replaces_the_old_one_whole(site: Site, store: S3Store, proxy: Proxy) -> None:
    longer = NEW + b"more"
    site.also_right[FILE] = {longer}
    proxy.rule = on_second_request(lambda: upload(store, {FILE: longer}))
    site.try_fetch(FILE)
    proxy.forget()
    site.check(site.fetch(FILE, refresh=True))
    assert site.holds({FILE: longer})


def test_what_the_manifest_does_not_say_does_not_land(site: Site, store: S3Store, proxy: Proxy) -> None:
    covered = {FILE: OLD, manifest_path(SUBJECT, "3T_all"): manifest_of({FILE: OLD})}
    site = Site(Published(store.bucket, site.published.access, covered), proxy, site.root)
    upload(store, covered)
    proxy.rule = on_second_request(lambda: upload(store, {FILE: NEW}))
    outcome = site.try_fetch(FILE)
    assert isinstance(outcome, ConnectomeDBError) or FILE in outcome.failures
    assert FILE not in site.on_disk()
    upload(store, {FILE: OLD})
    site.recover(FILE)

"""A disk that is full, or does not take large files: told as such, nothing wrong lands, and room cures it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.proxy import Proxy
from tests.faults.runner import RUN_S, start
from tests.faults.site import LARGE, SMALL, Published, Site

from connectomedb.errors import DiskFull
from connectomedb.mirror.report import Report

SMALL_DISK, LARGE_DISK = "size=12m", "size=80m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory with room for less than half of the subject."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", SMALL_DISK, "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_told_and_more_room_cures_it(published: Published, proxy: Proxy, small_disk: Path) -> None:
    site = Site(published, proxy, small_disk)
    outcome = site.try_fetch()
    if isinstance(outcome, Report):
        assert any(isinstance(file.error, DiskFull) for file in outcome.failures.values())
    else:
        assert isinstance(outcome, DiskFull)
    assert LARGE not in site.on_disk()
    subprocess.run(["mount", "-o", f"remount,{LARGE_DISK}", str(small_disk)], check=True)
    site.recover()


def test_a_disk_that_was_full_holds_what_fits(published: Published, proxy: Proxy, small_disk: Path) -> None:
    site = Site(published, proxy, small_disk)
    site.try_fetch()
    site.recover(SMALL)


def test_a_limit_on_file_size_is_told_as_a_full_disk_and_spares_the_small_files(site: Site) -> None:
    with start(site, str(4 << 20)) as process:
        errors = json.loads(process.communicate(timeout=RUN_S)[0])
    assert errors[LARGE] == "DiskFull"
    site.check_disk()
    assert LARGE not in site.on_disk()
    site.recover()

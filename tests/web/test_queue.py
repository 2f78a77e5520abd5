"""The package queue in a browser: what there is, a lockfile that `cdb sync` brings, a zip with its progress."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from connectomedb.cohort.lockfile import parse_lockfile

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

PASSWORD = "correct horse battery"
QUEUE = "/projects/HCP_Q1/queue"
MOTOR = "3T_tfMRI_MOTOR_preproc"


@pytest.fixture(scope="module")
def reader(people: People) -> str:
    return people.reader()


def test_from_the_dashboard_over_the_queue_to_files_on_disk(
    browse: Browse,
    reader: str,
    clean_env: dict[str, str],
    tmp_path: Path,
    check_access: CheckAccess,
    shoot: Callable[[Page, str], None],
) -> None:
    page = browse(reader, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/projects/HCP_Q1/subjects?where=Gender+%3D+'F'")
    page.get_by_role("link", name="Download images").click()
    expect(page.locator(".counter")).to_have_text("1 subjects")
    row = page.locator(f"tr[data-package='{MOTOR}']")
    expect(row).to_contain_text("1 of 1")
    row.get_by_role("checkbox").check()
    page.get_by_label("Files like").fill("T1w/T1w_acpc_dc_restore_brain.nii.gz")
    page.get_by_role("button", name="Put into the queue").click()
    totals = page.locator("#totals")
    expect(totals).to_have_attribute("data-done", "true")
    files = int(totals.get_attribute("data-files") or 0)
    assert files == int(row.get_attribute("data-files") or 0) + 1
    check_access(page)
    shoot(page, "queue")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the lockfile").click()
    assert waiting.value.suggested_filename == "HCP_Q1.cdb.toml"
    waiting.value.save_as(tmp_path / "HCP_Q1.cdb.toml")
    locked = list(parse_lockfile((tmp_path / "HCP_Q1.cdb.toml").read_text()).each_file())
    assert len(locked) == files
    page.get_by_role("button", name="Copy the command").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    words = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert words[:2] == ["cdb", "sync"]
    environment = {**clean_env, "XNAT_USER": reader, "XNAT_PASS": PASSWORD}
    program = [sys.executable, "-m", "connectomedb", *words[1:]]
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    on_disk = {path.stat().st_size for path in (tmp_path / "HCP_Q1").rglob("*_brain.nii.gz")}
    assert {one.size for _, path, one in locked if path.endswith("_brain.nii.gz")} == on_disk
    for label, path, one in locked:
        assert (tmp_path / "HCP_Q1" / "q1" / label / path).stat().st_size == one.size


def test_a_small_zip_comes_with_progress_and_manifests(browse: Browse, reader: str, tmp_path: Path) -> None:
    page = browse(reader)
    page.goto(f"{QUEUE}?pattern=T1w/T1w_acpc_dc_restore_brain.nii.gz")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the zip").click()
    expect(page.locator("#zip-says")).to_have_text(re.compile(r"saved as HCP_Q1\.zip"))
    waiting.value.save_as(tmp_path / "got.zip")
    with zipfile.ZipFile(tmp_path / "got.zip") as packed:
        assert packed.testzip() is None
        names = packed.namelist()
    for label in ("100307", "103515", "200614"):
        assert f"{label}/.xdlm/{label}_selection.json" in names
        assert f"{label}/T1w/T1w_acpc_dc_restore_brain.nii.gz" in names
    bar = page.locator("#zip-progress")
    assert bar.get_attribute("max") == str((tmp_path / "got.zip").stat().st_size)


def test_the_queue_reads_without_script(browse: Browse, reader: str, faults: Faults) -> None:
    faults.forgive("422")
    page = browse(reader, java_script_enabled=False)
    page.goto(QUEUE)
    page.locator(f"tr[data-package='{MOTOR}']").get_by_role("checkbox").check()
    page.get_by_role("button", name="Put into the queue").click()
    expect(page.locator("#totals")).to_contain_text("3 of 3 subjects")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the zip").click()
    assert zipfile.is_zipfile(waiting.value.path())
    page.goto(f"{QUEUE}?where=Age_in_Yrs+>+1")
    expect(page.get_by_role("alert")).to_contain_text("there is no column Age_in_Yrs")


def test_packages_are_narrowed_by_session_and_level(browse: Browse, reader: str) -> None:
    page = browse(reader)
    page.goto(QUEUE)
    rows = page.locator("tr[data-package]:visible")
    expect(page.locator("#totals")).to_have_attribute("data-done", "true")
    available = rows.count()
    page.get_by_label("Processing level").select_option("unprocessed")
    assert 0 < rows.count() < available
    page.get_by_label("Processing level").select_option("All")
    page.get_by_label("Only what somebody has").uncheck()
    assert rows.count() > available


def test_all_subjects_are_counted_part_after_part(browse: Browse, reader: str, people: People) -> None:
    with people.client(reader) as client:
        whole = client.get("/data/projects/HCP_Q1/explore/files", params={"package": MOTOR}).json()["wanted"]
    page = browse(reader)
    page.goto(f"{QUEUE}?package={MOTOR}&first=1")
    totals = page.locator("#totals")
    expect(totals).to_have_attribute("data-done", "true")
    assert {name: int(totals.get_attribute(f"data-{name}") or -1) for name in whole} == whole
    row = page.locator(f"tr[data-package='{MOTOR}']")
    expect(row).to_contain_text("3 of 3")

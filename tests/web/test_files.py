"""The file browser: folder by folder to a file's bytes."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

FILES = "/projects/HCP_Q1/subjects/100307/files"


def test_from_resources_down_to_a_file(
    browse: Browse, people: People, check_access: CheckAccess, shoot: Callable[[Page, str], None]
) -> None:
    page = browse(people.reader())
    page.goto(FILES)
    check_access(page)
    page.get_by_role("link", name="100307_CREST", exact=True).click()
    page.get_by_role("link", name="T1w/", exact=True).click()
    check_access(page)
    shoot(page, "files")
    row = page.get_by_role("row").filter(has_text="T1w_acpc_dc_restore_brain.nii.gz")
    address = row.get_by_role("link").first.get_attribute("href") or ""
    expect(row.get_by_role("link", name="View")).to_have_attribute("href", "/view?file=" + address.replace("/", "%2F"))
    digest = (row.get_by_role("link").first.get_attribute("title") or "").removeprefix("MD5 ")
    with page.expect_download() as started:
        row.get_by_role("link").first.click()
    assert started.value.suggested_filename == "T1w_acpc_dc_restore_brain.nii.gz"
    assert hashlib.md5(started.value.path().read_bytes()).hexdigest() == digest


def test_a_folder_downloads_as_a_zip_of_all_below_it(browse: Browse, people: People) -> None:
    page = browse(people.reader(), java_script_enabled=False)
    page.goto(f"{FILES}?experiment=100307_CREST&resource=100307_CREST&folder=T1w/Diffusion")
    names = {name for name in page.locator("tbody th").all_inner_texts() if not name.endswith("/")}
    with page.expect_download() as started:
        page.get_by_role("link", name="Download Diffusion as zip").click()
    with zipfile.ZipFile(started.value.path()) as packed:
        assert names <= {name.rpartition("/")[2] for name in packed.namelist()}


def test_folders_and_resources_that_are_not_there_are_said_so(browse: Browse, people: People, faults: Faults) -> None:
    faults.forgive("404")
    page = browse(people.reader())
    for query in (
        "experiment=100307_CREST&resource=nothing",
        "resource=../../../xapi/users",
        "experiment=100307_CREST&resource=100307_CREST&folder=nowhere",
    ):
        page.goto(f"{FILES}?{query}")
        expect(page.get_by_role("alert")).to_contain_text("There is no")

"""One's own account: tokens and keys whose secrets are shown once, grants, password."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from connectomedb.config.s3 import s3_settings
from connectomedb.errors import StoreError
from connectomedb.stores.s3 import S3Store

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

PASSWORD = "correct horse battery"


def test_a_token_is_shown_once_works_and_ends(browse: Browse, people: People, check_access: CheckAccess) -> None:
    page = browse(people.reader("restricted"))
    page.goto("/account")
    expect(page.get_by_role("row").filter(has_text="Collaborators")).to_contain_text("restricted")
    page.get_by_role("button", name="Make a token").click()
    check_access(page)
    alias, secret = (page.locator(name).inner_text() for name in ("#alias", "#secret"))
    with people.client(alias, secret) as program:
        assert program.get("/data/auth").status_code == 200
    page.goto("/account")
    assert secret not in page.content()
    check_access(page)
    page.get_by_role("button", name=f"End the token {alias}").click()
    expect(page.get_by_role("status")).to_contain_text("The token is ended")
    with people.client(alias, secret) as program:
        assert program.get("/data/auth").status_code == 401


def test_s3_keys_are_shown_once_and_work_as_the_page_says(
    browse: Browse,
    people: People,
    check_access: CheckAccess,
    shoot: Callable[[Page, str], None],
    clean_env: dict[str, str],
    tmp_path: Path,
) -> None:
    page = browse(people.user())
    page.goto("/")
    page.get_by_role("link", name="Data available on Amazon S3").click()
    page.get_by_role("button", name="Create my S3 keys").click()
    access, secret = (page.locator(name).inner_text() for name in ("#access-key", "#secret-key"))
    store = S3Store(people.stage.bucket, s3_settings(access, secret, endpoint_url=people.stage.s3_endpoint))
    credentials = Path(clean_env["HOME"]) / ".aws" / "credentials"
    credentials.parent.mkdir()
    credentials.write_text(page.locator("#credentials").inner_text())
    by_cdb = (
        page.locator("#cdb")
        .inner_text()
        .replace("PROJECT/SUBJECT", "HCP_Q1/100307/T1w/T1w_acpc_dc_restore_brain.nii.gz")
    )
    by_boto3 = page.locator("#boto3").inner_text()
    check_access(page)
    shoot(page, "s3-keys")

    environment = {**clean_env, "PATH": f"{Path(sys.executable).parent}:{clean_env['PATH']}"}
    _wait_until_it_opens(store)
    assert "100307" in _shell(by_cdb.splitlines()[0], environment, tmp_path)
    assert "1 fetched" in _shell(by_cdb.splitlines()[1], environment, tmp_path)
    script = by_boto3.replace("s3.list_objects_v2", "print(s3.list_objects_v2") + ")"
    assert "q1/100307/" in _shell(f"{sys.executable} -c '{script}'", environment, tmp_path)

    page.goto("/")
    page.get_by_role("link", name="Amazon S3 access enabled").click()
    assert secret not in page.content()
    page.get_by_role("button", name="End them").click()
    expect(page.get_by_role("button", name="Create my S3 keys")).to_be_visible()


def _shell(command: str, environment: dict[str, str], folder: Path) -> str:
    ran = subprocess.run(command, shell=True, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    return ran.stdout + ran.stderr


def _wait_until_it_opens(store: S3Store) -> None:
    """Keys are in force some seconds after they were made."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            store.head("q1/100307/T1w/T1w_acpc_dc_restore_brain.nii.gz")
        except StoreError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError("the keys never opened the bucket")


def test_a_password_changes_only_for_who_knows_the_present_one(browse: Browse, people: People, faults: Faults) -> None:
    faults.forgive("400")
    login = people.user()
    page = browse(login)

    def change(present: str, new: str, again: str) -> None:
        page.goto("/account")
        page.get_by_label("Present password").fill(present)
        page.get_by_label("New password", exact=True).fill(new)
        page.get_by_label("New password again").fill(again)
        page.get_by_role("button", name="Change the password").click()

    change("wrong", "another horse", "another horse")
    expect(page.get_by_role("alert")).to_contain_text("The present one is wrong")
    change(PASSWORD, "another horse", "another house")
    expect(page.get_by_role("alert")).to_contain_text("The two new ones differ")
    change(PASSWORD, "short", "short")
    expect(page.get_by_role("alert")).to_contain_text("at least 8 characters")
    change(PASSWORD, "another horse", "another horse")
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")
    with people.client(login, "another horse") as client:
        assert client.get("/data/auth").status_code == 200

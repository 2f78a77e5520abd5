"""One's own account: tokens and keys whose secrets are shown once, grants, password."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

PASSWORD = "correct horse battery"


def test_a_token_is_shown_once_works_and_ends(browse: Browse, people: People, check_access: CheckAccess) -> None:
    page = browse(people.user(tier="restricted"))
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


def test_s3_keys_are_shown_once_and_open_the_bucket(
    browse: Browse, people: People, check_access: CheckAccess, shoot: Callable[[Page, str], None]
) -> None:
    page = browse(people.user())
    page.goto("/")
    page.get_by_role("link", name="Amazon S3 access").click()
    page.get_by_role("button", name="Create my S3 keys").click()
    access, secret = (page.locator(name).inner_text() for name in ("#access-key", "#secret-key"))
    check_access(page)
    shoot(page, "s3-keys")
    s3 = boto3.client(
        "s3",
        endpoint_url=people.stage.s3_endpoint,
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        region_name="us-east-1",
    )
    waiter = s3.get_waiter("object_exists")
    key = "q1/100307/T1w/T1w_acpc_dc_restore_brain.nii.gz"
    waiter.wait(Bucket=people.stage.bucket, Key=key, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    page.goto("/account")
    assert secret not in page.content()
    expect(page.get_by_text("S3 access enabled")).to_be_visible()
    page.get_by_role("button", name="End them").click()
    expect(page.get_by_role("button", name="Create my S3 keys")).to_be_visible()


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

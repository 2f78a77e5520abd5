"""The S3 store against a real SeaweedFS: markers, and refusals with their cures."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from connectomedb.config.s3 import S3Settings
from connectomedb.demo.services.marker import put_marker
from connectomedb.errors import ObjectMissing, StoreDenied, StoreUnreachable
from connectomedb.stores.s3 import S3Store


def test_a_marker_of_a_pseudo_directory_is_listed_on_its_level_only(
    s3_store: Callable[[str], S3Store],
) -> None:
    store = s3_store("markers")
    store.put("q1/100307/a", b"a")
    put_marker(store.settings, store.bucket, "q1/")
    put_marker(store.settings, store.bucket, "q1/empty/")
    level = store.list_level("q1/")
    assert [info.key for info in level.objects] == ["q1/"]
    assert set(level.prefixes) == {"q1/100307/", "q1/empty/"}
    assert [info.key for info in store.list("q1/")] == ["q1/100307/a"]


def test_a_wrong_secret_is_denied_with_its_cure(s3_access: S3Settings) -> None:
    store = S3Store("hcp.aws.amazon.com", replace(s3_access, secret_key="wrong"))
    with pytest.raises(StoreDenied, match=r"SignatureDoesNotMatch.*enter both again"):
        list(store.list("q1/"))
    with pytest.raises(StoreDenied, match=r"Check the access key|enter both"):
        store.head("q1/x")


def test_an_unknown_key_is_denied_with_its_cure(s3_access: S3Settings) -> None:
    store = S3Store("hcp.aws.amazon.com", replace(s3_access, access_key="nobody"))
    with pytest.raises(StoreDenied, match=r"InvalidAccessKeyId.*creating a new key ends the old one"):
        list(store.list("q1/"))


def test_no_secret_shows_in_errors_or_reprs(s3_access: S3Settings) -> None:
    access = replace(s3_access, secret_key="hush-hush")
    assert "hush-hush" not in repr(access)
    with pytest.raises(StoreDenied) as caught:
        list(S3Store("hcp.aws.amazon.com", access).list("q1/"))
    assert "hush-hush" not in str(caught.value)


def test_an_unknown_bucket_is_named(s3_access: S3Settings) -> None:
    with pytest.raises(ObjectMissing, match=r"no-such-bucket.*no such bucket"):
        list(S3Store("no-such-bucket", s3_access).list("q1/"))


def test_an_endpoint_that_does_not_answer_is_unreachable(s3_access: S3Settings) -> None:
    store = S3Store("hcp.aws.amazon.com", replace(s3_access, endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(StoreUnreachable, match=r"does not answer"):
        list(store.list("q1/"))

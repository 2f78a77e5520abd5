"""Replies that are refusals or lies: the file is right, or it is named as failed, and the next run completes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.faults.faults import (
    Answer,
    Fault,
    Flip,
    Headed,
    Lie,
    More,
    Shift,
    Trail,
    always,
    on_first,
    on_keys,
    on_manifests,
    on_share,
    s3_error,
)
from tests.faults.proxy import Proxy
from tests.faults.site import LARGE, LARGE_BYTES, SMALL, Published, Site, upload_parts

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ConnectomeDBError, StoreDenied, StoreUnreachable
from connectomedb.mirror.report import Report
from connectomedb.stores.s3 import S3Store

LOGIN_PAGE = Answer(200, b"<!doctype html><html><title>Log in</title></html>", {"Content-Type": "text/html"})
SLOW_DOWN = s3_error(503, "SlowDown")
INTERNAL = s3_error(500, "InternalError")
FILES = [f"{SMALL}/{number:02}.txt" for number in range(40)]


@pytest.mark.parametrize("retry_after_s", [None, 1], ids=["no-retry-after", "retry-after"])
def test_a_busy_store_is_asked_again(site: Site, proxy: Proxy, retry_after_s: int | None) -> None:
    proxy.rule = on_share(0.3, s3_error(503, "SlowDown", retry_after_s), seed=3)
    site.fetch_whole(SMALL)
    assert proxy.struck[Answer] >= 8


LASTING: dict[str, Fault] = {
    "a login page": LOGIN_PAGE,
    "an S3 error under 200": Answer(200, SLOW_DOWN.body, {"Content-Type": "application/xml"}),
    "nothing under 200": Answer(200),
    "nothing under 204": Answer(204),
    "cut by one byte": Lie(-1),
    "cut by many": Lie(-400),
    "shorter than announced": Lie(1),
    "flipped": Flip(1.0),
    "moved to nowhere": Answer(301, b"", {"Location": "http://127.0.0.1:9/"}),
    "an unknown refusal": Answer(418, b"short and stout"),
    "gone": s3_error(404, "NoSuchKey"),
}


def test_replies_that_stay_wrong_leave_nothing_under_the_names(site: Site, proxy: Proxy) -> None:
    by_file = dict(zip(FILES, LASTING.values(), strict=False))
    proxy.rule = on_keys(by_file)
    fails(site, SMALL, by_file)
    site.recover(SMALL)


def test_a_store_that_stays_busy_is_told_as_such_and_not_asked_for_ever(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_keys({FILES[0]: SLOW_DOWN, FILES[1]: INTERNAL})
    errors = fails(site, SMALL, {FILES[0]: SLOW_DOWN, FILES[1]: INTERNAL})
    assert all(isinstance(error, StoreUnreachable) for error in errors.values()), errors
    asked = [request for request in proxy.downloads if request.key.endswith("/00.txt")]
    assert 2 <= len(asked) <= 30
    site.recover(SMALL)


ONCE: dict[str, Fault] = {
    "a login page": LOGIN_PAGE,
    "cut short": Lie(-400),
    "shorter than announced": Lie(1),
    "flipped": Flip(1.0),
    "internal error": INTERNAL,
}


def test_replies_that_are_wrong_once_are_asked_for_again(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_keys(dict(zip(FILES, ONCE.values(), strict=False)), times=1)
    site.fetch_whole(SMALL)
    assert set(proxy.struck) == {type(fault) for fault in ONCE.values()}


def test_rubbish_after_a_body_is_not_taken_for_the_next_reply(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_first(5, Trail())
    site.fetch_whole(SMALL)
    assert proxy.struck[Trail] >= 1


def test_rubbish_after_a_body_never_lands_even_where_no_checksum_is_known(
    s3_store: Callable[[str], S3Store], s3_access: S3Settings, proxy: Proxy, tmp_path: Path
) -> None:
    store, size = s3_store("rubbish"), 30_000
    files = {f"{SMALL}/{number}.bin": bytes([number]) * size for number in range(48)}
    for path, content in files.items():
        upload_parts(s3_access, store.bucket, path, content)
    site = Site(Published(store.bucket, s3_access, files), proxy, tmp_path)
    proxy.rule = always(Trail(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size))
    site.try_fetch(SMALL)
    assert proxy.struck[Trail] >= 1
    site.recover(SMALL)


@pytest.fixture(scope="module")
def unproven(s3_store: Callable[[str], S3Store], s3_access: S3Settings) -> Published:
    """A large file, a middling and a small one; nobody knows their checksums."""
    store = s3_store("answers")
    files = {LARGE: bytes(range(256)) * (LARGE_BYTES // 256), "a.bin": bytes(2_000_003), "b.bin": b"b" * 30_000}
    for path, content in files.items():
        upload_parts(s3_access, store.bucket, path, content)
    return Published(store.bucket, s3_access, files)


@pytest.fixture
def uncovered(unproven: Published, proxy: Proxy, tmp_path: Path) -> Site:
    return Site(unproven, proxy, tmp_path)


NO_ANSWER: dict[str, Fault] = {
    "another range": Shift(4096),
    "a longer body": More(70_000),
    "no version": Headed({"ETag": None}),
    "two lengths": Headed({"content-Length": "7"}),
}


@pytest.mark.parametrize("fault", NO_ANSWER.values(), ids=NO_ANSWER)
def test_replies_that_do_not_answer_never_land_even_where_no_checksum_is_known(
    uncovered: Site, proxy: Proxy, fault: Fault
) -> None:
    proxy.rule = always(fault)
    outcome = uncovered.try_fetch()
    assert proxy.struck[type(fault)] >= 1
    assert isinstance(outcome, Report), "one bad reply must not end the run"
    if isinstance(fault, More):  # of a large file all that was due may have come, when the surplus begins
        assert {"a.bin", "b.bin"} <= set(outcome.failures)
    else:
        assert LARGE in outcome.failures
    uncovered.recover()


def test_bytes_that_are_labelled_as_packed_are_kept_as_they_are(uncovered: Site, proxy: Proxy) -> None:
    """S3 repeats what was said at upload; the object's bytes are what was published."""
    proxy.rule = always(Headed({"Content-Encoding": "gzip"}))
    uncovered.fetch_whole()


def test_a_body_without_end_is_given_up(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_keys({FILES[0]: More(1 << 40)})
    fails(site, SMALL, {FILES[0]: More})
    site.recover(SMALL)


def test_bytes_that_flip_in_every_reply_never_land(site: Site, proxy: Proxy) -> None:
    proxy.rule = always(Flip(0.02, seed=7))
    outcome = site.try_fetch(LARGE)
    assert proxy.struck[Flip] >= 2
    if isinstance(outcome, ConnectomeDBError) or outcome.failures:
        assert LARGE not in site.on_disk()
    site.recover(LARGE)


def test_a_byte_that_flips_once_in_a_large_file_is_found_and_mended(site: Site, proxy: Proxy) -> None:
    proxy.rule = on_first(1, Flip(0.1, seed=7))
    site.fetch_whole(LARGE)
    assert proxy.struck[Flip] >= 1
    assert proxy.sent <= 2 * LARGE_BYTES


CURES = {
    "ExpiredToken": "sign in again",
    "RequestTimeTooSkewed": "clock",
    "InvalidAccessKeyId": "access key",
    "SignatureDoesNotMatch": "secret key",
    "AccessDenied": "terms",
    "AuthorizationHeaderMalformed": "region",
}


def test_refusals_are_told_with_their_cures_and_not_asked_again(site: Site, proxy: Proxy) -> None:
    codes = dict(zip(FILES, CURES, strict=False))
    proxy.rule = on_keys({file: s3_error(403, code) for file, code in codes.items()})
    errors = fails(site, SMALL, codes)
    for file, code in codes.items():
        assert isinstance(errors[file], StoreDenied)
        assert CURES[code] in str(errors[file])
    assert len(proxy.downloads) <= len(site.published.below(SMALL)) + len(codes)
    site.recover(SMALL)


@pytest.mark.parametrize("fault", [LOGIN_PAGE, Lie(-1), Flip(1.0), SLOW_DOWN], ids=["page", "short", "flip", "503"])
def test_a_manifest_that_cannot_be_had_is_told_and_the_next_run_has_it(site: Site, proxy: Proxy, fault: Fault) -> None:
    proxy.rule = on_manifests(fault)
    outcome = site.try_fetch(FILES[0])
    assert proxy.struck[type(fault)] >= 1
    assert isinstance(outcome, ConnectomeDBError) or not outcome.failures
    site.recover(FILES[0])


def fails(site: Site, path: str, losing: Mapping[str, object]) -> dict[str, ConnectomeDBError]:
    """The errors of a fetch in which exactly some files must fail: none of these is on disk, all others are."""
    report = site.try_fetch(path)
    assert isinstance(report, Report), report
    assert set(report.failures) == set(losing)
    assert set(site.on_disk()) >= set(site.published.below(path)) - set(losing)
    assert not site.on_disk().keys() & set(losing)
    return {file: failure.error for file, failure in report.failures.items() if failure.error is not None}

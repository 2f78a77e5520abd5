"""Replies that are refusals or lies: the file is right, or it is named as failed, and the next run completes."""

import pytest

from connectomedb.errors import ConnectomeDBError, StoreDenied, StoreUnreachable
from connectomedb.mirror.mirror import Report
from tests.faults.faults import Answer, Fault, Flip, Lie, Rule, Trail, always, on_first, on_share, s3_error
from tests.faults.proxy import Proxy
from tests.faults.site import LARGE, LARGE_BYTES, SMALL, Site

LOGIN_PAGE = Answer(200, b"<!doctype html><html><title>Log in</title></html>", {"Content-Type": "text/html"})
SLOW_DOWN = s3_error(503, "SlowDown")


@pytest.mark.parametrize("retry_after_s", [None, 1], ids=["no-retry-after", "retry-after"])
def test_a_busy_store_is_asked_again(site: Site, proxy: Proxy, retry_after_s: int | None) -> None:
    proxy.rule = on_share(0.3, s3_error(503, "SlowDown", retry_after_s), seed=3)
    site.fetch_whole(SMALL)
    assert proxy.struck[Answer] >= 8


def test_a_store_that_stays_busy_is_told_as_such(site: Site, proxy: Proxy) -> None:
    proxy.rule = always(SLOW_DOWN)
    failed(site, f"{SMALL}/00.txt", StoreUnreachable)
    assert 2 <= len(proxy.downloads) <= 40
    recovers(site, f"{SMALL}/00.txt")


LASTING: dict[str, Fault] = {
    "login page": LOGIN_PAGE,
    "S3 error under 200": Answer(200, SLOW_DOWN.body, {"Content-Type": "application/xml"}),
    "nothing under 200": Answer(200),
    "one byte short": Lie(-1),
    "half": Lie(-30_000),
    "announces more": Lie(1),
    "flipped": Flip(1.0),
    "moved for ever": Answer(301, b"", {"Location": "http://127.0.0.1:9/"}),
    "internal error": s3_error(500, "InternalError"),
    "teapot": Answer(418, b"short and stout"),
}


@pytest.mark.parametrize("name", LASTING)
def test_a_reply_that_stays_wrong_leaves_nothing_under_the_name(site: Site, proxy: Proxy, name: str) -> None:
    path = largest(site, SMALL)
    proxy.rule = always(LASTING[name])
    failed(site, path, ConnectomeDBError)
    assert proxy.struck[type(LASTING[name])] >= 1
    recovers(site, path)


PASSING: dict[str, Rule] = {
    "login page": on_first(3, LOGIN_PAGE),
    "short": on_first(3, Lie(-400)),
    "long": on_first(3, Lie(1)),
    "flipped": on_first(3, Flip(1.0)),
    "internal error": on_first(3, s3_error(500, "InternalError")),
    "rubbish after the body": on_first(10, Trail()),
}


@pytest.mark.parametrize("name", PASSING)
def test_a_reply_that_is_wrong_for_once_is_asked_for_again(site: Site, proxy: Proxy, name: str) -> None:
    proxy.rule = PASSING[name]
    site.fetch_whole(SMALL)
    assert proxy.struck


def test_bytes_that_flip_in_every_reply_never_land(site: Site, proxy: Proxy) -> None:
    proxy.rule = always(Flip(0.02, seed=7))
    outcome = site.try_fetch(LARGE)
    assert proxy.struck[Flip] >= 2
    if isinstance(outcome, ConnectomeDBError) or outcome.failures:
        assert not site.on_disk().keys() & {LARGE}
    recovers(site, LARGE)


def test_a_byte_that_flips_for_once_in_a_large_file_is_found_and_mended(site: Site, proxy: Proxy) -> None:
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


@pytest.mark.parametrize("code", CURES)
def test_a_refusal_is_told_with_its_cure_and_not_asked_again(site: Site, proxy: Proxy, code: str) -> None:
    proxy.rule = always(s3_error(403, code))
    fault = failed(site, f"{SMALL}/00.txt", StoreDenied)
    assert CURES[code] in str(fault)
    assert len(proxy.downloads) <= 2 * len(site.published.below(".xdlm") | site.published.below(f"{SMALL}/00.txt"))
    recovers(site, f"{SMALL}/00.txt")


def test_an_object_that_is_gone_is_named(site: Site, proxy: Proxy) -> None:
    proxy.rule = lambda request: s3_error(404, "NoSuchKey") if request.key.endswith("/00.txt") else Lie(0)
    failed(site, f"{SMALL}/00.txt", ConnectomeDBError)
    recovers(site, SMALL)


def test_a_refusal_of_one_file_leaves_the_others_alone(site: Site, proxy: Proxy) -> None:
    proxy.rule = lambda request: s3_error(403, "AccessDenied") if request.key.endswith("/00.txt") else Lie(0)
    report = site.try_fetch(SMALL)
    assert isinstance(report, Report)
    assert set(report.failures) == {f"{SMALL}/00.txt"}
    recovers(site, SMALL)


def failed(site: Site, path: str, kind: type[ConnectomeDBError]) -> ConnectomeDBError:
    """The error of a fetch that must fail, and leave no such file."""
    outcome = site.try_fetch(path)
    assert path not in site.on_disk()
    error = outcome.failures[path].error if isinstance(outcome, Report) else outcome
    assert isinstance(error, kind), error
    return error


def recovers(site: Site, path: str) -> None:
    """Without faults the next run completes, and fetches nothing that is there."""
    site.proxy.forget()
    here = set(site.on_disk())
    report = site.fetch_whole(path)
    assert not {file.path for file in report.files if file.fetched} & here


def largest(site: Site, folder: str) -> str:
    """The largest file of a folder."""
    files = site.published.below(folder)
    return max(files, key=lambda path: len(files[path]))

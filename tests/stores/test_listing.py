"""Listings of S3 as they may come: without end, spoilt, cut, with keys that can be no path; and requests as signed."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ObjectMissing, StoreDenied, StoreError, StoreUnreachable
from connectomedb.mirror.mirror import Mirror, OneStore
from connectomedb.stores._s3_faults import said_of
from connectomedb.stores._s3_listing import MOST_EMPTY
from connectomedb.stores._signature import signed_headers
from connectomedb.stores.s3 import S3Store
from connectomedb.transfer.source import Span

KEY = "q1/100307/T1w/a.txt"
BODY = b"bytes"
ETAG = '"4b3a6218bb3e3a7303e8a171a60fcf92"'  # MD5 of the body

Words = dict[str, str]
Answer = Callable[[Words], tuple[int, bytes]]
"""Status and body for the words of a listing's query."""


class _Server(ThreadingHTTPServer):
    def __init__(self, host: str, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """What clients do wrong is tested, not shown."""


@contextmanager
def answering(answer: Answer, host: str = "127.0.0.1") -> Iterator[S3Store]:
    """A bucket that lists as is said, and has BODY under every key."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def do_GET(self) -> None:
            words = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            status, body = answer(words) if "list-type" in words else (200, BODY)
            if len(self.headers.get_all("Host", [])) != 1:  # as strict as stores are (RFC 9112, 3.2)
                status, body = 400, b""
            self.send_response(status)
            self.send_header("ETag", ETAG)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    with _Server(host, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        place = f"[{host}]" if ":" in host else host
        store = S3Store("bucket", S3Settings(anonymous=True, endpoint_url=f"http://{place}:{server.server_port}"))
        try:
            yield store
        finally:
            store.close()
            server.shutdown()
            thread.join()


def page(*keys: str, following: str = "", more: str = "") -> bytes:
    """A page as S3 writes it, with keys percent-encoded."""
    objects = "".join(
        f"<Contents><Key>{quote(key, errors='surrogateescape')}</Key><Size>{len(BODY)}</Size><ETag>{ETAG}</ETag>"
        "<LastModified>2013-02-14T00:00:00.000Z</LastModified></Contents>"
        for key in keys
    )
    token = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    return (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<EncodingType>url</EncodingType><IsTruncated>{str(bool(following)).lower()}</IsTruncated>{token}{objects}{more}"
        "</ListBucketResult>"
    ).encode()


@pytest.fixture(autouse=True)
def _impatient(impatient: None) -> None:
    """The faults here do not pass by waiting."""


def test_a_listing_goes_from_page_to_page_past_empty_ones() -> None:
    pages = {"": page("q1/a", following="1"), "1": page(following="2"), "2": page("q1/b")}
    with answering(lambda words: (200, pages[words.get("continuation-token", "")])) as store:
        assert [(info.key, info.size, info.etag) for info in store.list("q1/")] == [
            ("q1/a", len(BODY), ETAG),
            ("q1/b", len(BODY), ETAG),
        ]


numbers = count()

ENDLESS: dict[str, tuple[Answer, str]] = {
    "empty pages": (lambda words: (200, page(following=str(next(numbers)))), f"not end: {MOST_EMPTY} pages without"),
    "one token for ever": (lambda words: (200, page(f"q1/{next(numbers)}", following="same")), "in circles"),
    "empty pages of one token": (lambda words: (200, page(following="same")), "in circles"),
    "one page for ever": (lambda words: (200, page("q1/a", following=str(next(numbers)))), "in circles"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("answer", "said"), ENDLESS.values(), ids=ENDLESS)
def test_a_listing_without_end_is_told_in_one_sentence(answer: Answer, said: str) -> None:
    with answering(answer) as store, pytest.raises(StoreUnreachable, match=said):
        list(store.list("q1/"))


SPOILT: dict[str, tuple[int, bytes, type[StoreError], str]] = {
    "a web page": (200, b"<html><body>Log in</body></html>", StoreUnreachable, "sends no listing"),
    "no XML": (200, b"hello", StoreUnreachable, "cannot be read"),
    "nothing": (200, b"", StoreUnreachable, "cannot be read"),
    "half a page": (200, page("q1/a")[:-20], StoreUnreachable, "cannot be read"),
    "no size": (200, page(more="<Contents><Key>q1/a</Key></Contents>"), StoreUnreachable, "cannot be read"),
    "no token": (
        200,
        page(following="1").replace(b"<NextContinuationToken>1</NextContinuationToken>", b""),
        StoreUnreachable,
        "breaks off",
    ),
    "a denial": (403, b"<Error><Code>AccessDenied</Code></Error>", StoreDenied, "data-use terms"),
    "no bucket": (404, b"<Error><Code>NoSuchBucket</Code></Error>", ObjectMissing, "no such bucket"),
    "a busy store": (503, b"<Error><Code>SlowDown</Code></Error>", StoreUnreachable, "SlowDown"),
}


@pytest.mark.parametrize(("status", "body", "kind", "said"), SPOILT.values(), ids=SPOILT)
def test_what_is_no_listing_is_told(status: int, body: bytes, kind: type[StoreError], said: str) -> None:
    with answering(lambda words: (status, body)) as store, pytest.raises(kind, match=said):
        list(store.list("q1/"))


def test_a_listing_that_fails_for_a_moment_is_asked_for_again() -> None:
    replies = iter([(503, b""), (200, b"<html/>"), (200, page("q1/a"))])
    with answering(lambda words: next(replies)) as store:
        assert [info.key for info in store.list("q1/")] == ["q1/a"]


def test_keys_are_read_as_they_were_written() -> None:
    keys = ["q1/a b+c&é.txt", "q1/line\nend", "q1/\x01", "q1/100%25", "q1/bad\udcff"]
    with answering(lambda words: (200, page(*keys))) as store:
        assert [info.key for info in store.list("q1/")] == keys


def test_what_lies_elsewhere_than_was_asked_for_is_left_out() -> None:
    with answering(lambda words: (200, page(KEY, "q2/100307/b", "/etc/passwd"))) as store:
        assert [info.key for info in store.list("q1/")] == [KEY]


ROOT = "q1/100307/"
UNCLEAN = {
    f"{ROOT}../../../escaped": "part of dots",
    f"{ROOT}T1w//twice": "an empty part",
    f"{ROOT}T1w/line\nend": "control character",
    f"{ROOT}T1w/.": "part of dots",
    f"{ROOT}/absolute": "an empty part",
    f"{ROOT}T1w/bad\udcff": "no valid Unicode",
}


def test_keys_that_can_be_no_files_are_named_and_left_out_and_all_others_come(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "mirror"
    with answering(lambda words: (200, page(*UNCLEAN, KEY) if "xdlm" not in words["prefix"] else page())) as store:
        mirror = Mirror(root, [OneStore(store)])
        [note] = mirror.plan("100307", project="HCP_Q1").notes
        assert [path.read_bytes() for path in mirror.files("100307", project="HCP_Q1")] == [BODY]
    assert all(f"{key!r} (it has" in note or f"{key!r} (it is" in note for key in UNCLEAN)
    assert all(said in note for said in UNCLEAN.values())
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {f"deep/mirror/{KEY}", "deep/mirror/.connectomedb/q1/100307.json"} | _speeds(there)


def _speeds(there: set[str]) -> set[str]:
    return {path for path in there if path.endswith("speed.json")}


def _refused(why: str) -> ssl.SSLCertVerificationError:
    fault = ssl.SSLCertVerificationError()
    fault.verify_message = why
    return fault


BROKEN: dict[str, tuple[BaseException | None, str]] = {
    "self-signed": (_refused("self-signed certificate"), "self-signed certificate. If you trust .* SSL_CERT_FILE"),
    "another's": (_refused("IP address mismatch, not valid for 'x'."), "for 'x'. Write the address as the certificate"),
    "expired": (_refused("certificate has expired"), "expired. Ask who runs it to renew it"),
    "too early": (_refused("certificate is not yet valid"), "clock is wrong"),
    "no TLS": (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "should be http://"),
    "no such host": (socket.gaierror(-2, "Name or service not known"), "host's name is not known"),
    "refused": (ConnectionRefusedError(), "^$"),
    "nothing": (None, "^$"),
}


@pytest.mark.parametrize(("fault", "said"), BROKEN.values(), ids=BROKEN)
def test_what_broke_a_connection_is_told_with_its_cure(fault: BaseException | None, said: str) -> None:
    assert re.search(said, said_of(fault))


def test_a_store_of_another_protocol_is_told_as_such_by_listings_and_reads() -> None:
    with answering(lambda words: (200, page(KEY))) as plain:
        secure = replace(plain.settings, endpoint_url=str(plain.settings.endpoint_url).replace("http:", "https:"))
        store = S3Store("bucket", secure)
        with pytest.raises(StoreUnreachable, match="does not speak TLS"):
            list(store.list())
        with pytest.raises(StoreUnreachable, match="does not speak TLS"):
            store.pour(KEY, bytearray().extend, Span(), lambda version: None)
        store.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="a machine without IPv6")
def test_an_address_of_ipv6_is_an_endpoint() -> None:
    with answering(lambda words: (200, page(KEY)), "::1") as store:
        content = bytearray()
        [info] = store.list("q1/")
        store.pour(info.key, content.extend, Span(), lambda version: None)
        assert bytes(content) == BODY


def test_a_request_is_signed_as_amazon_shows() -> None:
    """Source: S3 API reference, the example that lists a bucket."""
    settings = S3Settings("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    host, now = "examplebucket.s3.amazonaws.com", datetime(2013, 5, 24, tzinfo=UTC)
    headers = signed_headers(settings, "GET", host, "/", "max-keys=2&prefix=J", now)
    assert headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )


def test_a_session_token_goes_along_and_is_signed() -> None:
    settings = S3Settings("key", "secret", "token")
    headers = signed_headers(settings, "GET", "host", "/", "", datetime.now(UTC))
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["Authorization"]


def test_by_the_full_engine_a_listing_means_the_same(
    s3_store: Callable[[str], S3Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = s3_store("engine")
    keys = ["q1/100307/T1w/a", "q1/100307/T1w-more/b", "q1/103515/c"]
    for key in keys:
        store.put(key, BODY)
    behind = S3Store(store.bucket, store.settings)
    monkeypatch.setattr(behind, "_is_proxied", True)
    for one in (store, behind):
        assert sorted(info.key for info in one.list("q1/1003")) == sorted(keys[:2])
        assert set(one.list_level("q1/100307/").prefixes) == {"q1/100307/T1w/", "q1/100307/T1w-more/"}

"""Conditions and ranges, without a server: RFC 9110 as a table, and any range as a property."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.server.routes.ranges import Part, Version, choose_part

MODIFIED = datetime(2026, 3, 4, 5, 6, 7, 890_000)
SINCE = "Wed, 04 Mar 2026 05:06:07 GMT"
BEFORE = "Wed, 04 Mar 2026 05:06:06 GMT"
TAG = '"0123456789abcdef0123456789abcdef"'
VERSION = Version(100, TAG.strip('"'), MODIFIED)
WHOLE = Part(200, 0, 100)

CASES: list[tuple[dict[str, str], Part]] = [
    ({}, WHOLE),
    ({"range": "bytes=0-9"}, Part(206, 0, 10)),
    ({"range": "bytes=90-"}, Part(206, 90, 10)),
    ({"range": "bytes=-10"}, Part(206, 90, 10)),
    ({"range": "bytes=-1000"}, Part(206, 0, 100)),
    ({"range": "bytes=95-1000"}, Part(206, 95, 5)),
    ({"range": "Bytes=0-0"}, Part(206, 0, 1)),
    ({"range": "bytes=100-"}, Part(416)),
    ({"range": "bytes=-0"}, Part(416)),
    ({"range": "bytes=9-0"}, WHOLE),
    ({"range": "bytes=-"}, WHOLE),
    ({"range": "bytes=a-b"}, WHOLE),
    ({"range": "items=0-9"}, WHOLE),
    ({"range": "bytes=0-1,5-6"}, WHOLE),
    ({"range": "bytes=99999999999999999999999-"}, WHOLE),
    ({"if-none-match": TAG}, Part(304)),
    ({"if-none-match": f'"other", W/{TAG}'}, Part(304)),
    ({"if-none-match": "*"}, Part(304)),
    ({"if-none-match": '"other"'}, WHOLE),
    ({"if-none-match": '"other"', "if-modified-since": SINCE}, WHOLE),
    ({"if-none-match": TAG, "range": "bytes=0-1"}, Part(304)),
    ({"if-modified-since": SINCE}, Part(304)),
    ({"if-modified-since": BEFORE}, WHOLE),
    ({"if-modified-since": "yesterday"}, WHOLE),
    ({"if-modified-since": "Wed, 04 Mar 99999 05:06:07 GMT"}, WHOLE),
    ({"if-match": TAG}, WHOLE),
    ({"if-match": f'"other", {TAG}', "range": "bytes=0-9"}, Part(206, 0, 10)),
    ({"if-match": "*"}, WHOLE),
    ({"if-match": '"other"'}, Part(412)),
    ({"if-match": f"W/{TAG}"}, Part(412)),
    ({"if-match": '"other"', "if-none-match": TAG, "range": "bytes=0-9"}, Part(412)),
    ({"if-match": TAG, "if-none-match": TAG}, Part(304)),
    ({"if-match": TAG, "if-unmodified-since": BEFORE}, WHOLE),
    ({"if-unmodified-since": SINCE}, WHOLE),
    ({"if-unmodified-since": BEFORE}, Part(412)),
    ({"if-unmodified-since": "yesterday"}, WHOLE),
    ({"range": "bytes=0-9", "if-range": TAG}, Part(206, 0, 10)),
    ({"range": "bytes=0-9", "if-range": f"W/{TAG}"}, WHOLE),
    ({"range": "bytes=0-9", "if-range": '"other"'}, WHOLE),
    ({"range": "bytes=0-9", "if-range": SINCE}, Part(206, 0, 10)),
    ({"range": "bytes=0-9", "if-range": BEFORE}, WHOLE),
    ({"range": "bytes=0-9", "if-range": "nonsense"}, WHOLE),
]


@pytest.mark.parametrize(("headers", "expected"), CASES)
def test_the_headers_decide_which_bytes_go(headers: dict[str, str], expected: Part) -> None:
    assert choose_part(headers, VERSION) == expected


@given(st.integers(0, 300), st.integers(0, 300) | st.none(), st.integers(0, 300) | st.none())
def test_any_range_is_inside_the_file_or_refused(size: int, first: int | None, last: int | None) -> None:
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    part = choose_part({"range": header}, Version(size, None, None))
    if part.status == 206:
        assert 0 <= part.start < part.start + part.length <= size
        assert part.headers(Version(size, None, None))["Content-Range"].endswith(f"/{size}")
    else:
        assert part in (Part(200, 0, size), Part(416))


@given(st.binary(min_size=1, max_size=60), st.integers(1, 20))
def test_any_split_into_ranges_gives_the_file(content: bytes, step: int) -> None:
    version = Version(len(content), None, None)
    joined = b""
    while len(joined) < len(content):
        part = choose_part({"range": f"bytes={len(joined)}-{len(joined) + step - 1}"}, version)
        joined += content[part.start : part.start + part.length]
    assert joined == content


def test_a_file_without_checksum_or_time_still_answers() -> None:
    bare = Version(3, None, None)
    assert bare.headers() == {"Accept-Ranges": "bytes"}
    assert choose_part({"if-none-match": TAG, "if-modified-since": SINCE}, bare) == Part(200, 0, 3)
    assert choose_part({"range": "bytes=1-", "if-range": TAG}, bare) == Part(200, 0, 3)

"""What a refusal of S3 means, by its code, its words, its region and its clock."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connectomedb.errors import StoreDenied, StoreUnreachable
from connectomedb.stores._s3_faults import fault_of_engine, fault_of_reply


def document(code: str, message: str = "no", more: str = "") -> str:
    return f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"


def http_date(**later: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(**later), usegmt=True)


@pytest.mark.parametrize(
    ("status", "body", "headers", "cure"),
    [
        (403, document("AccessDenied"), {}, "data-use terms"),
        (403, document("AccessDenied"), {"date": timedelta(minutes=5)}, "data-use terms"),
        (403, document("AccessDenied", "Request has expired"), {}, "clock is wrong"),
        (403, document("AccessDenied", "Request is not valid yet"), {}, "clock is wrong"),
        (403, document("AccessDenied"), {"date": timedelta(hours=2)}, "clock is 120 minutes behind"),
        (403, document("RequestTimeTooSkewed"), {"date": timedelta(hours=-1)}, "clock is 60 minutes ahead"),
        (403, "", {"date": timedelta(hours=-1)}, "clock is 60 minutes ahead"),
        (403, document("InvalidAccessKeyId"), {"date": timedelta(hours=-1)}, "new key ends the old one"),
        (403, document("ExpiredToken"), {}, "sign in again"),
        (403, "", {"date": "no date"}, "data-use terms"),
        (400, document("AuthorizationHeaderMalformed", more="<Region>eu-west-1</Region>"), {}, "region='eu-west-1'"),
        (301, document("PermanentRedirect"), {"x-amz-bucket-region": "us-west-2"}, "region='us-west-2'"),
        (301, document("PermanentRedirect"), {}, "give region=."),
    ],
)
def test_a_refusal_has_its_cure(status: int, body: str, headers: dict[str, str | timedelta], cure: str) -> None:
    said = {
        name: http_date(seconds=text.total_seconds()) if isinstance(text, timedelta) else text
        for name, text in headers.items()
    }
    fault = fault_of_reply("s3://bucket", "a", status, body, said)
    assert isinstance(fault, StoreDenied) and not fault.transient
    assert cure in str(fault)


def test_what_the_listing_engine_says_is_read_alike() -> None:
    text = f"Error performing GET: status code: 400, body: {document('AuthorizationHeaderMalformed')}"
    abroad = text.replace("</Error>", "<Region>eu-west-1</Region></Error>")
    assert "region='eu-west-1'" in str(fault_of_engine("s3://bucket", "", Exception(abroad)))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "soon"}, None),
        ({"retry-after": http_date(hours=2, seconds=30), "date": http_date(hours=2)}, 30),
        ({"retry-after": http_date(hours=-1)}, 0),
    ],
)
def test_a_busy_store_says_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    fault = fault_of_reply("s3://bucket", "a", 503, document("SlowDown"), headers)
    assert isinstance(fault, StoreUnreachable)
    assert fault.retry_after_s == (None if seconds is None else pytest.approx(seconds, abs=1.5))

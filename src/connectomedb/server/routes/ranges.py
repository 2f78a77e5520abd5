"""Which bytes of a file a request is answered with: conditions and ranges. Pure.

Source: RFC 9110, sections 13 (conditional requests) and 14 (range requests).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a file: size in bytes, MD5 if known, time of change (UTC without zone) if known."""

    size: int
    md5: str | None
    modified: datetime | None

    @property
    def etag(self) -> str | None:
        """`"<md5>"`, a strong validator: equal bytes, equal tag."""
        return f'"{self.md5}"' if self.md5 else None

    @property
    def last_modified(self) -> str | None:
        """As HTTP writes it, in whole seconds."""
        return format_datetime(self.modified.replace(tzinfo=UTC), usegmt=True) if self.modified else None

    def headers(self) -> dict[str, str]:
        """What every answer about the file says."""
        found = {"ETag": self.etag, "Last-Modified": self.last_modified}
        return {"Accept-Ranges": "bytes", **{name: value for name, value in found.items() if value}}


@dataclass(frozen=True, slots=True)
class Part:
    """The answer: status 200, 206, 304, 412 or 416, and which bytes go with it."""

    status: int
    start: int = 0
    length: int = 0

    def headers(self, version: Version) -> dict[str, str]:
        """`Content-Length` and `Content-Range`."""
        if self.status in (304, 412):
            return {}
        if self.status == 416:
            return {"Content-Range": f"bytes */{version.size}"}
        length = {"Content-Length": str(self.length)}
        if self.status == 206:
            length["Content-Range"] = f"bytes {self.start}-{self.start + self.length - 1}/{version.size}"
        return length


def choose_part(headers: Mapping[str, str], version: Version) -> Part:
    """What to answer; names of headers are lower case. A range that makes no sense is ignored, as RFC 9110 wants."""
    if not _is_wanted(headers, version):
        return Part(412)
    if _is_unchanged(headers, version):
        return Part(304)
    whole = Part(200, 0, version.size)
    asked = _RANGE.fullmatch(headers.get("range", "").lower())
    if asked is None or asked.groups() == ("", "") or not _range_holds(headers, version):
        return whole
    first, last = asked.groups()
    if not first:
        length = min(int(last), version.size)
        return Part(206, version.size - length, length) if length else Part(416)
    start = int(first)
    end = min(int(last), version.size - 1) if last else version.size - 1
    if last and int(last) < start:
        return whole
    return Part(206, start, end - start + 1) if start < version.size else Part(416)


def _is_wanted(headers: Mapping[str, str], version: Version) -> bool:
    """`If-Match`, which takes no weak tags, and only without it `If-Unmodified-Since`: it must be this version."""
    tags = headers.get("if-match")
    if tags is not None:
        known = {tag.strip() for tag in tags.split(",")}
        return "*" in known or (version.etag is not None and version.etag in known)
    until = _read_date(headers.get("if-unmodified-since"))
    return until is None or version.modified is None or _seconds(version.modified) <= until


def _is_unchanged(headers: Mapping[str, str], version: Version) -> bool:
    """`If-None-Match` decides where it stands; only without it does the date."""
    tags = headers.get("if-none-match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in known or (version.etag is not None and version.etag in known)
    since = _read_date(headers.get("if-modified-since"))
    return since is not None and version.modified is not None and _seconds(version.modified) <= since


def _range_holds(headers: Mapping[str, str], version: Version) -> bool:
    """`If-Range`: the range counts only for the version that the client has a part of."""
    condition = headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        return condition == version.etag
    since = _read_date(condition)
    return since is not None and version.modified is not None and _seconds(version.modified) == since


def _seconds(time: datetime) -> datetime:
    return time.replace(microsecond=0, tzinfo=UTC)


def _read_date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found

"""Checksums and what they prove.

MD5 is what HCP's manifests, XNAT's catalogs and S3's single-part ETags hold; it guards against
accidents, not against forgery.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from connectomedb.transfer.digest import Digests

CHUNK_BYTES = 1 << 20
LONG_BYTES = 1 << 20
"""From this size on a file is worth more than its bytes cost: a look whether an earlier run began it, a queue."""


class Proof(StrEnum):
    """Why we believe that a file is what was published; the strongest first."""

    MANIFEST = "manifest"
    CATALOG = "catalog"
    ETAG = "etag"
    TWO_SOURCE = "two-source"
    SIZE = "size"

    def holds(self, least: "Proof") -> bool:
        """Whether this proof is at least as strong as `least`."""
        order = list(Proof)
        return order.index(self) <= order.index(least)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file ought to be: size in bytes and MD5 (32 lower-case hex), each None when unknown.

    `proof` is the claim that holds when both agree.
    """

    size: int | None
    md5: str | None
    proof: Proof

    @property
    def is_long(self) -> bool:
        """Whether it is known to be long."""
        return self.size is not None and self.size >= LONG_BYTES


def md5_of_etag(etag: str | None) -> str | None:
    """The MD5 that an ETag is, or None: multipart ETags end in `-N` and are no MD5.

    Source: S3 API reference, object ETags.
    """
    text = (etag or "").removeprefix("W/").strip('"').lower()
    return text if re.fullmatch(r"[0-9a-f]{32}", text) else None


def md5_of_file(
    path: Path, on_bytes: Callable[[int], None] = lambda count: None, digests: Digests | None = None
) -> str:
    """MD5 of a file, 32 lower-case hex; `on_bytes` hears of each piece read, in bytes.

    A long file is hashed beside others that go through the same digests.
    """
    with path.open("rb") as file:
        is_long = os.fstat(file.fileno()).st_size >= LONG_BYTES
        digest = digests.new() if digests and is_long else hashlib.md5(usedforsecurity=False)
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
            on_bytes(len(piece))
    return digest.hexdigest()

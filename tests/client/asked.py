"""What tests of the wire ask for, and as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectomedb.xnat.address import Address, Level

if TYPE_CHECKING:
    from tests.client.conftest import Reply, Seen, Site

PASSWORD = "hunter2-word"
PROJECTS = Address((), Level.PROJECTS)
FILE = "/data/experiments/E1/resources/1/files/a.nii.gz"
BYTES = bytes(range(256)) * 300


def resource() -> Address:
    """The resource of the file."""
    return Address().child(Level.EXPERIMENTS, "E1").child(Level.RESOURCES, "1")


def ranged(site: Site, data: bytes) -> None:
    """Let a site give a file as servers do that know ranges."""

    def answer(seen: Seen) -> Reply:
        start = int(seen.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if "range" not in seen.headers:
            return site.reply(data)
        if start >= len(data):
            return site.reply(b"", 416, Content_Range=f"bytes */{len(data)}")
        return site.reply(data[start:], 206, Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")

    site.on("GET", FILE, answer)

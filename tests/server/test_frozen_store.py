"""An object store that stands still, a real one, stopped by a signal: what does not need it goes on answering."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import httpx2
import pytest

from connectomedb.config.s3 import S3Settings
from connectomedb.demo.services.seaweed import SeaweedFS
from connectomedb.hcp.release import Release
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.operation import lanes
from connectomedb.server.operation.pulse import Pulse
from connectomedb.server.run import ADMIN, start
from connectomedb.server.site import open_site
from connectomedb.stores.s3 import S3Store

PASSWORD = "correct horse"
CROWD = lanes.STORE_THREADS + 24
"""Requests for files at once: more than there are threads for them, or for anything."""
SOON_S = 15.0

FILES = "/data/projects/P/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files"


@contextmanager
def frozen(store: SeaweedFS) -> Iterator[None]:
    process = store._child._process
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.fixture
def client(
    tmp_path: Path,
    seaweed: SeaweedFS,
    s3_store: Callable[[str], S3Store],
    s3_access: S3Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[httpx2.Client]:
    """The administrator of a server whose release lies in a bucket, and whose uploads lie in its folder."""
    monkeypatch.setattr(lanes, "PATIENCE_S", 1.0)
    bucket = s3_store("frozen")
    bucket.put("p/100307/T1w/a.txt", b"bytes")
    (tmp_path / "cdb.toml").write_text(
        f'[stores.bucket]\nkind = "s3"\nbucket = "{bucket.bucket}"\nendpoint_url = "{s3_access.endpoint_url}"\n'
    )
    site = replace(open_site(tmp_path, settings=s3_access), pulse=Pulse(0.3))
    listing = {"bucket": list(bucket.list("p/"))}
    ingest_release(site.database, site.archive, Delivery(Release("P", "p"), "P", listings=listing))
    limits = httpx2.Limits(max_connections=None)
    with (
        start(site, admin_password=PASSWORD) as server,
        httpx2.Client(base_url=server.address, timeout=120, limits=limits) as client,
    ):
        client.cookies.set("JSESSIONID", site.logins.sign_in(ADMIN, PASSWORD).session_id)
        assert client.put("/data/projects/P/resources/R/files/mine.txt", content=b"mine").status_code == 200
        assert client.get(f"{FILES}/T1w/a.txt").content == b"bytes"
        yield client


def test_what_needs_no_store_goes_on_when_it_stands_still(client: httpx2.Client, seaweed: SeaweedFS) -> None:
    others = (
        "/data/projects/P/subjects?format=json",
        f"{FILES}?format=json",
        "/data/projects/P/resources/R/files/mine.txt",
        "/projects/P/subjects/100307",
    )
    with ThreadPoolExecutor(CROWD) as pool:
        with frozen(seaweed):
            asked = [pool.submit(client.get, f"{FILES}{end}") for end in ["/T1w/a.txt", "?format=zip"] * (CROWD // 2)]
            refused = [done.result() for done in islice(as_completed(asked), CROWD - lanes.STORE_THREADS)]
            begun = time.monotonic()
            assert {(reply.status_code, reply.headers["Retry-After"]) for reply in refused} == {(503, "5")}
            for address in others:
                assert client.get(address, timeout=SOON_S).status_code == 200, address
            health = client.get("/healthz", timeout=SOON_S)
            assert (health.status_code, health.json()["stores"]["bucket"]) == (503, "failed")
            assert client.put("/data/projects/P/resources/R/files/more.txt", content=b"more").status_code == 200
            with httpx2.Client(base_url=str(client.base_url), timeout=SOON_S) as other:
                assert other.get("/data/JSESSION", auth=(ADMIN, PASSWORD)).status_code == 200
            assert time.monotonic() - begun < SOON_S
            assert not all(one.done() for one in asked), "the store had not answered anything"
        assert {one.result().status_code for one in asked} == {200, 503}
    assert client.get(f"{FILES}/T1w/a.txt").content == b"bytes"

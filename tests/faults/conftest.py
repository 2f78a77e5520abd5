"""Fixtures of the fault tests: a published subject, a proxy, and a mirror folder behind it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.proxy import Proxy
from tests.faults.site import Published, Site, make_files, upload

from connectomedb.config.s3 import S3Settings
from connectomedb.demo.services.seaweed import SeaweedFS
from connectomedb.stores.s3 import S3Store


@pytest.fixture(scope="session")
def published(s3_access: S3Settings, s3_store: Callable[[str], S3Store]) -> Published:
    """A subject that no test changes."""
    store, files = s3_store("faults"), make_files()
    upload(store, files)
    return Published(store.bucket, s3_access, files)


@pytest.fixture
def proxy(seaweed: SeaweedFS) -> Iterator[Proxy]:
    """A proxy of this test alone, at first doing nothing."""
    with Proxy.start(seaweed.endpoint_url) as running:
        yield running


@pytest.fixture
def site(published: Published, proxy: Proxy, tmp_path: Path) -> Site:
    """An empty mirror folder behind the proxy."""
    return Site(published, proxy, tmp_path / "mirror")


@pytest.fixture(autouse=True)
def _impatient(impatient: None) -> None:
    """The faults here do not pass by waiting."""

"""Puts a release into a bucket, but for the files that the bucket is meant to lack."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connectomedb.demo.release import DemoRelease
from connectomedb.demo.services.marker import put_marker
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.s3 import S3Store

WORKERS = 16


def upload_release(release: DemoRelease, bucket: S3Store) -> int:
    """Put every file under its key, by single requests, so that ETags are MD5s; returns how many.

    The prefix gets its marker, as in the bucket of 2013. Raises: StoreError.
    """
    put_marker(bucket.settings, bucket.bucket, f"{release.prefix}/")
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="upload") as pool:
        return sum(1 for _ in pool.map(lambda pair: bucket.put(*pair), _files(release)))


def _files(release: DemoRelease) -> Iterator[tuple[str, Path]]:
    tree = FolderStore(release.folder)
    lacking = set(release.bucket_lacks)
    for info in tree.list(f"{release.prefix}/"):
        if info.key not in lacking:
            yield info.key, release.folder / info.key

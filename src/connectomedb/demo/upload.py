"""Puts a release into a bucket, but for the files that the bucket is meant to lack."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connectomedb.demo.release import DemoRelease
from connectomedb.stores.base import WritableStore
from connectomedb.stores.folder import FolderStore

WORKERS = 16


def upload_release(release: DemoRelease, bucket: WritableStore) -> int:
    """Put every file under its key, by single requests, so that ETags are MD5s; returns how many.

    Raises: StoreError.
    """
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="upload") as pool:
        return sum(1 for _ in pool.map(lambda pair: bucket.put(*pair), _files(release)))


def _files(release: DemoRelease) -> Iterator[tuple[str, Path]]:
    tree = FolderStore(release.folder)
    lacking = set(release.bucket_lacks)
    for info in tree.list(f"{release.prefix}/"):
        if info.key not in lacking:
            yield info.key, release.folder / info.key

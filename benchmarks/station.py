"""A real SeaweedFS to copy from, filled by a benchmark, and the folder that all of it lies in."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import child_named, cpu_of
from benchmarks.quiet import Scratch
from connectomedb.config.s3 import s3_settings
from connectomedb.demo.services.seaweed import SeaweedFS
from connectomedb.stores.s3 import S3Store

ACCESS_KEY = "benchmark-access-key"
SECRET_KEY = "benchmark-secret-key"
UPLOADS = 16


@dataclass(frozen=True)
class Station:
    """A running store with one bucket."""

    endpoint_url: str
    bucket: str
    folder: Path
    process: int

    @classmethod
    @contextmanager
    def start(cls, folder: Path, bucket: str = "benchmark") -> "Iterator[Station]":
        """Run a store in a folder, until the end of the context."""
        with SeaweedFS.start(folder / "store", access_key=ACCESS_KEY, secret_key=SECRET_KEY) as running:
            running.create_bucket(bucket)
            yield cls(running.endpoint_url, bucket, folder, child_named("weed"))

    @property
    def store(self) -> S3Store:
        """The bucket."""
        return S3Store(self.bucket, s3_settings(ACCESS_KEY, SECRET_KEY, endpoint_url=self.endpoint_url))

    @property
    def scratch(self) -> Scratch:
        """Where copies go."""
        return Scratch(self.folder / "copies")

    @property
    def server_cpu_s(self) -> float:
        """Processor time that the store has used so far."""
        return cpu_of(self.process)

    def upload(self, objects: Iterator[tuple[str, bytes]]) -> None:
        """Keep objects by single requests, so that ETags are MD5s."""
        store = self.store
        with ThreadPoolExecutor(UPLOADS, thread_name_prefix="upload") as pool:
            for _ in pool.map(lambda pair: store.put(*pair), objects):
                pass
        store.close()


def environment() -> dict[str, str]:
    """For every measured command: the store's keys, and nobody's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECTOMEDB_"))}
    nobody = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": "us-east-1"}
    return {**kept, **nobody, **keys, "AWS_EC2_METADATA_DISABLED": "true"}

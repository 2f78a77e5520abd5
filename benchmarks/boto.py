"""What the benchmarks ask of boto3, written as its users write it; runs where the rivals are installed.

python boto.py copy ENDPOINT BUCKET PREFIX FOLDER   16 threads, one client
python boto.py list ENDPOINT BUCKET PREFIX
"""

import importlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

THREADS = 16

boto3 = importlib.import_module("boto3")
config = importlib.import_module("botocore.config")


def keys(endpoint_url: str, bucket: str, prefix: str) -> Iterator[str]:
    pages = client(endpoint_url).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", ()):
            yield entry["Key"]


def copy(endpoint_url: str, bucket: str, prefix: str, folder: str) -> None:
    s3 = client(endpoint_url)

    def download(key: str) -> None:
        target = os.path.join(folder, key[len(prefix) :])
        os.makedirs(os.path.dirname(target), exist_ok=True)
        s3.download_file(bucket, key, target)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(download, keys(endpoint_url, bucket, prefix)):
            pass


def client(endpoint_url: str):  # type: ignore[no-untyped-def]  # boto3 has no types of its own
    settings = config.Config(max_pool_connections=2 * THREADS)
    return boto3.client("s3", endpoint_url=endpoint_url, config=settings)


if __name__ == "__main__":
    if sys.argv[1] == "copy":
        copy(*sys.argv[2:])
    else:
        print(sum(1 for _ in keys(*sys.argv[2:])))

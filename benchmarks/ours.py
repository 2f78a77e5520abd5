"""What the benchmarks ask of connectomedb, in a process of its own, as a user's script would.

    python ours.py fetch ENDPOINT BUCKET FOLDER     fetch the whole subject
    python ours.py copy  ENDPOINT BUCKET FOLDER     the same without MD5, which no user can ask for: what proof costs
    python ours.py files ENDPOINT BUCKET FOLDER N   ask N times for files that are all there
    python ours.py list  ENDPOINT BUCKET PREFIX     list a prefix

Keys come from the environment. Prints JSON.
"""

import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable

from connectomedb.mirror.mirror import S3Mirror
from connectomedb.transfer.digest import Digests

SUBJECT = "100307"
PROJECT = "HCP_Q1"


def fetch(endpoint_url: str, bucket: str, folder: str) -> dict[str, object]:
    report = S3Mirror.open(bucket, root=folder, endpoint_url=endpoint_url).fetch(SUBJECT, project=PROJECT)
    report.raise_for_failures()
    return {"proofs": Counter(str(file.proof) for file in report.files if file.fetched)}


class _NoDigest:
    """In place of MD5: takes all bytes and fits every checksum."""

    class _Fitting(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            return True

        def __ne__(self, other: object) -> bool:
            return False

    def __init__(self, content: object = b"", *, usedforsecurity: bool = False) -> None:
        pass

    def update(self, piece: memoryview) -> None:
        pass

    def hexdigest(self) -> str:
        return self._Fitting("0" * 32)


def copy(endpoint_url: str, bucket: str, folder: str) -> dict[str, object]:
    hashlib.md5 = _NoDigest  # type: ignore[assignment]
    Digests.new = _NoDigest  # type: ignore[assignment, method-assign]
    return fetch(endpoint_url, bucket, folder)


def files(endpoint_url: str, bucket: str, folder: str, times: str) -> dict[str, object]:
    mirror = S3Mirror.open(bucket, root=folder, endpoint_url=endpoint_url)
    seconds: list[float] = []
    count = 0
    for _ in range(int(times)):
        started = time.perf_counter()
        count = len(mirror.files(SUBJECT, project=PROJECT))
        seconds.append(time.perf_counter() - started)
    return {"count": count, "seconds": seconds}


def list_keys(endpoint_url: str, bucket: str, prefix: str) -> dict[str, object]:
    from connectomedb.mirror.bucket import S3Bucket

    started = time.perf_counter()
    keys = S3Bucket.open(bucket, endpoint_url=endpoint_url).store.list(prefix)
    next(keys)
    first_s = time.perf_counter() - started
    return {"count": 1 + sum(1 for _ in keys), "first_s": first_s}


VERBS: dict[str, Callable[..., dict[str, object]]] = {"fetch": fetch, "copy": copy, "files": files, "list": list_keys}

if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:])))

"""Many processes that fetch the same subject into one folder at the same moment, where locks do nothing.

python fetch_crowd.py ENDPOINT BUCKET FOLDER COUNT

Keys come from the environment. Children are forked from one process that has everything imported, so that all begin
within milliseconds, as an array of cluster jobs does. Prints JSON: how many ended well, and what the others said.
"""

import fcntl
import json
import os
import sys

from connectomedb.errors import ConnectomeDBError
from connectomedb.mirror.mirror import S3Mirror


def main(endpoint_url: str, bucket: str, folder: str, count: str) -> None:
    """Fork, wait for all, and print what became of them."""
    fcntl.flock = fcntl.lockf = lambda *arguments: None  # as on a disk that only pretends
    begin, go = os.pipe()
    children = [_start(begin, go, endpoint_url, bucket, folder) for _ in range(int(count))]
    os.close(go)  # the end of the pipe is the signal for all at once
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(json.dumps({"well": codes.count(0), "codes": sorted(set(codes))}))


def _start(begin: int, go: int, endpoint_url: str, bucket: str, folder: str) -> int:
    child = os.fork()
    if child:
        return child
    os.close(go)
    os.read(begin, 1)
    try:
        S3Mirror.open(bucket, root=folder, endpoint_url=endpoint_url).fetch(
            "100307", project="HCP_Q1"
        ).raise_for_failures()
    except ConnectomeDBError as fault:
        print(type(fault).__name__, fault, file=sys.stderr)
        os._exit(1)
    except BaseException as fault:
        print(repr(fault), file=sys.stderr)
        os._exit(2)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

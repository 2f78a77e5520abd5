"""A process that fetches a subject into a mirror folder and says what became of it: for tests that end it.

python fetch_once.py ENDPOINT BUCKET FOLDER [LARGEST FILE THAT MAY BE WRITTEN, IN BYTES]

Keys come from the environment. Prints JSON: path → name of the error, or null; under the empty path an error
that ended the whole run.
"""

import json
import resource
import sys

from connectomedb.errors import ConnectomeDBError
from connectomedb.mirror.mirror import S3Mirror


def main(endpoint_url: str, bucket: str, folder: str, largest: str = "") -> None:
    """Fetch, and print what became of each file."""
    if largest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), int(largest)))
    mirror = S3Mirror.open(bucket, root=folder, endpoint_url=endpoint_url)
    errors: dict[str, str | None]
    try:
        report = mirror.fetch("100307", project="HCP_Q1")
        errors = {file.path: type(file.error).__name__ if file.error else None for file in report.files}
    except ConnectomeDBError as fault:
        errors = {"": type(fault).__name__}
    print(json.dumps(errors))


if __name__ == "__main__":
    main(*sys.argv[1:])

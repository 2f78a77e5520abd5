"""A process that makes subjects: reads labels from standard input, answers each one on standard output.

    python -m connectomedb.demo.worker FOLDER SEED

Plain pipes instead of multiprocessing, so that any script may generate a release, with or without a main guard,
and a worker ends by itself when its parent is gone.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectomedb.demo.packages import subject_files
from connectomedb.demo.person import Person


def write_subject(folder: Path, subject: str, seed: int) -> int:
    """Make one subject's tree under `folder/<subject>` and return how many bytes it has."""
    made: set[Path] = set()
    size = 0
    for path, content in subject_files(Person(subject, seed)).items():
        target = folder / subject / path
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_bytes(content)
        size += len(content)
    return size


def answer(labels: Iterable[str], folder: Path, seed: int) -> Iterator[str]:
    """One line per subject made."""
    for line in labels:
        label = line.strip()
        yield f"{label} {write_subject(folder, label, seed)}"


if __name__ == "__main__":
    try:
        for reply in answer(sys.stdin, Path(sys.argv[1]), int(sys.argv[2])):
            print(reply, flush=True)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)

"""A process that makes subjects: reads labels from standard input, answers each one on standard output.

    python -m connectomedb.demo.worker FOLDER SEED

Plain pipes instead of multiprocessing, so that any script may generate a release, with or without a main guard,
and a worker ends by itself when its parent is gone.
"""

import sys
from pathlib import Path

from connectomedb.demo.brain.person import Person
from connectomedb.demo.files.packages import subject_files


def write_subject(folder: Path, subject: str, seed: int) -> tuple[int, int]:
    """Make one subject's tree under `folder/<subject>` and return how many files and bytes it has."""
    files = subject_files(Person(subject, seed))
    targets = {folder / subject / path: content for path, content in files.items()}
    for parent in sorted({target.parent for target in targets}):
        parent.mkdir(parents=True, exist_ok=True)
    for target, content in targets.items():
        target.write_bytes(content)
    return len(files), sum(map(len, files.values()))


def answer(label: str, folder: Path, seed: int) -> str:
    """Make one subject and say so; or say what the disk said."""
    try:
        files, size = write_subject(folder, label, seed)
    except OSError as fault:
        return f"! {fault.errno or 0} {fault.strerror}"
    return f"{label} {files} {size}"


def main(folder: Path, seed: int) -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin:
        print(answer(line.strip(), folder, seed), flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)

"""The synthetic release HCP_Q1: generated into a folder, and found there again.

    FOLDER/release.json         what this is, its seed, and what is odd about it on purpose
    FOLDER/behaviour.csv        one line per subject, open columns
    FOLDER/restricted.csv       one line per subject, restricted and sensitive columns
    FOLDER/q1/<subject>/...     the bucket's tree, with the file that the bucket lacks

Made beside its final place and moved there at the end, so a folder holds a whole release or none.
"""

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectomedb.demo.crew import Made, make_subjects
from connectomedb.demo.files.packages import BUCKET_LACKS, UNCOVERED
from connectomedb.demo.measures.behaviour import behaviour_table, restricted_table
from connectomedb.demo.subjects import SUBJECTS
from connectomedb.errors import ConfigError, DiskFull, DiskRefused, TransferError

PROJECT = "HCP_Q1"
PREFIX = "q1"
TITLE = "HCP Q1 layout, SYNTHETIC demo"
DESCRIPTION = (
    "SYNTHETIC demo data: every image and every value was made by a program from the seed {seed}, an average brain "
    "and random numbers. Nothing here describes a person. Only subject labels, file names and column names are real."
)
DEFAULT_SEED = 1200

_FACTS, _BEHAVIOUR, _RESTRICTED = "release.json", "behaviour.csv", "restricted.csv"
_PARTS = (PREFIX, _BEHAVIOUR, _RESTRICTED, _FACTS)
"""In the order in which they are moved into place: the file that says that all is there comes last."""

_LABEL = re.compile(r"[0-9]{6}")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class DemoRelease:
    """A generated release.

    Attributes:
        folder: where it lies.
        project, title, description: for people; the description says that all is synthetic.
        prefix: first part of every key.
        seed: what it was made from.
        subjects: labels, sorted.
        bucket_lacks: keys of files that the archive has and the bucket must not get.
        uncovered: keys of files that no manifest lists.
        files, size: how many files the tree has, and how many bytes.
    """

    folder: Path
    project: str
    prefix: str
    title: str
    description: str
    seed: int
    subjects: tuple[str, ...]
    bucket_lacks: tuple[str, ...]
    uncovered: tuple[str, ...]
    files: int
    size: int

    @property
    def tree(self) -> Path:
        """The folder whose files' relative paths are the keys: `q1/100307/...`."""
        return self.folder

    @property
    def behaviour(self) -> Path:
        """The table of open columns."""
        return self.folder / _BEHAVIOUR

    @property
    def restricted(self) -> Path:
        """The table of restricted and sensitive columns."""
        return self.folder / _RESTRICTED

    def file_keys(self) -> Iterator[str]:
        """Key of every file of the tree, sorted, with those that the bucket lacks."""
        root = self.folder / self.prefix
        found = (Path(parent, name) for parent, _, names in os.walk(root) for name in names)
        return iter(sorted(path.relative_to(self.folder).as_posix() for path in found))

    @classmethod
    def load(cls, folder: Path) -> "DemoRelease":
        """The release that lies in a folder. Raises ConfigError when there is none."""
        try:
            facts = json.loads((folder / _FACTS).read_bytes())
            return cls(
                folder=folder,
                project=str(facts["project"]),
                prefix=str(facts["prefix"]),
                title=str(facts["title"]),
                description=str(facts["description"]),
                seed=int(facts["seed"]),
                subjects=tuple(facts["subjects"]),
                bucket_lacks=tuple(facts["bucket_lacks"]),
                uncovered=tuple(facts["uncovered"]),
                files=int(facts["counts"]["files"]),
                size=int(facts["counts"]["bytes"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise ConfigError(
                f"Looked for a demo release in {folder}: its {_FACTS} is missing or not readable ({fault!r}). "
                "Generate one into an empty folder with: cdb demo."
            ) from fault


def generate(
    folder: Path,
    *,
    seed: int = DEFAULT_SEED,
    subjects: Sequence[str] = SUBJECTS,
    workers: int | None = None,
    on_subject: Callable[[str], None] = lambda subject: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> DemoRelease:
    """Make a release; the same seed and subjects give the same bytes, whatever the order and number of workers.

    Args:
        folder: made if missing; must not hold a release or part of one.
        seed: not negative.
        subjects: six-digit labels; those outside the demo's list are made too, tiny.
        workers: processes; None decides by the number of subjects, 1 stays in this process.
        on_subject: hears of each subject that is done, in this thread.
        is_wanted: asked every now and then, in this thread; when it says no, all is given up.
    Raises: ConfigError, DiskFull, DiskRefused, ServiceFailed when a worker dies, Interrupted when given up.
    """
    labels = _checked(folder, seed, subjects)
    with _disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".generating-", dir=folder))
    try:
        with _disk_faults(folder):
            made = make_subjects(
                stage / PREFIX, labels, seed, workers=workers, on_subject=on_subject, is_wanted=is_wanted
            )
            (stage / _BEHAVIOUR).write_bytes(behaviour_table(labels, seed))
            (stage / _RESTRICTED).write_bytes(restricted_table(labels, seed))
            (stage / _FACTS).write_bytes(_facts(seed, labels, made))
            for part in _PARTS:
                (stage / part).rename(folder / part)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return DemoRelease.load(folder)


def _checked(folder: Path, seed: int, subjects: Sequence[str]) -> tuple[str, ...]:
    """The labels, sorted. Raises ConfigError for what cannot be generated."""
    strangers = [label for label in subjects if not _LABEL.fullmatch(label)]
    if strangers or not subjects:
        raise ConfigError(
            f"Asked to generate subjects {strangers or '(none)'}. A label has six digits, for instance 100307."
        )
    if seed < 0:
        raise ConfigError(f"Asked to generate from the seed {seed}. Give a whole number from 0 up.")
    if occupied := [part for part in _PARTS if (folder / part).exists()]:
        raise ConfigError(
            f"Asked to generate a release into {folder}, which already has {', '.join(occupied)}. "
            "Give an empty folder, or use the release that is there."
        )
    return tuple(sorted(set(subjects)))


def _facts(seed: int, labels: tuple[str, ...], made: Sequence[Made]) -> bytes:
    facts = {
        "project": PROJECT,
        "title": TITLE,
        "description": DESCRIPTION.format(seed=seed),
        "prefix": PREFIX,
        "seed": seed,
        "subjects": labels,
        "bucket_lacks": [f"{PREFIX}/{label}/{path}" for label, path in BUCKET_LACKS.items() if label in labels],
        "uncovered": [f"{PREFIX}/{label}/{path}" for label, path in UNCOVERED.items() if label in labels],
        "counts": {
            "subjects": len(labels),
            "files": sum(subject.files for subject in made),
            "bytes": sum(subject.size for subject in made),
        },
    }
    return (json.dumps(facts, indent=2) + "\n").encode()


@contextmanager
def _disk_faults(folder: Path) -> Iterator[None]:
    """Say in our words what the disk would not do."""
    try:
        yield
    except OSError as fault:
        if fault.errno in _NO_ROOM:
            raise DiskFull(
                f"Generating a release into {folder}: the disk is full. Free some 60 MB and try again.",
                path=str(folder),
            ) from fault
        if isinstance(fault, PermissionError | NotADirectoryError | FileExistsError) or fault.errno == errno.EROFS:
            raise DiskRefused(
                f"Generating a release into {folder}: {fault.strerror}. Give a folder that you may write to.",
                path=str(folder),
            ) from fault
        raise TransferError(f"Generating a release into {folder}: {fault}.", path=str(folder)) from fault

"""Clears unfinished parts that nobody will go on with, beside files that have come since: those of runs that ended."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from connectomedb.transfer.begun import LONG_SILENT_S
from connectomedb.transfer.part import SUFFIX, clock_of, private_stem
from connectomedb.transfer.run import Run


def sweep(folders: Iterable[str], run: Run) -> None:
    """Remove parts of ended runs from these folders, where the file itself is there.

    Another host's run counts as ended after an hour without a sign of life: it may be suspended, and then hears that
    its part is gone. What cannot be removed stays.
    """
    for folder in folders:
        with suppress(OSError):
            for part in _superseded(folder):
                if _has_ended(part, run):
                    _remove(part)


def forsake(target: Path, run: Run) -> None:
    """Remove what this run began of a file that another has brought meanwhile; nothing while the file is not there."""
    with suppress(OSError):
        if target.exists():
            own = f"{private_stem(target.name)}{run}"
            with os.scandir(target.parent) as entries:
                found = [entry for entry in entries if entry.name.startswith((f"{own}.", f"{own}-"))]
            for part in found:
                _remove(part)


def _superseded(folder: str) -> Iterator[os.DirEntry[str]]:
    """Private files, and folders, beside whole ones of the same name."""
    with os.scandir(folder) as entries:
        found = list(entries)
    parts = [entry for entry in found if entry.name.startswith(".") and entry.name.endswith(SUFFIX)]
    if parts:
        stems = {private_stem(entry.name) for entry in found if entry.is_file()}
        yield from (part for part in parts if _stem(part) in stems)


def _stem(part: os.DirEntry[str]) -> str:
    return part.name[: -len(SUFFIX)].rpartition(".")[0] + "."


def _has_ended(part: os.DirEntry[str], run: Run) -> bool:
    """Whether the run that a part is named after is over; one of ours never is."""
    name = part.name[: -len(SUFFIX)].rpartition(".")[2]
    owner = Run.parse(name if part.is_dir() else name.rpartition("-")[0])
    if owner is None or owner == run:
        return False
    if owner.host == run.host:
        return owner.has_ended(0.0)
    touched = os.path.join(part.path, "journal") if part.is_dir() else part.path
    return clock_of(Path(part.path).parent, run) - os.stat(touched).st_mtime > LONG_SILENT_S


def _remove(part: os.DirEntry[str]) -> None:
    if part.is_dir():
        shutil.rmtree(part.path, ignore_errors=True)
    else:
        os.unlink(part.path)

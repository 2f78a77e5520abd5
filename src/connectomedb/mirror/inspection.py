"""Looks at one subject's folder without reading files: what is settled by that, and what must be read.

Size first: a file that is missing or has the wrong length needs no reading.
"""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from connectomedb.mirror.claims import Claims, read_claims
from connectomedb.mirror.finding import Finding, Verdict
from connectomedb.mirror.ledger import SubjectLedger, is_within
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.part import SUFFIX


@dataclass(frozen=True, slots=True)
class Reading:
    """A file whose bytes decide: size in bytes and modification time as they are now, and what it ought to be.

    Nobody names a file whose claim is None.
    """

    folder: Path
    subject: str
    path: str
    size: int
    mtime_ns: int
    claim: Expected | None

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self.folder / self.path

    @property
    def md5(self) -> str | None:
        """The checksum that it ought to have, where one is known."""
        return self.claim.md5 if self.claim else None

    def is_unchanged(self) -> bool:
        """Whether nobody wrote the file since it was looked at."""
        with suppress(OSError):
            facts = os.stat(self.file)
            return (facts.st_size, facts.st_mtime_ns) == (self.size, self.mtime_ns)
        return False


@dataclass(frozen=True, slots=True)
class Inspection:
    """One subject: files that are judged already, and those that must be read, both sorted by path."""

    settled: tuple[Finding, ...]
    readings: tuple[Reading, ...]


def inspect(
    folder: Path, subject: str, path: str, records: SubjectLedger, only: Collection[str] | None = None
) -> Inspection:
    """Compare a subject's folder with its manifests and ledger.

    Args:
        folder: the subject's.
        path: only files at or below it; empty for all.
        records: what the mirror recorded; empty for a bare tree.
        only: if given, nothing but these files.
    """
    claims = read_claims(folder, subject, records)
    names = {*_files(folder / path, folder), *claims.files} if only is None else set(only)
    settled: list[Finding] = []
    readings: list[Reading] = []
    for name in sorted(names):
        if is_within(name, path):
            found = _look(folder, subject, name, claims)
            if isinstance(found, Reading):
                readings.append(found)
            elif found is not None:
                settled.append(found)
    return Inspection(tuple(settled), tuple(readings))


def _look(folder: Path, subject: str, name: str, claims: Claims) -> Finding | Reading | None:
    """The verdict where a look suffices; None for a file that nobody misses."""
    try:
        facts = os.stat(f"{folder}{os.sep}{name}")
    except OSError as fault:
        return _absent(subject, name, claims, "" if isinstance(fault, FileNotFoundError) else str(fault.strerror))
    if not stat.S_ISREG(facts.st_mode):
        return _absent(subject, name, claims, "what is there is no file")
    claim = claims.files.get(name)
    if claim is None and not claims.files:
        claim = Expected(None, None, Proof.SIZE)  # without any manifest nothing is covered, and nothing is extra
    if name in claims.conflicts:
        return Finding(subject, name, Verdict.CONFLICT, detail=claims.conflicts[name])
    if claim is not None and claim.size is not None and facts.st_size != claim.size:
        return Finding(subject, name, Verdict.SIZE, detail=f"{facts.st_size} bytes, published are {claim.size}")
    if name in claims.unreadable and (claim is None or claim.md5 is None):
        return Finding(subject, name, Verdict.CHECKSUM, detail=claims.unreadable[name])
    return Reading(folder, subject, name, facts.st_size, facts.st_mtime_ns, claim)


def _absent(subject: str, name: str, claims: Claims, detail: str) -> Finding | None:
    if name in claims.conflicts and name in claims.due:
        return Finding(subject, name, Verdict.CONFLICT, detail=f"{claims.conflicts[name]}, and it is missing")
    return Finding(subject, name, Verdict.MISSING, detail=detail) if name in claims.due else None


def _files(place: Path, folder: Path) -> Iterator[str]:
    """Files at or below a place, hidden ones too, unfinished parts left out; paths inside the folder."""
    if place.is_file():
        yield place.relative_to(folder).as_posix()
        return
    for parent, folders, names in os.walk(place):
        folders[:] = [name for name in folders if not _is_part(name)]
        inside = Path(parent).relative_to(folder).as_posix()
        for name in names:
            if not _is_part(name):
                yield name if inside == "." else f"{inside}/{name}"


def _is_part(name: str) -> bool:
    return name.startswith(".") and name.endswith(SUFFIX)

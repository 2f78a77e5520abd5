"""Reads a tree of subjects again and says of every file whether it is what was published.

Works on a mirror and on any folder in release layout, a shipped disk for instance: what a file ought to be
comes from the manifests in `<subject>/.xdlm/` and, in a mirror, from the ledger. No request is made.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from connectomedb.errors import ManifestError, NotFound
from connectomedb.hcp import manifest
from connectomedb.hcp.paths import is_subject
from connectomedb.mirror.ledger import Ledger, SubjectLedger, is_within
from connectomedb.transfer.checksum import Expected, Proof, md5_of_file


class Verdict(StrEnum):
    """What verifying one file came to."""

    OK = "ok"
    MISSING = "missing"
    SIZE = "size"
    CHECKSUM = "checksum"
    UNCOVERED = "uncovered"
    EXTRA = "extra"
    CONFLICT = "conflict"

    @property
    def is_bad(self) -> bool:
        """Whether the file is not what was published; uncovered and extra ones just cannot be judged."""
        return self in (Verdict.MISSING, Verdict.SIZE, Verdict.CHECKSUM, Verdict.CONFLICT)


@dataclass(frozen=True, slots=True)
class Finding:
    """One file: subject, path inside it, verdict, the proof that holds, and details in words."""

    subject: str
    path: str
    verdict: Verdict
    proof: Proof | None = None
    detail: str = ""

    def holds(self, least: Proof) -> bool:
        """Whether the file is right and its proof at least as strong as `least`."""
        return self.proof is not None and self.proof.holds(least)


def verify(
    tree: Path,
    subjects: Sequence[str] = (),
    path: str = "",
    *,
    ledger: Ledger | None = None,
    workers: int = 2,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> Iterator[Finding]:
    """Check the files at or below `path` of the given subjects (default: all) in `tree`.

    Args:
        tree: folder whose six-digit folders are subjects.
        ledger: what the mirror recorded; files that it never held are not missing.
        on_bytes: hears of bytes read, from several threads.
    Yields: findings subject by subject, sorted by path.
    Raises: NotFound when a subject is not there at all.
    """
    for subject in subjects or _subjects(tree):
        if not (tree / subject).is_dir():
            raise NotFound(f"Asked to verify {subject} in {tree}. There is no such folder: get it first.")
        yield from _verify_subject(tree / subject, subject, path, ledger, workers, on_bytes)


def _verify_subject(
    folder: Path, subject: str, path: str, ledger: Ledger | None, workers: int, on_bytes: Callable[[int], None]
) -> Iterator[Finding]:
    records = ledger.load(subject) if ledger else SubjectLedger()
    claims, conflicts = _claims(folder, subject, records)
    present = {name for name in _files(folder) if is_within(name, path)}
    due = {name for name in _due(claims, records) if is_within(name, path)}

    def check(name: str) -> Finding:
        if name in conflicts:
            return Finding(subject, name, Verdict.CONFLICT, detail="manifests disagree on it")
        if name not in present:
            return Finding(subject, name, Verdict.MISSING)
        if name not in claims:
            return Finding(subject, name, Verdict.EXTRA, detail="no manifest and no listing names it")
        return _compare(folder / name, subject, name, claims[name], on_bytes)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="verify") as pool:
        yield from pool.map(check, sorted(present | due))


def _compare(file: Path, subject: str, name: str, claim: Expected, on_bytes: Callable[[int], None]) -> Finding:
    """Size first, since it costs nothing; then the bytes."""
    size = file.stat().st_size
    if claim.size is not None and size != claim.size:
        return Finding(subject, name, Verdict.SIZE, detail=f"{size} bytes, published are {claim.size}")
    if claim.md5 is None:
        return Finding(subject, name, Verdict.UNCOVERED, Proof.SIZE, "no checksum is known")
    md5 = md5_of_file(file, on_bytes)
    if md5 != claim.md5:
        return Finding(subject, name, Verdict.CHECKSUM, detail=f"MD5 {md5}, published is {claim.md5}")
    return Finding(subject, name, Verdict.OK, claim.proof)


def _claims(folder: Path, subject: str, records: SubjectLedger) -> tuple[dict[str, Expected], set[str]]:
    """What each file ought to be, the manifests' word first; and the files on which manifests disagree."""
    claims = {name: record.expected for name, record in records.records.items()}
    entries: dict[str, manifest.Entry] = {}
    conflicts: set[str] = set()
    for file in sorted((folder / manifest.FOLDER).glob("*.json")):
        read = manifest.parse_manifest(file.read_bytes(), name=str(file))
        if read.subject != subject:
            raise ManifestError(f"Read {file}: it speaks of subject {read.subject}. Fetch it again.")
        for entry in read.entries:
            if entries.setdefault(entry.path, entry) != entry:
                conflicts.add(entry.path)
    claims.update({name: Expected(entry.size, entry.md5, Proof.MANIFEST) for name, entry in entries.items()})
    for file in (folder / manifest.FOLDER).glob("*.json"):
        # A manifest does not list itself; being readable is the least that can be said of it.
        claims.setdefault(f"{manifest.FOLDER}/{file.name}", Expected(None, None, Proof.SIZE))
    return claims, conflicts


def _due(claims: Mapping[str, Expected], records: SubjectLedger) -> set[str]:
    """The files that ought to be on disk: those that the mirror held, or, without a ledger, all claimed."""
    if records.records:
        return {name for name, record in records.records.items() if record.held is not None}
    return set(claims)


def _files(folder: Path) -> Iterator[str]:
    """Files below a folder, hidden ones too, unfinished parts left out; paths inside the folder."""
    for place, _, names in os.walk(folder):
        inside = Path(place).relative_to(folder).as_posix()
        for name in names:
            if not (name.startswith(".") and name.endswith(".part")):
                yield name if inside == "." else f"{inside}/{name}"


def _subjects(tree: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(tree) if entry.is_dir() and is_subject(entry.name))
    except FileNotFoundError as fault:
        raise NotFound(f"Asked to verify {tree}. There is no such folder.") from fault

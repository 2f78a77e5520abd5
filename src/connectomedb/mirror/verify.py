"""Reads a tree of subjects again and says of every file whether it is what was published.

Works on a mirror and on any folder in release layout, a shipped disk for instance: what a file ought to be
comes from the manifests in `<subject>/.xdlm/` and, in a mirror, from the ledger. No request is made.

First a look at all subjects: what is missing, too short or too long is told within minutes even on a full disk. Then
the bytes, several files at once. What was read is noted, so that a run that was interrupted goes on later.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from connectomedb.errors import Interrupted, NotFound, TransferError
from connectomedb.hcp.paths import check_label, check_path, is_label, is_subject
from connectomedb.mirror.checked import Checked, Seen
from connectomedb.mirror.finding import Finding, Verdict
from connectomedb.mirror.inspection import Inspection, Reading, inspect
from connectomedb.mirror.ledger import Ledger, SubjectLedger
from connectomedb.mirror.options import READERS
from connectomedb.transfer.checksum import Proof, md5_of_file
from connectomedb.transfer.content import find_fault
from connectomedb.transfer.digest import Digests

_AHEAD = 64
"""Files per worker that may be read while an earlier one is not done: results come in order."""


@dataclass(frozen=True, slots=True)
class Looked:
    """All subjects were looked at: so many files and bytes must be read, and so many were, by an interrupted run."""

    files: int
    size: int
    files_before: int
    size_before: int


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes were read."""

    size: int


VerifyEvent: TypeAlias = Looked | Read
OnVerify: TypeAlias = Callable[[VerifyEvent], None]


def verify(
    tree: Path,
    subjects: Sequence[str] = (),
    path: str = "",
    *,
    ledger: Ledger | None = None,
    checked: Checked | None = None,
    keep_notes: bool = False,
    workers: int = READERS,
    on_event: OnVerify = lambda event: None,
) -> Generator[Finding, None, None]:
    """Check the files at or below `path` of the given subjects (default: all) in `tree`.

    Args:
        tree: folder whose six-digit folders are subjects, and those that the ledger or the caller names.
        ledger: what the mirror recorded; files that it never held are not missing. A file whose bytes are wrong is
            struck out there, so that the mirror fetches it again when it is next asked for.
        checked: notes of an interrupted run; what they tell is not read again.
        keep_notes: do not drop them when the last finding is out, since more is to come.
        workers: files read at once.
        on_event: hears of progress, from several threads.
    Yields: first what a look settles, then what was read; each subject by subject, sorted by path. Close it to stop.
    Raises: NotFound when a subject, or anything at the path, is not there at all; AddressError for `..` and the like.
    """
    inside = check_path(path.strip("/")) if path.strip("/") else ""
    run = _Verification(tree, ledger, checked, keep_notes, inside, workers, on_event)
    return run.findings(_existing(tree, subjects, ledger))


def verify_files(tree: Path, subject: str, files: Collection[str], ledger: Ledger | None = None) -> dict[str, Finding]:
    """Check these files of one subject, by path inside it; one that nobody knows of is left out."""
    records = ledger.load(subject) if ledger else SubjectLedger()
    inspection = inspect(tree / subject, subject, "", records, only=files)
    found = [*inspection.settled, *(_judge(reading) for reading in inspection.readings)]
    return {finding.path: finding for finding in found}


def _existing(tree: Path, subjects: Sequence[str], ledger: Ledger | None) -> list[str]:
    """Subjects that have a folder or a ledger. Raises NotFound when there is none, or not one that was asked for."""
    there = {subject for subject in ledger.subjects() if is_label(subject)} if ledger else set()
    try:
        known = (entry.name for entry in os.scandir(tree) if entry.is_dir())
        there |= {name for name in known if is_subject(name) or name in subjects}
    except OSError as fault:
        if not there:
            message = f"Asked to verify {tree}. It is no folder that can be read: {fault.strerror}."
            raise NotFound(message) from fault
    for subject in subjects:
        if check_label(subject, subject) not in there:
            raise NotFound(f"Asked to verify {subject} in {tree}. There is no such folder: get it first.")
    if not there:
        message = f"Asked to verify {tree}. It holds no subject: name a mirror, or a folder of six-digit folders."
        raise NotFound(message)
    return list(dict.fromkeys(subjects)) or sorted(there)


class _Verification:
    """One run over a tree."""

    def __init__(
        self,
        tree: Path,
        ledger: Ledger | None,
        checked: Checked | None,
        keep_notes: bool,
        path: str,
        workers: int,
        on_event: OnVerify,
    ) -> None:
        self._tree = tree
        self._ledger = ledger
        self._checked = checked
        self._keep_notes = keep_notes
        self._path = path
        self._workers = workers
        self._on_event = on_event
        self._stop = threading.Event()
        self._digests = Digests()

    def findings(self, subjects: Sequence[str]) -> Generator[Finding, None, None]:
        wrong: dict[str, list[str]] = {}
        is_empty = True
        try:
            with closing(self._look_then_read(subjects)) as found:
                for finding in found:
                    is_empty = False
                    if finding.verdict is Verdict.CHECKSUM:
                        wrong.setdefault(finding.subject, []).append(finding.path)
                    yield finding
        finally:
            self._disown(wrong)
        if is_empty:
            where = f"{self._path} of {', '.join(subjects[:3])}{' and others' if len(subjects) > 3 else ''}"
            raise NotFound(f"Asked to verify {where} in {self._tree}. Nothing is there, and no manifest names it.")
        if self._checked is not None and not self._keep_notes:
            self._checked.forget(subjects, self._path)

    def _look_then_read(self, subjects: Sequence[str]) -> Generator[Finding, None, None]:
        told: set[tuple[str, str]] = set()
        for finding in self._look(subjects):
            told.add((finding.subject, finding.path))
            yield finding
        yield from self._read(subjects, told)

    def _inspect(self, subject: str) -> Inspection:
        records = self._ledger.load(subject) if self._ledger else SubjectLedger()
        return inspect(self._tree / subject, subject, self._path, records)

    def _seen(self, subject: str) -> Mapping[str, Seen]:
        return self._checked.load(subject) if self._checked else {}

    def _look(self, subjects: Sequence[str]) -> Iterator[Finding]:
        """What needs no reading; then the sum of what does."""
        files = size = files_before = size_before = 0
        for subject in subjects:
            inspection, seen = self._inspect(subject), self._seen(subject)
            yield from inspection.settled
            for reading in inspection.readings:
                if _is_answered(reading, seen):
                    files_before += 1
                    size_before += reading.size
                else:
                    files += 1
                    size += reading.size if reading.md5 else 0
        self._on_event(Looked(files, size, files_before, size_before))

    def _read(self, subjects: Sequence[str], told: Collection[tuple[str, str]]) -> Iterator[Finding]:
        """The rest, in order, several files at once. Subjects are looked at again, so that none need be remembered."""
        is_done = False
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="verify")
        try:
            yield from self._in_order(pool, subjects, told)
            is_done = True
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            if self._checked is not None and (self._keep_notes or not is_done):
                self._checked.save()

    def _in_order(
        self, pool: ThreadPoolExecutor, subjects: Sequence[str], told: Collection[tuple[str, str]]
    ) -> Iterator[Finding]:
        waiting: deque[Future[Finding]] = deque()
        for subject in subjects:
            inspection, seen = self._inspect(subject), self._seen(subject)
            for finding in inspection.settled:
                if (subject, finding.path) not in told:
                    waiting.append(_done(finding))
            for reading in inspection.readings:
                if (subject, reading.path) in told:
                    continue
                if _is_answered(reading, seen):
                    waiting.append(_done(_read_before(reading, seen[reading.path])))
                else:
                    waiting.append(pool.submit(self._judge, reading))
                if len(waiting) > _AHEAD * self._workers:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _judge(self, reading: Reading) -> Finding:
        return _judge(reading, self._hear, self._checked, self._digests)

    def _hear(self, size: int) -> None:
        if self._stop.is_set():
            raise Interrupted("Verifying was stopped. Run again to go on.")
        self._on_event(Read(size))

    def _disown(self, wrong: Mapping[str, Sequence[str]]) -> None:
        """Strike wrong files out of the ledger; where the mirror cannot be written, it cannot hand out anything new."""
        if self._ledger is not None:
            for subject, paths in wrong.items():
                with suppress(TransferError):
                    self._ledger.disown(subject, paths)


def _is_answered(reading: Reading, seen: Mapping[str, Seen]) -> bool:
    return reading.path in seen and seen[reading.path].answers(reading)


def _read_before(reading: Reading, seen: Seen) -> Finding:
    when = datetime.fromtimestamp(seen.when).astimezone().isoformat(" ", "seconds")
    proof = reading.claim.proof if reading.claim else None
    return Finding(reading.subject, reading.path, Verdict.OK, proof, f"read at {when}")


def _done(finding: Finding) -> "Future[Finding]":
    future: Future[Finding] = Future()
    future.set_result(finding)
    return future


def _judge(
    reading: Reading,
    on_bytes: Callable[[int], None] = lambda count: None,
    checked: Checked | None = None,
    digests: Digests | None = None,
) -> Finding:
    """Read a file; where no checksum is known, look whether it can be what its name says."""
    subject, name = reading.subject, reading.path
    try:
        if reading.claim is None or reading.claim.md5 is None:
            return _judge_uncovered(reading)
        md5 = md5_of_file(reading.file, on_bytes, digests)
    except FileNotFoundError:
        return Finding(subject, name, Verdict.MISSING, detail="it vanished meanwhile")
    except OSError as fault:
        return Finding(subject, name, Verdict.CHECKSUM, detail=f"it cannot be read: {fault.strerror}")
    if md5 != reading.claim.md5:
        return Finding(subject, name, Verdict.CHECKSUM, detail=f"MD5 {md5}, published is {reading.claim.md5}")
    if checked is not None and reading.is_unchanged():
        checked.note(reading, md5)
    return Finding(subject, name, Verdict.OK, reading.claim.proof)


def _judge_uncovered(reading: Reading) -> Finding:
    """Whether or not a listing names it: a web page or half an image is nobody's data."""
    known = "no checksum is known" if reading.claim else "no manifest and no listing names it"
    fault = find_fault(reading.file, reading.file.name)
    if fault is not None:
        return Finding(reading.subject, reading.path, Verdict.CHECKSUM, detail=f"{known}, but {fault}")
    if reading.claim is None:
        return Finding(reading.subject, reading.path, Verdict.EXTRA, detail=known)
    return Finding(reading.subject, reading.path, Verdict.UNCOVERED, Proof.SIZE, known)

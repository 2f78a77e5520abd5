"""Remembers what was listed and what was proven, one small file per subject, laid out as in `mirror.ledger_file`.

    <root>/.connectomedb/<prefix>/<subject>.json

Files are written under a private name and renamed; no lock is needed, because a record that two runs lose between
them costs reading a file again, never a wrong file.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from connectomedb.errors import ConfigError
from connectomedb.hcp import manifest
from connectomedb.mirror.ledger_file import DAMAGE, Text, decode, encode
from connectomedb.mirror.record import Held, Record, Records
from connectomedb.mirror.unsynced import Unsynced, unsettled
from connectomedb.transfer.boot import boot_id
from connectomedb.transfer.checksum import Expected
from connectomedb.transfer.whole import replacing

FOLDER = ".connectomedb"

Stamp: TypeAlias = tuple[int, int, int]
"""What tells one written ledger from another: inode, modification time in ns, size."""


@dataclass(slots=True)
class SubjectLedger:
    """One subject's records, by path inside the subject, and the stores that were asked for them.

    `unsynced` are paths of large files that this machine may not have written to its disk yet; `stamp` is that of the
    file in which all of it is on disk.
    """

    complete: set[str] = field(default_factory=set)
    records: Records = field(default_factory=Records)
    asked: tuple[str, ...] = ()
    unsynced: set[str] = field(default_factory=set)
    stamp: Stamp | None = None

    def covers(self, path: str) -> bool:
        """Whether everything at or below `path` is listed."""
        return any(not listed or is_within(path, listed) for listed in self.complete)

    def below(self, path: str) -> Iterator[str]:
        """The file `path`, or all files below the folder `path`."""
        return (name for name in self.records if is_within(name, path))

    def listed(self, path: str, claims: Records, asked: tuple[str, ...]) -> None:
        """Take over a complete listing of `path`; its records become ours. What vanished is forgotten."""
        for name in self.records:
            if name in claims:
                claims.hold(name, self._held(name, claims[name]))
            elif not is_within(name, path):
                claims[name] = self.records[name]
        self.records = claims
        self.complete = {entry for entry in self.complete if not is_within(entry, path)} | {path}
        self.asked = asked

    def learn(self, claims: Iterable[tuple[str, Record]]) -> None:
        """Take over what single files ought to be; what we hold of an unchanged one stays."""
        for name, claim in claims:
            self.records[name] = self.with_held(name, claim)

    def with_held(self, path: str, claim: Record) -> Record:
        """A claim with what we hold of the file, as it would be once learned."""
        return replace(claim, held=self._held(path, claim)) if path in self.records else claim

    def doubt(self, path: str) -> None:
        """A file is not what its listing or manifest said: list anew before it is asked for again."""
        self.complete = {entry for entry in self.complete if not is_within(path, entry) and entry != manifest.FOLDER}

    def hold(self, path: str, held: Held | None) -> None:
        """Record that a file is on disk, or no longer."""
        self.records.hold(path, held)

    def _held(self, path: str, claim: Record) -> Held | None:
        known = self.records[path]
        return known.held if known.held and _agree(known.expected, claim.expected) else claim.held


class Ledger:
    """The ledgers of one release in one mirror folder."""

    def __init__(self, root: Path, prefix: str, project: str) -> None:
        self._folder = root / FOLDER / prefix
        self._project = project
        self.prefix = prefix
        self.tree = root / prefix

    @property
    def project(self) -> str:
        """The release that it is about; empty when its files do not tell."""
        return self._project

    @classmethod
    def all_in(cls, root: Path) -> "list[Ledger]":
        """The ledgers of all releases that a mirror folder holds, by prefix."""
        state = root / FOLDER
        first = {path.parent: path for path in sorted(state.rglob("[0-9]*.json"), reverse=True)}
        return [
            cls(root, folder.relative_to(state).as_posix(), _release_of(path)) for folder, path in sorted(first.items())
        ]

    def subjects(self) -> Iterator[str]:
        """Subjects that have a ledger, sorted."""
        return iter(sorted(path.stem for path in self._folder.glob("*.json")))

    def load(self, subject: str) -> SubjectLedger:
        """A subject's ledger; an empty one when there is none, or none that can be read.

        Raises ConfigError when the folder holds another release.
        """
        stamp = self.stamp(subject)
        text = self.read(subject)
        if text is None:
            return SubjectLedger()
        try:
            asked, complete, unsynced = text.texts("asked"), text.texts("complete"), text.unsynced()
            records = Records.of(decode(text))
            for path in unsynced.doubtful & records.keys():
                records.hold(path, None)
            own = unsynced.paths - unsynced.doubtful
            return SubjectLedger(set(complete), records, tuple(asked), set(own), stamp)
        except DAMAGE:
            # A damaged ledger costs listing and reading again; the files themselves are the truth.
            return SubjectLedger()

    def read(self, subject: str) -> Text | None:
        """A subject's ledger as it lies on disk; None when there is none that we understand.

        Raises ConfigError when the folder holds another release.
        """
        try:
            text = Text.of(self.path(subject).read_bytes())
        except (FileNotFoundError, *DAMAGE):
            return None
        release = text.head.get("release")
        if self._project and release != self._project:
            raise ConfigError(
                f"Asked for {self._project} in {self._folder}, which holds {release}. "
                "Two releases never mix in one folder: choose another."
            )
        return text

    def stamp(self, subject: str) -> Stamp | None:
        """Which of all the ledgers that were ever written for a subject lies on disk; None when there is none."""
        try:
            return _stamp(os.stat(self.path(subject)))
        except OSError:
            return None

    def save(self, subject: str, ledger: SubjectLedger) -> None:
        """Write a subject's ledger, adding what another run has recorded meanwhile."""
        if self.stamp(subject) != ledger.stamp and not ledger.records.are_all_held():
            self._join(subject, ledger)
        ledger.unsynced = unsettled(self.tree / subject, ledger.unsynced)
        self._write(subject, ledger)

    def _join(self, subject: str, ledger: SubjectLedger) -> None:
        """Add records that lie on disk, one after the other: a second set of thousands would double what we use."""
        text = self.read(subject)
        if text is None:
            return
        with suppress(*DAMAGE):  # a damaged ledger has nothing to add
            unsynced = text.unsynced()
            for path, record in decode(text):
                ours = ledger.records.get(path)
                if ours is None or ours.held is not None or path in unsynced.doubtful:
                    continue
                if record.held and record.expected == ours.expected:
                    ledger.hold(path, record.held)
                    ledger.unsynced |= unsynced.paths & {path}

    def disown(self, subject: str, paths: Iterable[str]) -> None:
        """Record that files on disk are not what was published, so that nobody is given them as proven."""
        ledger = self.load(subject)
        held = [path for path in paths if path in ledger.records and ledger.records.held(path) is not None]
        for path in held:
            ledger.hold(path, None)
        if held:
            self._write(subject, ledger)

    def _write(self, subject: str, ledger: SubjectLedger) -> None:
        with replacing(self.path(subject)) as part:
            with part.open("wb") as file:
                unsynced = Unsynced(boot_id() or "", frozenset(ledger.unsynced))
                file.writelines(encode(self._project, ledger.complete, ledger.asked, unsynced, ledger.records))
            ledger.stamp = _stamp(os.stat(part))

    def path(self, subject: str) -> Path:
        """Where a subject's ledger lies."""
        return self._folder / f"{subject}.json"


def _release_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return str(json.loads(file.readline())["release"])
    except DAMAGE:
        return ""


def _stamp(facts: os.stat_result) -> Stamp:
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def is_within(path: str, folder: str) -> bool:
    """Whether `path` is `folder`, or lies below it; everything lies below the empty folder."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def _agree(known: Expected, claimed: Expected) -> bool:
    return (known.size, known.md5) == (claimed.size, claimed.md5)

"""Makes the mirror hold one subject's wanted files: list, plan, fetch, record.

The one place that sees stores, ledger, plan and transfer together.
"""

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from connectomedb.errors import ConnectomeDBError, Interrupted, ManifestError, NotFound
from connectomedb.hcp import manifest
from connectomedb.hcp.paths import check_path
from connectomedb.hcp.release import Release
from connectomedb.mirror.events import Arrived, Ended, OnEvent, Planned
from connectomedb.mirror.ledger import Held, Ledger
from connectomedb.mirror.plan import Act, Action, Plan, make_plan
from connectomedb.mirror.survey import survey
from connectomedb.stores.base import Store, StoredObject
from connectomedb.transfer import pool
from connectomedb.transfer.checksum import Expected, Proof, md5_of_file
from connectomedb.transfer.fetch import Engine, fetch

SAVE_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class FileReport:
    """One wanted file: where it lies, its size in bytes, what proves it, who served it, or what kept it away.

    `fetched` says whether this run brought it.
    """

    path: str
    local: Path
    size: int | None
    fetched: bool
    proof: Proof | None = None
    sources: tuple[str, ...] = ()
    error: ConnectomeDBError | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where one release's files lie, and where they come from, nearest first."""

    root: Path
    release: Release
    stores: tuple[Store, ...]

    @property
    def ledger(self) -> Ledger:
        """The ledger of this release."""
        return Ledger(self.root, self.release.prefix, self.release.project)

    def key(self, subject: str, path: str) -> str:
        """Key of a file in the bucket, which is also its path below the root."""
        return f"{self.release.prefix}/{subject}/{path}"

    def local(self, subject: str, path: str) -> Path:
        """Final path of a file."""
        return self.root / self.release.prefix / subject / path


def sync(
    shelf: Shelf, subject: str, path: str, *, workers: int, on_event: OnEvent, refresh: bool = False
) -> list[FileReport]:
    """Bring the files at or below `path` to disk, proven; those that are there cost no request.

    Returns: one report per wanted file, sorted by path; those with an error are not on disk.
    Raises: NotFound when the path names nothing; StoreError when no store could be listed.
    """
    return _Sync(shelf, subject, workers, on_event).run(path, refresh)


class _Sync:
    def __init__(self, shelf: Shelf, subject: str, workers: int, on_event: OnEvent) -> None:
        self._shelf = shelf
        self._subject = subject
        self._workers = workers
        self._on_event = on_event
        self._ledger = shelf.ledger.load(subject)
        self._modified: Mapping[str, datetime] = {}
        self._saved_at = time.monotonic()

    def run(self, path: str, refresh: bool) -> list[FileReport]:
        if refresh or not self._ledger.covers(path) or not self._ledger.below(path):
            self._list(path, refresh)
        return self._bring(path, self._on_event)

    def _list(self, path: str, refresh: bool) -> None:
        """Renew the claims at `path`. Manifests come first: they say what the other files ought to be."""
        if refresh or not self._ledger.covers(manifest.FOLDER):
            self._list_manifests()
        found = survey(self._shelf.stores, self._shelf.release, self._subject, path, self._read_manifests())
        self._modified = found.modified
        self._ledger.listed(path, found.files)

    def _list_manifests(self) -> None:
        try:
            found = survey(self._shelf.stores, self._shelf.release, self._subject, manifest.FOLDER, {})
        except NotFound:
            return
        self._modified = found.modified
        self._ledger.listed(manifest.FOLDER, found.files)
        failed = [report.error for report in self._bring(manifest.FOLDER, lambda event: None) if report.error]
        if failed:
            raise failed[0]

    def _read_manifests(self) -> Mapping[str, manifest.Entry]:
        entries: list[manifest.Entry] = []
        for path in self._ledger.below(manifest.FOLDER):
            local = self._shelf.local(self._subject, path)
            read = manifest.parse_manifest(local.read_bytes(), name=str(local))
            if read.subject != self._subject:
                raise ManifestError(f"Read {local}: it speaks of subject {read.subject}. Fetch it again.")
            entries.extend(read.entries)
        return manifest.join_entries(entries, name=f"the manifests of {self._subject}")

    def _bring(self, path: str, on_event: OnEvent) -> list[FileReport]:
        wanted = self._ledger.below(path)
        plan = make_plan(self._subject, wanted, dict(self._facts(wanted)))
        on_event(Planned(plan))
        fetched: dict[str, pool.Outcome[FileReport]] = {}
        if len(plan.of(Act.KEEP)) < len(plan.actions):
            fetched = self._work(plan, on_event)
        return [self._report(action, fetched) for action in plan.actions]

    def _work(self, plan: Plan, on_event: OnEvent) -> dict[str, pool.Outcome[FileReport]]:
        outcomes: dict[str, pool.Outcome[FileReport]] = {}

        def ended(outcome: pool.Outcome[FileReport]) -> None:
            outcomes[outcome.name] = outcome
            if outcome.value is not None:
                self._hold(outcome.value)
                self._save_at_times()
            on_event(Ended(outcome.name, outcome.error))

        wanted = [action for action in plan.actions if action.act is not Act.KEEP]
        # Large files first: their ranges fill the pauses of the small ones, and none is left alone at the end.
        wanted.sort(key=lambda action: action.expected.size or 0, reverse=True)
        try:
            with Engine() as engine:
                jobs = (self._job(action, engine, on_event) for action in wanted)
                pool.run(jobs, stop=engine.stop, workers=self._workers, on_outcome=ended)
        finally:
            self._shelf.ledger.save(self._subject, self._ledger)
        return outcomes

    def _save_at_times(self) -> None:
        """What a long run has proven must not be lost with it; reading it all again would take as long."""
        if time.monotonic() - self._saved_at > SAVE_EVERY_S:
            self._shelf.ledger.save(self._subject, self._ledger)
            self._saved_at = time.monotonic()

    def _job(self, action: Action, engine: Engine, on_event: OnEvent) -> "_FileJob":
        return _FileJob(self._shelf, self._subject, action, self._modified.get(action.path), engine, on_event)

    def _hold(self, report: FileReport) -> None:
        facts = report.local.stat()
        if self._ledger.records[report.path].expected.size is None:
            known = self._ledger.records[report.path]
            self._ledger.records[report.path] = replace(known, expected=replace(known.expected, size=facts.st_size))
        assert report.proof is not None
        self._ledger.hold(report.path, Held(facts.st_mtime_ns, report.proof, report.sources))

    def _report(self, action: Action, fetched: Mapping[str, pool.Outcome[FileReport]]) -> FileReport:
        local = self._shelf.local(self._subject, action.path)
        if action.act is Act.KEEP:
            held = self._ledger.records[action.path].held
            assert held is not None
            return FileReport(action.path, local, action.expected.size, False, held.proof, held.sources)
        outcome = fetched.get(action.path)
        if outcome is None:
            stopped = Interrupted(f"Asked for {action.path}; the run ended before its turn. Run again to go on.")
            return FileReport(action.path, local, action.expected.size, False, error=stopped)
        if outcome.value is None:
            return FileReport(action.path, local, action.expected.size, False, error=outcome.error)
        return outcome.value

    def _facts(self, paths: Iterable[str]) -> Iterator[tuple[str, os.stat_result]]:
        base = f"{self._shelf.local(self._subject, '')}{os.sep}"
        for path in paths:
            with suppress(FileNotFoundError, NotADirectoryError):
                facts = os.stat(base + path)
                if stat.S_ISREG(facts.st_mode):
                    yield path, facts


@dataclass(frozen=True, slots=True)
class _FileJob:
    """Prove the file on disk, or fetch it."""

    shelf: Shelf
    subject: str
    action: Action
    modified: datetime | None
    engine: Engine
    on_event: Callable[[Arrived], None]

    @property
    def name(self) -> str:
        return self.action.path

    def run(self) -> FileReport:
        local = self.shelf.local(self.subject, self.action.path)
        if self.action.act is Act.CHECK and (proof := self._proof_on_disk(local)) is not None:
            return FileReport(self.action.path, local, self.action.expected.size, False, proof)
        key = check_path(self.shelf.key(self.subject, self.action.path))
        done = fetch(
            [StoredObject(store, key) for store in self.shelf.stores],
            local,
            self.action.expected,
            engine=self.engine,
            modified=self.modified,
            on_bytes=lambda size: self.on_event(Arrived(size)),
        )
        return FileReport(self.action.path, local, done.size, True, done.proof, done.sources)

    def _proof_on_disk(self, local: Path) -> Proof | None:
        expected: Expected = self.action.expected
        if expected.md5 is None:
            return Proof.SIZE
        return expected.proof if md5_of_file(local) == expected.md5 else None

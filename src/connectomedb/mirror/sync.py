"""Makes the mirror hold one subject's wanted files: plan, see that they fit, fetch, record.

The one place that sees stores, ledger, plan and transfer together.
"""

import os
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

from connectomedb.errors import (
    ChecksumMismatch,
    ConnectomeDBError,
    Interrupted,
    SizeMismatch,
    TransferError,
    VersionChanged,
)
from connectomedb.mirror.actions import Act, Action, Actions
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.draft import Draft
from connectomedb.mirror.events import Ended, OnEvent, Planned, ignore
from connectomedb.mirror.file_job import FileJob
from connectomedb.mirror.file_reports import FileReport, FileReports
from connectomedb.mirror.ledger import FOLDER
from connectomedb.mirror.options import Options
from connectomedb.mirror.outcomes import Outcomes
from connectomedb.mirror.papers import Papers
from connectomedb.mirror.plan import Existing, Plan, claims_of, make_actions
from connectomedb.mirror.record import Held
from connectomedb.mirror.shelf import Shelf
from connectomedb.mirror.space import Room, room_for
from connectomedb.mirror.speed import Speeds
from connectomedb.transfer import pool
from connectomedb.transfer.boot import boot_id
from connectomedb.transfer.checksum import Proof
from connectomedb.transfer.fetch import Engine
from connectomedb.transfer.rate import rate_of
from connectomedb.transfer.run import Run
from connectomedb.transfer.sweep import forsake, sweep

SAVE_EVERY_S = 30.0

Check: TypeAlias = Callable[[], None]


def unchecked() -> None:
    """Nobody else can have taken over."""


def sync(
    shelf: Shelf,
    subject: str,
    choice: Choice,
    options: Options,
    *,
    on_event: OnEvent = ignore,
    check: Check = unchecked,
) -> FileReports:
    """Bring the chosen files to disk, proven; those that are there cost no request.

    Args:
        check: called before anything lands; raises Interrupted when that is another's task by now.
    Returns: one report per chosen file, and per manifest that could not be kept, sorted by path; those with an error
        are not on disk.
    Raises: NotFound when the choice names nothing; DiskFull, before the first byte, when it cannot fit;
        StoreError when no store could be listed.
    """
    return _Sync(shelf, subject, options, on_event, check).run(choice)


def apply(
    shelf: Shelf, plan: Plan, options: Options, *, on_event: OnEvent = ignore, check: Check = unchecked
) -> FileReports:
    """As `sync`, for a plan that was made before: nothing is listed; what is on disk by now is looked at again."""
    return _Sync(shelf, plan.subject, options, on_event, check).apply(plan)


def renew(shelf: Shelf, plan: Plan) -> Plan:
    """A plan as it stands now: what is on disk is looked at again; no store is asked, nothing is written."""
    return _Sync(shelf, plan.subject, Options(), ignore).renew(plan)


def prepare(shelf: Shelf, subject: str, choice: Choice, options: Options, *, on_event: OnEvent = ignore) -> Plan:
    """List and plan as `sync` does, and record the listing, so that syncing lists no more; no data is fetched."""
    return _Sync(shelf, subject, options, on_event).prepare(choice)


class _Sync:
    def __init__(
        self, shelf: Shelf, subject: str, options: Options, on_event: OnEvent, check: Check = unchecked
    ) -> None:
        self._shelf = shelf
        self._check = check
        self._subject = subject
        self._options = options
        self._on_event = on_event
        self._ledger = shelf.ledger.load(subject)
        self._saved_at = time.monotonic()
        self._rate = rate_of(options.bytes_per_s)
        self._folder = shelf.folder(subject)
        self._papers = Papers(shelf, subject)
        self._brought: set[str] = set()
        self._has_doubts = False

    def prepare(self, choice: Choice) -> Plan:
        draft = self._draft()
        plan = draft.plan(choice, self._options.existing, refresh=self._options.refresh)
        if draft.has_listed:
            self._shelf.ledger.save(self._subject, self._ledger)
        return plan

    def run(self, choice: Choice) -> FileReports:
        reports, has_listed = self._list_and_fetch(choice)
        if self._has_doubts and not has_listed and self._options.existing is not Existing.REFETCH:
            # What an earlier run listed was replaced since. Listed anew, it may come now.
            self._brought |= {file.path for file in reports if file.fetched}
            reports, _ = self._list_and_fetch(choice)
        return reports

    def _list_and_fetch(self, choice: Choice) -> tuple[FileReports, bool]:
        """Reports, and whether the stores were asked for a listing."""
        draft = self._draft()
        plan = draft.plan(choice, self._options.existing, refresh=self._options.refresh)
        if draft.has_listed and plan.is_done:  # otherwise the work saves it
            self._shelf.ledger.save(self._subject, self._ledger)
        return self._carry_out(plan), draft.has_listed

    def _draft(self) -> Draft:
        return Draft(self._shelf, self._subject, self._ledger, self._papers, self._on_event)

    def apply(self, plan: Plan) -> FileReports:
        return self._carry_out(self.renew(plan))

    def renew(self, plan: Plan) -> Plan:
        self._ledger.learn(claims_of(plan.all()))
        manifests = self._actions((action.path for action in plan.manifests), Existing.CHECK)
        actions = self._actions((action.path for action in plan.actions), plan.existing)
        return replace(plan, actions=actions, manifests=manifests)

    def _carry_out(self, plan: Plan) -> FileReports:
        self._check_room(plan.all())
        self._on_event(Planned(plan))
        started = time.monotonic()
        outcomes = self._work(plan.all())
        if outcomes:
            self._clear(plan, outcomes)
        lost = (action for action in plan.manifests if isinstance(outcomes.get(action.path), ConnectomeDBError))
        reports = FileReports(self._report(action, outcomes) for action in chain(lost, plan.actions))
        Speeds(self._shelf.root).measured(reports, time.monotonic() - started)
        return reports

    def _clear(self, plan: Plan, outcomes: Outcomes) -> None:
        """Remove unfinished parts that nobody will go on with, ours too, where another took our place."""
        run = Run.here()
        for path, fault in outcomes.errors.items():
            if isinstance(fault, Interrupted):
                forsake(self._shelf.local(self._subject, path), run)
        ledgers = self._shelf.ledger.path(self._subject).parent
        sweep({f"{self._folder}/{os.path.dirname(action.path)}" for action in plan.all()}, run)
        sweep((str(ledgers), str(self._shelf.root / FOLDER)), run)

    def _check_room(self, actions: Iterable[Action]) -> None:
        """Refuse before the first byte what cannot fit."""
        needed = room_for(actions, self._shelf.local(self._subject, ""))
        Room.on(self._shelf.root, needed, self._options.reserve).check()

    def _actions(self, paths: Iterable[str], existing: Existing) -> Actions:
        records = self._ledger.records
        return make_actions(paths, records.__getitem__, lambda path: self._shelf.facts(self._subject, path), existing)

    def _work(self, actions: Iterable[Action]) -> Outcomes:
        """Do what is to be done, and record what was proven."""
        outcomes = Outcomes(self._ledger.records)
        unsynced: set[str] | None = set() if boot_id() else None

        def ended(outcome: pool.Outcome[FileReport]) -> None:
            if outcome.value is not None:
                outcomes.add(outcome.name, self._hold(outcome.value))
                if unsynced and f"{self._folder}/{outcome.name}" in unsynced:
                    self._ledger.unsynced.add(outcome.name)
                self._save_at_times()
            elif outcome.error is not None:
                outcomes.add(outcome.name, outcome.error)
                if isinstance(outcome.error, SizeMismatch | ChecksumMismatch | VersionChanged):
                    self._ledger.doubt(outcome.name)
                    self._has_doubts = True
            self._on_event(Ended(outcome.name, outcome.error))

        wanted = Actions.of(actions)
        order = _largest_first(wanted)
        if not order:
            return outcomes
        try:
            with Engine(is_confirming=self._options.confirm, check=self._check, unsynced=unsynced) as engine:
                workers = self._rate.workers(self._options.workers)
                jobs = self._jobs((wanted[row] for row in order), len(order), engine)
                pool.run(jobs, stop=engine.stop, workers=workers, on_outcome=ended)
        finally:
            self._save()
        return outcomes

    def _jobs(self, actions: Iterable[Action], count: int, engine: Engine) -> Iterator[FileJob]:
        shelf, folder, papers = self._shelf, self._folder, self._papers
        for number, action in enumerate(actions, 1):
            engine.lanes.to_come = count - number
            yield FileJob(shelf, self._subject, folder, action, engine, self._rate, papers, self._on_event)

    def _save_at_times(self) -> None:
        """What a long run has proven must not be lost with it; reading it all again would take as long."""
        if time.monotonic() - self._saved_at > SAVE_EVERY_S:
            self._save()
            self._saved_at = time.monotonic()

    def _save(self) -> None:
        """Record what was proven; who took over from us records more than we know."""
        with suppress(Interrupted):
            self._check()
            self._shelf.ledger.save(self._subject, self._ledger)

    def _hold(self, report: FileReport) -> bool | ConnectomeDBError:
        """Record a file that is on disk, and whether it was fetched; or what there is to say if it is gone again."""
        try:
            facts = os.stat(f"{report.folder}/{report.path}")
        except OSError as fault:
            what = f"Looked for {report.local}: it was brought, and somebody removed it ({fault.strerror})."
            return TransferError(f"{what} Run again.", path=str(report.local))
        records = self._ledger.records
        if records.claims.size(records.row(report.path)) is None:
            known = records[report.path]
            records[report.path] = replace(known, expected=replace(known.expected, size=facts.st_size))
        assert report.proof is not None
        self._ledger.hold(report.path, Held(facts.st_mtime_ns, report.proof, report.sources))
        return report.fetched

    def _report(self, action: Action, outcomes: Outcomes) -> FileReport:
        folder = self._folder
        if action.act is Act.KEEP:
            return self._held(action, fetched=action.path in self._brought)
        outcome = outcomes.get(action.path)
        if outcome is None:
            stopped = Interrupted(f"Asked for {action.path}; the run ended before its turn. Run again to go on.")
            return FileReport(action.path, folder, action.expected.size, False, error=stopped)
        if isinstance(outcome, ConnectomeDBError):
            return FileReport(action.path, folder, action.expected.size, False, error=outcome)
        return self._held(action, fetched=outcome)

    def _held(self, action: Action, *, fetched: bool) -> FileReport:
        """A file that is on disk; one that was only kept may have no proof but its size."""
        records = self._ledger.records
        held, size = records.held(action.path), records.claims.size(records.row(action.path))
        proof, sources = (held.proof, held.sources) if held else (Proof.SIZE, ())
        return FileReport(action.path, self._folder, size, fetched, proof, sources)


def _largest_first(wanted: Actions) -> "array[int]":
    """Rows of what is to be done: large ones fill the pauses of small ones, and none is left alone at the end."""
    rows = (row for row in range(len(wanted)) if wanted.act(row) is not Act.KEEP)
    return array("i", sorted(rows, key=lambda row: wanted.size(row) or 0, reverse=True))

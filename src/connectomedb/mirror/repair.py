"""Fetches again what verifying found missing or wrong; what is there stays until the right bytes have come.

The same judge that found a file bad looks at it again afterwards: repaired is what is no longer bad, whatever a
source says of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from connectomedb.errors import ConnectomeDBError, Interrupted
from connectomedb.hcp import manifest
from connectomedb.mirror.actions import Act, Action
from connectomedb.mirror.checked import Checked
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.claims import read_claims
from connectomedb.mirror.events import OnEvent, ignore
from connectomedb.mirror.file_reports import FileReport
from connectomedb.mirror.finding import Finding, Verdict
from connectomedb.mirror.ledger import SubjectLedger, is_within
from connectomedb.mirror.options import DEFAULT, Options
from connectomedb.mirror.plan import Existing, Plan
from connectomedb.mirror.record import Record
from connectomedb.mirror.shelf import Shelf
from connectomedb.mirror.sync import apply
from connectomedb.mirror.verify import verify, verify_files
from connectomedb.transfer.checksum import Expected, Proof


@dataclass(frozen=True, slots=True)
class Repair:
    """A file that was bad: what was found, what holds now, who served it, and what kept the right bytes away."""

    before: Finding
    after: Finding
    sources: tuple[str, ...] = ()
    error: ConnectomeDBError | None = None

    @property
    def is_repaired(self) -> bool:
        """Whether the file is what was published, as far as anything can tell."""
        return not self.after.verdict.is_bad


def repair(
    shelf: Shelf,
    findings: Iterable[Finding],
    path: str = "",
    *,
    checked: Checked | None = None,
    options: Options = DEFAULT,
    on_event: OnEvent = ignore,
) -> Iterator[Repair]:
    """Fetch bad files again, subject by subject.

    Manifests come first. When one was bad, its subject is verified anew, since more may be known to be bad now. Files
    on which manifests disagree are not touched: nobody knows which one is right.

    Args:
        findings: of `verify`; those that are not bad are passed over.
        path: what was verified; it limits what is verified anew.
        checked: notes of that verification; what it found right is not read again.
    Yields: one repair per bad file.
    Raises: Interrupted.
    """
    bad = sorted((finding for finding in findings if finding.verdict.is_bad), key=attrgetter("subject", "path"))
    for subject, group in groupby(bad, attrgetter("subject")):
        yield from _Subject(shelf, subject, options, on_event).mend(list(group), path, checked)


class _Subject:
    """One subject to repair."""

    def __init__(self, shelf: Shelf, subject: str, options: Options, on_event: OnEvent) -> None:
        self._shelf = shelf
        self._subject = subject
        self._options = options
        self._on_event = on_event
        self._tree = shelf.ledger.tree
        # A ledger of the repaired files alone would make all others of a bare tree seem never wanted.
        self._ledger = shelf.ledger if shelf.ledger.path(subject).exists() else None

    def mend(self, bad: Sequence[Finding], path: str, checked: Checked | None) -> Iterator[Repair]:
        manifests = [finding for finding in bad if is_within(finding.path, manifest.FOLDER)]
        if manifests:
            yield from self._fetch(manifests)
            anew = verify(self._tree, [self._subject], path, ledger=self._ledger, checked=checked, keep_notes=True)
            bad = [finding for finding in anew if finding.verdict.is_bad]
        others = [finding for finding in bad if not is_within(finding.path, manifest.FOLDER)]
        if others:
            yield from self._fetch(others)

    def _fetch(self, bad: Sequence[Finding]) -> Iterator[Repair]:
        fault: ConnectomeDBError | None = None
        reports: dict[str, FileReport] = {}
        try:
            reports = {report.path: report for report in self._apply(self._plan(bad))}
        except Interrupted:
            raise
        except ConnectomeDBError as refused:
            fault = refused
        after = verify_files(self._tree, self._subject, [finding.path for finding in bad], self._ledger)
        for finding in bad:
            now, report = after.get(finding.path, finding), reports.get(finding.path)
            error = fault or (report.error if report else None)
            sources = report.sources if report and report.fetched else ()
            yield Repair(finding, now, sources, error if now.verdict.is_bad else None)

    def _plan(self, bad: Sequence[Finding]) -> Plan:
        """All but the disputed files are to be fetched, whatever lies there and whatever the ledger thinks of it."""
        if self._ledger is not None:
            wrong = [finding.path for finding in bad if finding.verdict is Verdict.CHECKSUM]
            self._ledger.disown(self._subject, wrong)
        known = self._ledger.load(self._subject) if self._ledger else SubjectLedger()
        claims = read_claims(self._tree / self._subject, self._subject, known)
        actions: list[Action] = []
        for finding in bad:
            if finding.verdict is not Verdict.CONFLICT:
                expected = claims.files.get(finding.path, Expected(None, None, Proof.SIZE))
                record = known.records.get(finding.path, Record(expected))
                actions.append(
                    Action(finding.path, Act.FETCH, finding.verdict, expected, record.source, record.modified)
                )
        release = self._shelf.release
        return Plan(release.project, self._subject, Choice(), tuple(actions), existing=Existing.REFETCH)

    def _apply(self, plan: Plan) -> Sequence[FileReport]:
        if not plan.actions:
            return ()
        try:
            return apply(self._shelf, plan, self._options, on_event=self._on_event)
        finally:
            if self._ledger is None:
                left = self._shelf.ledger.path(self._subject)
                left.unlink(missing_ok=True)
                with suppress(OSError):
                    left.parent.rmdir()

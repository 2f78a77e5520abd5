"""What `cdb get` does: tell what would happen, fetch, or carry out a plan; it prints as it goes."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from connectomedb.cli import _forecast, _output
from connectomedb.cli._wanted import Group
from connectomedb.errors import ConfigError, NotFound
from connectomedb.hcp.advisories import known_advisories
from connectomedb.mirror.actions import Act, Action
from connectomedb.mirror.events import Event, OnEvent, Planned
from connectomedb.mirror.file_reports import FileReport
from connectomedb.mirror.links import Links
from connectomedb.mirror.mirror import Mirror
from connectomedb.mirror.options import Options
from connectomedb.mirror.outlook import Outlook
from connectomedb.mirror.plan import Plan
from connectomedb.mirror.plan_file import format_plan, parse_plans
from connectomedb.mirror.report import Report, Tally
from connectomedb.transfer.sizes import format_size

WORTH_SAYING = 10**9
"""Bytes from which on totals are said before the first one comes, even if nobody watches."""


@dataclass(frozen=True, slots=True)
class Getting:
    """One call of the command."""

    mirror: Mirror
    options: Options
    as_json: bool
    links: Links | None = None

    def plans(self, groups: Sequence[Group]) -> Iterator[Plan]:
        """What would happen to each subject; a single one that lacks everything is an error."""
        for group in groups:
            if len(groups) == 1 and len(group.subjects) == 1:
                yield self.mirror.plan(group.subjects[0], group.choice, project=group.project, options=self.options)
            else:
                yield from self.mirror.plans(group.subjects, group.choice, project=group.project, options=self.options)

    def kept(self, file: Path) -> Iterator[Plan]:
        """The plans of a file, as they stand now."""
        return (self.mirror.renew(plan) for plan in _read_plans(file))

    def foretell(self, plans: Iterable[Plan], save_to: Path | None) -> None:
        """Print a line per file, and totals. Raises DiskFull when it would not fit, NotFound for nothing at all."""
        outlook: Outlook | None = None
        warnings = Warnings()

        def end() -> str:
            totals = json.dumps(outlook and _forecast.totals(outlook))
            return f'], "advisories": {json.dumps(warnings.subjects)}, "totals": {totals}}}'

        with ExitStack() as stack:
            file = stack.enter_context(_writing(save_to)) if save_to else None
            if self.as_json:
                show = stack.enter_context(_output.json_items('{"files": [', end))
                outlook = self.mirror.outlook(_shown_as_json(plans, show, file, warnings), self.options)
            else:
                outlook = self.mirror.outlook(_shown_as_lines(plans, file, warnings), self.options)
        for sentence in _forecast.sentences(outlook):
            _output.say(sentence)
        warnings.say()
        if not outlook.total.files:
            raise NotFound(" ".join(outlook.notes[:1]) or "Asked for nothing at all.")
        outlook.room.check()

    def fetch(self, groups: Sequence[Group]) -> None:
        """Bring what is wanted, print where it lies. Raises for what could not be had."""
        with _output.progress("fetching") as on_event:
            if [len(group.subjects) for group in groups] == [1]:
                self._show(self._fetch_one(groups[0], on_event))
            else:
                self._prepare(groups, on_event)
                self._show(self._fetch_all(groups, on_event))

    def carry_out(self, file: Path) -> None:
        """Bring what the plans of a file say."""
        self.carry_out_all(lambda: self.kept(file))

    def carry_out_all(self, plans: Callable[[], Iterable[Plan]]) -> None:
        """Bring what plans say; they are made twice, as those of a release are not kept in memory."""
        with _output.progress("fetching") as on_event:
            outlook = self.mirror.outlook(plans(), self.options)
            self._announce(outlook)
            outlook.room.check()
            self._show(self.mirror.fetch_many(plans(), options=self.options, on_event=on_event))

    def _fetch_one(self, group: Group, on_event: OnEvent) -> Iterator[Report]:
        def hear(event: Event) -> None:
            if isinstance(event, Planned) and (event.plan.notes or _is_worth_saying(event.plan.size(Act.FETCH))):
                self._announce(self.mirror.outlook([event.plan], self.options))
            on_event(event)

        subject = group.subjects[0]
        yield self.mirror.fetch(subject, group.choice, project=group.project, options=self.options, on_event=hear)

    def _prepare(self, groups: Sequence[Group], on_event: OnEvent) -> None:
        """List all subjects first: totals, and a disk that is too small, are to be known before the first byte."""

        def plans() -> Iterator[Plan]:
            for group in groups:
                yield from self.mirror.prepare(
                    group.subjects, group.choice, project=group.project, options=self.options, on_event=on_event
                )

        outlook = self.mirror.outlook(plans(), self.options)
        self._announce(outlook)
        outlook.room.check()

    def _fetch_all(self, groups: Sequence[Group], on_event: OnEvent) -> Iterator[Report]:
        options = replace(self.options, refresh=False)  # they were listed just now
        for group in groups:
            yield from self.mirror.fetch_many(
                group.subjects, group.choice, project=group.project, options=options, on_event=on_event
            )

    def _announce(self, outlook: Outlook) -> None:
        is_worth_saying = _is_worth_saying(outlook.to_fetch.size)
        for sentence in _forecast.sentences(outlook) if is_worth_saying else _forecast.remarks(outlook):
            _output.say(sentence)

    def _show(self, reports: Iterable[Report]) -> None:
        tally = Tally()
        warnings = Warnings()
        with ExitStack() as stack:
            show = stack.enter_context(_output.json_items()) if self.as_json else None
            for report in reports:
                tally.add(report)
                for file in report.files:
                    known = warnings.hear(report.project, report.subject, file.path)
                    link = self._link(report, file)
                    if show:
                        show(_row(report.subject, file) | {"link": link, "advisories": known})
                    elif not file.error:
                        _output.show_lines([link or str(file.local)])
        warnings.say()
        size = format_size(tally.fetched_size)
        _output.say(f"{tally.fetched} fetched ({size}), {tally.here} already here, {len(tally.failures)} failed")
        tally.raise_for_failures()

    def _link(self, report: Report, file: FileReport) -> str | None:
        """The file's name in the arrangement that was asked for."""
        if self.links is None or file.error:
            return None
        return str(self.links.add(report.project, report.subject, file.path, file.local))


class Warnings:
    """What is known against files, as they pass.

    Attributes:
        subjects: kind and summary of an advisory → subjects whose files it speaks of.
    """

    def __init__(self) -> None:
        self.subjects: dict[str, list[str]] = {}
        self._known = known_advisories()

    def hear(self, project: str, subject: str, path: str) -> list[str]:
        """Ids of the advisories about a file, the gravest first."""
        found = self._known.of_file(subject, path, project)
        for advisory in found:
            subjects = self.subjects.setdefault(f"{advisory.kind}: {advisory.summary}", [])
            if subject not in subjects:
                subjects.append(subject)
        return [advisory.id for advisory in found]

    def say(self) -> None:
        """A line per advisory."""
        for summary, subjects in self.subjects.items():
            _output.say(f"Known: {summary} ({', '.join(subjects)})")


def _is_worth_saying(size: int) -> bool:
    return size > WORTH_SAYING or (size > 0 and sys.stderr.isatty())


def _shown_as_lines(plans: Iterable[Plan], file: TextIO | None, warnings: Warnings) -> Iterator[Plan]:
    """The plans as they pass, printed with tabs between the cells."""
    is_first = True
    for plan in _saved(plans, file):
        if is_first and plan.actions:
            _output.show_lines(["act\tsize\tsource\tpath"])
            is_first = False
        for action in plan.actions:
            warnings.hear(plan.project, plan.subject, action.path)
        _output.show_lines([_line(plan, action) for action in plan.actions])
        yield plan


def _shown_as_json(
    plans: Iterable[Plan], show: _output.Show, file: TextIO | None, warnings: Warnings
) -> Iterator[Plan]:
    for plan in _saved(plans, file):
        for action in plan.actions:
            show(
                {
                    "subject": plan.subject,
                    "path": action.path,
                    "act": action.act,
                    "reason": action.reason,
                    "size": action.expected.size,
                    "proof": action.expected.proof,
                    "source": action.source,
                    "advisories": warnings.hear(plan.project, plan.subject, action.path),
                }
            )
        yield plan


def _line(plan: Plan, action: Action) -> str:
    source = "" if action.act is Act.KEEP else action.source or _forecast.NOWHERE
    size = "" if action.expected.size is None else str(action.expected.size)
    return f"{action.act}\t{size}\t{source}\t{plan.project}/{plan.subject}/{action.path}"


def _row(subject: str, file: FileReport) -> dict[str, object]:
    return {
        "subject": subject,
        "path": file.path,
        "local": None if file.error else str(file.local),
        "size": file.size,
        "fetched": file.fetched,
        "proof": file.proof,
        "sources": list(file.sources),
        "error": str(file.error) if file.error else None,
    }


def _saved(plans: Iterable[Plan], file: TextIO | None) -> Iterator[Plan]:
    for plan in plans:
        if file is not None:
            file.writelines(f"{line}\n" for line in format_plan(plan))
        yield plan


def _read_plans(file: Path) -> Iterator[Plan]:
    try:
        with file.open(encoding="utf-8") as lines:
            yield from parse_plans(lines, str(file))
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{file} cannot be read: {fault}.") from fault


@contextmanager
def _writing(file: Path) -> Iterator[TextIO]:
    try:
        with file.open("w", encoding="utf-8") as text:
            yield text
    except OSError as fault:
        raise ConfigError(f"{file} cannot be written: {fault.strerror}. Name another file.") from fault

"""What would happen, as a value: for each wanted file keep, check or fetch, and why. Pure.

keep    on disk and proven
check   on disk with the right size, never proven by us: read it, then keep or fetch it
fetch   not on disk, or not the file that was published
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connectomedb.mirror.ledger import Record
from connectomedb.transfer.checksum import Expected


class Act(StrEnum):
    """What is to be done with one file."""

    KEEP = "keep"
    CHECK = "check"
    FETCH = "fetch"


@dataclass(frozen=True, slots=True)
class Action:
    """One file: path inside the subject, what to do, and the reason in words."""

    path: str
    act: Act
    reason: str
    expected: Expected


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions for one subject, sorted by path."""

    subject: str
    actions: tuple[Action, ...]

    def of(self, act: Act) -> tuple[Action, ...]:
        """The actions of one kind."""
        return tuple(action for action in self.actions if action.act is act)

    def size(self, act: Act) -> int:
        """Bytes that the actions of one kind are about; unknown sizes count nothing."""
        return sum(action.expected.size or 0 for action in self.of(act))

    def summary(self) -> str:
        """One line: how many files and bytes of each kind."""
        parts = [f"{len(self.of(act))} to {act} ({self.size(act)} bytes)" for act in Act if self.of(act)]
        return f"{self.subject}: {', '.join(parts) or 'nothing wanted'}"


def make_plan(subject: str, wanted: Mapping[str, Record], on_disk: Mapping[str, os.stat_result]) -> Plan:
    """Compare what is wanted with what is on disk.

    Args:
        subject: its label, for people.
        wanted: path inside the subject → record.
        on_disk: path inside the subject → facts, for those that exist as regular files.
    """
    return Plan(subject, tuple(_decide(path, wanted[path], on_disk.get(path)) for path in sorted(wanted)))


def _decide(path: str, record: Record, facts: os.stat_result | None) -> Action:
    expected = record.expected
    if facts is None:
        return Action(path, Act.FETCH, "not on disk", expected)
    if record.is_held(facts):
        return Action(path, Act.KEEP, "on disk and proven", expected)
    if expected.size is not None and facts.st_size != expected.size:
        return Action(path, Act.FETCH, f"{facts.st_size} bytes on disk, {expected.size} published", expected)
    reason = "changed since it was proven" if record.held else "on disk, not proven yet"
    return Action(path, Act.CHECK, reason, expected)

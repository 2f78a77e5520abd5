"""What would happen to one subject, as a value: for each wanted file keep, check or fetch, and why. Pure.

keep    on disk and proven
check   on disk with the right size, never proven by us: read it, then keep or fetch it
fetch   not on disk, or not the file that was published
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from connectomedb.mirror.actions import Act, Action, Actions
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.record import Record


class Existing(StrEnum):
    """What is done with files that are on disk already.

    keep: the right size is enough. check: read once what we have not proven yet. refetch: fetch all of them again.
    """

    KEEP = "keep"
    CHECK = "check"
    REFETCH = "refetch"


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions for one subject, sorted by path.

    Attributes:
        project, subject: whose files.
        choice: which of them were asked for.
        actions: one per chosen file.
        manifests: the subject's manifests besides the chosen files; they come along.
        existing: what is done with files that are on disk.
        notes: what the reader should know, in sentences: a source that does not answer.
    """

    project: str
    subject: str
    choice: Choice
    actions: Sequence[Action]
    manifests: Sequence[Action] = ()
    existing: Existing = Existing.CHECK
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("actions", "manifests"):
            object.__setattr__(self, name, Actions.of(getattr(self, name)))

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        return all(action.act is Act.KEEP for action in self.actions)

    def all(self) -> Iterable[Action]:
        """The actions, those on manifests first."""
        return chain(self.manifests, self.actions) if self.manifests else self.actions

    def of(self, act: Act) -> Sequence[Action]:
        """The actions of one kind."""
        return Actions(action for action in self.actions if action.act is act)

    def size(self, act: Act) -> int:
        """Bytes that the actions of one kind are about; unknown sizes count nothing."""
        return sum(action.expected.size or 0 for action in self.actions if action.act is act)

    def summary(self) -> str:
        """One line: how many files and bytes of each kind."""
        found = {act: len(self.of(act)) for act in Act}
        parts = [f"{count} to {act} ({self.size(act)} bytes)" for act, count in found.items() if count]
        return f"{self.subject}: {', '.join(parts) or 'nothing wanted'}"


def make_actions(
    paths: Iterable[str],
    record_of: Callable[[str], Record],
    facts_of: Callable[[str], os.stat_result | None],
    existing: Existing = Existing.CHECK,
) -> Actions:
    """Compare what is wanted with what is on disk.

    Args:
        paths: those of the wanted files, inside the subject.
        record_of: path → what is known of it.
        facts_of: path → facts, None for those that do not exist as regular files.
        existing: what is done with files that are on disk.
    Returns: the actions, sorted by path.
    """
    return Actions(decide(path, record_of(path), facts_of(path), existing) for path in sorted(paths))


def claims_of(actions: Iterable[Action]) -> Iterator[tuple[str, Record]]:
    """Path, and what the action knows of the file."""
    return ((action.path, action.claim()) for action in actions)


def decide(path: str, record: Record, facts: os.stat_result | None, existing: Existing) -> Action:
    """What is to be done with one file; `facts` are the disk's, None when it is not there."""
    act, reason = _judge(record, facts, existing)
    return Action(path, act, reason, record.expected, record.source, record.modified)


def _judge(record: Record, facts: os.stat_result | None, existing: Existing) -> tuple[Act, str]:
    expected = record.expected
    if facts is None:
        return Act.FETCH, "not on disk"
    if existing is Existing.REFETCH:
        return Act.FETCH, "on disk, to be fetched again"
    if record.is_held(facts):
        return Act.KEEP, "on disk and proven"
    if expected.size is not None and facts.st_size != expected.size:
        return Act.FETCH, f"{facts.st_size} bytes on disk, {expected.size} published"
    if existing is Existing.KEEP:
        return Act.KEEP, "on disk with the right size"
    return Act.CHECK, "changed since it was proven" if record.held else "on disk, not proven yet"

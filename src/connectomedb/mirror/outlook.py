"""What several plans come to: files and bytes by what is done with them, by source, whether they fit, how long."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from connectomedb.mirror.actions import Act, Action
from connectomedb.mirror.plan import Plan
from connectomedb.mirror.space import Room


@dataclass(slots=True)
class Amount:
    """So many files, so many bytes; files of unknown size count no bytes."""

    files: int = 0
    size: int = 0

    def add(self, size: int | None) -> None:
        """One more file."""
        self.files += 1
        self.size += size or 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """Totals over plans.

    Attributes:
        subjects: how many plans.
        acts: what is done → how much; manifests that come along are in it.
        sources: store that would serve → how much of what is to be fetched; None for what no store lists.
        room: what the disk has, and what is needed of it.
        seconds: how long fetching will take at the speeds that were measured; None when one is not known.
        notes: what the plans remark, in sentences.
    """

    subjects: int
    acts: Mapping[Act, Amount]
    sources: Mapping[str | None, Amount]
    room: Room
    seconds: float | None
    notes: tuple[str, ...]

    @property
    def total(self) -> Amount:
        """All files."""
        return Amount(sum(one.files for one in self.acts.values()), sum(one.size for one in self.acts.values()))

    @property
    def to_fetch(self) -> Amount:
        """What is to be fetched."""
        return self.acts[Act.FETCH]


def look_out(
    plans: Iterable[Plan],
    room: Room,
    needed_for: Callable[[Plan], int],
    bytes_per_s: Mapping[str, float],
    limit: float | None = None,
) -> Outlook:
    """Add up plans one by one, so that a whole release needs no more memory than one subject.

    Args:
        room: of the mirror's folder; what is needed is filled in.
        needed_for: bytes of disk that a plan takes.
        bytes_per_s: speed of each source, where it was measured.
        limit: bytes per second that will not be passed.
    """
    acts = {act: Amount() for act in Act}
    sources: dict[str | None, Amount] = {}
    notes: dict[str, None] = {}
    subjects = needed = 0
    for plan in plans:
        subjects += 1
        needed += needed_for(plan)
        notes |= dict.fromkeys(plan.notes)
        for action in plan.all():
            _count(action, acts, sources)
    seconds = _seconds(sources, bytes_per_s, limit)
    return Outlook(subjects, acts, sources, replace(room, needed=needed), seconds, tuple(notes))


def _count(action: Action, acts: Mapping[Act, Amount], sources: dict[str | None, Amount]) -> None:
    acts[action.act].add(action.expected.size)
    if action.act is Act.FETCH:
        sources.setdefault(action.source, Amount()).add(action.expected.size)


def _seconds(
    sources: Mapping[str | None, Amount], bytes_per_s: Mapping[str, float], limit: float | None
) -> float | None:
    seconds = 0.0
    for source, amount in sources.items():
        if source is None:
            continue
        speed = bytes_per_s.get(source)
        if speed is None:
            return None
        seconds += amount.size / (min(speed, limit) if limit else speed)
    return seconds

"""What differs between two lockfiles, as a value."""

from collections.abc import Iterator
from dataclasses import dataclass

from connectomedb.cohort.lockfile import LockedFile, Lockfile


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that both have, differently: `release`, `predicate`, or a file `subject/path`."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LockDiff:
    """Lines to add and to remove to turn one lockfile into another; all sorted.

    Attributes:
        settings: changes of release, dictionary, predicate, advisories that kept subjects out, and coding.
        files_added, files_removed: `subject/path`. Files of subjects that came or went are among them.
        files_changed: of files that both have, size and checksum before and after.
    """

    settings: tuple[Changed, ...] = ()
    patterns_added: tuple[str, ...] = ()
    patterns_removed: tuple[str, ...] = ()
    subjects_added: tuple[str, ...] = ()
    subjects_removed: tuple[str, ...] = ()
    files_added: tuple[str, ...] = ()
    files_removed: tuple[str, ...] = ()
    files_changed: tuple[Changed, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both are the same."""
        return self == LockDiff()

    @property
    def same_bytes(self) -> bool:
        """Whether both ask for the same files, however they were chosen."""
        return not (self.files_added or self.files_removed or self.files_changed)


def diff_lockfiles(before: Lockfile, after: Lockfile) -> LockDiff:
    """What turns `before` into `after`."""
    old, new = dict(_files(before)), dict(_files(after))
    shared = sorted(old.keys() & new.keys())
    return LockDiff(
        settings=tuple(Changed(name, one, other) for name, one, other in _settings(before, after) if one != other),
        patterns_added=_without(after.patterns, before.patterns),
        patterns_removed=_without(before.patterns, after.patterns),
        subjects_added=_without(after.subjects, before.subjects),
        subjects_removed=_without(before.subjects, after.subjects),
        files_added=tuple(sorted(new.keys() - old.keys())),
        files_removed=tuple(sorted(old.keys() - new.keys())),
        files_changed=tuple(Changed(name, str(old[name]), str(new[name])) for name in shared if old[name] != new[name]),
    )


def format_diff(diff: LockDiff) -> Iterator[str]:
    """The lines of a diff for people: `+` came, `-` went, `~` changed."""
    yield from (f"~ {change.what}: {change.before or 'none'} → {change.after or 'none'}" for change in diff.settings)
    for what, added, removed in (
        ("pattern", diff.patterns_added, diff.patterns_removed),
        ("subject", diff.subjects_added, diff.subjects_removed),
        ("file", diff.files_added, diff.files_removed),
    ):
        yield from (f"- {what} {one}" for one in removed)
        yield from (f"+ {what} {one}" for one in added)
    yield from (f"~ file {change.what}: {change.before} → {change.after}" for change in diff.files_changed)


def _settings(before: Lockfile, after: Lockfile) -> Iterator[tuple[str, str, str]]:
    yield "release", before.release, after.release
    yield "dictionary", before.dictionary, after.dictionary
    yield "predicate", before.predicate, after.predicate
    yield "without", ", ".join(before.excluded), ", ".join(after.excluded)
    yield "subjects are", _kind(before), _kind(after)


def _kind(lockfile: Lockfile) -> str:
    return "coded" if lockfile.is_coded else "labels"


def _files(lockfile: Lockfile) -> Iterator[tuple[str, LockedFile]]:
    return ((f"{subject}/{path}", locked) for subject, path, locked in lockfile.each_file())


def _without(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in some if one not in frozenset(others))

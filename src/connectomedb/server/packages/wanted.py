"""Which files of subjects are wanted, by packages and globs; how many there are, and which.

A file is wanted when it belongs to one of the packages that its subject has, or fits one of the globs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Connection, Row, select

from connectomedb.errors import TooLarge
from connectomedb.hcp.glob import compile_glob
from connectomedb.hcp.manifest import FOLDER as MANIFESTS
from connectomedb.hcp.packages import Package
from connectomedb.hcp.paths import is_subject
from connectomedb.hcp.release import release_of
from connectomedb.server.packages.holdings import Subject, tree_of
from connectomedb.server.packages.piles import Pile, count_piles, is_paper, kind_of, piles_of, sums_of
from connectomedb.server.tables.schema import files, projects, subjects
from connectomedb.transfer.sizes import format_size

MAX_ZIP_BYTES = 500_000_000
MAX_ZIP_FILES = 5_000
"""What one zip may hold; for more there are lockfiles, which a broken transfer does not send back to the start."""

MAX_LOCKED_FILES = 500_000
"""Files of one lockfile that is made here."""

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Packages and globs of whole paths inside the subject, in the release or in its bucket.

    Raises AddressError for what is no glob.
    """

    packages: tuple[Package, ...] = ()
    patterns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            compile_glob(pattern)

    @property
    def globs(self) -> tuple[str, ...]:
        """The same in globs alone, as a lockfile tells it."""
        return tuple(dict.fromkeys((*self.patterns, *(glob for one in self.packages for glob in one.patterns))))

    def holds(self, subject: Subject, path: str, held: frozenset[str]) -> bool:
        """Whether a file is wanted; `held`: the packages that its subject has."""
        asked = {path, release_of(subject.project).to_bucket(path)} if self.patterns else ()
        if any(compile_glob(glob).fullmatch(f"{subject.label}/{one}") for glob in self.patterns for one in asked):
            return True
        return not (held & {one.id for one in self.packages}).isdisjoint(kind_of(subject.label, path).packages)


@dataclass(slots=True)
class Sums:
    """What subjects have: by package, and of what is wanted; each as numbers of subjects, files and bytes."""

    packages: dict[str, Counter[str]] = field(default_factory=dict)
    wanted: Counter[str] = field(default_factory=Counter)


def subjects_of(connection: Connection, project: str, labels: Sequence[str]) -> list[Subject]:
    """The subjects of these labels at home in a project that the caller was found to read; in the order asked."""
    keys: dict[str, int] = {}
    asked = list(dict.fromkeys(labels))
    for start in range(0, len(asked), _BATCH):
        part = asked[start : start + _BATCH]
        found = select(subjects.c.label, subjects.c.key).select_from(subjects.join(projects))
        rows = connection.execute(found.where(projects.c.id == project, subjects.c.label.in_(part)))
        keys |= {row.label: row.key for row in rows}
    return [Subject(keys[label], label, project) for label in asked if label in keys]


def count(connection: Connection, found: Sequence[Subject], wanted: Wanted) -> Sums:
    """What the subjects have."""
    sums = Sums()
    for held, chosen in (
        _asked_by_file(connection, found, wanted) if wanted.patterns else _asked(connection, found, wanted)
    ):
        for id, (number, size) in held.items():
            sums.packages.setdefault(id, Counter()).update(subjects=1, files=number, size=size)
        if not all(pile.kind.is_paper for pile in chosen):
            number = sum(pile.files for pile in chosen)
            sums.wanted.update(subjects=1, files=number, size=sum(pile.size for pile in chosen))
    return sums


_Asked: TypeAlias = Iterator[tuple[dict[str, tuple[int, int]], list[Pile]]]
"""Of each subject, files and bytes by package, and the piles that are wanted."""


def _asked(connection: Connection, found: Sequence[Subject], wanted: Wanted) -> _Asked:
    """By packages alone: the database counts."""
    names = {one.id for one in wanted.packages}
    piles = count_piles(connection, [subject.key for subject in found if is_subject(subject.label)])
    for subject in found:
        mine = piles.get(subject.key, [])
        held = sums_of(mine)
        ids = names & held.keys()
        yield held, [pile for pile in mine if not ids.isdisjoint(pile.kind.packages)]


def _asked_by_file(connection: Connection, found: Sequence[Subject], wanted: Wanted) -> _Asked:
    """By globs, which may name a subject."""
    for subject in found:
        rows = connection.execute(tree_of(subject).with_only_columns(files.c.path, files.c.size)).all()
        piles = piles_of(subject.label, rows)
        held = sums_of(piles)
        ids = frozenset(held)
        pairs = zip(rows, piles, strict=True)
        yield held, [pile for row, pile in pairs if wanted.holds(subject, row.path, ids)]


def each_file(
    connection: Connection, found: Sequence[Subject], wanted: Wanted
) -> Iterator[tuple[Subject, list[Row[*tuple[object, ...]]]]]:
    """Rows of the wanted files, by path, subject by subject; of subjects that have none but papers, none."""
    for subject in found:
        rows = connection.execute(tree_of(subject).with_only_columns(files).order_by(files.c.path)).all()
        ids = frozenset(sums_of(piles_of(subject.label, rows)))
        chosen = [row for row in rows if wanted.holds(subject, row.path, ids)]
        yield subject, [] if all(is_paper(row.path) for row in chosen) else chosen


def files_for_zip(
    connection: Connection, found: Sequence[Subject], wanted: Wanted
) -> list[tuple[Subject, list[Row[*tuple[object, ...]]]]]:
    """The same for a zip, without manifests: it gets one of its own. Raises TooLarge as soon as it is too much."""
    held, number, size = [], 0, 0
    for subject, rows in each_file(connection, found, wanted):
        kept = [row for row in rows if not row.path.startswith(f"{MANIFESTS}/")]
        number, size = number + len(kept), size + sum(row.size for row in kept)
        if number > MAX_ZIP_FILES or size > MAX_ZIP_BYTES:
            raise TooLarge(
                f"Asked for a zip of more than {MAX_ZIP_FILES} files or {format_size(MAX_ZIP_BYTES)}. "
                "Take a lockfile and cdb sync, or choose less."
            )
        if kept:
            held.append((subject, kept))
    return held

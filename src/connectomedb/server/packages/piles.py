"""How many files of which kind subjects have. Files are of one kind when they belong to the same packages.

The trees of subjects are alike: of the paths of a thousand of them, with the subject's label taken out, some hundreds
are distinct. So only these are looked at here, and the database counts: a row per subject and kind comes back, not
one per file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, FromClause, Integer, Row, String, column, func, select, type_coerce, values

from connectomedb.hcp.layout import crest_label
from connectomedb.hcp.manifest import FOLDER as MANIFESTS
from connectomedb.hcp.packages import matches, packages
from connectomedb.hcp.paths import is_subject
from connectomedb.server.tables.schema import experiments, files, resources, subjects

_NOTES = "release-notes"
_ANYBODY = "000000"
"""Stands for the subject in paths whose packages are remembered."""

_SUBJECTS_AT_ONCE = 2_000
_PATHS_AT_ONCE = 10_000
"""SQLite takes 32,766 values in a statement, PostgreSQL 65,535."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is asked of a file: which packages it belongs to, and whether it is a manifest or release notes."""

    packages: frozenset[str]
    is_paper: bool


@dataclass(frozen=True, slots=True)
class Pile:
    """Files of one kind: how many, and their bytes."""

    kind: Kind
    files: int
    size: int


def kind_of(subject: str, path: str) -> Kind:
    """The kind of a file, by its path inside the subject; HCP's subjects alone have packages."""
    if not is_subject(subject):
        return Kind(frozenset(), is_paper(path))
    return _kind_of(path.replace(subject, _ANYBODY))


def piles_of(subject: str, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Pile]:
    """A pile for each file, given rows with path and size."""
    return [Pile(kind_of(subject, row.path), 1, row.size) for row in rows]


def is_paper(path: str) -> bool:
    """Whether a path inside the subject is a manifest or release notes, which alone make no package."""
    return path.startswith((f"{MANIFESTS}/", f"{_NOTES}/"))


def sums_of(piles: Sequence[Pile]) -> dict[str, tuple[int, int]]:
    """Files and bytes of a subject by package; papers alone make no package."""
    sums: dict[str, tuple[int, int]] = {}
    has_images: set[str] = set()
    for pile in piles:
        if not pile.kind.is_paper:
            has_images |= pile.kind.packages
        for id in pile.kind.packages:
            count, size = sums.get(id, (0, 0))
            sums[id] = (count + pile.files, size + pile.size)
    return {id: sums[id] for id in sums if id in has_images}


def count_piles(connection: Connection, keys: Sequence[int]) -> dict[int, list[Pile]]:
    """By the key of a subject what it has of files that belong to packages."""
    found: dict[int, list[Pile]] = {}
    for start in range(0, len(keys), _SUBJECTS_AT_ONCE):
        for key, pile in _count(connection, keys[start : start + _SUBJECTS_AT_ONCE]):
            found.setdefault(key, []).append(pile)
    return found


@lru_cache(maxsize=1 << 16)
def _kind_of(path: str) -> Kind:
    held = frozenset(one.id for one in packages().values() if matches(one, path, _ANYBODY))
    return Kind(held, is_paper(path))


def _count(connection: Connection, keys: Sequence[int]) -> Iterator[tuple[int, Pile]]:
    crest = type_coerce(subjects.c.label, String) + crest_label("")
    plain = func.replace(files.c.path, subjects.c.label, _ANYBODY)
    tree: FromClause = files.join(resources).join(experiments)
    tree = tree.join(subjects, experiments.c.subject_key == subjects.c.key)
    mine = (subjects.c.key.in_(keys), experiments.c.label == crest, resources.c.label == crest)
    numbers: dict[Kind, int] = {}
    known: list[tuple[str, int]] = []
    for path in connection.execute(select(plain).select_from(tree).where(*mine).distinct()).scalars():
        kind = _kind_of(path)
        if kind.packages:
            known.append((path, numbers.setdefault(kind, len(numbers))))
    kinds = list(numbers)
    for start in range(0, len(known), _PATHS_AT_ONCE):
        some = known[start : start + _PATHS_AT_ONCE]
        paths = values(column("path", String), column("kind", Integer), name="paths").data(some).cte("paths")
        sums = (subjects.c.key, paths.c.kind, func.count(), func.sum(files.c.size))
        joined = tree.join(paths, paths.c.path == plain)
        counted = select(*sums).select_from(joined).where(*mine).group_by(subjects.c.key, paths.c.kind)
        for key, number, count, size in connection.execute(counted):
            yield key, Pile(kinds[number], count, int(size))  # PostgreSQL adds up to a decimal

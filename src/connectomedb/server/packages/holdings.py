"""Subjects and what they have of each package. Reads the database, and only what the caller may read.

The files of a subject are those of its CREST resource, which holds the whole release tree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Select, and_, select

from connectomedb.errors import AddressError, NotFound
from connectomedb.hcp.layout import crest_label
from connectomedb.hcp.manifest import FOLDER as MANIFESTS
from connectomedb.hcp.packages import Package, package, packages
from connectomedb.hcp.paths import check_subject
from connectomedb.hcp.scans import Field
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.visible import may_enter, may_read
from connectomedb.server.packages.piles import count_piles, is_paper, kind_of, sums_of
from connectomedb.server.query.places import terms_stand_before
from connectomedb.server.tables.schema import experiments, files, projects, resources, subjects

MAX_SUBJECTS = 2_000
"""Most subjects in one request: more than the largest release has."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject in its project."""

    key: int
    label: str
    project: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What a subject has of a package: number of files, and bytes."""

    subject: Subject
    package: Package
    files: int
    size: int


def find_subjects(connection: Connection, caller: Caller, labels: Sequence[str], project: str) -> list[Subject]:
    """The subjects of these labels, each once, in the order asked; without a project, wherever they are.

    Raises AddressError (no label, too many, or one label in several projects), NotFound, TermsNotAccepted.
    """
    wanted = [check_subject(label, label) for label in dict.fromkeys(labels)]
    if not wanted or len(wanted) > MAX_SUBJECTS:
        raise AddressError(f"Asked for packages of {len(wanted)} subjects. Name 1 to {MAX_SUBJECTS} by subjects=.")
    found = select(subjects.c.key, subjects.c.label, projects.c.id).select_from(subjects.join(projects))
    found = found.where(subjects.c.label.in_(wanted), *([projects.c.id == project] if project else []))
    by_label: dict[str, list[Subject]] = {}
    for row in connection.execute(found.where(may_read(caller, projects.c.key)).order_by(projects.c.id)):
        by_label.setdefault(row.label, []).append(Subject(row.key, row.label, row.id))
    for label in wanted:
        homes = [subject.project for subject in by_label.get(label, [])]
        if len(homes) > 1:
            raise AddressError(f"Subject {label} is in the projects {', '.join(homes)}. Say which by project=.")
        if not homes:
            closed = found.where(subjects.c.label == label, may_enter(caller, projects.c.key))
            if waiting := connection.execute(closed.order_by(projects.c.id)).first():
                raise terms_stand_before(waiting.id, "/spring/download")
            raise NotFound(f"There is no subject {label!r} here, or none that you may see. List the subjects.")
    return [by_label[label][0] for label in wanted]


def find_package(word: str) -> Package:
    """A package by its ID, or by the ID without session, which at 3T may be left out. Raises AddressError."""
    known = packages()
    return known.get(word) or known.get(f"{Field.MR3T}_{word}") or package(word)


def holdings(connection: Connection, found: Sequence[Subject], wanted: Sequence[Package]) -> Iterator[Holding]:
    """What each subject has of each package, subject by subject; packages without files are left out."""
    piles = count_piles(connection, [subject.key for subject in found])
    for subject in found:
        sums = sums_of(piles.get(subject.key, ()))
        for one in wanted:
            if one.id in sums:
                yield Holding(subject, one, *sums[one.id])


def files_of(connection: Connection, subject: Subject, wanted: Package) -> list[Row[*tuple[object, ...]]]:
    """Rows of a package's files but its manifest, by path. Raises NotFound when the subject has none."""
    rows = connection.execute(tree_of(subject).with_only_columns(files).order_by(files.c.path))
    held = [
        row
        for row in rows
        if wanted.id in kind_of(subject.label, row.path).packages and not row.path.startswith(f"{MANIFESTS}/")
    ]
    if all(is_paper(row.path) for row in held):
        raise NotFound(f"Subject {subject.label} of {subject.project} has no files of the package {wanted.id}.")
    return held


def tree_of(subject: Subject) -> Select[*tuple[object, ...]]:
    """The rows of a subject's files, in no order."""
    crest = crest_label(subject.label)
    joined = files.join(resources).join(experiments)
    return (
        select(files)
        .select_from(joined)
        .where(and_(experiments.c.subject_key == subject.key, experiments.c.label == crest, resources.c.label == crest))
    )

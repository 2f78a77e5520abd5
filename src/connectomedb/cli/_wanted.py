"""Which files are wanted, as options of a command: places, subjects, globs, packages."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from connectomedb.cli._cohort import WITHOUT, is_predicate
from connectomedb.cli._options import parse_where
from connectomedb.cli._sources import must_ask, packed
from connectomedb.errors import NotFound
from connectomedb.hcp.advisories import defects, known_advisories
from connectomedb.hcp.paths import is_label, is_subject
from connectomedb.mirror.choice import Choice

if TYPE_CHECKING:
    from connectomedb.client.interface import Interface


_HEADINGS = ("subject", "participant_id", "label", "id")
"""What stands above labels, in any case."""


@dataclass(frozen=True, slots=True)
class Group:
    """Subjects of one project of which the same files are wanted."""

    project: str
    subjects: tuple[str, ...]
    choice: Choice


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said about which files are wanted."""

    places: tuple[str, ...]
    subjects: tuple[str, ...]
    subjects_from: str | None
    path: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    packages: tuple[str, ...]
    project: str
    without: tuple[str, ...] = ()

    @property
    def predicate(self) -> str | None:
        """What chooses the subjects by what is known of them; then the other places are globs of their files."""
        return self.places[0] if self.places and is_predicate(self.places[0]) else None

    def chosen_groups(self, db: "Interface | None") -> list[Group]:
        """The subjects that the predicate chooses, project by project. Raises NotFound when there are none."""
        if self.subjects or self.subjects_from:
            raise click.UsageError("A predicate chooses the subjects: leave out --subjects.")
        choice = Choice(self.path, (*self.places[1:], *self.include), self.exclude, self.packages)
        cohort = must_ask(db).where(self.predicate or "", project=self.project).without(*self.without)
        groups = [Group(project, tuple(labels), choice) for project, labels in cohort.by_project().items()]
        if not groups:
            raise NotFound(f"Asked for subjects with {self.predicate}. There are none. See why: cdb explain.")
        return groups

    @property
    def is_said(self) -> bool:
        """Whether anything was said at all."""
        return self != Wanted((), (), None, "", (), (), (), "")

    def groups(self) -> list[Group]:
        """What is wanted, subjects with the same wishes together. Raises a usage error, or AddressError."""
        if not self.places:
            raise click.UsageError("No place was named. Write PROJECT/SUBJECT/PATH, or PROJECT with --subjects.")
        labels = list(self._labels())
        shared = Choice(self.path, self.include, self.exclude, self.packages)
        wanted: dict[tuple[str, Choice], dict[str, None]] = {}
        for place in self.places:
            where = parse_where(place)
            if where.subject:
                choice = replace(shared, path=where.path or shared.path)
                wanted.setdefault((where.project, choice), {})[where.subject] = None
            elif labels:
                wanted.setdefault((where.project, shared), {}).update(dict.fromkeys(labels))
            else:
                raise click.UsageError(
                    f"{place!r} names no subject. Write PROJECT/SUBJECT/PATH, like HCP_Q1/100307/T1w, "
                    "or name subjects with --subjects or --subjects-from."
                )
        if labels and not any(set(labels) <= set(subjects) for subjects in wanted.values()):
            raise click.UsageError("--subjects needs a place that is a project alone, like HCP_Q1.")
        found = (
            Group(project, self._kept(project, subjects), choice) for (project, choice), subjects in wanted.items()
        )
        groups = [group for group in found if group.subjects]
        if not groups:
            raise NotFound(f"All these subjects are left out: of their data is known {' or '.join(self.without)}.")
        return groups

    def _kept(self, project: str, subjects: Iterable[str]) -> tuple[str, ...]:
        """The subjects of whose data nothing is known that was to be left out."""
        if not self.without:
            return tuple(subjects)
        known, kinds = known_advisories(), defects(self.without)
        return tuple(subject for subject in subjects if not known.are_against(subject, project, kinds))

    def _labels(self) -> Iterator[str]:
        for words in self.subjects:
            yield from (word for word in words.replace(",", " ").split())
        if self.subjects_from is not None:
            yield from _read_labels(self.subjects_from)


def wanted_options(command: Callable[..., object]) -> Callable[..., object]:
    """The options that say which files, handed to the command as one value, `wanted`."""
    command = packed(command, "wanted", Wanted)
    for option in (
        click.option(
            "--package",
            "packages",
            multiple=True,
            metavar="ID",
            help="Only files of this package, like 3T_tfMRI_MOTOR_preproc; may be repeated.",
        ),
        click.option("--exclude", multiple=True, metavar="GLOB", help="No files like this; may be repeated."),
        click.option(
            "--include",
            multiple=True,
            metavar="GLOB",
            help="Only files like this inside the subject, like '**/*.dtseries.nii'; * stays in a folder, ** does not.",
        ),
        click.option("--path", default="", help="Only what lies at or below this path inside each subject."),
        click.option(
            "--subjects-from", metavar="FILE", help="Labels, one a line or in a CSV's first column; - is stdin."
        ),
        click.option(
            "--subjects", multiple=True, metavar="LABELS", help="Subjects of the PROJECT, like 100307,103515."
        ),
        WITHOUT,
        click.option("--project", default="", help="With a predicate: only subjects of this project."),
        click.argument("places", nargs=-1, metavar="[PROJECT[/SUBJECT[/PATH]]]... | PREDICATE [GLOB]..."),
    ):
        command = option(command)
    return command


def _read_labels(name: str) -> list[str]:
    """Labels out of a file: the first column of a CSV or of a table, with or without heading."""
    try:
        if name == "-":
            return list(_parse_labels(sys.stdin, "stdin"))
        with open(name, encoding="utf-8-sig") as lines:
            return list(_parse_labels(lines, name))
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is no UTF-8 text"
        raise click.UsageError(f"{name} cannot be read: {why}. Name a file with labels.") from fault


def _parse_labels(lines: Iterable[str], name: str) -> Iterator[str]:
    """Labels, all of HCP's six digits when the first is; what stands above them is a heading."""
    heading = ""
    fits: Callable[[str], bool] | None = None
    for number, line in enumerate(lines, 1):
        first = line.replace("\t", ",").partition(",")[0].partition("#")[0].strip().strip('"').removeprefix("sub-")
        if not first:
            continue
        if fits is None and not heading and not is_subject(first):
            heading = first
            continue
        if fits is None:
            fits = is_subject if is_subject(first) else is_label
            yield from _headed(heading, fits)
        if not fits(first):
            what = "A label is six digits." if fits is is_subject else "Use letters, digits, '_' and '-'."
            raise click.UsageError(f"{name}, line {number}: {first!r} is no subject label. {what}")
        yield first
    if fits is None:
        yield from _headed(heading, is_label)


def _headed(heading: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """What stood above the labels, if it is one itself."""
    if fits(heading) and heading.lower() not in _HEADINGS:
        yield heading

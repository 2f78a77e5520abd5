"""`Cohort`: the subjects of one predicate, found when asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connectomedb.client.cohorts.files import SubjectFiles
from connectomedb.client.search import FieldTypes, Search
from connectomedb.client.table import Table
from connectomedb.client.transport import Connection
from connectomedb.cohort.columns import ALIASES, NONTOOLBOX, Columns
from connectomedb.cohort.evaluate import Files, Row, evaluate
from connectomedb.cohort.explanation import Explanation, concerned
from connectomedb.cohort.formatter import format_predicate
from connectomedb.cohort.funnel import funnel
from connectomedb.cohort.lockfile import LockedFile, Lockfile
from connectomedb.cohort.named import LABEL, PROJECT, within
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.cohort.split import Split, split_families
from connectomedb.errors import ConfigError, NotFound, QueryError
from connectomedb.hcp.advisories import Defect, defects, known_advisories
from connectomedb.hcp.dictionary import Dictionary, Tier, ValueType, parse_value
from connectomedb.hcp.dictionary_file import version_of
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.links import Links
from connectomedb.mirror.mirror import Mirror
from connectomedb.mirror.report import Report
from connectomedb.xnat.plain import weaken
from connectomedb.xnat.query import FILE_PATH, Group

if TYPE_CHECKING:
    from connectomedb.client.interface import Interface

FAMILY = "Family_ID"
"""The column that says whose relative a subject is; restricted."""


class Cohort:
    """Subjects chosen by a predicate. Nothing is sent before something is asked; then at most what that needs.

        cohort = db.where("MMSE_Score >= 29 and Gender = 'F'", project="HCP_Q1")
        cohort.subjects()                                      # labels, sorted
        cohort.table("Age", "PMAT24_A_CR").to_pandas()
        print(cohort.explain().methods())
        cohort.get("T1w/T1w_acpc_dc_restore_brain.nii.gz", to="brains")

    Args:
        predicate: in the query language (docs/guide.md); empty for all subjects.
        project: only its subjects; else those of every project that is open to you.
        data_type: whose measures the predicate reads.
    Raises: PredicateError, at once for a slip in the language, when asked for columns that are not there.
    """

    def __init__(
        self,
        db: "Interface",
        predicate: str,
        project: str = "",
        excluded: Sequence[Defect] = (),
        *,
        data_type: str = NONTOOLBOX,
    ) -> None:
        parse_predicate(predicate)
        self._db = db
        self.excluded = tuple(excluded)
        self._columns: Columns | None = None
        self.predicate = predicate
        self.project = project
        self.data_type = data_type

    def __repr__(self) -> str:
        return f"Cohort({self.predicate!r}, project={self.project!r})"

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[str]:
        return iter(self.subjects())

    def without(self, *kinds: str) -> "Cohort":
        """The same without subjects of whose data something is known: `withdrawn`, `unusable`, `wrong`, `incomplete`,
        `missing`, or `any`. Raises ConfigError for other words.
        """
        return Cohort(self._db, self.predicate, self.project, defects(kinds), data_type=self.data_type)

    @property
    def dictionary(self) -> Dictionary:
        """The columns that are open to you, against which the predicate is checked."""
        assert self.columns.dictionary is not None, "made with one"
        return self.columns.dictionary

    @property
    def columns(self) -> Columns:
        """How the predicate's names are understood; one request, the first time."""
        if self._columns is None:
            self._columns = Columns(self._db.dictionary(self.data_type), self.data_type)
        return self._columns

    @property
    def where(self) -> Group:
        """The predicate as a condition, checked. Raises PredicateError."""
        return parse_predicate(self.predicate, self.columns)

    def subjects(self) -> list[str]:
        """Labels of the subjects, sorted. Raises PredicateError, RequestError, StoreError (listing files)."""
        return sorted({label for label, _ in self.places()})

    def count(self) -> int:
        """How many subjects there are."""
        return len(self.subjects())

    def places(self) -> list[tuple[str, str]]:
        """Label and project of each subject, sorted; one in several projects is there once for each."""
        known = known_advisories()
        return [place for place in self._chosen() if not known.are_against(*place, self.excluded)]

    def _chosen(self) -> list[tuple[str, str]]:
        """The places whatever is known against them."""
        where = self.where
        told = self._db.explorer.places(self.predicate, self.project, self.data_type) if self._is_told(where) else None
        if told is not None:
            return told
        weak = weaken(where)
        if weak.is_exact:
            table = self._search((LABEL, PROJECT), weak.where)
            return sorted(set(zip(table[LABEL], table[PROJECT], strict=True)))
        found = self._rows(weak.where, where)
        return sorted({(str(row[LABEL]), str(row[PROJECT])) for row, files in found if self._holds(row, files)})

    def table(self, *columns: str) -> Table:
        """The subjects with these columns of theirs, one row each; without columns those that the predicate reads.

        Raises: QueryError for a column that is not there, or not open to you.
        """
        asked = columns or tuple(dict.fromkeys(map(self.columns.name, _fields(self.where))))
        names = [ALIASES.get(name, name) for name in asked]
        weak = weaken(self.where)
        table = self._search((LABEL, *(name for name in names if name != LABEL)), weak.where)
        table = replace(table, categories=self._categories(table))
        if weak.is_exact and not self.excluded:
            return table
        wanted = set(self.subjects())
        place = table.columns.index(table.asked[self._qualified(LABEL)])
        return replace(table, rows=tuple(row for row in table.rows if row[place] in wanted))

    def tier(self, *columns: str) -> Tier:
        """The highest tier among the columns that the predicate reads, and these: above open, publish coded ids only.

        Raises PredicateError.
        """
        known = [self.columns.definition(name) for name in columns]
        tiers = [one.tier if one else Tier.RESTRICTED for one in known]
        return max([self.columns.tier(self.where), *tiers], key=list(Tier).index)

    def explain(self) -> Explanation:
        """The funnel, criterion by criterion, and what is known against the subjects' data."""
        where = self.where
        told = self._db.explorer.funnel(self.predicate, self.project, self.data_type) if self._is_told(where) else None
        counted = told or funnel(where, self._rows(Group(), where), self.columns)
        known = concerned(known_advisories().advisories, self.subjects(), self.project) if self.project else ()
        if self.excluded:
            counted = counted.narrowed(f"no data known as {' or '.join(self.excluded)}", len(self.places()))
        return Explanation(format_predicate(where, self.columns), self.project, counted, known, self.excluded)

    def split(self, *, by: str = FAMILY, test: float = 0.2, stratify: Sequence[str] = (), seed: int = 0) -> Split:
        """Train and test parts of which none holds a relative of the other's subjects.

        Args:
            by: the column that names the family (restricted in HCP: it needs a grant).
            test: share of the test part.
            stratify: columns whose values are to be spread alike.
            seed: the same gives the same parts.
        Raises: QueryError when a column is not open to you.
        """
        table = self.table(by, *stratify)
        labels = table[LABEL]
        values = zip(*(table[name] for name in stratify), strict=True) if stratify else ((),) * len(labels)
        strata = {label: tuple(row) for label, row in zip(labels, values, strict=True)}
        return split_families(dict(zip(labels, table[by], strict=True)), test=test, strata=strata, seed=seed)

    def get(
        self, patterns: str | Iterable[str], *, to: str | Path | None = None, links: Links | None = None
    ) -> list[Report]:
        """Bring the files that match, of all subjects, to disk; proven. A report per subject, in their order.

        Args:
            patterns: globs of paths inside the subject.
            to: the mirror's folder; without it, the interface's own mirror.
            links: where else the files are to stand, under other names: `Links(Path("study"), Arrangement.BIDS)`.
        """
        choice = Choice(include=_texts(patterns))
        mirror = self._mirror(to)
        reports: list[Report] = []
        for project, labels in self.by_project().items():
            reports += mirror.fetch(labels, choice, project=project)
        for report in reports if links else ():
            for file in report.files:
                if links and not file.error:
                    links.add(report.project, report.subject, file.path, file.local)
        return reports

    def lock(self, patterns: str | Iterable[str], *, to: str | Path | None = None) -> Lockfile:
        """What the files that match are at present: size and checksum of each. Nothing is brought but manifests.

        Raises: NotFound when there are no subjects, ConfigError when they are of several projects.
        """
        globs = _texts(patterns)
        projects = self.by_project()
        if not projects:
            raise NotFound(f"Asked for subjects with {self.predicate}. There are none. See why: cdb explain.")
        if len(projects) > 1:
            where = ", ".join(projects)
            raise ConfigError(f"A lockfile is of one release; {self!r} has subjects of {where}. Name a project.")
        ((project, labels),) = projects.items()
        files = {}
        for plan in self._mirror(to).plans(labels, Choice(include=globs), project=project):
            locked = {a.path: LockedFile(a.expected.size or 0, a.expected.md5) for a in plan.actions}
            if locked:
                files[plan.subject] = locked
        return Lockfile(
            release=project,
            predicate=self.predicate,
            patterns=globs,
            subjects=tuple(labels),
            files=files,
            dictionary=version_of(self.dictionary),
            excluded=self.excluded,
        )

    def by_project(self) -> dict[str, list[str]]:
        """Labels by project."""
        found: dict[str, list[str]] = {}
        for label, project in self.places():
            found.setdefault(project, []).append(label)
        return found

    def _mirror(self, folder: str | Path | None) -> Mirror:
        mirror = self._db.data_mirror
        if folder is not None:
            return mirror.at(folder) if isinstance(mirror, Mirror) else Mirror(folder, [self._db.store_of])
        if not isinstance(mirror, Mirror):
            raise ConfigError(f"{mirror!r} is no mirror that plans. Give `to=` a folder.")
        return mirror

    def _is_told(self, where: Group) -> bool:
        """Whether a server that evaluates predicates knows all about this one: files may be elsewhere, too."""
        return not (_reads_files(where) and self._db.has_own_mirror)

    def _holds(self, row: Row, files: Files) -> bool:
        return evaluate(self.where, row, files) is True

    def _rows(self, where: Group, about: Group) -> Iterator[tuple[Row, Files]]:
        """Values and files of the subjects that fulfil `where`, with the columns that `about` reads."""
        names = [self.columns.name(field) for field in _fields(about)]
        fields = dict.fromkeys((LABEL, PROJECT, *(ALIASES.get(name, name) for name in names)))
        table = self._search(tuple(fields), where)
        places = {name: table.columns.index(table.asked[self._qualified(name)]) for name in fields}
        types = {name: self._type(name) for name in fields}
        mirror = self._mirror(None) if _reads_files(about) else None
        for cells in table.rows:
            row = {name: _value(types[name], cells[place]) for name, place in places.items()}
            yield row, SubjectFiles(mirror, str(row[PROJECT]), str(row[LABEL])) if mirror else None

    def _type(self, name: str) -> ValueType:
        definition = self.columns.definition(name)
        return (definition and definition.type) or ValueType.TEXT

    def _categories(self, table: Table) -> dict[str, tuple[str, ...]]:
        """Values that columns of text may have, as the dictionary lists them; cells that hold several are text."""
        known = ((column, self.columns.definition(self._bare(field))) for field, column in table.asked.items())
        return {
            column: tuple(allowed.value for allowed in found.values)
            for column, found in known
            if found and found.type is ValueType.TEXT and found.values and not found.holds_several
        }

    def _search(self, names: Sequence[str], where: Group) -> Table:
        connection: Connection = self._db.connection
        search = Search(connection, FieldTypes(connection), self.data_type, [self._qualified(name) for name in names])
        return search.find(within(self.project, where, self.data_type))

    def _qualified(self, name: str) -> str:
        return name if "/" in name else f"{self.data_type}/{name}"

    def _bare(self, field: str) -> str:
        return field.removeprefix(f"{self.data_type}/")


def _fields(where: Group) -> list[str]:
    return [criterion.field for criterion in where.criteria() if criterion.field != FILE_PATH]


def _reads_files(where: Group) -> bool:
    return any(criterion.field == FILE_PATH for criterion in where.criteria())


def _value(type: ValueType, cell: str) -> int | float | str | None:
    try:
        return parse_value(type, cell)
    except ValueError:  # a value that its type does not hold is compared as text, as it is shown
        return cell


def _texts(patterns: str | Iterable[str]) -> tuple[str, ...]:
    found = (patterns,) if isinstance(patterns, str) else tuple(patterns)
    if not found:
        raise QueryError("No pattern of files was given. Name one, like 'T1w/*.nii.gz'.")
    return found

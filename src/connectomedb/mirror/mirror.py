"""The local copy of one or more releases, filled on request.

<root>/q1/100307/T1w/...              the bucket's own tree, nothing renamed
<root>/.connectomedb/q1/100307.json   what we know of it (mirror.ledger)
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, overload

from connectomedb.errors import AddressError, DiskFull, ManifestError, NotFound
from connectomedb.hcp.release import Release, release_of
from connectomedb.mirror.bucket import S3Bucket
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.draft import Draft
from connectomedb.mirror.events import OnEvent, ignore
from connectomedb.mirror.finding import Finding
from connectomedb.mirror.options import DEFAULT, READERS, Options
from connectomedb.mirror.papers import Papers
from connectomedb.mirror.plan import Existing, Plan
from connectomedb.mirror.present import INVENTORIES, Inventory
from connectomedb.mirror.report import Report
from connectomedb.mirror.shelf import Shelf
from connectomedb.mirror.space import Room, room_for
from connectomedb.mirror.speed import Speeds
from connectomedb.mirror.spread import Scheduler, ahead, spread
from connectomedb.mirror.sync import apply, prepare, renew, sync
from connectomedb.stores.base import Store

if TYPE_CHECKING:  # what looks at files again is imported when it is asked for: fetching needs none of it
    from connectomedb.mirror.outlook import Outlook
    from connectomedb.mirror.repair import Repair
    from connectomedb.mirror.verify import OnVerify

StoreOf: TypeAlias = Callable[[Release], Store]
"""Gives the store that holds a release."""

Subjects: TypeAlias = list[str] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OneStore:
    """A store that holds every release."""

    store: Store

    def __call__(self, release: Release) -> Store:
        """The store."""
        return self.store


class Mirror:
    """A folder that holds copies of release files, and the stores that they come from.

    Wherever files are chosen, a path inside the subject will do, or a `Choice` with globs and packages. A mirror can
    be pickled if its sources can; stores are opened anew where it arrives.

    Args:
        root: the folder; made when the first file comes.
        sources: nearest first; a file missing in one is taken from the next.
        prefix: overrides the key prefix that a project stands for (`HCP_Q1` is `q1`).
    """

    def __init__(self, root: str | Path, sources: Sequence[StoreOf], *, prefix: str | None = None) -> None:
        self.root = Path(root)
        self.prefix = prefix
        self._sources = tuple(sources)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.root)!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _reopen, (type(self), self.root, self._sources, self.prefix)

    def files(self, subject: str, path: str | Choice = "", *, project: str, on_event: OnEvent = ignore) -> list[Path]:
        """Local paths of a subject's files at or below `path`, sorted, complete and proven.

        What is missing is fetched first, in parallel; when all is there, no request is made.

        Args:
            subject: six-digit label.
            path: inside the subject, like `T1w` or `MNINonLinear/Results/tfMRI_MOTOR_LR`; empty for the whole
                subject. Folders that the bucket keeps elsewhere (Q1: `Diffusion`) go by either name.
            project: release, like `HCP_Q1`.
        Raises: NotFound when the path names nothing (it says what is there); MirrorIncomplete when some file
            could not be had or proven; DiskFull, before the first byte, when they cannot fit; StoreError when no
            store answers; AddressError for `..` and the like.
        """
        shelf = self._shelf_of(project, subject)
        choice = Choice.of(path).in_bucket(shelf.release)
        if present := self._find(shelf, subject, choice, Options()):
            return present.paths()
        report = self._fetch(shelf, subject, choice, Options(), on_event)
        report.raise_for_failures()
        return report.paths

    @overload
    def fetch(
        self,
        subjects: str | Plan,
        choice: str | Choice = "",
        *,
        project: str = "",
        refresh: bool = False,
        options: Options = DEFAULT,
        on_event: OnEvent = ignore,
    ) -> Report: ...

    @overload
    def fetch(
        self,
        subjects: Subjects,
        choice: str | Choice = "",
        *,
        project: str = "",
        refresh: bool = False,
        options: Options = DEFAULT,
        on_event: OnEvent = ignore,
        scheduler: Scheduler | None = None,
    ) -> list[Report]: ...

    def fetch(
        self,
        subjects: str | Plan | Subjects,
        choice: str | Choice = "",
        *,
        project: str = "",
        refresh: bool = False,
        options: Options = DEFAULT,
        on_event: OnEvent = ignore,
        scheduler: Scheduler | None = None,
    ) -> Report | list[Report]:
        """As `files`, but tells file by file what happened, and raises for none that failed.

        Args:
            subjects: one label; or a plan, which is carried out without listing again; or several labels, which
                gives a list of reports (see `fetch_many`).
            refresh: list the stores again even if all is here.
        """
        options = replace(options, refresh=True) if refresh else options
        if isinstance(subjects, Plan):
            return self._apply(subjects, options, on_event)
        if not isinstance(subjects, str):
            many = self.fetch_many(
                subjects, choice, project=project, options=options, on_event=on_event, scheduler=scheduler
            )
            return list(many)
        shelf = self._shelf_of(project, subjects)
        wanted = Choice.of(choice).in_bucket(shelf.release)
        if present := self._find(shelf, subjects, wanted, options):
            return Report(subjects, present.reports(), project=project)
        return self._fetch(shelf, subjects, wanted, options, on_event)

    def fetch_many(
        self,
        subjects: Iterable[str | Plan],
        choice: str | Choice = "",
        *,
        project: str = "",
        options: Options = DEFAULT,
        on_event: OnEvent = ignore,
        scheduler: Scheduler | None = None,
    ) -> Iterator[Report]:
        """Reports of several subjects, or plans, as each is done; iterate to the end, for the work is done on the way.

        Args:
            scheduler: a `dask.distributed.Client`: one task per subject runs on its workers, which must see the
                mirror's folder under the same name; then reports come in any order, and no events. Without it, one
                subject follows the other, each with many files at once.
        A subject that lacks the chosen files, or whose manifests are damaged, is told in its report (`error`); the
        others go on. Raises what would end every subject: StoreError, DiskFull.
        """
        task = _Task(self, Choice.of(choice), project, options)
        items = dict.fromkeys(subjects)
        if scheduler is not None:
            yield from spread(scheduler, task, items)
            return
        for item in items:
            yield (report := task(item, on_event))
            for file in report.files:
                if isinstance(file.error, DiskFull):
                    raise file.error

    def plan(self, subject: str, choice: str | Choice = "", *, project: str, options: Options = DEFAULT) -> Plan:
        """What `fetch` would do to one subject, as a value. Stores may be asked; nothing is written anywhere.

        Raises: as `files`, but DiskFull and MirrorIncomplete.
        """
        shelf = self._shelf_of(project, subject)
        draft = Draft(shelf, subject, shelf.ledger.load(subject), Papers(shelf, subject))
        return draft.plan(Choice.of(choice).in_bucket(shelf.release), options.existing, refresh=options.refresh)

    def plans(
        self, subjects: Iterable[str], choice: str | Choice = "", *, project: str, options: Options = DEFAULT
    ) -> Iterator[Plan]:
        """The plans of several subjects, in their order; a few are made ahead, so a release's never lie in memory.

        A subject that lacks the chosen files has an empty plan, whose note says so.
        """
        wanted = Choice.of(choice)

        def plan(subject: str) -> Plan:
            return self.plan(subject, wanted, project=project, options=options)

        return ahead(_forgiving(plan, project, wanted), dict.fromkeys(subjects))

    def prepare(
        self,
        subjects: Iterable[str],
        choice: str | Choice = "",
        *,
        project: str,
        options: Options = DEFAULT,
        on_event: OnEvent = ignore,
    ) -> Iterator[Plan]:
        """As `plans`, but listings are recorded, so that `fetch` lists no more."""
        wanted = Choice.of(choice)

        def plan(subject: str) -> Plan:
            shelf = self._shelf_of(project, subject)
            return prepare(shelf, subject, wanted.in_bucket(shelf.release), options, on_event=on_event)

        return ahead(_forgiving(plan, project, wanted), dict.fromkeys(subjects))

    def renew(self, plan: Plan) -> Plan:
        """A plan as it stands now: what is on disk is looked at again; no store is asked, nothing is written."""
        return renew(self._shelf_of(plan.project, plan.subject), plan)

    def outlook(self, plans: Iterable[Plan], options: Options = DEFAULT) -> "Outlook":
        """What plans come to: files and bytes, sources, whether they fit, and how long they will take."""
        from connectomedb.mirror.outlook import look_out

        return look_out(
            plans,
            Room.on(self.root, 0, options.reserve),
            self._needed_for,
            Speeds(self.root).bytes_per_s(),
            options.bytes_per_s,
        )

    def _needed_for(self, plan: Plan) -> int:
        folder = self.shelf(plan.project).local(plan.subject, "")
        return room_for(plan.all(), folder)

    def _shelf_of(self, project: str, subject: str) -> Shelf:
        if not project:
            raise AddressError(f"Asked for {subject} of no project. Name the release, like project='HCP_Q1'.")
        shelf = self.shelf(project)
        shelf.release.check_subject(subject)
        return shelf

    def _find(self, shelf: Shelf, subject: str, choice: Choice, options: Options) -> Inventory | None:
        """The chosen files, if all are there as they were proven."""
        if options.refresh or options.existing is Existing.REFETCH:
            return None
        return INVENTORIES.find(shelf, subject, choice)

    def _fetch(self, shelf: Shelf, subject: str, choice: Choice, options: Options, on_event: OnEvent) -> Report:
        """Bring what is missing, unless another process does so already: then wait for it, and look again."""
        turns = shelf.turns(subject)
        with turns.hold(choice.path, is_done=lambda: self._is_here(shelf, subject, choice, options)) as turn:
            if not options.refresh and (present := self._find(shelf, subject, choice, options)):
                return Report(subject, present.reports(), project=shelf.release.project)
            files = sync(shelf, subject, choice, options, on_event=on_event, check=turn.check)
            return Report(subject, files, project=shelf.release.project)

    def _is_here(self, shelf: Shelf, subject: str, choice: Choice, options: Options) -> bool:
        return self._find(shelf, subject, choice, options) is not None

    def _apply(self, plan: Plan, options: Options, on_event: OnEvent) -> Report:
        shelf = self._shelf_of(plan.project, plan.subject)
        with shelf.turns(plan.subject).hold(plan.choice.path, is_done=lambda: False) as turn:
            files = apply(shelf, plan, options, on_event=on_event, check=turn.check)
            return Report(plan.subject, files, project=plan.project)

    def shelf(self, project: str) -> Shelf:
        """Where a project's release lies, and its stores."""
        release = release_of(project, self.prefix)
        return Shelf(self.root, release, tuple(source(release) for source in self._sources))

    def at(self, root: str | Path) -> "Mirror":
        """The same sources for another folder."""
        return Mirror(root, self._sources, prefix=self.prefix)

    def with_fallback(self, source: StoreOf) -> "Mirror":
        """The same folder with one more source, asked last."""
        return Mirror(self.root, (*self._sources, source), prefix=self.prefix)

    def with_first(self, *sources: StoreOf) -> "Mirror":
        """The same folder with more sources, asked first."""
        return Mirror(self.root, (*sources, *self._sources), prefix=self.prefix)

    def verify(
        self,
        subjects: Sequence[str] = (),
        path: str = "",
        *,
        project: str,
        restart: bool = False,
        workers: int = READERS,
        on_event: "OnVerify" = lambda event: None,
    ) -> Generator[Finding, None, None]:
        """Read files again: a finding per file of these subjects (none: of all), as `mirror.verify` yields them.

        An interrupted run is gone on with, unless `restart`. No request is made.
        Raises: NotFound when a subject, or anything at the path, is not there at all.
        """
        from connectomedb.mirror.checked import Checked
        from connectomedb.mirror.verify import verify

        shelf = self.shelf(project)
        ledger, inside = shelf.ledger, shelf.release.in_bucket(path.strip("/"))
        checked = Checked.of(ledger.tree, ledger)
        if restart:
            checked.forget(subjects, inside)
        return verify(ledger.tree, subjects, inside, ledger=ledger, checked=checked, workers=workers, on_event=on_event)

    def repair(
        self,
        findings: Iterable[Finding] | None = None,
        *,
        project: str,
        path: str = "",
        options: Options = DEFAULT,
        on_event: OnEvent = ignore,
    ) -> "list[Repair]":
        """Fetch again what `findings` (none: verifying all) tell to be missing or wrong; a repair per bad file.

        What is there stays until the right bytes have come. Nothing is raised for a file that stays bad.
        """
        from connectomedb.mirror.checked import Checked
        from connectomedb.mirror.repair import repair
        from connectomedb.mirror.verify import verify

        shelf = self.shelf(project)
        ledger, inside = shelf.ledger, shelf.release.in_bucket(path.strip("/"))
        checked = Checked.of(ledger.tree, ledger)
        if findings is None:
            findings = verify(ledger.tree, path=inside, ledger=ledger, checked=checked, keep_notes=True)
        repairs = list(repair(shelf, findings, inside, checked=checked, options=options, on_event=on_event))
        checked.forget(path=inside)
        return repairs


class S3Mirror(Mirror):
    """A mirror whose source is an S3 bucket."""

    @classmethod
    def open(
        cls,
        bucket: str,
        access_key: str | None = None,
        secret_key: str | None = None,
        root: str | Path | None = None,
        *,
        prefix: str | None = None,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        anonymous: bool = False,
    ) -> "S3Mirror":
        """A mirror of `bucket` in the folder `root`; no request is made.

        Args:
            access_key, secret_key, endpoint_url, region, profile, anonymous: as for `S3Bucket.open`.
            root: the folder; made when the first file comes. Other tools may read it: it is the bucket's own tree.
            prefix: overrides the key prefix that a project stands for (`HCP_Q1` is `q1`).
        Raises: ConfigError as `S3Bucket.open`, TypeError without `root`.
        """
        if root is None:
            raise TypeError("S3Mirror.open needs the local folder as its fourth argument, or as root=.")
        opened = S3Bucket.open(
            bucket,
            access_key,
            secret_key,
            endpoint_url=endpoint_url,
            region=region,
            profile=profile,
            anonymous=anonymous,
        )
        return cls(root, [OneStore(opened.store)], prefix=prefix)


@dataclass(frozen=True, slots=True)
class _Task:
    """Brings one subject, or carries out one plan, wherever it is called."""

    mirror: Mirror
    choice: Choice
    project: str
    options: Options

    def __call__(self, item: str | Plan, on_event: OnEvent = ignore) -> Report:
        """What was brought; what concerns this subject alone is told in the report."""
        try:
            return self.mirror.fetch(item, self.choice, project=self.project, options=self.options, on_event=on_event)
        except (NotFound, ManifestError) as fault:
            return Report(item if isinstance(item, str) else item.subject, (), fault, self.project)


def _forgiving(plan: Callable[[str], Plan], project: str, choice: Choice) -> Callable[[str], Plan]:
    """The same, but what concerns one subject alone becomes a note, so that the others are planned."""

    def planned(subject: str) -> Plan:
        try:
            return plan(subject)
        except (NotFound, ManifestError) as fault:
            return Plan(project, subject, choice, (), notes=(str(fault),))

    return planned


def _reopen(kind: type[Mirror], root: Path, sources: Sequence[StoreOf], prefix: str | None) -> Mirror:
    return kind(root, sources, prefix=prefix)

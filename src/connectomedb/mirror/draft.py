"""Drafts the plan for one subject: what the ledger knows, else what the stores list, compared with the disk.

Nothing is written here. Manifests say what the other files ought to be; they are read while the stores list.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectomedb.errors import NotFound, StoreError
from connectomedb.hcp import manifest
from connectomedb.mirror.actions import Act, Actions
from connectomedb.mirror.ahead import made_ahead
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.events import Listed, OnEvent, ignore
from connectomedb.mirror.ledger import SubjectLedger, is_within
from connectomedb.mirror.papers import Papers
from connectomedb.mirror.plan import Existing, Plan, make_actions
from connectomedb.mirror.record import Records
from connectomedb.mirror.shelf import Shelf
from connectomedb.mirror.survey import Survey, Surveyor


@dataclass(slots=True)
class Draft:
    """One subject's plan in the making.

    Args:
        ledger: what is known; a new listing is entered, and saving it is the caller's.
        papers: reads the manifests.
    """

    shelf: Shelf
    subject: str
    ledger: SubjectLedger
    papers: Papers
    on_event: OnEvent = ignore
    notes: list[str] = field(default_factory=list)
    has_listed: bool = False

    def plan(self, choice: Choice, existing: Existing = Existing.CHECK, *, refresh: bool = False) -> Plan:
        """What would happen to the chosen files.

        Raises: NotFound when the choice names nothing; StoreError when no store answers; ManifestError.
        """
        is_listed = self.ledger.covers(choice.path) and any(True for _ in self.ledger.below(choice.path))
        if refresh or not is_listed:
            self._list(choice.path, refresh)
            return self._compare(choice, existing)
        plan = self._compare(choice, existing)
        if plan.is_done or self.ledger.asked == self.shelf.names:
            return plan
        # Other stores than those that were asked then may have other files.
        self._list(choice.path, refresh=True)
        return self._compare(choice, existing)

    def _compare(self, choice: Choice, existing: Existing) -> Plan:
        is_chosen = choice.filter(self.shelf.release, self.subject)
        wanted = [path for path in self.ledger.below(choice.path) if is_chosen(path)]
        if not wanted:
            raise self._none_chosen(choice)
        chosen = set(wanted) if choice.is_filtered or choice.path else self.ledger.records
        besides = [path for path in self._manifests() if path not in chosen]
        return Plan(
            project=self.shelf.release.project,
            subject=self.subject,
            choice=choice,
            actions=self._actions(wanted, existing),
            manifests=Actions(action for action in self._actions(besides) if action.act is not Act.KEEP),
            existing=existing,
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def _actions(self, paths: Iterable[str], existing: Existing = Existing.CHECK) -> Actions:
        records = self.ledger.records
        return make_actions(paths, records.__getitem__, lambda path: self.shelf.facts(self.subject, path), existing)

    def _manifests(self) -> Records:
        return Records.of((path, self.ledger.records[path]) for path in self.ledger.below(manifest.FOLDER))

    def _list(self, path: str, refresh: bool) -> None:
        """Renew the claims at a path, and those on manifests: they say what the other files ought to be."""
        surveyor = Surveyor(self.shelf.stores, self.shelf.release, self.subject, self._listed)
        is_known = self.ledger.covers(manifest.FOLDER) and not refresh
        manifests = Survey(self._manifests()) if is_known else Survey()
        with made_ahead(self._read_entries(manifests, is_known)) as entries:
            joined = surveyor.join(surveyor.survey(path), entries, path)
        if not is_known and not is_within(manifest.FOLDER, path):
            self.ledger.listed(manifest.FOLDER, manifests.claims, self.shelf.names)
        self.notes.extend(joined.notes)
        self.ledger.listed(path, joined.claims, self.shelf.names)
        if not (joined.is_whole and manifests.is_whole):
            self.ledger.doubt(path)
        self.has_listed = True

    def _read_entries(self, manifests: Survey, is_known: bool) -> Iterator[manifest.Entry]:
        """What the manifests list; which there are is found out first, unless it is known."""
        if not is_known:
            self._list_manifests(manifests)
        for path, file in self.papers(manifests.claims):
            name = f"{self.shelf.release.project}/{self.subject}/{path}"
            yield from manifest.read_entries(file, self.subject, name=name)

    def _list_manifests(self, manifests: Survey) -> None:
        try:
            found = Surveyor(self.shelf.stores, self.shelf.release, self.subject).survey(f"{manifest.FOLDER}/")
        except StoreError:
            if not any(store.is_copy for store in self.shelf.stores):
                raise
            manifests.is_whole = False  # a copy serves where those behind it are silent
            return
        manifests.claims, manifests.is_whole = found.claims, found.is_whole

    def _listed(self, count: int) -> None:
        self.on_event(Listed(self.subject, count))

    def _none_chosen(self, choice: Choice) -> NotFound:
        there = list(self.ledger.below(choice.path))
        folders = [glob for glob in choice.include if any(is_within(path, glob.strip("/")) for path in there)]
        hint = f" {folders[0]!r} is a folder: write '{folders[0].strip('/')}/**'." if folders else ""
        message = (
            f"Asked {self.shelf.release.project}/{self.subject} for {choice}. None of its {len(there)} files "
            f"is meant by that.{hint or ' List them with: cdb ls.'}"
        )
        return NotFound(message, address=choice.path)

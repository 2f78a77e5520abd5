"""Drafts the plan for one subject: what the ledger knows, else what the stores list, compared with the disk.

Nothing is written here. Manifests say what the other files ought to be, so they are read first, by whatever way the
caller has: from disk after bringing them, or from the stores in memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from connectomedb.errors import NotFound
from connectomedb.hcp import manifest
from connectomedb.mirror.actions import Act, Action, Actions
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.events import Listed, OnEvent, ignore
from connectomedb.mirror.ledger import SubjectLedger, is_within
from connectomedb.mirror.plan import Existing, Plan, decide, make_actions
from connectomedb.mirror.record import Record, Records
from connectomedb.mirror.shelf import Shelf
from connectomedb.mirror.survey import Survey, Surveyor


class ReadManifests(Protocol):
    """A way to the contents of manifests."""

    def __call__(self, manifests: Mapping[str, Record]) -> Iterator[tuple[str, BinaryIO]]:
        """Path inside the subject, and the content to read before the next is asked for, of manifests so claimed."""
        ...


@dataclass(slots=True)
class Draft:
    """One subject's plan in the making.

    Args:
        ledger: what is known; a new listing is entered, and saving it is the caller's.
        read_manifests: how contents of manifests are had.
        on_listing: hears the actions that a listing amounts to, before manifests are read or anything else is done.
    """

    shelf: Shelf
    subject: str
    ledger: SubjectLedger
    read_manifests: ReadManifests
    on_listing: Callable[[Iterable[Action]], None] = lambda actions: None
    on_event: OnEvent = ignore
    notes: list[str] = field(default_factory=list)
    has_listed: bool = False

    def plan(self, choice: Choice, existing: Existing = Existing.CHECK, *, refresh: bool = False) -> Plan:
        """What would happen to the chosen files.

        Raises: NotFound when the choice names nothing; StoreError when no store answers; ManifestError.
        """
        is_listed = self.ledger.covers(choice.path) and any(True for _ in self.ledger.below(choice.path))
        if refresh or not is_listed:
            self._list(choice, existing, refresh)
            return self._compare(choice, existing)
        plan = self._compare(choice, existing)
        if plan.is_done or self.ledger.asked == self.shelf.names:
            return plan
        # Other stores than those that were asked then may have other files.
        self._list(choice, existing, refresh=True)
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

    def _manifests(self) -> dict[str, Record]:
        return {path: self.ledger.records[path] for path in self.ledger.below(manifest.FOLDER)}

    def _list(self, choice: Choice, existing: Existing, refresh: bool) -> None:
        """Renew the claims at the choice's path. Manifests come first: they say what the other files ought to be."""
        surveyor = Surveyor(self.shelf.stores, self.shelf.release, self.subject, self._listed)
        path = choice.path
        found = surveyor.survey(path)
        self._list_manifests(surveyor, found, path, refresh)
        is_chosen = choice.filter(self.shelf.release, self.subject)
        self.on_listing(
            decide(name, self.ledger.with_held(name, claim), self.shelf.facts(self.subject, name), existing)
            for name, claim in found.claims.items()
            if is_chosen(name)
        )
        joined = surveyor.join(found, self._read_entries(), path)
        self.notes.extend(joined.notes)
        self.ledger.listed(path, joined.claims, self.shelf.names)
        if not found.is_whole:
            self.ledger.doubt(path)
        self.has_listed = True

    def _list_manifests(self, surveyor: Surveyor, found: Survey, path: str, refresh: bool) -> None:
        """Enter the manifests' own claims; they are part of `found` when all is listed."""
        if is_within(manifest.FOLDER, path):
            names = (name for name in found.claims if is_within(name, manifest.FOLDER))
            claims = Records.of((name, found.claims[name]) for name in names)
        elif refresh or not self.ledger.covers(manifest.FOLDER):
            manifests = surveyor.survey(manifest.FOLDER)
            claims = manifests.claims
            found.is_whole &= manifests.is_whole
        else:
            return
        self.ledger.listed(manifest.FOLDER, claims, self.shelf.names)

    def _read_entries(self) -> Iterator[manifest.Entry]:
        for path, file in self.read_manifests(self._manifests()):
            name = f"{self.shelf.release.project}/{self.subject}/{path}"
            yield from manifest.read_entries(file, self.subject, name=name)

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

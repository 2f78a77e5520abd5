"""What is done for one file of a run: it is proven where it lies, or fetched."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectomedb.hcp.paths import check_path
from connectomedb.mirror.actions import Act, Action
from connectomedb.mirror.events import Arrived
from connectomedb.mirror.file_reports import FileReport
from connectomedb.mirror.papers import Papers
from connectomedb.mirror.shelf import Shelf
from connectomedb.stores.base import Store, StoredObject
from connectomedb.transfer.checksum import Expected, Proof, md5_of_file
from connectomedb.transfer.content import find_fault
from connectomedb.transfer.fetch import Engine, fetch
from connectomedb.transfer.rate import Rate
from connectomedb.transfer.source import Source


@dataclass(frozen=True, slots=True)
class FileJob:
    """Prove the file on disk, or fetch it."""

    shelf: Shelf
    subject: str
    folder: str
    action: Action
    engine: Engine
    rate: Rate
    papers: Papers
    on_event: Callable[[Arrived], None]

    @property
    def name(self) -> str:
        """Its path inside the subject."""
        return self.action.path

    def run(self) -> FileReport:
        """Prove or fetch it. Raises as `transfer.fetch` does."""
        local = f"{self.folder}/{self.action.path}"
        if self.action.act is Act.CHECK and (proof := self._proof_on_disk(local)) is not None:
            return FileReport(self.action.path, self.folder, self.action.expected.size, False, proof)
        done = fetch(
            self._sources(),
            local,
            self.action.expected,
            engine=self.engine,
            modified=self._modified(),
            on_bytes=self._arrived,
        )
        return FileReport(self.action.path, self.folder, done.size, True, done.proof, done.sources)

    def _sources(self) -> list[Source]:
        """The stores, nearest first; but none is asked for what it does not list before the one that does."""
        key = check_path(self.shelf.key(self.subject, self.action.path))
        stores: Sequence[Store] = self.shelf.stores
        if len(stores) > 1:
            stores = sorted(stores, key=lambda store: store.name != self.action.source)
        return [*self.papers.copy(self.action.path), *(StoredObject(store, key) for store in stores)]

    def _modified(self) -> datetime | None:
        return None if self.action.modified is None else datetime.fromtimestamp(self.action.modified, UTC)

    def _arrived(self, count: int) -> None:
        self.on_event(Arrived(count))
        self.rate.spend(count, self.engine.stop)

    def _proof_on_disk(self, local: str) -> Proof | None:
        expected: Expected = self.action.expected
        if expected.md5 is None:
            return Proof.SIZE if find_fault(Path(local), os.path.basename(local)) is None else None
        return expected.proof if md5_of_file(Path(local), digests=self.engine.digests) == expected.md5 else None

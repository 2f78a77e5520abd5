"""Brings one file to disk, whole and proven, or leaves nothing under its name.

    dir/T1w.nii.gz                       the final name: whole and checked, or absent
    dir/.T1w.nii.gz.<run>.part           a small file on its way
    dir/.T1w.nii.gz.<run>.part/          a large one, which a later run can go on with (transfer.part)

Sources are tried in order; one that breaks off is continued by the next at the byte where it stopped, and the
checksum of the whole file decides. Where there is none, bytes of two sources are never joined. One rename ends it.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectomedb.errors import ChecksumMismatch, SizeMismatch, StoreError, TransferError, VersionChanged, WrongContent
from connectomedb.transfer.begun import begun, is_resumable
from connectomedb.transfer.checksum import CHUNK_BYTES, Expected, Proof
from connectomedb.transfer.content import check_content
from connectomedb.transfer.digest import Digests
from connectomedb.transfer.disk import disk_faults, removed_on_fault
from connectomedb.transfer.feed import Feed
from connectomedb.transfer.gate import Gate
from connectomedb.transfer.large import RANGE_BYTES, Lanes, LargeDownload
from connectomedb.transfer.part import PartFile, private_stem
from connectomedb.transfer.retry import Health
from connectomedb.transfer.run import Run
from connectomedb.transfer.source import Source

ROUNDS = 3
"""How often a file that came wrong is fetched from its beginning, each time with another source in front."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is on disk: size in bytes, MD5 (hex), what proves it, and which sources gave bytes.

    `resumed` bytes of it were there from an earlier run.
    """

    size: int
    md5: str
    proof: Proof
    sources: tuple[str, ...]
    resumed: int = 0


@dataclass(slots=True)
class Engine:
    """What the fetches of one run share.

    `is_confirming`: a file that nothing covers is read from a second source, too, before it is believed.
    `check`: called before a file gets its final name; may raise Interrupted, when that is another's task by now.
    `unsynced`: hears the final path of each large file that the system may not have written to its disk yet, so that
    somebody can doubt it should the machine go down; without, each is written before it gets its name.
    """

    run: Run = field(default_factory=Run.here)
    health: Health = field(default_factory=Health)
    lanes: Lanes = field(default_factory=Lanes)
    gate: Gate = field(default_factory=Gate)
    digests: Digests = field(default_factory=Digests)
    stop: threading.Event = field(default_factory=threading.Event)
    is_confirming: bool = False
    check: Callable[[], None] = field(default=lambda: None)
    unsynced: set[str] | None = None

    name: str = ""
    folders: set[str] = field(default_factory=set)
    servers: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.name or str(self.run)

    def make_folder(self, folder: str) -> None:
        """Make a folder that this run has not made yet; thousands of files share few folders."""
        if folder not in self.folders:
            os.makedirs(folder, exist_ok=True)
            self.folders.add(folder)

    def server(self, names: Iterable[str]) -> tuple[str, ...]:
        """The sources that served a file; one value for the thousands of files that the same ones served."""
        found = tuple(names)
        return self.servers.setdefault(found, found)

    def close(self) -> None:
        """End its threads."""
        self.lanes.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *fault: object) -> None:
        self.stop.set()
        self.close()


def fetch(
    sources: Sequence[Source],
    target: Path | str,
    expected: Expected,
    *,
    engine: Engine,
    modified: datetime | None = None,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> Fetched:
    """Bring one file to disk, whole and proven, or leave nothing under its name.

    Args:
        sources: the same file in one or more places, nearest first.
        target: final path; its folder is made if missing.
        expected: size in bytes and MD5 where known.
        modified: becomes the file's modification time, as copying tools expect.
        on_bytes: hears the length of each piece that arrived, in any thread.
    Returns: what is now on disk, and why we believe it.
    Raises: SizeMismatch, ChecksumMismatch, WrongContent, DiskFull, DiskRefused, Interrupted, or the StoreError
        that ended our patience.
    """
    folder, _, name = os.fspath(target).rpartition("/")
    job = _Job(os.fspath(target), folder, name, expected, engine, modified, on_bytes, sources)
    with disk_faults(target), engine.lanes.one_more():
        engine.make_folder(folder or ".")
        fault: TransferError | StoreError | None = None
        for order in _rounds(sources, expected):
            try:
                return job.bring(order)
            except (SizeMismatch, ChecksumMismatch, WrongContent, VersionChanged) as wrong:
                fault = wrong
            except StoreError as unserved:
                fault = fault or unserved
                if len(order) > 1:  # each of them was asked
                    break
    raise fault or StoreError(f"Asked for {name}, and no source was named.")


def _rounds(sources: Sequence[Source], expected: Expected) -> Iterator[Sequence[Source]]:
    """What to ask in each round: all sources, each round beginning with the next; without checksum one at a time."""
    if expected.md5 is None:
        yield from ([source] for source in sources)
        return
    for turn in range(min(ROUNDS, len(sources) + 1)):
        start = turn % len(sources) if sources else 0
        yield [*sources[start:], *sources[:start]]


@dataclass(frozen=True, slots=True)
class _Job:
    """One file: where it goes, what it ought to be, and with what."""

    target: str
    folder: str
    name: str
    expected: Expected
    engine: Engine
    modified: datetime | None
    on_bytes: Callable[[int], None]
    others: Sequence[Source] = ()

    def bring(self, sources: Sequence[Source]) -> Fetched:
        """One round; an object that is replaced meanwhile is begun anew, once."""
        try:
            return self._bring(sources)
        except VersionChanged:
            return self._bring(sources)

    def _bring(self, sources: Sequence[Source]) -> Fetched:
        size = self.expected.size
        if size is not None and size > RANGE_BYTES:
            return self._bring_large(sources, size)
        return self._bring_small(sources)

    def _bring_small(self, sources: Sequence[Source]) -> Fetched:
        part = f"{self.folder or '.'}/{private_stem(self.name)}{self.engine.name}-{threading.get_ident():x}.part"
        if not is_resumable(self.expected):
            with removed_on_fault(part):
                return self._pour_small(sources, part, 0)
        with begun(part, self.expected, self.engine.run) as resumed:
            try:
                return self._pour_small(sources, part, resumed)
            except ChecksumMismatch:
                if not resumed:
                    raise
                return self._pour_small(sources, part, 0)

    def _pour_small(self, sources: Sequence[Source], part: str, resumed: int) -> Fetched:
        """Bring what follows the first `resumed` bytes of a part file, and give it its final name."""
        feed = self._feed(sources)
        digest = self.engine.digests.new() if self.expected.is_long else hashlib.md5(usedforsecurity=False)
        size = 0
        file = os.open(part, os.O_RDWR | os.O_CREAT | (0 if resumed else os.O_TRUNC), 0o666)
        try:
            while size < resumed:
                kept = os.read(file, CHUNK_BYTES)
                if not kept:
                    raise ChecksumMismatch(f"Read {part}: it became shorter. Try again.", path=self.target)
                digest.update(kept)
                size += len(kept)

            def take(piece: memoryview) -> None:
                nonlocal size
                size += len(piece)
                self._check_length(size)
                digest.update(piece)
                while piece:
                    piece = piece[os.write(file, piece) :]

            feed.pour(take, resumed, (self.expected.size or 0) - resumed if resumed else None)
        finally:
            os.close(file)
        md5 = digest.hexdigest()
        self._check(part, size, md5, feed)
        proof = self._prove(size, md5, feed)
        if self.modified is not None:
            os.utime(part, (time.time(), self.modified.timestamp()))
        self.engine.check()
        os.replace(part, self.target)
        return Fetched(size, md5, proof, self.engine.server(feed.served), resumed)

    def _bring_large(self, sources: Sequence[Source], size: int) -> Fetched:
        part = self._open_part(sources)
        try:
            feed = self._feed(sources, dict([part.origin]) if part.origin else {})
            engine = self.engine
            download = LargeDownload(part, size, feed, engine.digests.new(), engine.lanes, engine.stop)
            md5 = download.run()
            self._check(part.path, size, md5, feed)
            proof = self._prove(size, md5, feed)
            if self.engine.unsynced is None:
                part.sync()
            else:
                self.engine.unsynced.add(self.target)
            self.engine.check()
            part.finish(Path(self.target), self.modified.timestamp() if self.modified else None)
        except (SizeMismatch, ChecksumMismatch, WrongContent, VersionChanged):
            part.discard()
            raise
        except BaseException:
            part.keep()
            raise
        return Fetched(size, md5, proof, self.engine.server(feed.served), download.resumed)

    def _open_part(self, sources: Sequence[Source]) -> PartFile:
        """What an earlier run left, if it may be gone on with: bytes that nothing proves must be of one origin."""
        part = PartFile.open(Path(self.target), self.expected, self.engine.run)
        is_same_origin = part.origin is not None and [part.origin[0]] == [source.name for source in sources]
        if self.expected.md5 is None and part.ranges and not is_same_origin:
            part.discard()
            return PartFile.open(Path(self.target), self.expected, self.engine.run)
        return part

    def _feed(self, sources: Sequence[Source], versions: dict[str, str] | None = None) -> Feed:
        engine, gate = self.engine, self.engine.gate if self.expected.is_long else None
        return Feed(
            sources,
            health=engine.health,
            stop=engine.stop,
            on_bytes=self.on_bytes,
            versions=versions,
            gate=gate,
            size=self.expected.size or 0,
        )

    def _check(self, part: str | Path, size: int, md5: str, feed: Feed) -> None:
        """Size, checksum, and a look at the content. Raises SizeMismatch, ChecksumMismatch, WrongContent."""
        name, path, served = self.name, self.target, ", ".join(feed.served)
        if self.expected.size is not None and size != self.expected.size:
            message = f"Fetched {name} from {served}: {size} bytes came where {self.expected.size} were due."
            raise SizeMismatch(f"{message} Nothing was kept. Try again later.", path=path)
        if self.expected.md5 is not None and md5 != self.expected.md5:
            message = f"Fetched {name} from {served}: its MD5 is {md5}, published is {self.expected.md5}."
            raise ChecksumMismatch(f"{message} Nothing was kept. Try again, or from another source.", path=path)
        if self.expected.md5 is None or self.expected.proof is Proof.ETAG:
            check_content(Path(part), self.target)

    def _check_length(self, size: int) -> None:
        """What is longer already need not come to its end: it might have none. Raises SizeMismatch."""
        if self.expected.size is not None and size > self.expected.size:
            message = f"Fetched {self.name}: more than the {self.expected.size} bytes came that were due."
            raise SizeMismatch(f"{message} Nothing was kept. Try again later.", path=self.target)

    def _prove(self, size: int, md5: str, feed: Feed) -> Proof:
        """What proves the bytes. Without a checksum, and if asked to, another source must give the same ones.

        Raises ChecksumMismatch when it gives others: nobody can know which are right.
        """
        if self.expected.md5 is not None:
            return self.expected.proof
        others = [source for source in self.others if source.name not in feed.served]
        if not self.engine.is_confirming or not others:
            return Proof.SIZE
        digest = hashlib.md5(usedforsecurity=False)
        try:
            self._feed(others).pour(digest.update)
        except StoreError:
            return Proof.SIZE  # nobody else has it, or can be asked at present
        if digest.hexdigest() == md5:
            return Proof.TWO_SOURCE
        message = f"Fetched {self.name} from {', '.join(feed.served)}: {others[0].name} has other bytes."
        raise ChecksumMismatch(f"{message} Nothing was kept. Ask who publishes it which is right.", path=self.target)

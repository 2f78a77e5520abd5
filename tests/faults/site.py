"""One subject in a real store, a proxy before it, and a mirror folder behind: where a fault can be watched.

`Site.check` is the promise itself: under a final name lies the right file or none, and the report tells which.
"""

import hashlib
import os
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import obstore
from obstore.store import S3Store as Engine
from tests.faults.proxy import Proxy

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ConnectomeDBError
from connectomedb.hcp.manifest import FOLDER, Entry, Manifest, format_manifest, manifest_path
from connectomedb.mirror.mirror import Mirror
from connectomedb.mirror.report import Report
from connectomedb.stores.s3 import S3Store

if TYPE_CHECKING:
    from obstore.store import S3Config

SUBJECT = "100307"
PROJECT = "HCP_Q1"
PREFIX = f"q1/{SUBJECT}/"
LARGE = "T1w/large.bin"
SMALL = "EVs"
UNCOVERED = "Uncovered"
LARGE_BYTES = 20 << 20
PART_BYTES = 5 << 20
TIMEOUT_S = 1.0
"""How long the mirror waits for a silent store: short, so that tests are."""

_LOOK_EVERY_S = 0.002


class Uploads(Protocol):
    """Whatever keeps objects."""

    def put(self, key: str, content: Path | bytes) -> object:
        """Keep bytes under a key."""
        ...


@dataclass(frozen=True)
class Published:
    """A subject in a bucket: path inside the subject → the only right content."""

    bucket: str
    access: S3Settings
    files: Mapping[str, bytes]

    def below(self, folder: str) -> dict[str, bytes]:
        """The files below a folder, or the one file."""
        return {
            path: content for path, content in self.files.items() if path == folder or path.startswith(f"{folder}/")
        }


def make_files(seed: int = 1) -> dict[str, bytes]:
    """A small subject: 40 small files, 4 of 1-3 MB, one of 20 MiB, all in a manifest; two files outside of it."""
    dice = random.Random(seed)
    covered = {f"{SMALL}/{number:02}.txt": dice.randbytes(dice.randrange(500, 60_000)) for number in range(40)}
    covered[f"{SMALL}/empty.txt"] = b""
    covered |= {f"Results/{number}.bin": dice.randbytes(dice.randrange(1 << 20, 3 << 20)) for number in range(4)}
    covered[LARGE] = dice.randbytes(LARGE_BYTES)
    uncovered = {f"{UNCOVERED}/{number}.bin": dice.randbytes(size) for number, size in enumerate((70_000, 400_000))}
    return {**covered, **uncovered, manifest_path(SUBJECT, "3T_all"): manifest_of(covered)}


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """A manifest that covers the files."""
    entries = (Entry(path, len(content), _md5(content)) for path, content in files.items())
    return format_manifest(Manifest(SUBJECT, tuple(entries)))


def upload(store: Uploads, files: Mapping[str, bytes]) -> None:
    """Keep a subject's files under their keys."""
    for path, content in files.items():
        store.put(f"{PREFIX}{path}", content)


def upload_parts(access: S3Settings, bucket: str, path: str, content: bytes) -> None:
    """Keep one file by several requests, so that its ETag is no MD5."""
    config: S3Config = {"region": "us-east-1"}
    if access.access_key and access.secret_key and access.endpoint_url:
        config |= {"access_key_id": access.access_key, "secret_access_key": access.secret_key}
        config |= {"endpoint": access.endpoint_url}
    store = Engine(bucket, config=config, client_options={"allow_http": True})
    obstore.put(store, f"{PREFIX}{path}", content, use_multipart=True, chunk_size=PART_BYTES)


@dataclass
class Site:
    """A mirror folder that is filled through a proxy."""

    published: Published
    proxy: Proxy
    root: Path
    timeout_s: float = TIMEOUT_S
    also_right: dict[str, set[bytes]] = field(default_factory=dict)
    """Contents that are right besides the published one, for objects that are replaced on purpose."""

    def fetch(self, path: str = "", *, refresh: bool = False) -> Report:
        """Fetch as a new process would: with nothing in memory but what the folder holds."""
        settings = replace(self.published.access, endpoint_url=self.proxy.endpoint_url)
        store = S3Store(self.published.bucket, settings, timeout_s=self.timeout_s)
        try:
            mirror = Mirror(self.root, [lambda release: store])
            return mirror.fetch(SUBJECT, path, project=PROJECT, refresh=refresh)
        finally:
            store.close()

    def try_fetch(self, path: str = "") -> Report | ConnectomeDBError:
        """Fetch and check; an error of ours is an answer too."""
        with self.watched():
            try:
                report = self.fetch(path)
            except ConnectomeDBError as fault:
                self.check_disk()
                return fault
        self.check(report)
        return report

    def fetch_whole(self, path: str = "") -> Report:
        """Fetch, and insist that each file came, is right and is whole on disk."""
        with self.watched():
            report = self.fetch(path)
        report.raise_for_failures()
        self.check(report)
        wanted = self.published.below(path) if path else self.published.files
        assert {file.path for file in report.files} == set(wanted)
        return report

    def check(self, report: Report) -> None:
        """Each file of the report is right on disk, or named as failed; and nothing wrong lies about."""
        self.check_disk()
        for file in report.files:
            if file.error is None:
                assert file.local.read_bytes() in self.right(file.path), f"{file.path} is reported right and is not"
            else:
                assert isinstance(file.error, ConnectomeDBError)

    def check_disk(self) -> None:
        """Under every final name there is a right file or none; other names are private ones."""
        wrong = {path for path, content in self.on_disk().items() if content not in self.right(path)}
        assert not wrong, f"wrong files under their final names: {sorted(wrong)}"

    def on_disk(self) -> dict[str, bytes]:
        """Path inside the subject → content, for all that a reader takes for data."""
        folder = self.root / PREFIX
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not _is_private(path.relative_to(folder))
        }

    def holds(self, files: Mapping[str, bytes]) -> bool:
        """Whether exactly these files are on disk; a claim rather than a comparison, whose failure would be long."""
        return self.on_disk() == dict(files)

    def leftovers(self) -> list[str]:
        """Private files beside the data: unfinished parts and their journals."""
        folder = self.root / PREFIX
        inside = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in inside if _is_private(path))

    def right(self, path: str) -> set[bytes]:
        """The contents that a file may have."""
        return (
            {self.published.files[path]} | self.also_right.get(path, set()) if path in self.published.files else set()
        )

    def recover(self, path: str = "") -> Report:
        """Without faults the next run must complete, and fetch nothing that is there."""
        self.proxy.forget()
        here = set(self.on_disk())
        report = self.fetch_whole(path)
        assert not {file.path for file in report.files if file.fetched} & here
        return report

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A reader who looks at every file as soon as it has its final name."""
        ended = threading.Event()
        wrong: list[str] = []

        def watch() -> None:
            seen: set[tuple[str, int]] = set()
            while not ended.wait(_LOOK_EVERY_S):
                for path in self.published.files:
                    self._look(path, seen, wrong)

        reader = threading.Thread(target=watch, name="reader")
        reader.start()
        try:
            yield
        finally:
            ended.set()
            reader.join()
        assert not wrong, f"a reader saw wrong files: {wrong}"

    def _look(self, path: str, seen: set[tuple[str, int]], wrong: list[str]) -> None:
        try:
            with (self.root / PREFIX / path).open("rb") as file:
                sight = (path, _inode(file.fileno()))
                if sight not in seen:
                    seen.add(sight)
                    if file.read() not in self.right(path):
                        wrong.append(path)
        except FileNotFoundError:
            return


def _inode(descriptor: int) -> int:
    return os.fstat(descriptor).st_ino


def _is_private(inside: Path) -> bool:
    """Whether a path inside the subject is hidden from readers; only the manifests' folder has a dot by right."""
    return any(part.startswith(".") and part != FOLDER for part in inside.parts)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()

"""Remembers what was listed and what was proven, one small file per subject.

    <root>/.connectomedb/<prefix>/<subject>.json
    {"format": 2, "release": "HCP_Q1", "complete": ["T1w", ".xdlm"],
     "asked": ["s3://bucket"], "names": ["s3://bucket", ...], "served": [["s3://bucket"], ...],
     "path": ["T1w/a.nii.gz", ...],
     "size": [...], "md5": [...], "claim": [...], "modified": [...], "listed": [...],
     "mtime_ns": [...], "proof": [...], "by": [...]}

`complete` names the paths below which every file is listed (the empty path is the whole subject), `asked` the stores
that were asked for it. The columns hold one cell per file, ordered by the parts of its path. `size` to `listed` say
what the file ought to be, when it was published (in seconds since 1970) and which store lists it (an index into
`names`); the last three what is on disk and why we believe it (null: not there; `by` is an index into `served`).
Columns, because a call for thousands of files that are all there spends its time reading this.

Files are written under a private name and renamed; no lock is needed, because a record that two runs lose between
them costs reading a file again, never a wrong file.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from connectomedb.errors import ConfigError
from connectomedb.hcp import manifest
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.disk import disk_faults, removed_on_fault

FOLDER = ".connectomedb"
FORMAT = 2

_COLUMNS = ("path", "size", "md5", "claim", "modified", "listed", "mtime_ns", "proof", "by")


@dataclass(frozen=True, slots=True)
class Held:
    """A file on disk, as it was when proven: modification time in ns, proof, and who served it."""

    mtime_ns: int
    proof: Proof
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What a file ought to be, what we hold of it, when it was published, and which store lists it (None: none).

    `modified` is in seconds since 1970.
    """

    expected: Expected
    held: Held | None = None
    modified: float | None = None
    source: str | None = None

    def is_held(self, facts: os.stat_result) -> bool:
        """Whether the file on disk is still the one that was proven."""
        return (
            self.held is not None
            and facts.st_mtime_ns == self.held.mtime_ns
            and (self.expected.size is None or facts.st_size == self.expected.size)
        )


@dataclass(slots=True)
class SubjectLedger:
    """One subject's records, by path inside the subject, and the stores that were asked for them."""

    complete: set[str] = field(default_factory=set)
    records: dict[str, Record] = field(default_factory=dict)
    asked: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether everything at or below `path` is listed."""
        return any(not listed or is_within(path, listed) for listed in self.complete)

    def below(self, path: str) -> dict[str, Record]:
        """Records of the file `path`, or of all files below the folder `path`."""
        return {name: record for name, record in self.records.items() if is_within(name, path)}

    def listed(self, path: str, claims: Mapping[str, Record], asked: tuple[str, ...]) -> None:
        """Take over a complete listing of `path`: claims are renewed, what vanished is forgotten."""
        for name in self.below(path).keys() - claims.keys():
            del self.records[name]
        self.learn(claims)
        self.complete = {entry for entry in self.complete if not is_within(entry, path)} | {path}
        self.asked = asked

    def learn(self, claims: Mapping[str, Record]) -> None:
        """Take over what single files ought to be; what we hold of an unchanged one stays."""
        for name, claim in claims.items():
            self.records[name] = self.with_held(name, claim)

    def with_held(self, path: str, claim: Record) -> Record:
        """A claim with what we hold of the file, as it would be once learned."""
        known = self.records.get(path)
        if known is None or known.held is None or not _agree(known.expected, claim.expected):
            return claim
        return replace(claim, held=known.held)

    def doubt(self, path: str) -> None:
        """A file is not what its listing or manifest said: list anew before it is asked for again."""
        self.complete = {entry for entry in self.complete if not is_within(path, entry) and entry != manifest.FOLDER}

    def hold(self, path: str, held: Held | None) -> None:
        """Record that a file is on disk, or no longer."""
        known = self.records[path]  # not `replace`, which costs ten times as much, thousands of times
        self.records[path] = Record(known.expected, held, known.modified, known.source)


class Ledger:
    """The ledgers of one release in one mirror folder."""

    def __init__(self, root: Path, prefix: str, project: str) -> None:
        self._folder = root / FOLDER / prefix
        self._project = project
        self.prefix = prefix
        self.tree = root / prefix

    @property
    def project(self) -> str:
        """The release that it is about; empty when its files do not tell."""
        return self._project

    @classmethod
    def all_in(cls, root: Path) -> "list[Ledger]":
        """The ledgers of all releases that a mirror folder holds, by prefix."""
        state = root / FOLDER
        first = {path.parent: path for path in sorted(state.rglob("[0-9]*.json"), reverse=True)}
        return [
            cls(root, folder.relative_to(state).as_posix(), _release_of(path)) for folder, path in sorted(first.items())
        ]

    def subjects(self) -> Iterator[str]:
        """Subjects that have a ledger, sorted."""
        return iter(sorted(path.stem for path in self._folder.glob("*.json")))

    def load(self, subject: str) -> SubjectLedger:
        """A subject's ledger; an empty one when there is none, or none that can be read.

        Raises ConfigError when the folder holds another release.
        """
        document = self.read(subject)
        if document is None:
            return SubjectLedger()
        try:
            asked, complete = _cells(document["asked"], str), _cells(document["complete"], str)
            return SubjectLedger(set(complete), dict(_decode(document)), tuple(asked))
        except (ValueError, KeyError, TypeError, IndexError):
            # A damaged ledger costs listing and reading again; the files themselves are the truth.
            return SubjectLedger()

    def read(self, subject: str) -> dict[str, object] | None:
        """The document of a subject's ledger as it lies on disk; None when there is none that we understand.

        Raises ConfigError when the folder holds another release.
        """
        try:
            document = json.loads(self.path(subject).read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            return None
        if self._project and document.get("release") != self._project:
            raise ConfigError(
                f"Asked for {self._project} in {self._folder}, which holds {document.get('release')}. "
                "Two releases never mix in one folder: choose another."
            )
        return document

    def save(self, subject: str, ledger: SubjectLedger) -> None:
        """Write a subject's ledger, adding what another run has recorded meanwhile."""
        if any(record.held is None for record in ledger.records.values()):
            for path, record in self._recorded(subject):
                ours = ledger.records.get(path)
                if ours is not None and ours.held is None and record.held and record.expected == ours.expected:
                    ledger.hold(path, record.held)
        self._write(subject, ledger)

    def _recorded(self, subject: str) -> Iterator[tuple[str, Record]]:
        """Records as they lie on disk, one after the other: a second set of thousands would double what we use."""
        document = self.read(subject)
        with suppress(ValueError, KeyError, TypeError, IndexError):  # a damaged ledger has nothing to add
            yield from _decode(document or {})

    def disown(self, subject: str, paths: Iterable[str]) -> None:
        """Record that files on disk are not what was published, so that nobody is given them as proven."""
        ledger = self.load(subject)
        held = [path for path in paths if path in ledger.records and ledger.records[path].held is not None]
        for path in held:
            ledger.hold(path, None)
        if held:
            self._write(subject, ledger)

    def _write(self, subject: str, ledger: SubjectLedger) -> None:
        document = {
            "format": FORMAT,
            "release": self._project,
            "complete": sorted(ledger.complete),
            "asked": ledger.asked,
            **_encode(ledger.records),
        }
        target = self.path(subject)
        part = target.with_name(f".{target.name}.{os.getpid():x}-{time.time_ns():x}.part")
        with disk_faults(target), removed_on_fault(part):
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                for opening, (name, value) in zip(chain("{", repeat(",")), document.items(), strict=False):
                    cells = json.dumps(value, separators=(",", ":"))  # column by column: the whole text is large
                    file.write(f'{opening}"{name}":{cells}'.encode())
                file.write(b"}")
            os.replace(part, target)

    def path(self, subject: str) -> Path:
        """Where a subject's ledger lies."""
        return self._folder / f"{subject}.json"


def _release_of(path: Path) -> str:
    try:
        return str(json.loads(path.read_bytes())["release"])
    except (ValueError, KeyError, TypeError):
        return ""


def is_within(path: str, folder: str) -> bool:
    """Whether `path` is `folder`, or lies below it; everything lies below the empty folder."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def path_order(path: str) -> str:
    """Key to sort paths as pathlib does, part by part: the end of a part comes before every letter."""
    return path.replace("/", "\0")


def _agree(known: Expected, claimed: Expected) -> bool:
    return (known.size, known.md5) == (claimed.size, claimed.md5)


def _encode(records: Mapping[str, Record]) -> dict[str, object]:
    """Records as columns."""
    names: dict[str, int] = {}
    served: dict[tuple[str, ...], int] = {}
    columns: dict[str, list[object]] = {column: [] for column in _COLUMNS}
    for path in sorted(records, key=path_order):
        record = records[path]
        expected, held = record.expected, record.held
        cells = (
            path,
            expected.size,
            expected.md5,
            expected.proof.value,
            record.modified,
            None if record.source is None else names.setdefault(record.source, len(names)),
            held.mtime_ns if held else None,
            held.proof.value if held else None,
            served.setdefault(held.sources, len(served)) if held else None,
        )
        for column, cell in zip(columns.values(), cells, strict=True):
            column.append(cell)
    return {"names": list(names), "served": [list(sources) for sources in served], **columns}


def _decode(document: Mapping[str, object]) -> Iterator[tuple[str, Record]]:
    """Columns as path and record. Raises what a damaged document makes raise."""
    proofs = {proof.value: proof for proof in Proof}
    names = [str(name) for name in _cells(document["names"], str)]
    served = [tuple(_cells(sources, str)) for sources in _cells(document["served"], list)]
    none = type(None)
    columns = (
        _cells(document["path"], str),
        _cells(document["size"], int, none),
        _cells(document["md5"], str, none),
        _cells(document["claim"], str),
        _cells(document["modified"], float, int, none),
        _cells(document["listed"], int, none),
        _cells(document["mtime_ns"], int, none),
        _cells(document["proof"], str, none),
        _cells(document["by"], int, none),
    )
    for path, size, md5, claim, modified, listed, mtime_ns, proof, by in zip(*columns, strict=True):
        held = None if mtime_ns is None else Held(mtime_ns, proofs[proof], served[by])
        source = None if listed is None else names[listed]
        yield path, Record(Expected(size, md5, proofs[claim]), held, modified, source)


def _cells(column: object, *kinds: type) -> list[Any]:  # raw JSON
    """A column, if all its cells are of these kinds; looked at all together, for there are thousands."""
    if not isinstance(column, list) or not set(map(type, column)) <= set(kinds):
        raise TypeError("not such a column")
    return column

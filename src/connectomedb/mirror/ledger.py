"""Remembers what was listed and what was proven, one small file per subject.

    <root>/.connectomedb/<prefix>/<subject>.json
    {"format": 1, "release": "HCP_Q1", "complete": ["T1w", ".xdlm"],
     "files": {"T1w/a.nii.gz": [size, md5, claim, mtime_ns, proof, [source, ...]], ...}}

`complete` names the paths below which every file is listed (the empty path is the whole subject).
The first three cells say what the file ought to be, the last three what is on disk and why we believe
it (null: not there). Files are written under a private name and renamed; no lock is needed, because a
record that two runs lose between them costs reading a file again, never a wrong file.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectomedb.errors import ConfigError
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.disk import disk_faults, removed_on_fault

FOLDER = ".connectomedb"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Held:
    """A file on disk, as it was when proven: modification time in ns, proof, and who served it."""

    mtime_ns: int
    proof: Proof
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What a file ought to be, and what we hold of it."""

    expected: Expected
    held: Held | None = None

    def is_held(self, facts: os.stat_result) -> bool:
        """Whether the file on disk is still the one that was proven."""
        return (
            self.held is not None
            and facts.st_mtime_ns == self.held.mtime_ns
            and (self.expected.size is None or facts.st_size == self.expected.size)
        )


@dataclass(slots=True)
class SubjectLedger:
    """One subject's records, by path inside the subject."""

    complete: set[str] = field(default_factory=set)
    records: dict[str, Record] = field(default_factory=dict)

    def covers(self, path: str) -> bool:
        """Whether everything at or below `path` is listed."""
        return any(not listed or is_within(path, listed) for listed in self.complete)

    def below(self, path: str) -> dict[str, Record]:
        """Records of the file `path`, or of all files below the folder `path`."""
        return {name: record for name, record in self.records.items() if is_within(name, path)}

    def listed(self, path: str, files: Mapping[str, Expected]) -> None:
        """Take over a complete listing of `path`: claims are renewed, what vanished is forgotten."""
        for name in self.below(path).keys() - files.keys():
            del self.records[name]
        for name, expected in files.items():
            known = self.records.get(name)
            same = known is not None and (known.expected.size, known.expected.md5) == (expected.size, expected.md5)
            self.records[name] = Record(expected, known.held if known and same else None)
        self.complete = {entry for entry in self.complete if not is_within(entry, path)} | {path}

    def hold(self, path: str, held: Held | None) -> None:
        """Record that a file is on disk, or no longer."""
        self.records[path] = replace(self.records[path], held=held)


class Ledger:
    """The ledgers of one release in one mirror folder."""

    def __init__(self, root: Path, prefix: str, project: str) -> None:
        self._folder = root / FOLDER / prefix
        self._project = project
        self.tree = root / prefix

    @classmethod
    def all_in(cls, root: Path) -> "list[Ledger]":
        """The ledgers of all releases that a mirror folder holds, by prefix."""
        state = root / FOLDER
        first = {path.parent: path for path in sorted(state.rglob("*.json"), reverse=True)}
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
        try:
            document = json.loads(self._path(subject).read_bytes())
            if document["format"] != FORMAT:
                return SubjectLedger()
            records = {path: _decode(cells) for path, cells in document["files"].items()}
            ledger = SubjectLedger(set(document["complete"]), records)
        except FileNotFoundError:
            return SubjectLedger()
        except (ValueError, KeyError, TypeError, IndexError):
            # A damaged ledger costs listing and reading again; the files themselves are the truth.
            return SubjectLedger()
        if self._project and document["release"] != self._project:
            raise ConfigError(
                f"Asked for {self._project} in {self._folder}, which holds {document['release']}. "
                "Two releases never mix in one folder: choose another."
            )
        return ledger

    def save(self, subject: str, ledger: SubjectLedger) -> None:
        """Write a subject's ledger, adding what another run has recorded meanwhile."""
        for path, record in self.load(subject).records.items():
            ours = ledger.records.get(path)
            if ours is not None and ours.held is None and record.expected == ours.expected:
                ledger.records[path] = record
        document = {
            "format": FORMAT,
            "release": self._project,
            "complete": sorted(ledger.complete),
            "files": {path: _encode(record) for path, record in sorted(ledger.records.items())},
        }
        target = self._path(subject)
        part = target.with_name(f".{target.name}.{os.getpid():x}-{time.time_ns():x}.part")
        with disk_faults(target), removed_on_fault(part):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(json.dumps(document, separators=(",", ":")).encode())
            os.replace(part, target)

    def _path(self, subject: str) -> Path:
        return self._folder / f"{subject}.json"


def _release_of(path: Path) -> str:
    try:
        return str(json.loads(path.read_bytes())["release"])
    except (ValueError, KeyError, TypeError):
        return ""


def is_within(path: str, folder: str) -> bool:
    """Whether `path` is `folder`, or lies below it; everything lies below the empty folder."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def _encode(record: Record) -> list[object]:
    expected, held = record.expected, record.held
    claim = [expected.size, expected.md5, expected.proof.value]
    return claim + ([held.mtime_ns, held.proof.value, list(held.sources)] if held else [None, None, None])


def _decode(cells: list[object]) -> Record:
    size, md5, claim, mtime_ns, proof, sources = cells
    expected = Expected(_int(size), None if md5 is None else str(md5), Proof(str(claim)))
    if mtime_ns is None:
        return Record(expected)
    names = tuple(str(name) for name in sources) if isinstance(sources, Iterable) else ()
    return Record(expected, Held(int(str(mtime_ns)), Proof(str(proof)), names))


def _int(cell: object) -> int | None:
    return None if cell is None else int(str(cell))

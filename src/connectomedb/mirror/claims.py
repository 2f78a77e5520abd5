"""What the files of one subject ought to be, as far as its folder and our ledger tell; no request is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectomedb.errors import ManifestError
from connectomedb.hcp import manifest
from connectomedb.mirror.ledger import SubjectLedger
from connectomedb.transfer.checksum import Expected, Proof


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims on one subject's files, by path inside the subject.

    Attributes:
        files: what each file ought to be, the manifests' word before the ledger's.
        due: files that ought to be on disk: those that the mirror held, or, without a ledger, all claimed.
        conflicts: files on which manifests disagree, with the names of two that do.
        unreadable: manifests that cannot be read or are another subject's, with the reason.
    """

    files: Mapping[str, Expected]
    due: frozenset[str]
    conflicts: Mapping[str, str]
    unreadable: Mapping[str, str]


def read_claims(folder: Path, subject: str, records: SubjectLedger) -> Claims:
    """Read the manifests in a subject's folder and join them with what the ledger recorded."""
    files = {name: record.expected for name, record in records.records.items()}
    unreadable: dict[str, str] = {}
    conflicts: dict[str, str] = {}
    first: dict[str, tuple[manifest.Entry, str]] = {}
    for file in sorted((folder / manifest.FOLDER).glob("*.json")):
        name = f"{manifest.FOLDER}/{file.name}"
        # A manifest does not list itself; being readable is the least that can be said of it.
        files.setdefault(name, Expected(None, None, Proof.SIZE))
        try:
            entries = _read_manifest(file, subject)
        except ManifestError as fault:
            unreadable[name] = str(fault)
            continue
        for entry in entries:
            known, where = first.setdefault(entry.path, (entry, file.name))
            if known != entry:
                conflicts[entry.path] = f"{where} and {file.name} disagree on it"
    files.update({path: Expected(entry.size, entry.md5, Proof.MANIFEST) for path, (entry, _) in first.items()})
    held = {name for name, record in records.records.items() if record.held is not None}
    return Claims(files, frozenset(held if records.records else files), conflicts, unreadable)


def _read_manifest(file: Path, subject: str) -> tuple[manifest.Entry, ...]:
    try:
        read = manifest.parse_manifest(file.read_bytes(), name=file.name)
    except OSError as fault:
        raise ManifestError(f"Read {file.name}: {fault.strerror}.") from fault
    if read.subject != subject:
        raise ManifestError(f"Read {file.name}: it speaks of subject {read.subject}.")
    return read.entries

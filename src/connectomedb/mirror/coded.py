"""Coded lockfiles beside their subject keys: keys on disk, and what a coded lockfile means for who holds its key."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from connectomedb.cohort.lockfile import LockedFile, Lockfile
from connectomedb.cohort.subject_key import (
    SECRET_BYTES,
    SubjectKey,
    fits_seal,
    format_subject_key,
    new_subject_key,
    parse_subject_key,
    plain_path,
)
from connectomedb.errors import ChecksumMismatch, ConfigError
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.mirror import Mirror
from connectomedb.transfer.whole import write_whole

FOR_ME_ALONE = 0o600
MOST_NAMED = 5


def load_subject_key(path: Path) -> SubjectKey:
    """Read a subject key. Raises ConfigError."""
    try:
        return parse_subject_key(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"Read {path}: {why}. Name the subject key that was made with the lockfile.") from fault


def keep_subject_key(path: Path, subjects: Iterable[str]) -> SubjectKey:
    """The subject key in a file, with all of these subjects: new ones get an id, and the file is made if need be.

    Nobody else may read the file. Raises ConfigError, DiskFull, DiskRefused, TransferError.
    """
    known = load_subject_key(path) if path.exists() else None
    key = new_subject_key(subjects, lambda: secrets.token_hex(SECRET_BYTES), known=known)
    if key != known:
        write_whole(path, format_subject_key(key).encode(), FOR_ME_ALONE)
    return key


def decode_lockfile(lockfile: Lockfile, key: SubjectKey, mirror: Mirror) -> Lockfile:
    """The lockfile with labels, sizes and checksums: what sources publish now, held against the seals.

    Raises ConfigError (the key lacks a subject), ChecksumMismatch, which names files that are not what was sealed.
    """
    files: dict[str, dict[str, LockedFile]] = {}
    strange: list[str] = []
    for id, sealed in sorted(lockfile.files.items()):
        label = key.label(id)
        published = _published(mirror, label, lockfile)
        for coded, locked in sorted(sealed.items()):
            path = plain_path(label, coded)
            found = published.get(path)
            fits = found is not None and found.size is not None
            if found and fits and fits_seal(locked, key.subjects[label], coded, found.size or 0, found.md5):
                files.setdefault(label, {})[path] = found
            else:
                strange.append(f"{id}/{coded}")
    if strange:
        raise ChecksumMismatch(
            f"Asked for the files of a coded lockfile. {len(strange)} are not published as they were sealed, or no "
            f"longer: {', '.join(strange[:MOST_NAMED])}. Lock anew, and compare with cdb diff.",
            path=strange[0],
        )
    labels = tuple(key.label(id) for id in lockfile.subjects)
    return replace(lockfile, subjects=labels, files=files, is_coded=False)


def _published(mirror: Mirror, label: str, lockfile: Lockfile) -> Mapping[str, LockedFile]:
    plans = mirror.plans([label], Choice(include=lockfile.patterns), project=lockfile.release)
    return {
        action.path: LockedFile(action.expected.size or 0, action.expected.md5)
        for plan in plans
        for action in plan.actions
    }

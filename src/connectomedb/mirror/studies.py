"""Lockfiles and dictionaries on disk, and what a lockfile means for a mirror."""

from collections.abc import Iterator
from pathlib import Path

from connectomedb.cohort.lockfile import LockedFile, Lockfile, format_lockfile, parse_lockfile
from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.dictionary_file import parse_dictionary
from connectomedb.hcp.dictionary_hcp import DictionaryReading
from connectomedb.mirror.actions import Act, Action
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.mirror import Mirror
from connectomedb.mirror.plan import Plan
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.whole import write_whole


def load_lockfile(path: Path) -> Lockfile:
    """Read a lockfile. Raises ConfigError."""
    try:
        text = _read(path).decode()
    except UnicodeDecodeError as fault:
        raise ConfigError(f"Read {path}: it is no UTF-8 text. Restore it as cdb wrote it.") from fault
    return parse_lockfile(text, str(path))


def save_lockfile(path: Path, lockfile: Lockfile) -> None:
    """Write a lockfile, by rename. Raises DiskFull, DiskRefused, TransferError."""
    write_whole(path, format_lockfile(lockfile).encode())


def load_dictionary(path: Path, tier: Tier = Tier.RESTRICTED) -> DictionaryReading:
    """Read a dictionary in any of its three forms; `tier` is that of columns without one. Raises ConfigError."""
    return parse_dictionary(_read(path), str(path), tier)


def plans_of(lockfile: Lockfile, mirror: Mirror) -> Iterator[Plan]:
    """What it takes to have the locked files, subject by subject: the lockfile says what each ought to be.

    Raises: ConfigError for a coded lockfile, whose subjects nobody can fetch.
    """
    if lockfile.is_coded:
        raise ConfigError("Asked for files of coded subjects. Give the subject key that was made with it (--key).")
    for subject, files in sorted(lockfile.files.items()):
        actions = tuple(
            Action(path, Act.FETCH, "locked", Expected(locked.size, locked.md5, _proof(locked)))
            for path, locked in sorted(files.items())
        )
        yield mirror.renew(Plan(lockfile.release, subject, Choice(include=lockfile.patterns), actions))


def _proof(locked: LockedFile) -> Proof:
    """A lockfile is a list of digests like a server's catalog: no manifest of the publisher."""
    return Proof.CATALOG if locked.md5 else Proof.SIZE


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise ConfigError(f"Read {path}: {fault.strerror}. Name a file that can be read.") from fault

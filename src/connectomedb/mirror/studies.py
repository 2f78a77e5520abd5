"""Lockfiles and dictionaries on disk."""

from pathlib import Path

from connectomedb.cohort.lockfile import Lockfile, format_lockfile, parse_lockfile
from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary_file import parse_dictionary
from connectomedb.hcp.dictionary_hcp import DictionaryReading
from connectomedb.transfer.disk import write_whole


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


def load_dictionary(path: Path) -> DictionaryReading:
    """Read a dictionary in any of its three forms. Raises ConfigError."""
    return parse_dictionary(_read(path), str(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise ConfigError(f"Read {path}: {fault.strerror}. Name a file that can be read.") from fault

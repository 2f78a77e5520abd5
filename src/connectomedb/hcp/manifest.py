"""`.xdlm` manifests: which files a package has, with size and MD5.

One line of JSON per package, at `<subject>/.xdlm/<subject>_3T_<package>.json`:

    {"DownloadManifest": {"Subject": "100307", "Version": "1.0.20130214", "Includes": [
       {"Name": "lf.txt", "URI": "100307/MNINonLinear/.../lf.txt", "Size": "36", "Checksum": "<md5>"}]}}

`Size` is text. A manifest does not list itself. Source: packager and verifier of HCP's shipped disks.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from connectomedb.errors import AddressError, ManifestError
from connectomedb.hcp.long_list import LongList
from connectomedb.hcp.paths import check_file, check_subject

VERSION = "1.0.20130214"
FOLDER = ".xdlm"

_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_SIZE = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: path inside the subject, size in bytes, MD5 as 32 lower-case hex."""

    path: str
    size: int
    md5: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of one package of one subject (six digits)."""

    subject: str
    entries: tuple[Entry, ...]


def manifest_path(subject: str, package: str) -> str:
    """Where a package's manifest lies inside the subject: `.xdlm/100307_3T_tfMRI_MOTOR_preproc.json`."""
    return f"{FOLDER}/{subject}_{package}.json"


def format_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as one line of JSON."""
    includes = [
        {
            "Name": entry.path.rpartition("/")[2],
            "URI": f"{manifest.subject}/{entry.path}",
            "Size": str(entry.size),
            "Checksum": entry.md5,
        }
        for entry in manifest.entries
    ]
    document = {"DownloadManifest": {"Subject": manifest.subject, "Version": VERSION, "Includes": includes}}
    return json.dumps(document, separators=(",", ":")).encode()


def parse_manifest(document: bytes, *, name: str = "manifest") -> Manifest:
    """Read a manifest; `name` says in errors which one. Raises ManifestError.

    Sizes may be numbers or decimal text, checksums in either case; an entry listed twice counts once.
    Refused: foreign subjects, paths that climb, and one path with two sizes or checksums.
    """
    with _malformed(name):
        entries = LongList(io.BytesIO(document), "Includes")
        found = [_parse_entry(include, name) for include in entries]
        subject = check_subject(_subject_of(entries.rest), name)
        inside = (Entry(_inside_subject(subject, entry.path, name), entry.size, entry.md5) for entry in found)
        return Manifest(subject, tuple(join_entries(inside, name=name).values()))


def read_entries(file: BinaryIO, subject: str, *, name: str = "manifest") -> Iterator[Entry]:
    """The entries of a subject's manifest, one by one, as `parse_manifest` reads it, but each as often as it is listed.

    Raises ManifestError, for another subject's too.
    """
    with _malformed(name):
        entries = LongList(file, "Includes")
        for include in entries:
            entry = _parse_entry(include, name)
            yield Entry(_inside_subject(subject, entry.path, name), entry.size, entry.md5)
        other = _subject_of(entries.rest)
    if other != subject:
        raise ManifestError(f"Read {name}: it speaks of subject {other}. Fetch it again.")


def join_entries(entries: Iterable[Entry], *, name: str = "manifests") -> dict[str, Entry]:
    """Path → entry over several packages. Raises ManifestError when two disagree on one path."""
    joined: dict[str, Entry] = {}
    for entry in entries:
        if joined.setdefault(entry.path, entry) != entry:
            raise ManifestError(f"Read {name}: {entry.path} is listed twice with different size or checksum.")
    return joined


@contextmanager
def _malformed(name: str) -> Iterator[None]:
    """What reading a document makes raise that is no manifest, as ManifestError."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise ManifestError(f"Read {name}: not a download manifest ({fault!r}). Fetch it again.") from fault


def _subject_of(document: dict[str, dict[str, object]]) -> str:
    """Whose a manifest is, given all of it but its entries."""
    body = document["DownloadManifest"]
    if not isinstance(body["Includes"], list):
        raise TypeError("its entries are no list")
    return str(body["Subject"])


def _parse_entry(include: dict[str, object], name: str) -> Entry:
    """An entry whose path begins with the subject still."""
    size, md5 = str(include["Size"]), str(include["Checksum"])
    if not _SIZE.fullmatch(size) or not _MD5.fullmatch(md5):
        raise ManifestError(f"Read {name}: size {size!r} or checksum {md5!r} of {include['URI']!r} is malformed.")
    return Entry(str(include["URI"]), int(size), md5.lower())


def _inside_subject(subject: str, uri: str, name: str) -> str:
    """The path below the subject's folder: the first part alone, as FreeSurfer's folder bears its name again."""
    owner, _, path = uri.partition("/")
    if owner != subject:
        raise ManifestError(f"Read {name}: {uri!r} is no file of subject {subject!r}. Fetch it again.")
    try:
        check_file(subject, path)
    except AddressError as fault:
        raise ManifestError(f"Read {name}: {fault}") from fault
    return path

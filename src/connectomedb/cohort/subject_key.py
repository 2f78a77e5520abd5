"""Coded ids: what a publication says instead of subjects' labels when restricted columns took part.

    Coded ID,HCP ID,Secret
    S0001,100307,5f3c...

The table stays with the authors and with whoever holds restricted access; its first two columns are the subject key
that ConnectomeDB takes. A coded lockfile has a seal per file, made with the subject's secret: who has the table can
check a file against it, to others it says nothing, though they may have the same images.
Source: HCP's data-use terms for restricted data; subject keys of ConnectomeDB.
"""

import csv
import hashlib
import hmac
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from connectomedb.cohort.lockfile import SUBJECT_MARK, LockedFile, Lockfile, names_a_subject
from connectomedb.cohort.named import LABEL
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.errors import AddressError, ConfigError
from connectomedb.hcp.paths import check_label

HEADER = ("Coded ID", "HCP ID", "Secret")
SECRET_BYTES = 32

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SECRET = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}")


@dataclass(frozen=True, slots=True)
class CodedSubject:
    """A subject's coded id and the secret of its seals, which the repr hides."""

    id: str
    secret: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id) or names_a_subject(self.id):
            raise ConfigError(f"{self.id!r} is no coded id. Use letters, digits, '_' and '-', and no subject's label.")
        if not _SECRET.fullmatch(self.secret):
            raise ConfigError(f"The secret of {self.id} is none: {2 * SECRET_BYTES} lower-case hex digits are due.")

    def __repr__(self) -> str:
        return f"CodedSubject({self.id!r})"

    def seal(self, path: str, size: int, md5: str | None) -> str:
        """The seal of a file of this subject, 64 hex; `path` with the mark instead of the label."""
        facts = f"{path}\n{size}\n{md5 or ''}".encode()
        return hmac.new(bytes.fromhex(self.secret), facts, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """Label → coded subject. Raises ConfigError when a coded id is used twice."""

    subjects: Mapping[str, CodedSubject]

    def __post_init__(self) -> None:
        ids = [coded.id for coded in self.subjects.values()]
        if len(set(ids)) != len(ids):
            raise ConfigError("A subject key gives two subjects the same coded id. Give each its own.")

    def label(self, id: str) -> str:
        """The label behind a coded id. Raises ConfigError."""
        found = next((label for label, coded in self.subjects.items() if coded.id == id), None)
        if found is None:
            raise ConfigError(f"The subject key has no coded id {id}. Use the key that the lockfile was made with.")
        return found


def new_subject_key(
    subjects: Iterable[str], secret: Callable[[], str], prefix: str = "S", known: SubjectKey | None = None
) -> SubjectKey:
    """A key for these labels, numbered in an order that says nothing about them.

    `secret` gives SECRET_BYTES random bytes as hex at every call: `lambda: secrets.token_hex(SECRET_BYTES)`.
    Subjects of the key that is `known` already keep their coded ids.
    """
    there = dict(known.subjects) if known else {}
    taken = {coded.id for coded in there.values()}
    drawn = [label for _, label in sorted((secret(), label) for label in set(subjects) - set(there))]
    width = max(4, len(str(len(there) + len(drawn))))
    ids = (id for number in count(1) if (id := f"{prefix}{number:0{width}}") not in taken)
    return SubjectKey(there | {label: CodedSubject(id, secret()) for label, id in zip(drawn, ids, strict=False)})


def format_subject_key(key: SubjectKey) -> str:
    """Write a key as CSV, by coded id."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(sorted((coded.id, label, coded.secret) for label, coded in key.subjects.items()))
    return text.getvalue()


def parse_subject_key(text: str, name: str = "the subject key") -> SubjectKey:
    """Read a key. Raises ConfigError with the line; the message holds no secret."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    subjects: dict[str, CodedSubject] = {}
    try:
        if tuple(next(rows, [])) != HEADER:
            raise ConfigError(f"its first line is not {','.join(HEADER)}.")
        for row in filter(None, rows):
            if len(row) != len(HEADER):
                raise ConfigError(f"{len(row)} cells where {len(HEADER)} are due.")
            id, label, secret = row
            if check_label(label, label) in subjects:
                raise ConfigError(f"{label} occurs twice.")
            subjects[label] = CodedSubject(id, secret)
        return SubjectKey(subjects)
    except (csv.Error, ConfigError, AddressError) as fault:
        raise ConfigError(f"Read {name}, line {rows.line_num}: {fault}") from fault


def parse_published_key(text: str, name: str = "the subject key") -> Mapping[str, str]:
    """Label → coded id, of the first two columns of a key: all that others need who may know it.

    Secrets of a third column are not looked at. Raises ConfigError with the line.
    """
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    subjects: dict[str, str] = {}
    taken: set[str] = set()
    try:
        if tuple(word.strip() for word in next(rows, [])[:2]) != HEADER[:2]:
            raise ConfigError(f"its first line does not begin with {','.join(HEADER[:2])}.")
        for row in filter(None, rows):
            id, label, *_ = (*(cell.strip() for cell in row), "")
            if not _ID.fullmatch(id) or names_a_subject(id):
                raise ConfigError(f"{id!r} is no coded id: letters, digits, '_' and '-', and no subject's label.")
            if not label or label in subjects or id in taken:
                raise ConfigError(f"{id} of {label or 'nobody'}: one coded id for each subject.")
            subjects[label] = id
            taken.add(id)
    except (csv.Error, ConfigError) as fault:
        raise ConfigError(f"Read {name}, line {rows.line_num}: {fault}") from fault
    if not subjects:
        raise ConfigError(f"Read {name}: it codes nobody.")
    return subjects


def code_lockfile(lockfile: Lockfile, key: SubjectKey) -> Lockfile:
    """The lockfile with coded ids and seals.

    Raises ConfigError when the key lacks a subject, or predicate or patterns name one.
    """
    unknown = [subject for subject in lockfile.subjects if subject not in key.subjects]
    if unknown:
        raise ConfigError(f"The subject key lacks {', '.join(unknown[:5])}. Make a key for all subjects of the study.")
    _check_unnamed(lockfile)
    files = {
        key.subjects[subject].id: {
            coded_path(subject, path): LockedFile(seal=_sealed(key.subjects[subject], subject, path, locked))
            for path, locked in locked_files.items()
        }
        for subject, locked_files in lockfile.files.items()
    }
    ids = tuple(key.subjects[subject].id for subject in lockfile.subjects)
    return replace(lockfile, subjects=ids, files=files, is_coded=True)


def _check_unnamed(lockfile: Lockfile) -> None:
    """Raises ConfigError when the predicate chooses subjects by label, or a pattern holds a label of theirs."""
    criteria = parse_predicate(lockfile.predicate).criteria()
    if any(criterion.field.rpartition("/")[2] == LABEL for criterion in criteria):
        raise ConfigError("Subjects are coded, and the predicate names one. Choose them by what is known of them.")
    labels = "|".join(map(re.escape, lockfile.subjects))
    named = re.compile(rf"(?<![A-Za-z0-9])(?:{labels})(?![A-Za-z0-9])")
    for pattern in lockfile.patterns if labels else ():
        if named.search(pattern):
            raise ConfigError(f"Subjects are coded, and {pattern!r} names one. Write * in its place.")


def fits_seal(locked: LockedFile, coded: CodedSubject, path: str, size: int, md5: str | None) -> bool:
    """Whether a file is what was sealed; `path` as in the coded lockfile."""
    return locked.seal is not None and hmac.compare_digest(locked.seal, coded.seal(path, size, md5))


def coded_path(subject: str, path: str) -> str:
    """A path inside the subject with the mark instead of the label."""
    return path.replace(subject, SUBJECT_MARK)


def plain_path(subject: str, path: str) -> str:
    """The path inside the subject behind a coded one."""
    return path.replace(SUBJECT_MARK, subject)


def _sealed(coded: CodedSubject, subject: str, path: str, locked: LockedFile) -> str:
    if locked.size is None:
        raise ConfigError(f"{subject}/{path} has no size, so it cannot be sealed. Lock it anew.")
    return coded.seal(coded_path(subject, path), locked.size, locked.md5)

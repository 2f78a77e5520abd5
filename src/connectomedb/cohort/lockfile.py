"""`study.cdb.toml`: which subjects and which files a study used, so that it can be brought back byte for byte.

    format = 1
    release = "HCP_1200"
    dictionary = "sha256:..."                       # of the dictionary that the predicate was checked against
    predicate = "PMAT24_A_CR >= 20"                 # cohort.predicate
    without = ["unusable"]                          # kinds of advisories that kept subjects out; a line only if any
    coded = false
    patterns = [                                    # hcp.glob
      "T1w/*.nii.gz",
    ]
    subjects = [
      "100307",
    ]

    [files.100307]
    "T1w/T1w_acpc_dc.nii.gz" = { size = 1234, md5 = "..." }        # md5 only where one is known

One line per subject and per file, sorted, so that two of them compare well line by line. It holds no secret. Paths are
those of the bucket, which are also those on disk (in Q1 `Diffusion/…`, where later releases have `T1w/Diffusion/…`).

Where restricted columns took part, `coded` is true: subjects bear coded ids, their labels in paths are `{subject}`, and
a file has a `seal` instead of size and checksum, which would name the subject to whoever has the images
(`cohort.subject_key`).
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from connectomedb.cohort.predicate import parse_predicate
from connectomedb.errors import AddressError, ConfigError, QueryError
from connectomedb.hcp.advisories import Defect, defects
from connectomedb.hcp.glob import compile_glob
from connectomedb.hcp.paths import check_own_file, check_path
from connectomedb.hcp.release import release_of

FORMAT = 1
SUFFIX = ".cdb.toml"
SUBJECT_MARK = "{subject}"
"""What stands in coded paths for the subject's label."""

_HEADING = "# Which subjects and which files, and what they were: cdb brings it back, and says what differs.\n"
_KEYS = frozenset({"format", "release", "dictionary", "predicate", "without", "coded", "patterns", "subjects", "files"})
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CODED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LABEL = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_HEX = {"md5": re.compile(r"[0-9a-f]{32}"), "seal": re.compile(r"[0-9a-f]{64}")}
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class LockedFile:
    """What a file was: size in bytes and MD5 (None when unknown); or, in a coded lockfile, its seal alone."""

    size: int | None = None
    md5: str | None = None
    seal: str | None = None

    def __post_init__(self) -> None:
        if (self.seal is None) is (self.size is None) or (self.seal is not None and self.md5 is not None):
            raise ConfigError("A locked file has a size and perhaps an md5, or else a seal alone.")
        if self.size is not None and self.size < 0:
            raise ConfigError(f"A locked file has a size of {self.size} bytes.")
        for name, text in (("md5", self.md5), ("seal", self.seal)):
            if text is not None and not _HEX[name].fullmatch(text):
                raise ConfigError(f"A locked file has the {name} {text!r}, which is none. Write lower-case hex.")

    def __str__(self) -> str:
        """In words: `1234 bytes, md5 ...`."""
        if self.seal is not None:
            return f"seal {self.seal}"
        return f"{self.size} bytes, {f'md5 {self.md5}' if self.md5 else 'no checksum'}"


Files = Mapping[str, Mapping[str, LockedFile]]
"""Subject → path inside the subject, as the bucket and a mirror on disk have it → what the file was."""


@dataclass(frozen=True, slots=True)
class Lockfile:
    """A study's subjects and files. Raises ConfigError for what cannot be one.

    Attributes:
        dictionary: version of the dictionary (`Dictionary.version`); empty when there was none.
        patterns: globs that chose the files.
        subjects: labels, or coded ids; sorted. One may have no files.
        is_coded: whether subjects bear coded ids.
        excluded: kinds of advisories that kept subjects out, whom the predicate alone would find.
    """

    release: str
    predicate: str = ""
    patterns: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    files: Files = field(default_factory=dict)
    dictionary: str = ""
    is_coded: bool = False
    excluded: tuple[Defect, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", tuple(sorted(set(self.patterns))))
        object.__setattr__(self, "subjects", tuple(sorted(set(self.subjects))))
        object.__setattr__(self, "excluded", defects(self.excluded))
        try:
            _check(self)
        except (AddressError, QueryError) as fault:
            raise ConfigError(f"A lockfile makes no sense: {fault}") from fault

    def each_file(self) -> Iterator[tuple[str, str, LockedFile]]:
        """Subject, path and file, in the order of the document."""
        for subject in sorted(self.files):
            for path in sorted(self.files[subject]):
                yield subject, path, self.files[subject][path]


def format_lockfile(lockfile: Lockfile) -> str:
    """Write a lockfile; equal ones give equal texts."""
    return "".join(_lines(lockfile))


def parse_lockfile(text: str, name: str = "the lockfile") -> Lockfile:
    """Read a lockfile; `name` says in errors which. Raises ConfigError with the place."""
    try:
        document = tomllib.loads(text)
    except ValueError as fault:
        raise ConfigError(f"Read {name}: it is no TOML ({fault}). Restore it as cdb wrote it.") from fault
    number = document.get("format")
    if number != FORMAT or isinstance(number, bool):
        raise ConfigError(f"Read {name}: its format is {number!r}, this version reads {FORMAT}. Install a newer one.")
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise ConfigError(f"Read {name}: there is {', '.join(unknown)}, which a lockfile has not. Remove it.")
    try:
        return Lockfile(
            release=_typed(document, "release", str),
            predicate=_typed(document, "predicate", str, ""),
            patterns=_texts(document, "patterns"),
            subjects=_texts(document, "subjects"),
            files=_files(_typed(document, "files", dict, {})),
            dictionary=_typed(document, "dictionary", str, ""),
            is_coded=_typed(document, "coded", bool, False),
            excluded=defects(_texts(document, "without")),
        )
    except (ConfigError, TypeError) as fault:
        raise ConfigError(f"Read {name}: {fault}") from fault


def names_a_subject(text: str) -> bool:
    """Whether a text holds what looks like a subject's label: six digits alone."""
    return _LABEL.search(text) is not None


def _check(lockfile: Lockfile) -> None:
    if not _RELEASE.fullmatch(lockfile.release):
        raise ConfigError(f"Its release is {lockfile.release!r}. Name a project, like HCP_1200.")
    release = release_of(lockfile.release)
    parse_predicate(lockfile.predicate)
    for pattern in lockfile.patterns:
        compile_glob(pattern)
    strangers = sorted(set(lockfile.files) - set(lockfile.subjects))
    if strangers:
        raise ConfigError(f"It has files of {strangers[0]}, who is not among its subjects.")
    if lockfile.is_coded:
        for words in (lockfile.predicate, *lockfile.patterns):
            if names_a_subject(words):
                raise ConfigError(f"Subjects are coded, and {words!r} names one. Choose them by what is known of them.")
    for subject in lockfile.subjects:
        if lockfile.is_coded and (not _CODED.fullmatch(subject) or names_a_subject(subject)):
            raise ConfigError(f"{subject!r} is no coded id: letters, digits, '_' and '-', and no label of a subject.")
    for subject, path, locked in lockfile.each_file():
        if (locked.seal is not None) is not lockfile.is_coded:
            raise ConfigError(f"{subject}/{path} has {locked}; coded lockfiles have seals, others sizes.")
        if lockfile.is_coded:
            check_path(path)
            if names_a_subject(path):
                raise ConfigError(f"Subjects are coded, and {path!r} names one.")
        else:
            release.check_subject(subject)
            check_own_file(subject, path)


def _lines(lockfile: Lockfile) -> Iterator[str]:
    yield _HEADING
    yield f"format = {FORMAT}\n"
    yield f"release = {_quoted(lockfile.release)}\n"
    yield f"dictionary = {_quoted(lockfile.dictionary)}\n"
    yield f"predicate = {_quoted(lockfile.predicate)}\n"
    if lockfile.excluded:
        yield f"without = [{', '.join(map(_quoted, lockfile.excluded))}]\n"
    yield f"coded = {'true' if lockfile.is_coded else 'false'}\n"
    for name, texts in (("patterns", lockfile.patterns), ("subjects", lockfile.subjects)):
        yield f"{name} = [\n"
        yield from (f"  {_quoted(text)},\n" for text in texts)
        yield "]\n"
    before = None
    for subject, path, locked in lockfile.each_file():
        if subject != before:
            yield f"\n[files.{subject if _BARE.fullmatch(subject) else _quoted(subject)}]\n"
            before = subject
        facts = {"size": locked.size, "md5": locked.md5, "seal": locked.seal}
        known = ", ".join(f"{name} = {_toml(fact)}" for name, fact in facts.items() if fact is not None)
        yield f"{_quoted(path)} = {{ {known} }}\n"


def _toml(fact: int | str) -> str:
    return str(fact) if isinstance(fact, int) else _quoted(fact)


def _quoted(text: str) -> str:
    """A basic string of TOML; JSON's escapes are among TOML's, but for DEL, which JSON leaves alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


T = TypeVar("T")


def _typed(document: Mapping[str, object], name: str, type: type[T], default: T | None = None) -> T:
    value = document.get(name, default)
    if not isinstance(value, type):
        raise TypeError(f"its {name} is {value!r}. Write {'true or false' if type is bool else f'a {type.__name__}'}.")
    return value


def _texts(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    texts = _typed(document, name, list, [])
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"its {name} hold something else than texts. Write a list of texts.")
    return tuple(texts)


def _files(tables: Mapping[str, object]) -> dict[str, dict[str, LockedFile]]:
    return {subject: _files_of(subject, table) for subject, table in tables.items()}


def _files_of(subject: str, table: object) -> dict[str, LockedFile]:
    if not isinstance(table, dict):
        raise TypeError(f"files.{subject} is {table!r}. Write a table, a line per file.")
    files = {}
    for path, facts in table.items():
        try:
            files[path] = _locked(facts)
        except (TypeError, ConfigError) as fault:
            raise ConfigError(f"files.{subject}, {path!r}: {fault}") from fault
    return files


def _locked(facts: object) -> LockedFile:
    if not isinstance(facts, dict) or set(facts) - {"size", "md5", "seal"}:
        raise TypeError(f'it is {facts!r}. Write {{ size = 1234, md5 = "..." }}.')
    size = facts.get("size")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool)):
        raise TypeError(f"its size is {size!r}. Write the number of bytes.")
    texts = {name: facts[name] for name in ("md5", "seal") if name in facts}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("its checksum is no text.")
    return LockedFile(size, texts.get("md5"), texts.get("seal"))

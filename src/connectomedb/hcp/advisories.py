"""What is known to be missing, wrong or withdrawn, and what quality codes warn of; the knowledge is `advisories.toml`.

    [[advisory]]
    id = "..."
    kind = "withdrawn"                # or unusable, wrong, incomplete, missing
    subjects = ["100307"]
    releases = ["HCP_1200"]
    paths = ["T1w/Diffusion/**"]      # globs (hcp.glob)
    summary = "..."
    source = "..."
    is_complete = false               # others may be concerned, too

    [[qc_code]]
    code = "A"
    summary = "..."
    touches = ["T1w/**"]              # what it may have spoiled

It is knowledge about files, dated by its sources: a listing that has a file which an advisory calls missing is right.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from connectomedb.errors import AddressError, ConfigError
from connectomedb.hcp.glob import compile_glob
from connectomedb.hcp.paths import check_subject

ANY = "any"
"""Word for all kinds."""


class Defect(StrEnum):
    """What is the matter; the gravest first."""

    WITHDRAWN = "withdrawn"
    UNUSABLE = "unusable"
    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Advisory:
    """One thing known about files of some subjects.

    Attributes:
        paths: globs of paths inside the subject, as release paths.
        is_complete: False when more subjects are concerned than are known by name.
    """

    id: str
    kind: Defect
    subjects: tuple[str, ...]
    releases: tuple[str, ...]
    paths: tuple[str, ...]
    summary: str
    source: str
    is_complete: bool = True

    def concerns(self, subject: str, release: str) -> bool:
        """Whether it speaks of this subject of this release."""
        return subject in self.subjects and release in self.releases

    def touches(self, subject: str, path: str) -> bool:
        """Whether it speaks of this path inside the subject."""
        return _fits(self.paths, subject, path)


@dataclass(frozen=True, slots=True)
class QcCode:
    """What one letter of `QC_Issue` says of a subject; `paths` are globs of what it may have spoiled."""

    code: str
    summary: str
    paths: tuple[str, ...]

    def touches(self, subject: str, path: str) -> bool:
        """Whether it may have spoiled this path inside the subject."""
        return _fits(self.paths, subject, path)


@dataclass(frozen=True, slots=True)
class Advisories:
    """All that is known."""

    advisories: tuple[Advisory, ...] = ()
    qc_codes: Mapping[str, QcCode] = field(default_factory=dict)

    def of_subject(self, subject: str, release: str) -> tuple[Advisory, ...]:
        """What is known of a subject in a release, the gravest first."""
        found = [advisory for advisory in self.advisories if advisory.concerns(subject, release)]
        return tuple(sorted(found, key=lambda advisory: list(Defect).index(advisory.kind)))

    def of_file(self, subject: str, path: str, release: str) -> tuple[Advisory, ...]:
        """What is known of one file, by its release path inside the subject; the gravest first."""
        return tuple(one for one in self.of_subject(subject, release) if one.touches(subject, path))

    def are_against(self, subject: str, release: str, kinds: Sequence[Defect]) -> bool:
        """Whether anything of these kinds is known of a subject in a release."""
        return any(one.kind in kinds and one.concerns(subject, release) for one in self.advisories)

    def of_codes(self, codes: Iterable[str]) -> tuple[QcCode, ...]:
        """What quality codes say, in the order of the letters; unknown letters say nothing."""
        letters = sorted({code.strip().upper() for code in codes})
        return tuple(self.qc_codes[letter] for letter in letters if letter in self.qc_codes)


def defects(words: Iterable[str]) -> tuple[Defect, ...]:
    """The kinds that words name, the gravest first; `any` names all. Raises ConfigError."""
    asked = set(words)
    unknown = asked - {*Defect, ANY}
    if unknown:
        raise ConfigError(f"Asked to leave out {sorted(unknown)[0]!r}. Choose of {', '.join(Defect)}, or {ANY}.")
    return tuple(kind for kind in Defect if kind in asked or ANY in asked)


def parse_advisories(text: str, name: str = "the advisories") -> Advisories:
    """Read advisories. Raises ConfigError with the entry that is wrong."""
    entry = ""
    try:
        document = tomllib.loads(text)
        unknown = set(document) - {"advisory", "qc_code"}
        if unknown:
            raise ValueError(f"there is {', '.join(sorted(unknown))}. Write [[advisory]] and [[qc_code]].")
        advisories = []
        for number, row in enumerate(document.get("advisory", []), 1):
            entry = f", advisory {row.get('id', number)}"
            advisories.append(_advisory(row))
        codes = {}
        for number, row in enumerate(document.get("qc_code", []), 1):
            entry = f", qc_code {row.get('code', number)}"
            codes[str(row["code"])] = QcCode(_text(row, "code"), _text(row, "summary"), _globs(row, "touches"))
        entry = ""
        ids = [advisory.id for advisory in advisories]
        if len(set(ids)) != len(ids):
            raise ValueError("an id occurs twice. Each advisory has its own.")
    except (ValueError, KeyError, TypeError, AttributeError, AddressError) as fault:
        what = f"{fault} is missing" if isinstance(fault, KeyError) else fault
        raise ConfigError(f"Read {name}{entry}: {what}") from fault
    return Advisories(tuple(advisories), codes)


@cache
def known_advisories() -> Advisories:
    """What this version of the package knows."""
    text = resources.files("connectomedb.hcp").joinpath("advisories.toml").read_text(encoding="utf-8")
    return parse_advisories(text)


def _advisory(row: Mapping[str, Any]) -> Advisory:
    is_complete = row.get("is_complete", True)
    unknown = set(row) - {"id", "kind", "subjects", "releases", "paths", "summary", "source", "is_complete"}
    if unknown or not isinstance(is_complete, bool):
        raise ValueError(f"{', '.join(sorted(unknown)) or 'is_complete'} makes no sense here.")
    subjects = _texts(row, "subjects")
    for subject in subjects:
        check_subject(subject, subject)
    return Advisory(
        id=_text(row, "id"),
        kind=Defect(_text(row, "kind")),
        subjects=subjects,
        releases=_texts(row, "releases"),
        paths=_globs(row, "paths"),
        summary=_text(row, "summary"),
        source=_text(row, "source"),
        is_complete=is_complete,
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    text = row[name]
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name} is {text!r}, which is no text.")
    return text


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    texts = row[name]
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} is {texts!r}. Write a list of texts.")
    return tuple(texts)


def _globs(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    globs = _texts(row, name)
    for glob in globs:
        compile_glob(glob)
    return globs


def _fits(globs: Iterable[str], subject: str, path: str) -> bool:
    return any(compile_glob(glob).fullmatch(f"{subject}/{path}") for glob in globs)

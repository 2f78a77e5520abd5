"""Tells a clean relative path to a file from everything else.

Paths come from servers, listings and manifests, and become keys, URLs and names on a disk; so the rule
is the same everywhere and holds under POSIX and Windows alike.
"""

import re

from connectomedb.errors import AddressError

_SUBJECT = re.compile(r"[0-9]{6}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OWNER = re.compile(r"(?:\A|/)([0-9]{6})[_.]")

_PART = r"(?!\.+(?:/|\Z))[A-Za-z0-9_.+,\[\]-]++"
_ORDINARY_PATH = re.compile(rf"{_PART}(?:/{_PART})*+")
_ORDINARY_FILE = re.compile(rf"([0-9]{{6}})(?:/(?:\1(?=[_.])|(?![0-9]{{6}}[_.])){_PART})++")
"""Nearly all paths, alone and behind their subject, pass all checks in this one match: listings are long."""

_FAULTS = (
    (re.compile(r"\A\Z"), "it is empty"),
    (re.compile(r"\A/"), "it is absolute"),
    (re.compile(r"/\Z"), "it names a folder, not a file"),
    (re.compile(r"//"), "it has an empty part"),
    (re.compile(r"(?:\A|/)(?:\.|%2e| )+(?:/|\Z)", re.IGNORECASE), "it has a part of dots or blanks alone"),
    (re.compile(r"\\"), "it has a backslash"),
    (re.compile(r"[\x00-\x1f\x7f]"), "it has a control character"),
    (re.compile(r"[\ud800-\udfff]"), "it is no valid Unicode text"),
    (re.compile(r"%(?:2f|5c|00)", re.IGNORECASE), "it hides a slash, backslash or NUL behind percent-encoding"),
    (re.compile(r"(?:\A|/)[A-Za-z]:"), "it names a drive"),
)
"""What makes a path unclean, the plainest first."""


def check_path(path: str) -> str:
    """The path itself, if it is a clean relative path to a file. Raises AddressError otherwise."""
    if fault := fault_of_path(path):
        raise AddressError(f"Asked for {path!r}: {fault}. Give a clean relative path to a file.")
    return path


def fault_of_path(path: str) -> str | None:
    """Why a text is no clean relative path to a file, like `it is absolute`; None where it is one."""
    if _ORDINARY_PATH.fullmatch(path):
        return None
    return next((fault for pattern, fault in _FAULTS if pattern.search(path)), None)


def check_file(subject: str, path: str) -> None:
    """Raises AddressError unless `subject` is a label and `path` a clean path to a file which may be its own."""
    asked = f"{subject}/{path}"
    if len(subject) != 6 or not _ORDINARY_FILE.fullmatch(asked):
        check_subject(subject, asked)
        check_owner(subject, check_path(path))


def is_subject(name: str) -> bool:
    """Whether a name is a subject label: six digits. Source: HCP's verifier, which takes only such folders."""
    return _SUBJECT.fullmatch(name) is not None


def check_subject(subject: str, asked: str) -> str:
    """The subject label itself, if it is six digits. Raises AddressError, naming what was `asked` for."""
    if not _SUBJECT.fullmatch(subject):
        raise AddressError(f"Asked for {asked!r}: {subject!r} is no subject label. A label is six digits.")
    return subject


def is_label(name: str) -> bool:
    """Whether a study may label a subject so: letters, digits, `_` and `-`. HCP's six digits are among them."""
    return _LABEL.fullmatch(name) is not None


def check_label(label: str, asked: str) -> str:
    """A label of any study's subject. Raises AddressError, naming what was `asked` for."""
    if not is_label(label):
        raise AddressError(
            f"Asked for {asked!r}: {label!r} is no subject label. Use letters, digits, '_' and '-', at most 64."
        )
    return label


def check_own_file(label: str, path: str) -> None:
    """As `check_file`, of any study: whoever labels subjects otherwise than HCP may name files otherwise, too."""
    if len(label) == 6 and is_subject(label):
        check_file(label, path)
    else:
        check_label(label, f"{label}/{path}")
        check_path(path)


def check_owner(subject: str, path: str) -> str:
    """The path itself, unless a part of it is named after another subject. Raises AddressError.

    HCP names files `<subject>.…` and `<subject>_…`; in seven million keys of the S1200 release no such
    name stands below another subject. A foreign one is a mix-up, and a file of a wrong person.
    """
    for owner in _OWNER.findall(path):
        if owner != subject:
            raise AddressError(f"Asked for {path!r} of subject {subject}: it is named after another subject, {owner}.")
    return path

"""Patterns of paths, in the notation in which file names are usually described.

    *        any characters but `/`
    **       any characters, `/` too, at least one
    ?        one character but `/`
    {a,b}    one of these, which may be patterns and may be empty
    <word>   a word of `WORDS`; where it stands again, the same text is meant again

Everything else means itself. A pattern has two parts, the folder and the names in it, so that a rule can
speak of both: `compile_pattern("T1w/Results/<scan>", ("*.nii.gz",))`.
"""

import re
from collections.abc import Iterable

from connectomedb.hcp.scans import RESULTS, RUNS, SCANS, TASKS, Field


def _one_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words))


WORDS: dict[str, str] = {
    "subject": "[0-9]{6}",
    "task": _one_of(TASKS),
    "scan": _one_of(RESULTS),
    "scan3T": _one_of(SCANS[Field.MR3T]),
    "scan7T": _one_of(SCANS[Field.MR7T]),
    "stem": _one_of({run.rpartition("_")[0] for runs in RUNS.values() for run in runs}),
    "pe": _one_of({run.rpartition("_")[2] for runs in RUNS.values() for run in runs}),
    "7T": "(?:_7T)?",
    "any": "[^/]+",
}
"""Word → what it may be, as a regular expression."""

_TOKEN = re.compile(r"\*\*|[*?{},]|<\w+>|[^*?{},<>]+")
_FIXED = {"**": ".+", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}


def compile_pattern(folder: str, names: Iterable[str] = ("**",), subject: str = WORDS["subject"]) -> re.Pattern[str]:
    """Compile a folder (may be empty) and the patterns of names in it, to match whole paths with.

    The path matched begins with the subject, `<subject>/<folder>/<name>`. Words become groups of the same
    name (`7T` becomes `seven`), `subject` is what its label may be; what `names` matched is the group `name`.
    """
    seen = {"subject"}
    head = "/".join(filter(None, (f"(?P<subject>{subject})", _translate(folder, seen))))
    tail = "|".join([_translate(name, seen) for name in names])
    return re.compile(f"{head}/(?P<name>{tail})", re.DOTALL)


def _translate(pattern: str, seen: set[str]) -> str:
    """One pattern as a regular expression; `seen` collects the words which have a group already."""
    return "".join(
        _word(token[1:-1], seen) if token[0] == "<" else _FIXED.get(token) or re.escape(token)
        for token in _TOKEN.findall(pattern)
    )


def _word(word: str, seen: set[str]) -> str:
    group = "seven" if word == "7T" else word
    if word in seen:
        return f"(?P={group})"
    seen.add(word)
    return f"(?P<{group}>{WORDS[word]})"

"""Globs as expressions that never try for long: the time they take grows at most with the square of a path's length.

Python's expressions go back and try anew. With many stars they do that so often that one path takes hours, and
whoever may ask for files of a server could stop it. A glob needs no going back: between two crossings (`**`) the first
place where a text fits is as good as any, because all that comes after it may still stretch; so does the first place
after a `*`, within its folder. Atomic groups say just that. It holds for texts without alternatives, so these are
written out first.
"""

import re
from collections.abc import Iterator
from itertools import product

from connectomedb.hcp.pattern import WORDS

_MOST_WRITTEN_OUT = 256
_STRETCH = re.compile(r"\*+|<any>")
_CROSSING = re.compile(r"((?:(?<=[/{,])|\A)\*\*/|\*\*)")
_FOLDERS, _ANYTHING = "\x01", "\x02"
"""Stand for `**/` and `**` while alternatives are written out: no glob holds them."""

_ADRIFT = re.compile(rf"(?<!\A)(?<!/){_FOLDERS}")
_BRACES = re.compile(r"\{([^{}]*)\}")
_WORD = re.compile(r"<(\w+)>")
_SUBJECT, _ANY, _SEVEN = "subject", "any", "7T"


def count_stretches(glob: str) -> int:
    """How many parts of a glob stretch."""
    return len(_STRETCH.findall(glob))


def steady_pattern(glob: str) -> str | None:
    """The glob as an expression of what follows the subject; None when it has too many alternatives."""
    if f"<{_ANY}>" in glob:
        return None
    marked = _CROSSING.sub(lambda found: _FOLDERS if found[0].endswith("/") else _ANYTHING, glob)
    written = [re.sub(r"\*+", "*", one) for one in _take(_write_out(marked))]
    if len(written) > _MOST_WRITTEN_OUT or any(map(_ADRIFT.search, written)):
        return None
    return "|".join(dict.fromkeys(map(_steady, written)))


def _take(globs: Iterator[str]) -> Iterator[str]:
    """The first ones, and one more if there are more."""
    for _, glob in zip(range(_MOST_WRITTEN_OUT + 1), globs, strict=False):
        yield glob


def _write_out(glob: str) -> Iterator[str]:
    """Globs without braces and words, of which it is either. A word that stands twice is the same text twice."""
    found = _BRACES.search(glob)
    if found:
        for word in found[1].split(","):
            yield from _write_out(glob[: found.start()] + word + glob[found.end() :])
        return
    words = [word for word in dict.fromkeys(_WORD.findall(glob)) if word != _SUBJECT]
    for texts in product(*map(_texts, words)):
        one = glob
        for word, text in zip(words, texts, strict=True):
            one = one.replace(f"<{word}>", text)
        yield one


def _texts(word: str) -> list[str]:
    """What a word may be."""
    if word == _SEVEN:
        return ["", "_7T"]
    return [re.sub(r"\\(.)", r"\1", text) for text in WORDS[word].split("|")]


def _steady(glob: str) -> str:
    first, *rest = re.split(f"([{_FOLDERS}{_ANYTHING}])", glob)
    blocks = [("", first), *zip(rest[::2], rest[1::2], strict=True)]
    written = [f"(?>{_opening(crossing)}{_block(text)})" for crossing, text in blocks[:-1]]
    crossing, text = blocks[-1]
    return "".join((*written, _opening(crossing), _block(text, is_last=True)))


def _opening(crossing: str) -> str:
    """What a crossing crosses: as little as it can; nothing is little, too."""
    return {"": "", _ANYTHING: ".*?", _FOLDERS: "(?:.+?/)??"}[crossing]


def _block(text: str, *, is_last: bool = False) -> str:
    """What stands between two crossings; what stands after the last one ends where the path ends."""
    first, *rest = (_piece(piece) for piece in text.split("*"))
    end = f"[^/]*{rest.pop()}" if is_last and rest else ""
    return "".join((first, *(f"(?>[^/]*?{piece})" for piece in rest), end))


def _piece(text: str) -> str:
    """A text without stars."""
    parts = re.split(r"(\?|<subject>)", text)
    fixed = {"?": "[^/]", f"<{_SUBJECT}>": f"(?P={_SUBJECT})"}
    return "".join(fixed.get(part) or re.escape(part) for part in parts)

"""Cuts a predicate into words, quoted texts and signs, and points at what is wrong in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectomedb.errors import PredicateError

MAX_LENGTH = 10_000
"""Longest predicate, in characters."""

SHOWN_WIDTH = 100
"""Most characters of a predicate that an error shows."""

KEYWORDS = frozenset(
    ["and", "or", "not", "in", "between", "like", "contains", "has", "is", "empty", "null", "missing", "exists"],
)
"""Words with a meaning of their own, in any case; as names or values they stand in quotes."""


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    TEXT = "quoted text"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `text` without quotes, `start` and `end` its place in the predicate."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The keyword or sign that it is, in lower case; empty for names and values."""
        if self.kind is Kind.SIGN:
            return self.text
        folded = self.text.lower()
        return folded if self.kind is Kind.WORD and folded in KEYWORDS else ""


# The parts of a word: brackets of a schema path may hold '='.
_TOKEN = re.compile(
    r"""(?P<word>(?:[^\s()<>=!,'"`\[\]]|\[[^\[\]]*\])+)
      | (?P<quoted>'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*`)
      | (?P<sign><=|>=|==|!=|<>|[<>=(),])
      | (?P<blank>\s+)""",
    re.VERBOSE,
)
_BARE = re.compile(r"[A-Za-z0-9_.+\-]+")


def tokenize(predicate: str) -> list[Token]:
    """The tokens, an END last. Raises PredicateError."""
    if len(predicate) > MAX_LENGTH:
        raise fault(predicate, 0, 1, f"it has {len(predicate)} characters, more than {MAX_LENGTH}. Split it.")
    tokens = []
    place = 0
    while place < len(predicate):
        found = _TOKEN.match(predicate, place)
        if found is None:
            raise _unreadable(predicate, place)
        if found["word"]:
            tokens.append(Token(Kind.WORD, found[0], place, found.end()))
        elif found["sign"]:
            tokens.append(Token(Kind.SIGN, found[0], place, found.end()))
        elif found["quoted"]:
            quote = found[0][0]
            tokens.append(Token(Kind.TEXT, found[0][1:-1].replace(quote * 2, quote), place, found.end()))
        place = found.end()
    return [*tokens, Token(Kind.END, "", len(predicate), len(predicate))]


def quote(text: str) -> str:
    """A value in quotes."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A column's name, in quotes where it needs them."""
    word = _TOKEN.fullmatch(name)
    is_word = word is not None and word["word"] is not None and name.lower() not in KEYWORDS
    return name if is_word else '"' + name.replace('"', '""') + '"'


def quote_code(code: str) -> str:
    """A code, bare where it can stand so."""
    return code if _BARE.fullmatch(code) and code.lower() not in KEYWORDS else quote(code)


def fault(predicate: str, start: int, end: int, what: str, near: Sequence[str] = ()) -> PredicateError:
    """The error of a place: what is wrong there, what may have been meant, and a caret under it."""
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    sentence = f"Read the predicate: at column {start + 1}, {what}{hint}"
    return PredicateError(
        f"{sentence}\n{_pointed(predicate, start, end)}", predicate=predicate, column=start + 1, near=tuple(near)
    )


def _pointed(predicate: str, start: int, end: int) -> str:
    """The predicate, or what is around the place, and a line with carets under it."""
    first = max(0, min(start - SHOWN_WIDTH // 2, len(predicate) - SHOWN_WIDTH))
    shown = "".join(sign if sign.isprintable() else " " for sign in predicate[first : first + SHOWN_WIDTH])
    carets = max(1, min(end, first + SHOWN_WIDTH) - start)
    return f"    {shown}\n    {' ' * (start - first)}{'^' * carets}"


def _unreadable(predicate: str, place: int) -> PredicateError:
    sign = predicate[place]
    if sign in "'\"`":
        return fault(predicate, place, place + 1, f"a {sign} is never closed. Write {sign} at the text's end, too.")
    if sign == "!":
        return fault(predicate, place, place + 1, "a '!' stands alone.", ["!=", "not"])
    return fault(predicate, place, place + 1, f"{sign!r} has no meaning. Put names and values that hold it in quotes.")

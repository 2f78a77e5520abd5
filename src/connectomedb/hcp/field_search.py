"""Finds columns by words: in names, labels, assessments, categories and descriptions, typing errors forgiven.

Every word asked for must be found; a column scores by how well (whole, beginning, nearly) and where (name first).
A word that nothing holds is compared with those words of the dictionary that share pairs of letters with it; how near
is near is `difflib`'s ratio. Why no library: docs/decisions/0006-field-search.md.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import islice, takewhile

from connectomedb.hcp.dictionary import Dictionary, FieldDefinition

NEAR = 0.75
"""Least ratio of `difflib` at which a word counts as a typing error of another."""

MAX_WORDS = 16
"""Most words of one search; more are ignored."""

MAX_LENGTH = 40
"""Longest word that is compared with others, in characters."""

CANDIDATES = 200
"""Most words that are looked at closely for one that nothing holds."""

_PLACES = (("name", 8.0), ("label", 5.0), ("assessment", 4.0), ("category", 2.0), ("description", 1.0))
_WORD = re.compile(r"[a-z]+|[0-9]+|[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class FieldIndex:
    """The words of a dictionary and where they stand; made once."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._fields = dictionary.fields
        self._places: dict[str, dict[int, float]] = {}
        for number, field in enumerate(dictionary):
            for place, weight in _PLACES:
                for word in set(_words(getattr(field, place))):
                    scores = self._places.setdefault(word, {})
                    scores[number] = max(weight, scores.get(number, 0.0))
        self._sorted = sorted(self._places)
        self._by_pair: dict[str, list[str]] = {}
        for word in self._sorted:
            for pair in _pairs(word):
                self._by_pair.setdefault(pair, []).append(word)

    def find(self, words: str, most: int = 20) -> list[FieldDefinition]:
        """Columns that fit, the best first; the exact name always comes first."""
        asked = list(dict.fromkeys(_words(words)))[:MAX_WORDS]
        if not asked:
            return []
        found = [self._scores(word) for word in asked]
        shared = set.intersection(*(set(scores) for scores in found))
        name = words.strip().casefold()
        ranked = sorted(
            shared,
            key=lambda number: (
                self._fields[number].name.casefold() != name,
                -sum(scores[number] for scores in found),
                number,
            ),
        )
        return [self._fields[number] for number in ranked[:most]]

    def _scores(self, word: str) -> dict[int, float]:
        """Column → score of one word."""
        scores: dict[int, float] = {}
        for found, likeness in self._alike(word):
            for number, weight in self._places[found].items():
                scores[number] = max(scores.get(number, 0.0), weight * likeness)
        return scores

    def _alike(self, word: str) -> Iterator[tuple[str, float]]:
        """Words of the dictionary like this one, and how like: it itself, those it begins, else its typing errors."""
        begins = self._beginning_with(word) if len(word) > 1 else [word] if word in self._places else []
        if begins:
            yield from ((known, 1.0 if known == word else 0.7) for known in begins)
        elif 3 < len(word) <= MAX_LENGTH:
            yield from ((known, 0.6 * ratio) for known, ratio in self._nearly(word))

    def _beginning_with(self, word: str) -> list[str]:
        first = bisect_left(self._sorted, word)
        return list(takewhile(lambda known: known.startswith(word), islice(self._sorted, first, None)))

    def _nearly(self, word: str) -> Iterator[tuple[str, float]]:
        """Typing errors of a word. Only words that share most pairs of letters with it are looked at closely."""
        shared: Counter[str] = Counter()
        for pair in _pairs(word):
            shared.update(self._by_pair.get(pair, ()))
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(word)
        for known, _ in shared.most_common(CANDIDATES):
            matcher.set_seq1(known)
            if matcher.real_quick_ratio() >= NEAR and matcher.quick_ratio() >= NEAR:
                ratio = matcher.ratio()
                if ratio >= NEAR:
                    yield known, ratio


@lru_cache(maxsize=4)
def field_index(dictionary: Dictionary) -> FieldIndex:
    """The index of a dictionary, made at its first search."""
    return FieldIndex(dictionary)


def find_fields(dictionary: Dictionary, words: str, most: int = 20) -> list[FieldDefinition]:
    """Columns that fit the words, the best first: `fluid intelligence`, `2 back accuracy`, `PMAT24`, `anxeity`."""
    return field_index(dictionary).find(words, most)


def _words(text: str) -> list[str]:
    return _WORD.findall(_CAMEL.sub(" ", text).casefold())


def _pairs(word: str) -> set[str]:
    """Neighbouring letters, the ends marked."""
    marked = f"^{word}$"
    return {marked[i : i + 2] for i in range(len(marked) - 1)}

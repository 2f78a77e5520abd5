"""What a column of measures means: its type, its access tier, its place in the data dictionary.

A definition is about a column, never about a person: no value of anybody stands here.
Source: access tiers of the Human Connectome Project's data-use terms; its data dictionary.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property

from connectomedb.errors import ConfigError


class Tier(StrEnum):
    """Who may see a column: everybody who may read the project, or holders of a grant."""

    OPEN = "open"
    RESTRICTED = "restricted"
    SENSITIVE = "sensitive"

    def includes(self, other: "Tier") -> bool:
        """Whether a grant of this tier opens a column of the other one too."""
        order = list(Tier)
        return order.index(other) <= order.index(self)

    @classmethod
    def of(cls, word: str) -> "Tier":
        """The tier that a word states for a column. A word that nobody knows closes it."""
        return next((tier for tier in cls if tier.value == word), cls.RESTRICTED)


class ValueType(StrEnum):
    """What the values of a column are."""

    INTEGER = "integer"
    FLOAT = "float"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class AllowedValue:
    """One of the values that a column may have, and what it means where that needs saying."""

    value: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One column of measures. Raises ConfigError when the name cannot be one, or no value could be allowed.

    Attributes:
        name: as in the data dictionary and in exports: `MMSE_Score`, `3T_RS-fMRI_Count`.
        type: None when it is not known; then it is inferred from the values.
        tier: a column whose tier nobody stated is restricted.
        category, assessment, description: where the dictionary puts it, and its words.
        label: its name for people; not unique.
        unit: of its numbers, `ms`; empty where there is none.
        values: all that it may have; empty where that is not stated.
        low, high: smallest and largest number that it may have, both included; None where there is no limit.
        holds_several: a cell holds any number of `values` (codes, separated by commas); an empty cell holds none.
    """

    name: str
    type: ValueType | None = None
    tier: Tier = Tier.RESTRICTED
    category: str = ""
    assessment: str = ""
    description: str = ""
    label: str = ""
    unit: str = ""
    values: tuple[AllowedValue, ...] = ()
    low: float | None = None
    high: float | None = None
    holds_several: bool = False

    def __post_init__(self) -> None:
        check_field_name(self.name)
        limits = [limit for limit in (self.low, self.high) if limit is not None]
        if not all(map(math.isfinite, limits)) or limits != sorted(limits):
            raise ConfigError(f"Column {self.name} allows {self.low} to {self.high}, which no number is. Swap or drop.")
        words = [allowed.value for allowed in self.values]
        if not all(words) or len(set(words)) != len(words):
            raise ConfigError(
                f"Column {self.name} allows an empty value, or one twice. Leave it out: empty is missing."
            )


@dataclass(frozen=True)
class Dictionary:
    """Definitions of columns, each name once. Raises ConfigError when a name is repeated."""

    fields: tuple[FieldDefinition, ...] = ()

    def __post_init__(self) -> None:
        if len(self._by_name) != len(self.fields):
            names = [field.name for field in self.fields]
            repeated = next(name for position, name in enumerate(names) if name in names[:position])
            raise ConfigError(f"A dictionary defines the column {repeated} twice. Leave each name in it once.")

    def __hash__(self) -> int:
        return self._hash

    def __iter__(self) -> Iterator[FieldDefinition]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    @cached_property
    def _hash(self) -> int:
        return hash(self.fields)

    @cached_property
    def _by_name(self) -> dict[str, FieldDefinition]:
        return {field.name: field for field in self.fields}

    @cached_property
    def _by_folded(self) -> dict[str, list[str]]:
        folded: dict[str, list[str]] = {}
        for name in self._by_name:
            folded.setdefault(name.casefold(), []).append(name)
        return folded

    def find(self, name: str) -> FieldDefinition | None:
        """The column of exactly that name."""
        return self._by_name.get(name)

    def near(self, name: str, most: int = 3) -> list[str]:
        """Names that may have been meant, the likeliest first: another case, or a typing error or two."""
        folded = name.casefold()
        if folded in self._by_folded:
            return self._by_folded[folded][:most]
        near = get_close_matches(folded, self._by_folded, n=most, cutoff=0.7)
        return [name for found in near for name in self._by_folded[found]][:most]


MAX_NAME = 128
"""Longest name of a column, in characters."""

_NAME = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-+ ]*")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def check_field_name(name: str) -> str:
    """The name itself, if a column may have it. Raises ConfigError.

    Letters, digits, `_`, `-`, `.`, `+` and inner blanks; the search language needs all others for itself.
    """
    if len(name) > MAX_NAME or not _NAME.fullmatch(name) or name != name.strip():
        raise ConfigError(
            f"A column is named {name[:MAX_NAME]!r}. "
            f"Use letters, digits, '_', '-', '.' and '+', at most {MAX_NAME} characters."
        )
    return name


def infer_type(values: Iterable[str]) -> ValueType:
    """The narrowest type that holds all values; empty ones are missing. Leading zeros make text: they are codes."""
    inferred = ValueType.INTEGER
    seen = False
    for value in values:
        if not value:
            continue
        seen = True
        if inferred is ValueType.INTEGER and not _INTEGER.fullmatch(value):
            inferred = ValueType.FLOAT
        if inferred is ValueType.FLOAT and not _is_float(value):
            return ValueType.TEXT
    return inferred if seen else ValueType.TEXT


def parse_value(type: ValueType, text: str) -> int | float | str | None:
    """Read one value; empty is None, missing. Raises ValueError when the text is none of that type."""
    if not text:
        return None
    if type is ValueType.TEXT:
        return text
    if type is ValueType.INTEGER and _INTEGER.fullmatch(text):
        return int(text)
    if type is ValueType.FLOAT and (_FLOAT.fullmatch(text)):
        return float(text)
    raise ValueError(f"{text!r} is no {type}")


def widest(one: ValueType, other: ValueType) -> ValueType:
    """The type that holds the values of both."""
    order = list(ValueType)
    return order[max(order.index(one), order.index(other))]


def _is_float(value: str) -> bool:
    """A number, and no code: `007` is text, `0.5` and `-12` are numbers."""
    digits = value.lstrip("+-")
    return _FLOAT.fullmatch(value) is not None and not (len(digits) > 1 and digits[0] == "0" and digits[1].isdigit())

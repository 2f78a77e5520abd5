"""What a column of the demo's subject tables is, and short ways to write one down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from connectomedb.hcp.dictionary import AllowedValue, FieldDefinition, Tier, ValueType
from connectomedb.hcp.known_columns import with_facts


class Kind(StrEnum):
    """What a cell holds."""

    INTEGER = "int"
    FLOAT = "float"
    TEXT = "text"
    ENUM = "enum"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: header in the table.
        kind: what its cells hold.
        description: what it measures, for people.
        low, high: smallest and largest value of numbers, None where there is no limit.
        choices: all values of an enumeration.
        meanings: of values that do not speak for themselves.
        tier, category, assessment: who may see it, and where the dictionary puts it.
    """

    name: str
    kind: Kind
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)
    tier: Tier = Tier.OPEN
    category: str = ""
    assessment: str = ""

    @property
    def definition(self) -> FieldDefinition:
        """The column as a field of a data type."""
        types = {Kind.INTEGER: ValueType.INTEGER, Kind.FLOAT: ValueType.FLOAT}
        stated = FieldDefinition(
            self.name,
            types.get(self.kind, ValueType.TEXT),
            self.tier,
            self.category,
            self.assessment,
            self.description,
            values=tuple(AllowedValue(value, self.meanings.get(value, "")) for value in self.choices or self.meanings),
            low=self.low,
            high=self.high,
        )
        return with_facts(stated)


def integer(name: str, low: int, high: int, description: str) -> Column:
    """Whole numbers."""
    return Column(name, Kind.INTEGER, description, low, high)


def number(name: str, low: float, high: float, description: str) -> Column:
    """Numbers with decimals."""
    return Column(name, Kind.FLOAT, description, low, high)


def choice(name: str, choices: str, description: str) -> Column:
    """One of some words; `choices` separates them by `|`, and a word from what it means by `=`."""
    meanings = _meanings(choices)
    known = {word: meaning for word, meaning in meanings.items() if meaning}
    return Column(name, Kind.ENUM, description, choices=tuple(meanings), meanings=known)


def coded(name: str, codes: str, description: str) -> Column:
    """Whole numbers that stand for something, written as the choices of `choice`."""
    meanings = _meanings(codes)
    numbers = [int(code) for code in meanings]
    return Column(name, Kind.INTEGER, description, min(numbers), max(numbers), meanings=meanings)


def _meanings(words: str) -> dict[str, str]:
    parts = (word.partition("=") for word in words.split("|"))
    return {word: meaning for word, _, meaning in parts}


def flag(name: str, description: str) -> Column:
    """TRUE or FALSE."""
    return choice(name, "TRUE|FALSE", description)


def clock(name: str, description: str) -> Column:
    """Time of day, `H:MM:SS`, no leading zero."""
    return Column(name, Kind.TIME, description)


def text(name: str, description: str) -> Column:
    """Any words."""
    return Column(name, Kind.TEXT, description)


def group(category: str, assessment: str, *columns: Column, tier: Tier = Tier.OPEN) -> tuple[Column, ...]:
    """Columns of one assessment."""
    return tuple(replace(column, category=category, assessment=assessment, tier=tier) for column in columns)

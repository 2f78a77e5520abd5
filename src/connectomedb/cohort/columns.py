"""What names and values in a predicate mean: checked against the dictionary, turned into fields of a search."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from connectomedb.cohort.tokens import Token, fault
from connectomedb.hcp.dictionary import Dictionary, FieldDefinition, Tier, ValueType
from connectomedb.xnat.query import FILE_PATH, Comparison, Group

NONTOOLBOX = "hcp:nontoolboxdata"
"""HCP's data type for measures: where bare names are looked up unless another is named."""

ALIASES: Mapping[str, str] = {"Subject": "SUBJECT_LABEL"}
"""Column of the tables that people have → field of the search engine."""

_SUBJECT = FieldDefinition("Subject", ValueType.TEXT, Tier.OPEN, label="Subject's label")

_ORDERED = frozenset(
    {
        *(Comparison.LESS, Comparison.LESS_EQUAL, Comparison.GREATER, Comparison.GREATER_EQUAL),
        *(Comparison.BETWEEN, Comparison.NOT_BETWEEN),
    }
)
_WORDED = frozenset({Comparison.LIKE, Comparison.NOT_LIKE, Comparison.HAS, Comparison.HAS_NOT})


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a predicate names: field of the search, and its definition if the dictionary has one."""

    field: str
    definition: FieldDefinition | None


@dataclass(frozen=True, slots=True)
class Columns:
    """How names are understood: bare ones belong to `data_type`; without a dictionary nothing is checked."""

    dictionary: Dictionary | None = None
    data_type: str = NONTOOLBOX

    def resolve(self, token: Token, predicate: str) -> Column:
        """The column of a name. Raises PredicateError, with names that may have been meant."""
        data_type, name = self._split(token.text)
        if data_type != self.data_type:
            return Column(token.text, None)
        field = f"{data_type}/{ALIASES.get(name, name)}"
        definition = self.definition(name)
        if definition is None and self.dictionary is not None:
            near = self.dictionary.near(name)
            advice = "" if near else " List what there is: cdb fields WORDS."
            raise fault(predicate, token.start, token.end, f"there is no column {name}.{advice}", near)
        return Column(field, definition)

    def definition(self, name: str) -> FieldDefinition | None:
        """What the dictionary says of a bare name."""
        found = self.dictionary.find(name) if self.dictionary is not None else None
        return found or (_SUBJECT if name in ALIASES else None)

    def name(self, field: str) -> str:
        """How a predicate names a field of the search: bare where it can be."""
        data_type, name = self._split(field)
        if data_type != self.data_type:
            return field
        return next((alias for alias, target in ALIASES.items() if target == name), name)

    def tier(self, where: Group) -> Tier:
        """The highest tier among the columns that a condition reads; of unknown columns it is restricted at least."""
        tiers = [self._tier(criterion.field) for criterion in where.criteria()]
        return max(tiers, key=list(Tier).index, default=Tier.OPEN)

    def _tier(self, field: str) -> Tier:
        if field == FILE_PATH:
            return Tier.OPEN
        data_type, name = self._split(self.name(field))
        found = self.definition(name) if data_type == self.data_type else None
        return found.tier if found else Tier.RESTRICTED

    def _split(self, name: str) -> tuple[str, str]:
        """Data type and name. A bare name may hold no colon, and column names never do."""
        data_type, slash, rest = name.partition("/")
        return (data_type, rest) if slash and ":" in data_type else (self.data_type, name)


def check_comparison(column: Column, comparison: Comparison, sign: Token, predicate: str) -> None:
    """Refuse comparisons that make no sense of the column's type. Raises PredicateError."""
    definition = column.definition
    if definition is None or definition.type is None:
        return
    is_text = definition.type is ValueType.TEXT
    if is_text and comparison in _ORDERED:
        what = f"{definition.name} holds text, which has no order. Compare with =, in, like or has."
        raise fault(predicate, sign.start, sign.end, what)
    if not is_text and comparison in _WORDED:
        what = f"{definition.name} holds numbers. Compare with =, <, >=, in or between."
        raise fault(predicate, sign.start, sign.end, what)


def check_value(column: Column, comparison: Comparison, value: Token, predicate: str) -> None:
    """Refuse values that the column cannot have. Raises PredicateError."""
    definition = column.definition
    if definition is None or not value.text.strip():
        return
    if definition.type in (ValueType.INTEGER, ValueType.FLOAT) and not _is_number(value.text):
        what = f"{definition.name} holds numbers, and {value.text!r} is none. Write a number, like 20 or 0.5."
        raise fault(predicate, value.start, value.end, what)
    if comparison in (Comparison.LIKE, Comparison.NOT_LIKE) or comparison in _ORDERED:
        return
    is_code = comparison in (Comparison.HAS, Comparison.HAS_NOT)
    if definition.type is ValueType.TEXT and (is_code or not definition.holds_several):
        _check_allowed(definition, value, predicate, has_case=not is_code)


def _check_allowed(definition: FieldDefinition, value: Token, predicate: str, has_case: bool) -> None:
    allowed = [one.value for one in definition.values]
    known = allowed if has_case else [one.lower() for one in allowed]
    if not allowed or (value.text if has_case else value.text.lower()) in known:
        return
    what = f"{definition.name} is never {value.text!r}: it is one of {', '.join(allowed)}."
    raise fault(predicate, value.start, value.end, what, _near(value.text, allowed))


def _near(text: str, allowed: Sequence[str]) -> list[str]:
    folded = {one.casefold(): one for one in allowed}
    return [folded[one] for one in get_close_matches(text.casefold(), folded, n=2)]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text and text.isascii()
    except ValueError:
        return False

"""The filter form, category > assessment > attribute > operator > value: read from and written to addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectomedb.errors import QueryError
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.routes.predicates import OPERATORS

WORDS: Mapping[str, str] = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is greater than",
    ">=": "is at least",
    "between": "is between",
    "not between": "is not between",
    "in": "is one of",
    "not in": "is none of",
    "like": "is like",
    "not like": "is not like",
    "has": "has the code",
    "not has": "has not the code",
    "is empty": "is empty",
    "is not empty": "is not empty",
}
"""Operator → for people. Files are asked for in the language's own line."""

_SEVERAL = ("in", "not in", "has", "not has")
"""Operators whose value is a list, which the form writes with commas."""


@dataclass(frozen=True, slots=True)
class FilterForm:
    """What the form holds.

    Attributes:
        category: whose columns it offers; empty for that of the tab.
        place: number of the criterion that is being changed; empty for a new one.
    """

    category: str = ""
    column: str = ""
    operator: str = ""
    values: tuple[str, ...] = field(default=())
    place: str = ""

    @property
    def value(self) -> str:
        """What stands in the first field."""
        return ", ".join(self.values) if self.operator in _SEVERAL else next(iter(self.values), "")

    @property
    def upper(self) -> str:
        """What stands in the second field, of BETWEEN."""
        return self.values[1] if self.operator.endswith("between") and len(self.values) > 1 else ""


def read_form(given: Parameters, criteria: Sequence[Mapping[str, Any]]) -> FilterForm:
    """The form as it was sent; or as one of the criteria fills it, for `edit=NUMBER`."""
    number = given.count("edit", None)
    if number is not None and number < len(criteria) and criteria[number]["operator"] in WORDS:
        one = criteria[number]
        return FilterForm(one["category"] or "", one["column"], one["operator"], tuple(one["values"]), str(number))
    values = tuple(value for key, value in given.pairs if key in ("value", "upper"))
    return FilterForm(given.get("category"), given.get("column"), given.get("operator"), values, given.get("place"))


def criterion_of(given: Parameters) -> list[tuple[str, str]]:
    """The criterion as parameters of `explore/predicate`. Raises QueryError for an operator that there is not."""
    word = given.get("operator")
    if word not in OPERATORS:
        raise QueryError(f"Asked to compare with {word!r}. There are {', '.join(OPERATORS)}.")
    if not given.get("column"):
        raise QueryError("Asked to add a filter without an attribute. Choose one.")
    names = ("value", "upper") if word.endswith("between") else ("value",)
    values = [value.strip() for key, value in given.pairs if key in names and value.strip()]
    if word in _SEVERAL and len(values) == 1:
        values = [value.strip() for value in values[0].split(",")]
    pairs = [("column", given.get("column")), ("operator", word), *(("value", value) for value in values)]
    return [*pairs, ("place", given.get("place"))] if given.get("place") else pairs

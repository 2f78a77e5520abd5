"""Predicates in parts, for those who edit them piece by piece: the server alone reads and writes the language.

| request                                                 | answer                                              |
|---------------------------------------------------------|-----------------------------------------------------|
| `GET /data/projects/P/explore/predicate?where=`         | normal form, highest tier read, the criteria        |
| ... `&column=C&operator=O&value=V[&value=W]`            | the same, with one more criterion                   |
| ... `&place=N`                                          | it stands in place of the criterion of that number  |
| `GET /data/projects/P/explore/columns[?category=C]`     | columns that may be asked for, categories, tiers    |
| ... `&limit=N`                                          | the first so many columns; all categories and tiers |

`category=` without a name is the first one. Without a project, `/data/explore...`; POST takes the same as a form. What
is joined by OR is one criterion.
"""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.formatter import format_condition, format_predicate
from connectomedb.cohort.funnel import criteria_of
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.cohort.tokens import quote, quote_name
from connectomedb.errors import AddressError
from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.explore import MAX_FORM_BYTES
from connectomedb.server.routes.explored import SUBJECT, answering, read_asked
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.routes.replies import json_value
from connectomedb.xnat.logic import plainly, simplify
from connectomedb.xnat.query import Comparison, Criterion, Group, between_bounds, in_items

OPERATORS: Mapping[str, Comparison] = {
    "=": Comparison.EQUAL,
    "!=": Comparison.DIFFERS,
    "<": Comparison.LESS,
    "<=": Comparison.LESS_EQUAL,
    ">": Comparison.GREATER,
    ">=": Comparison.GREATER_EQUAL,
    "between": Comparison.BETWEEN,
    "not between": Comparison.NOT_BETWEEN,
    "in": Comparison.IN,
    "not in": Comparison.NOT_IN,
    "like": Comparison.LIKE,
    "not like": Comparison.NOT_LIKE,
    "has": Comparison.HAS,
    "not has": Comparison.HAS_NOT,
    "is empty": Comparison.IS_NULL,
    "is not empty": Comparison.IS_NOT_NULL,
    "exists": Comparison.EXISTS,
    "not exists": Comparison.EXISTS_NOT,
}
"""Word of a criterion that can be put together from parts → what it compares."""

OTHERS = "Others"
"""The category of columns that the dictionary puts into none."""

_WORDS = {comparison: word for word, comparison in OPERATORS.items()}
_BETWEENS = (Comparison.BETWEEN, Comparison.NOT_BETWEEN)
_LISTS = (Comparison.IN, Comparison.NOT_IN, Comparison.HAS, Comparison.HAS_NOT)
_FILES = (Comparison.EXISTS, Comparison.EXISTS_NOT)
_NOTHING = (Comparison.IS_NULL, Comparison.IS_NOT_NULL)


@answering
def get_predicate(call: Call) -> Response:
    """A predicate, perhaps with a criterion added or exchanged, as its criteria."""
    with read_asked(call) as asked:
        members = list(criteria_of(parse_predicate(call.parameters.get("where"), asked.columns)))
        if call.parameters.has("operator"):
            added = parse_predicate(_composed(call.parameters), asked.columns)
            place = _place(call.parameters, len(members))
            members[place : place + 1] = [added]
        where = simplify(Group(members=tuple(members)))
        criteria = criteria_of(where)
        return json_value(
            {
                "predicate": format_predicate(where, asked.columns),
                "tier": asked.columns.tier(where),
                "criteria": [_describe(criteria, number, asked.columns) for number in range(len(criteria))],
            }
        )


@answering
def get_columns(call: Call) -> Response:
    """The columns up to the tier asked for, of one category if one is named; and where else there are some."""
    limit = call.parameters.count("limit", None)
    with read_asked(call) as asked:
        held = asked.view.rights.narrowed(project=asked.exploration.project)
        fields = [field for field in asked.columns.dictionary or () if field.name != SUBJECT]
        category = call.parameters.get("category")
        if call.parameters.has("category") and not category and fields:
            category = _category(fields[0])
        wanted = [field for field in fields if not category or _category(field) == category]
        return json_value(
            {
                "tier": asked.exploration.names.rights.highest,
                "tiers": [tier for tier in Tier if held.may_use(tier)],
                "category": category,
                "categories": _categories(fields),
                "columns": [_column(field) for field in wanted[:limit]],
            }
        )


def _composed(parameters: Parameters) -> str:
    """One criterion in our language, of its parts; reading it checks them. Raises AddressError."""
    word, column = parameters.get("operator"), parameters.get("column")
    comparison = OPERATORS.get(word)
    if comparison is None:
        raise AddressError(f"Asked to compare with {word!r}. There are {', '.join(OPERATORS)}.")
    values = [value.strip() for key, value in parameters.pairs if key == "value" and value.strip()]
    if comparison in _FILES:
        glob = (values or [column])[0].replace('"', '""')
        return f'{word} "{glob}"'
    name = quote_name(column)
    if comparison in _NOTHING:
        return f"{name} {word}"
    if not values:
        raise AddressError(f"Asked for {column} {word} nothing. Give a value.")
    if comparison in _BETWEENS:
        low, high = (values * 2)[:2]
        return f"{name} {word} {quote(low)} and {quote(high)}"
    if comparison in _LISTS:
        is_negated = comparison is Comparison.HAS_NOT
        sign = word.removeprefix("not ") if is_negated else word
        return f"{'not ' if is_negated else ''}{name} {sign} ({', '.join(map(quote, values))})"
    return f"{name} {word} {quote(values[0])}"


def _place(parameters: Parameters, count: int) -> int:
    """Where the new criterion goes: by default behind the others."""
    place = parameters.count("place", count)
    return count if place is None else min(place, count)


def _describe(criteria: Sequence[Criterion | Group], number: int, columns: Columns) -> dict[str, object]:
    """One criterion, in words and, where it has them, in parts; and the predicate without it."""
    criterion = criteria[number]
    others = Group(members=(*criteria[:number], *criteria[number + 1 :]))
    facts: dict[str, object] = {"criterion": format_condition(criterion, columns)}
    facts |= {"column": None, "operator": None, "values": [], "category": None}
    if isinstance(criterion, Criterion):
        facts |= _parts(plainly(criterion), columns)
    return facts | {"without": format_predicate(others, columns)}


def _parts(criterion: Criterion, columns: Columns) -> dict[str, object]:
    comparison = criterion.comparison
    if comparison not in _WORDS:
        return {}
    column = "" if comparison in _FILES else columns.name(criterion.field)
    values = _values(comparison, criterion.value)
    known = columns.definition(column)
    category = _category(known) if known else None
    return {"column": column, "operator": _WORDS[comparison], "values": values, "category": category}


def _values(comparison: Comparison, text: str) -> list[str]:
    if comparison in _NOTHING:
        return []
    if comparison in _BETWEENS:
        return list(between_bounds(text))
    return list(in_items(text)) if comparison in _LISTS else [text]


def _categories(fields: Sequence[FieldDefinition]) -> list[dict[str, object]]:
    """Categories in the dictionary's order, each with the number of its columns and the lowest tier among them."""
    found: dict[str, list[FieldDefinition]] = {}
    for field in fields:
        found.setdefault(_category(field), []).append(field)
    order = list(Tier)
    return [
        {"name": name, "columns": len(members), "tier": min((one.tier for one in members), key=order.index)}
        for name, members in found.items()
    ]


def _category(field: FieldDefinition) -> str:
    return field.category or OTHERS


def _column(field: FieldDefinition) -> dict[str, object]:
    return {
        "name": field.name,
        "header": field.label or field.name,
        "category": _category(field),
        "assessment": field.assessment,
        "tier": field.tier,
        "kind": field.type or ValueType.TEXT,
        "description": field.description,
        "unit": field.unit,
        "values": [{"value": one.value, "meaning": one.meaning} for one in field.values],
        "low": field.low,
        "high": field.high,
        "holds_several": field.holds_several,
    }


WAYS = tuple(
    Way("GET POST", f"{root}/explore/{what}", handler, max_body_bytes=MAX_FORM_BYTES)
    for root in ("/data", "/data/projects/{project}")
    for what, handler in (("predicate", get_predicate), ("columns", get_columns))
)

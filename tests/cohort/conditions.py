"""Random conditions and rows: numbers, text and codes, with nulls in every place."""

from hypothesis import strategies as st

from connectomedb.cohort.evaluate import Row, Value
from connectomedb.hcp.dictionary import AllowedValue, Dictionary, FieldDefinition, Tier, ValueType
from connectomedb.xnat.query import FILE_PATH, Comparison, Criterion, Group, Method

TYPE = "lab:reference"
WHOLE, PART, WORD, CODES = (f"{TYPE}/{name}" for name in ("Whole", "Part", "Word", "3T_Codes"))

DICTIONARY = Dictionary(
    (
        FieldDefinition("Whole", ValueType.INTEGER, Tier.OPEN, low=-5, high=5),
        FieldDefinition("Part", ValueType.FLOAT, Tier.OPEN),
        FieldDefinition("Word", ValueType.TEXT, Tier.OPEN),
        FieldDefinition("3T_Codes", ValueType.TEXT, Tier.OPEN, holds_several=True),
        FieldDefinition("Gender", ValueType.TEXT, Tier.OPEN, values=(AllowedValue("F"), AllowedValue("M"))),
    )
)

CELLS: dict[str, list[Value]] = {
    "Whole": [None, -5, -1, 0, 1, 2, 5],
    "Part": [None, -1.5, 0.0, 0.5, 2.0, 1e6],
    "Word": [
        None,
        "F",
        "f",
        "M",
        "22-25",
        "a b",
        "it's",
        '"x"',
        "50%",
        "a_b",
        "back\\slash",
        "NULL",
        "*",
        "A,B",
        "or",
        "É",
        "é",
    ],
    "3T_Codes": [None, "A", "A,B", "b;A", "r177 r227", "AB", "B, C", "C", "É_1"],
}
FILES = ["T1w/a.nii.gz", "MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz"]
GLOBS = ["T1w/*.nii.gz", "rfMRI_REST1_LR/*.nii.gz", "*.txt", "**/*.nii.gz", "/a.nii.gz"]

ROWS = st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()}).map(lambda row: dict(row))
PATHS = st.none() | st.sets(st.sampled_from(FILES))

_NUMBERS = ["-1", "0", "1", "2", "2.0", "0.5", "-1.5", "1e6"]
_WORDS = [str(cell) for cell in CELLS["Word"] if cell is not None]
_LISTED = [word for word in _WORDS if not set(word) & set(",'\"")]
_PATTERNS = ["F", "*", "%a%", "A*", "*b", "it's", "a_b", "%\\%", "50%", "é", "%É"]
_CODES = ["A", "b", "C", "r227", "AB", "Z", "é_1", "É_1"]

_COMPARED = [
    *(Comparison.EQUAL, Comparison.DIFFERS, Comparison.NOT_EQUAL, Comparison.LESS, Comparison.LESS_EQUAL),
    *(Comparison.GREATER, Comparison.GREATER_EQUAL),
]
_SAME = [Comparison.EQUAL, Comparison.DIFFERS, Comparison.NOT_EQUAL]
_NULLS = [Comparison.IS_NULL, Comparison.IS_NOT_NULL]


def _lists(items: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=3, unique=True).map(",".join)


def _criteria(
    fields: list[str], comparisons: list[Comparison], values: st.SearchStrategy[str]
) -> st.SearchStrategy[Criterion]:
    return st.builds(Criterion, st.sampled_from(fields), st.sampled_from(comparisons), values)


_BOUNDS = st.lists(st.sampled_from(_NUMBERS), min_size=2, max_size=2).map(" AND ".join)
_PLAIN_WORDS = st.sampled_from([word for word in _WORDS if word not in ("*", "NULL")])
CRITERIA = st.one_of(
    _criteria([WHOLE, PART], _COMPARED, st.sampled_from(_NUMBERS)),
    _criteria([WHOLE, PART], [Comparison.IN, Comparison.NOT_IN], _lists(_NUMBERS)),
    _criteria([WHOLE, PART], [Comparison.BETWEEN, Comparison.NOT_BETWEEN], _BOUNDS),
    _criteria([WORD], _SAME, _PLAIN_WORDS),
    _criteria([WORD], [Comparison.IN, Comparison.NOT_IN], _lists(_LISTED)),
    _criteria([WORD], [Comparison.LIKE, Comparison.NOT_LIKE], st.sampled_from(_PATTERNS)),
    _criteria([CODES], [Comparison.HAS, Comparison.HAS_NOT], _lists(_CODES)),
    _criteria([WHOLE, PART, WORD, CODES], _NULLS, st.just("")),
)
"""Criteria of the table's columns, as reading a predicate makes them."""

EXISTING = _criteria([FILE_PATH], [Comparison.EXISTS, Comparison.EXISTS_NOT], st.sampled_from(GLOBS))
SPECIAL = _criteria([WHOLE, WORD], [Comparison.EQUAL, Comparison.NOT_EQUAL], st.sampled_from(["", "*", "NULL"]))
"""XNAT's spellings of IS NULL and IS NOT NULL."""


def groups(criteria: st.SearchStrategy[Criterion]) -> st.SearchStrategy[Group]:
    """Groups of criteria, nested and never empty."""
    one = st.builds(Group, st.sampled_from(Method), st.lists(criteria, min_size=1, max_size=3).map(tuple))
    return st.recursive(
        one,
        lambda inner: st.builds(
            Group, st.sampled_from(Method), st.lists(criteria | inner, min_size=1, max_size=3).map(tuple)
        ),
        max_leaves=6,
    )


def row(**cells: Value) -> Row:
    """A row with these cells; the others are missing."""
    return dict.fromkeys(CELLS) | cells

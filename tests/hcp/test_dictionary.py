import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType, infer_type, parse_value, widest

INTEGER, FLOAT, TEXT = ValueType.INTEGER, ValueType.FLOAT, ValueType.TEXT

INFERRED = [
    (["1", "-2", "0", ""], INTEGER),
    (["1", "2.5"], FLOAT),
    (["1.0"], FLOAT),
    ([".5", "-3e2"], FLOAT),
    (["1", "x"], TEXT),
    (["007"], TEXT),
    (["00.5"], TEXT),
    (["0.5"], FLOAT),
    (["1,000"], TEXT),
    (["nan"], TEXT),
    (["inf"], TEXT),
    (["TRUE", "FALSE"], TEXT),
    (["23:00:00"], TEXT),
    (["22-25"], TEXT),
    (["9" * 18], INTEGER),
    (["9" * 19], FLOAT),
    (["", ""], TEXT),
    ([], TEXT),
    (["\u0663"], TEXT),
]


@pytest.mark.parametrize(("values", "expected"), INFERRED)
def test_the_narrowest_type_is_inferred(values: list[str], expected: ValueType) -> None:
    assert infer_type(values) is expected


@given(st.lists(st.text(max_size=6) | st.integers().map(str) | st.floats(allow_nan=False).map(str)))
def test_an_inferred_type_reads_all_its_values(values: list[str]) -> None:
    inferred = infer_type(values)
    for value in values:
        assert parse_value(inferred, value) is None or value


@pytest.mark.parametrize(
    ("type", "text"), [(INTEGER, "1.5"), (INTEGER, "x"), (FLOAT, "x"), (FLOAT, "nan"), (FLOAT, "1_0")]
)
def test_a_value_of_another_type_is_refused(type: ValueType, text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse_value(type, text)


def test_missing_is_missing_in_every_type() -> None:
    assert [parse_value(type, "") for type in ValueType] == [None, None, None]


def test_types_widen_from_integer_to_text() -> None:
    assert widest(INTEGER, FLOAT) is FLOAT
    assert widest(TEXT, INTEGER) is TEXT
    assert widest(FLOAT, FLOAT) is FLOAT


def test_a_column_whose_tier_nobody_stated_is_restricted() -> None:
    assert FieldDefinition("MMSE_Score").tier is Tier.RESTRICTED


@pytest.mark.parametrize("name", ["MMSE_Score", "3T_RS-fMRI_Count", "-x", "A.B+C", "Text with blanks"])
def test_names_of_the_data_dictionary_are_names(name: str) -> None:
    assert FieldDefinition(name).name == name


@pytest.mark.parametrize("name", ["", " a", "a ", "a/b", 'a"b', "a;b", "a\nb", "a=b", "ä", "x" * 129, ".hidden"])
def test_names_that_searches_could_not_read_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        FieldDefinition(name)

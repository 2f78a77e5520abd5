import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.demo.measures.all_columns import demo_dictionary
from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import AllowedValue, Dictionary, FieldDefinition, Tier, ValueType
from connectomedb.hcp.dictionary_file import (
    format_csv,
    format_json,
    parse_csv,
    parse_dictionary,
    parse_json,
    version_of,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip)
WORDS = TEXTS.filter(bool)
LIMITS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
FIELDS = st.builds(
    FieldDefinition,
    name=st.from_regex(r"[A-Za-z0-9_\-]([A-Za-z0-9_.\-+ ]{0,8}[a-z0-9])?", fullmatch=True),
    type=st.none() | st.sampled_from(ValueType),
    tier=st.sampled_from(Tier),
    category=TEXTS,
    assessment=TEXTS,
    description=TEXTS,
    label=TEXTS,
    unit=TEXTS,
    values=st.lists(st.builds(AllowedValue, WORDS, TEXTS), max_size=4, unique_by=lambda one: one.value).map(tuple),
    low=LIMITS.map(lambda low: None if low is None else -abs(low)),
    high=LIMITS.map(lambda high: None if high is None else abs(high)),
    holds_several=st.booleans(),
)
DICTIONARIES = st.lists(FIELDS, max_size=4, unique_by=lambda field: field.name).map(
    lambda fields: Dictionary(tuple(fields))
)


@given(DICTIONARIES)
def test_a_dictionary_comes_back_equal_from_both_forms(dictionary: Dictionary) -> None:
    assert parse_csv(format_csv(dictionary).encode()) == dictionary
    assert parse_json(format_json(dictionary).encode()) == dictionary


def test_the_demos_dictionary_comes_back_equal_and_says_what_everything_is() -> None:
    dictionary = demo_dictionary()
    for document in (format_csv(dictionary), format_json(dictionary)):
        assert parse_dictionary(document.encode()).dictionary == dictionary
    assert all(field.type and field.category and field.assessment and field.description for field in dictionary)
    issue = dictionary.find("QC_Issue")
    assert issue is not None and issue.holds_several


def test_the_version_hangs_on_the_contents_alone() -> None:
    fields = demo_dictionary().fields
    version = version_of(Dictionary(fields))
    assert version == version_of(Dictionary(fields[::-1])) != version_of(Dictionary(fields[1:]))
    assert version.startswith("sha256:") and len(version) == 71


def test_columns_of_the_csv_may_lack_or_move() -> None:
    dictionary = parse_csv(b"\xef\xbb\xbftier,name\nopen,A_A\n,B_B\n\n")
    assert dictionary.fields == (FieldDefinition("A_A", tier=Tier.OPEN), FieldDefinition("B_B"))


def test_the_sidecar_of_a_bids_table_is_a_dictionary() -> None:
    sidecar = {
        "MeasurementToolMetadata": {"Description": "A questionnaire"},
        "sex": {"Description": "As told", "Levels": {"F": "female", "M": {"Description": "male", "TermURL": "x"}}},
        "age": {"LongName": "Age", "Units": "years", "Minimum": 18, "Maximum": 99.5},
    }
    sex, age = parse_json(json.dumps(sidecar).encode())
    assert sex.values == (AllowedValue("F", "female"), AllowedValue("M", "male"))
    assert (age.label, age.unit, age.low, age.high, age.tier) == ("Age", "years", 18, 99.5, Tier.RESTRICTED)


FAULTY = [
    (b"", "header"),
    (b"label\nx\n", "header"),
    (b"name,nonsense\nA_A,x\n", "header"),
    (b"name,name\nA_A,x\n", "header"),
    (b"name,tier\nA_A\n", "line 2: 1 cells"),
    (b"name,tier\nA_A,secret\n", "line 2: .*sensitive"),
    (b"name,type\nA_A,number\n", "line 2: .*integer"),
    (b"name,low\nA_A,few\n", "line 2: 'few' is no number"),
    (b"name,low,high\nA_A,3,1\n", "line 2: .*A_A allows"),
    (b"name,high\nA_A,nan\n", "line 2: .*A_A allows"),
    (b"name,values\nA_A,x|x\n", "line 2: .*twice"),
    (b"name,values\nA_A,=x\n", "line 2: .*empty"),
    (b"name,holds_several\nA_A,maybe\n", "line 2: .*TRUE or FALSE"),
    (b"name\nA/A\n", "line 2: .*'A/A'"),
    (b"name\nA_A\nA_A\n", "A_A twice"),
    (b'name\n"A_A\n', "line 1"),
    (b"{", "x"),
    (b'{"A_A": 3}', "column 'A_A': .*no JSON object"),
    (b'{"A_A": {"Levels": ["x"]}}', "column 'A_A': .*Levels"),
    (b'{"A_A": {"Description": 3}}', "column 'A_A': .*no text"),
    (b'{"A_A": {"Minimum": true}}', "column 'A_A': .*no number"),
    (b'{"A/A": {}}', "column 'A/A'"),
    (b"{" + b'"a":{' * 100_000, "x"),
]


@pytest.mark.parametrize(("document", "words"), FAULTY, ids=range(len(FAULTY)))
def test_what_makes_no_sense_is_refused_with_the_place(document: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_dictionary(document, "x.csv")

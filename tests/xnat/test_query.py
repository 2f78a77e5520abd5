import pytest

from connectomedb.errors import QueryError
from connectomedb.xnat.query import (
    Comparison,
    Criterion,
    Group,
    Method,
    SearchField,
    between_bounds,
    in_items,
    parse_comparison,
    parse_constraints,
    parse_field,
)

MMSE = "hcp:nontoolboxdata/MMSE_Score"


@pytest.mark.parametrize("comparison", list(Comparison))
def test_every_comparison_is_read_in_any_case_and_with_blanks(comparison: Comparison) -> None:
    assert parse_comparison(f"  {comparison.value.lower()} ") is comparison


@pytest.mark.parametrize(
    ("text", "comparison"),
    [
        (" LIKE ", Comparison.LIKE),
        ("IS+NULL", Comparison.IS_NULL),
        ("IS+NOT+NULL", Comparison.IS_NOT_NULL),
        ("NOT NULL", Comparison.IS_NOT_NULL),
        ("is  not\tnull", Comparison.IS_NOT_NULL),
        ("==", Comparison.EQUAL),
        ("<>", Comparison.NOT_EQUAL),
    ],
)
def test_spellings_that_clients_send_are_read(text: str, comparison: Comparison) -> None:
    assert parse_comparison(text) is comparison


@pytest.mark.parametrize("text", ["", "=>", "CONTAINING", "DROP TABLE", "= OR 1=1"])
def test_what_is_no_comparison_is_refused_with_the_list(text: str) -> None:
    with pytest.raises(QueryError, match="BETWEEN"):
        parse_comparison(text)


def test_a_field_names_its_type_and_keeps_its_spelling_as_header() -> None:
    assert parse_field(MMSE) == SearchField("hcp:nontoolboxdata", "MMSE_Score", header=MMSE)
    path = "xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/gender"
    assert parse_field(path).field_id == "demographics[@xsi:type=xnat:demographicData]/gender"


@pytest.mark.parametrize("text", ["MMSE_Score", "nontoolboxdata/MMSE_Score", "hcp:nontoolboxdata", "hcp:x/", "/X", ""])
def test_a_field_without_type_or_name_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="type/FIELD"):
        parse_field(text)


def test_the_tutorials_constraints_are_read() -> None:
    assert parse_constraints([(MMSE, ">=", "29"), "AND"]) == Group(
        Method.AND, (Criterion(MMSE, Comparison.GREATER_EQUAL, "29"),)
    )


def test_lists_nest_and_the_last_word_joins_its_own_list() -> None:
    group = parse_constraints([(MMSE, "<", 20), [("x:y/A", "=", "1"), ("x:y/B", "=", "2"), "and"], "or"])
    assert group.method is Method.OR
    assert group.members[1] == Group(
        Method.AND, (Criterion("x:y/A", Comparison.EQUAL, "1"), Criterion("x:y/B", Comparison.EQUAL, "2"))
    )
    assert [criterion.field for criterion in group.criteria()] == [MMSE, "x:y/A", "x:y/B"]


@pytest.mark.parametrize(
    ("value", "text"), [(29, "29"), (1.5, "1.5"), (None, ""), (["a", "b"], "a,b"), (("1", 2), "1,2"), ("a,b", "a,b")]
)
def test_values_become_the_text_of_the_wire(value: object, text: str) -> None:
    assert next(parse_constraints([(MMSE, "IN", value)]).criteria()).value == text


def test_two_bounds_are_joined_as_between_wants_them() -> None:
    (criterion,) = parse_constraints([(MMSE, "BETWEEN", (20, 30.5))]).members
    assert criterion == Criterion(MMSE, Comparison.BETWEEN, "20 AND 30.5")


ITEMS = [("a,b", ["a", "b"]), (" ( 'a' , \"b\" ) ", ["a", "b"]), ("a,,b,", ["a", "b"]), ("", []), ("22-25", ["22-25"])]


@pytest.mark.parametrize(("value", "items"), ITEMS)
def test_a_comma_list_is_cut_into_its_items(value: str, items: list[str]) -> None:
    assert in_items(value) == items


@pytest.mark.parametrize(("value", "bounds"), [("1 AND 2", ("1", "2")), (" '1' and  2.5 ", ("1", "2.5"))])
def test_between_has_two_bounds(value: str, bounds: tuple[str, str]) -> None:
    assert between_bounds(value) == bounds


@pytest.mark.parametrize("value", ["", "1", "1 AND", "1 AND 2 AND 3", "1AND2", "1,2"])
def test_between_without_two_bounds_is_refused(value: str) -> None:
    with pytest.raises(QueryError, match="two bounds"):
        between_bounds(value)


def test_no_constraints_are_no_criteria() -> None:
    assert parse_constraints([]) == Group()
    assert parse_constraints(["OR"]) == Group(Method.OR)


@pytest.mark.parametrize(
    "constraints",
    [
        [(MMSE, ">=", "29"), "XOR"],
        [(MMSE, ">=")],
        [(MMSE, ">=", "29", "AND")],
        [("MMSE_Score", ">=", "29")],
        [(MMSE, "~", "29")],
        [MMSE, ">=", "29"],
        ["AND", (MMSE, ">=", "29")],
        [{MMSE: 29}],
        [None],
        "MMSE_Score >= 29",
        None,
    ],
)
def test_malformed_constraints_get_a_sentence(constraints: object) -> None:
    with pytest.raises(QueryError):
        parse_constraints(constraints)  # type: ignore[arg-type]  # what an untyped script would pass

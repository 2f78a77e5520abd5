import pytest

from connectomedb.errors import QueryError
from connectomedb.xnat.plain import check_code, split_codes, to_plain, weaken
from connectomedb.xnat.query import PLAIN, Comparison, Criterion, Group, Method

C, AND, OR = Comparison, Method.AND, Method.OR


def x(comparison: Comparison, value: str = "") -> Criterion:
    return Criterion("t:t/X", comparison, value)


TRANSLATED = [
    (x(C.DIFFERS, "a"), Group(AND, (x(C.NOT_EQUAL, "a"), x(C.IS_NOT_NULL)))),
    (x(C.NOT_IN, "a,b"), Group(AND, (x(C.NOT_EQUAL, "a"), x(C.NOT_EQUAL, "b"), x(C.IS_NOT_NULL)))),
    (x(C.NOT_BETWEEN, "1 AND 3"), Group(OR, (x(C.LESS, "1"), x(C.GREATER, "3")))),
    *((x(comparison, "v"), x(comparison, "v")) for comparison in sorted(PLAIN)),
]


@pytest.mark.parametrize(("ours", "theirs"), TRANSLATED)
def test_comparisons_are_said_in_xnats_words(ours: Criterion, theirs: Criterion | Group) -> None:
    assert to_plain(Group(AND, (ours,))) == Group(AND, (theirs,))
    assert weaken(Group(AND, (ours,))).is_exact


def test_a_code_is_looked_for_between_all_separators() -> None:
    (group,) = to_plain(Group(AND, (x(C.HAS, "A"),))).members
    assert isinstance(group, Group)
    patterns = {criterion.value for criterion in group.criteria()}
    assert group.method is OR
    assert {"A", "A,%", "%;A", "% A %", "%,A;%"} <= patterns
    assert len(patterns) == 16


UNSAYABLE = [
    x(C.NOT_LIKE, "a*"),
    x(C.HAS_NOT, "A"),
    x(C.EXISTS, "T1w/"),
    x(C.EXISTS_NOT, "T1w/"),
    x(C.DIFFERS, "*"),
    x(C.DIFFERS, ""),
    x(C.NOT_IN, "a,NULL"),
]


@pytest.mark.parametrize("criterion", UNSAYABLE)
def test_what_xnat_cannot_say_is_left_out_of_and_and_leaves_or_true(criterion: Criterion) -> None:
    with pytest.raises(QueryError, match="no such comparison"):
        to_plain(Group(AND, (criterion,)))
    other = x(C.LESS, "3")
    both = weaken(Group(AND, (other, criterion)))
    assert (both.where, both.is_exact) == (Group(AND, (other,)), False)
    either = weaken(Group(AND, (other, Group(OR, (other, criterion)))))
    assert (either.where, either.is_exact) == (Group(AND, (other,)), False)
    alone = weaken(Group(OR, (other, criterion)))
    assert (alone.where, alone.is_exact) == (Group(), False)


@pytest.mark.parametrize("value", ["", ",", "a b", "a;b", "50%", "a*", "it's"])
def test_what_is_no_code_cannot_be_looked_for(value: str) -> None:
    with pytest.raises(QueryError, match="code"):
        to_plain(Group(AND, (x(C.HAS, value),)))


@pytest.mark.parametrize("value", ["", "1", "x AND"])
def test_bounds_that_are_none_are_refused_though_the_criterion_could_be_left_out(value: str) -> None:
    with pytest.raises(QueryError, match="two bounds"):
        weaken(Group(AND, (x(C.NOT_BETWEEN, value),)))


CELLS = [
    ("A", {"a"}),
    ("A,B", {"a", "b"}),
    (" A; b ,,C ", {"a", "b", "c"}),
    ("r177 r227", {"r177", "r227"}),
    ("", set()),
]


@pytest.mark.parametrize(("cell", "codes"), CELLS)
def test_codes_are_separated_by_commas_semicolons_or_blanks(cell: str, codes: set[str]) -> None:
    assert split_codes(cell) == codes


def test_a_code_is_given_back() -> None:
    assert check_code("rfMRI(4)") == "rfMRI(4)"

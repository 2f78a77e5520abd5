import pytest

from connectomedb.errors import QueryError
from connectomedb.xnat.logic import opposite, plainly, simplify
from connectomedb.xnat.query import Comparison, Criterion, Group, Method

C, AND, OR = Comparison, Method.AND, Method.OR
A, B, D = (Criterion("t:t/X", C.EQUAL, value) for value in "abd")
NOT_A, NOT_B = (Criterion("t:t/X", C.DIFFERS, value) for value in "ab")

OPPOSITES = [
    (C.EQUAL, C.DIFFERS),
    (C.LESS, C.GREATER_EQUAL),
    (C.LESS_EQUAL, C.GREATER),
    (C.LIKE, C.NOT_LIKE),
    (C.IN, C.NOT_IN),
    (C.BETWEEN, C.NOT_BETWEEN),
    (C.IS_NULL, C.IS_NOT_NULL),
    (C.HAS, C.HAS_NOT),
    (C.EXISTS, C.EXISTS_NOT),
]


@pytest.mark.parametrize(("one", "other"), OPPOSITES)
def test_opposites_come_in_pairs(one: Comparison, other: Comparison) -> None:
    criterion = Criterion("t:t/X", one, "v")
    assert opposite(criterion) == Criterion("t:t/X", other, "v")
    assert opposite(opposite(criterion)) == criterion


def test_every_comparison_has_an_opposite() -> None:
    assert {comparison for pair in OPPOSITES for comparison in pair} == set(Comparison) - {C.NOT_EQUAL}
    same, present = Criterion("t:t/X", C.EQUAL, "v"), Criterion("t:t/X", C.IS_NOT_NULL)
    assert opposite(Criterion("t:t/X", C.NOT_EQUAL, "v")) == Group(AND, (same, present))


def test_not_moves_inwards() -> None:
    assert opposite(Group(AND, (A, Group(OR, (B, NOT_A))))) == Group(OR, (NOT_A, Group(AND, (NOT_B, A))))


def test_nothing_is_the_opposite_of_everything() -> None:
    with pytest.raises(QueryError, match="Name one"):
        opposite(Group())


SPECIAL = [
    (C.EQUAL, "", C.IS_NULL),
    (C.EQUAL, " NULL ", C.IS_NULL),
    (C.EQUAL, "*", C.IS_NOT_NULL),
    (C.NOT_EQUAL, "", C.IS_NOT_NULL),
    (C.NOT_EQUAL, "NULL", C.IS_NOT_NULL),
    (C.NOT_EQUAL, "*", C.IS_NULL),
]


@pytest.mark.parametrize(("comparison", "value", "plain"), SPECIAL)
def test_xnats_special_values_are_said_plainly(comparison: Comparison, value: str, plain: Comparison) -> None:
    assert plainly(Criterion("t:t/X", comparison, value)) == Criterion("t:t/X", plain)


@pytest.mark.parametrize("criterion", [A, Criterion("t:t/X", C.IN, "*"), Criterion("t:t/X", C.LIKE, "*")])
def test_other_criteria_stay(criterion: Criterion) -> None:
    assert plainly(criterion) == criterion


SIMPLE = [
    (Group(), Group()),
    (Group(OR), Group(OR)),
    (Group(OR, (A,)), Group(AND, (A,))),
    (Group(AND, (Group(AND, (A, B)), D)), Group(AND, (A, B, D))),
    (Group(OR, (Group(OR, (A, Group(OR, (B,)))), D)), Group(OR, (A, B, D))),
    (Group(AND, (Group(OR, (A, B)),)), Group(OR, (A, B))),
    (Group(AND, (Group(OR, (A, B)), D)), Group(AND, (Group(OR, (A, B)), D))),
    (Group(OR, (A, Group())), Group(OR, (A, Group()))),
]


@pytest.mark.parametrize(("group", "simple"), SIMPLE)
def test_needless_parentheses_go(group: Group, simple: Group) -> None:
    assert simplify(group) == simple
    assert simplify(simple) == simple

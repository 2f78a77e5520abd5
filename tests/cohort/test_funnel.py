from hypothesis import given
from hypothesis import strategies as st
from tests.cohort.conditions import CRITERIA, EXISTING, PATHS, ROWS, TYPE, groups, row

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.evaluate import Files, Row, evaluate
from connectomedb.cohort.funnel import Step, criteria_of, funnel
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.xnat.query import Group

COLUMNS = Columns(None, TYPE)


def test_missing_is_told_apart_from_failing() -> None:
    where = parse_predicate("Whole >= 2 and (Word = F or Word = M) and exists T1w/", COLUMNS)
    files = ["T1w/a.nii.gz"]
    subjects: list[tuple[Row, Files]] = [
        (row(Whole=2, Word="F"), files),
        (row(Whole=3, Word="M"), []),
        (row(Whole=3, Word="M"), None),
        (row(Whole=3, Word="U"), files),
        (row(Whole=3), files),
        (row(Whole=1, Word="F"), files),
        (row(Word="F"), files),
    ]
    counted = funnel(where, subjects, COLUMNS)
    assert counted.steps == (
        Step("Whole >= 2", before=7, passed=5, failing=1, missing=1),
        Step("Word = 'F' or Word = 'M'", before=5, passed=3, failing=1, missing=1),
        Step('exists "T1w/"', before=3, passed=1, failing=1, missing=1),
    )
    assert (counted.total, counted.passed) == (7, 1)


def test_no_condition_passes_everybody() -> None:
    counted = funnel(Group(), [({}, None)] * 3)
    assert (counted.total, counted.steps, counted.passed) == (3, (), 3)


@given(groups(CRITERIA | EXISTING), st.lists(st.tuples(ROWS, PATHS), max_size=12))
def test_the_numbers_always_add_up(where: Group, subjects: list[tuple[Row, Files]]) -> None:
    counted = funnel(where, subjects, COLUMNS)
    left = counted.total
    assert left == len(subjects)
    for step in counted.steps:
        assert step.before == left
        assert step.passed + step.failing + step.missing == step.before
        left = step.passed
    assert counted.passed == sum(evaluate(where, *subject) is True for subject in subjects)


@given(groups(CRITERIA))
def test_the_criteria_printed_and_joined_are_the_predicate(where: Group) -> None:
    printed = [step.criterion for step in funnel(where, [], COLUMNS).steps]
    joined = " and ".join(f"({criterion})" for criterion in printed)
    assert criteria_of(parse_predicate(joined, COLUMNS)) == criteria_of(where)

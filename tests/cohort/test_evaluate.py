import pytest
from hypothesis import given
from tests.cohort.conditions import CRITERIA, EXISTING, PATHS, ROWS, SPECIAL, TYPE, groups, row

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.evaluate import Files, Row, Truth, evaluate
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.errors import QueryError
from connectomedb.xnat.logic import opposite, plainly, simplify
from connectomedb.xnat.plain import to_plain, weaken
from connectomedb.xnat.query import Comparison, Criterion, Group, Method

ANY = groups(CRITERIA | EXISTING | SPECIAL)
COLUMNS = Columns(None, TYPE)
FULL = row(Whole=2, Part=0.5, Word="Fine", **{"3T_Codes": "A,B"})
LACKING = row()

TRUTHS: list[tuple[str, Row, Truth]] = [
    ("Whole = 2", FULL, True),
    ("Whole = 2.0", FULL, True),
    ("Whole = 2.5", FULL, False),
    ("Whole < 2.5", FULL, True),
    ("Whole != 2", FULL, False),
    ("Whole != 3", FULL, True),
    ("Whole in (1, 2.0)", FULL, True),
    ("Whole between 2 and 3", FULL, True),
    ("Part between 0.5 and 0.5", FULL, True),
    ("Part not between 1 and 2", FULL, True),
    ("Word = 'Fine'", FULL, True),
    ("Word = 'fine'", FULL, False),
    ("Word like 'fINE'", FULL, True),
    ("Word like 'F%'", FULL, True),
    ("Word like '*ine'", FULL, True),
    ("Word like 'in'", FULL, False),
    ("Word like 'F_ne'", FULL, False),
    ("Word contains ine", FULL, True),
    ("3T_Codes has a", FULL, True),
    ("3T_Codes has C,B", FULL, True),
    ("3T_Codes has AB", FULL, False),
    ("3T_Codes has r227", row(**{"3T_Codes": "r177 r227"}), True),
    ("3T_Codes has B", row(**{"3T_Codes": "A; B"}), True),
    # missing: unknown, and not of unknown is unknown
    ("Whole = 2", LACKING, None),
    ("not Whole = 2", LACKING, None),
    ("Whole != 2", LACKING, None),
    ("Whole != 2 or empty", LACKING, True),
    ("not (Whole != 2 or empty)", LACKING, False),
    ("Whole not in (1)", LACKING, None),
    ("Word not like 'x'", LACKING, None),
    ("Whole not between 1 and 2", LACKING, None),
    ("Word is empty", LACKING, True),
    ("Word is empty", row(Word=""), True),
    ("Word is not empty", LACKING, False),
    # an empty cell holds no codes
    ("3T_Codes has A", LACKING, False),
    ("not 3T_Codes has A", LACKING, True),
    # Kleene
    ("Whole = 2 and Word = x", row(Word="y"), False),
    ("Whole = 2 and Word = x", row(Word="x"), None),
    ("Whole = 2 or Word = x", row(Word="x"), True),
    ("Whole = 2 or Word = x", row(Word="y"), None),
    ("", LACKING, True),
]


@pytest.mark.parametrize(("predicate", "cells", "truth"), TRUTHS)
def test_what_a_predicate_says(predicate: str, cells: Row, truth: Truth) -> None:
    assert evaluate(parse_predicate(predicate, COLUMNS), cells) is truth


RUN = {"MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR_Atlas_MSMAll.dtseries.nii", "T1w/aparc+aseg.nii.gz"}
EXIST: list[tuple[str, Files, Truth]] = [
    ('exists "rfMRI_REST1_LR/*_MSMAll.dtseries.nii"', RUN, True),
    ('exists "T1w/*.nii.gz"', RUN, True),
    ('exists "/T1w/*.nii.gz"', RUN, True),
    ('exists "/aparc+aseg.nii.gz"', RUN, False),
    ('exists "aparc+aseg.nii.gz"', RUN, True),
    ('exists "parc+aseg.nii.gz"', RUN, False),
    ('exists "T1w/"', RUN, True),
    ('not exists "T1w/"', RUN, False),
    ('exists "T1w/"', set(), False),
    ('exists "T1w/"', None, None),
    ('not exists "T1w/"', None, None),
]


@pytest.mark.parametrize(("predicate", "files", "truth"), EXIST)
def test_files_exist_or_not_or_are_not_known(predicate: str, files: Files, truth: Truth) -> None:
    assert evaluate(parse_predicate(predicate, COLUMNS), {}, files) is truth


def test_a_column_is_found_under_each_of_its_names() -> None:
    label = Criterion(f"{TYPE}/SUBJECT_LABEL", Comparison.EQUAL, "100307")
    for name in (f"{TYPE}/SUBJECT_LABEL", "SUBJECT_LABEL", "Subject"):
        assert evaluate(label, {name: "100307"}) is True
    with pytest.raises(QueryError, match="SUBJECT_LABEL"):
        evaluate(label, {"Other": "100307"})


@pytest.mark.parametrize("value", ["x", "nan", "inf", "1_0", ""])
def test_a_number_is_compared_with_numbers_only(value: str) -> None:
    with pytest.raises(QueryError, match="no number"):
        evaluate(Criterion(f"{TYPE}/Whole", Comparison.LESS, value), {"Whole": 1})


NOT: dict[Truth, Truth] = {True: False, False: True, None: None}


@given(ANY, ROWS, PATHS)
def test_the_opposite_says_the_opposite_and_unknown_stays_unknown(where: Group, cells: Row, files: Files) -> None:
    assert evaluate(opposite(where), cells, files) is NOT[evaluate(where, cells, files)]


@given(ANY, ROWS, PATHS)
def test_simpler_spellings_say_the_same(where: Group, cells: Row, files: Files) -> None:
    assert evaluate(simplify(where), cells, files) is evaluate(where, cells, files)


@given(ANY, ROWS, PATHS)
def test_xnats_words_find_all_that_is_wanted_and_say_when_nothing_else(where: Group, cells: Row, files: Files) -> None:
    wanted = evaluate(where, cells, files) is True
    weak = weaken(where)
    found = evaluate(weak.where, cells, files) is True
    assert found or not wanted
    assert found == wanted or not weak.is_exact
    if weak.is_exact:
        assert to_plain(where) == weak.where
    else:
        with pytest.raises(QueryError):
            to_plain(where)


@given(SPECIAL, ROWS)
def test_xnats_special_values_are_null_comparisons(criterion: Criterion, cells: Row) -> None:
    assert plainly(criterion).comparison in (Comparison.IS_NULL, Comparison.IS_NOT_NULL)
    assert evaluate(Group(Method.OR, (criterion,)), cells) is evaluate(plainly(criterion), cells)

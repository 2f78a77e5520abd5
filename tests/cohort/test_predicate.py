import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cohort.conditions import CODES, CRITERIA, DICTIONARY, EXISTING, PART, TYPE, WHOLE, WORD, groups

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.formatter import format_predicate
from connectomedb.cohort.predicate import MAX_CONDITIONS, MAX_DEPTH, parse_predicate
from connectomedb.cohort.tokens import MAX_LENGTH
from connectomedb.errors import PredicateError, QueryError
from connectomedb.hcp.dictionary import Dictionary
from connectomedb.xnat.logic import simplify
from connectomedb.xnat.query import FILE_PATH, Comparison, Criterion, Group, Method, parse_constraints

COLUMNS = Columns(DICTIONARY, TYPE)
GENDER = f"{TYPE}/Gender"
C = Comparison


def one(field: str, comparison: Comparison, value: str = "") -> Group:
    return Group(members=(Criterion(field, comparison, value),))


SPELLED = [
    ("Whole >= 2", one(WHOLE, C.GREATER_EQUAL, "2")),
    ("Whole>=2", one(WHOLE, C.GREATER_EQUAL, "2")),
    ("  Whole\n>=\t2 ", one(WHOLE, C.GREATER_EQUAL, "2")),
    ("Whole == 2", one(WHOLE, C.EQUAL, "2")),
    ("Whole <> -2", one(WHOLE, C.DIFFERS, "-2")),
    ("Part < 1e3", one(PART, C.LESS, "1e3")),
    ("Gender = F", one(GENDER, C.EQUAL, "F")),
    ("Gender = 'F'", one(GENDER, C.EQUAL, "F")),
    ('"Gender" = "F"', one(GENDER, C.EQUAL, "F")),
    ("`Gender` = `F`", one(GENDER, C.EQUAL, "F")),
    ("Word = 'it''s'", one(WORD, C.EQUAL, "it's")),
    ("Word = 22-25", one(WORD, C.EQUAL, "22-25")),
    ("Word != 'or'", one(WORD, C.DIFFERS, "or")),
    ("Word != x or empty", one(WORD, C.NOT_EQUAL, "x")),
    ("Word != x OR Missing", one(WORD, C.NOT_EQUAL, "x")),
    ("Word = '*'", one(WORD, C.IN, "*")),
    ("Word != 'NULL'", one(WORD, C.NOT_IN, "NULL")),
    ("3T_Codes has A", one(CODES, C.HAS, "A")),
    ("3T_Codes has A,B", one(CODES, C.HAS, "A,B")),
    ("3T_Codes has (A, 'B')", one(CODES, C.HAS, "A,B")),
    ("not 3T_Codes has A", one(CODES, C.HAS_NOT, "A")),
    ("3T_Codes not has A", one(CODES, C.HAS_NOT, "A")),
    ("Word in (F, M, F)", one(WORD, C.IN, "F,M")),
    ("Word NOT IN ('F')", one(WORD, C.NOT_IN, "F")),
    ("not Word in ('F')", one(WORD, C.NOT_IN, "F")),
    ("Whole between 1 and 3", one(WHOLE, C.BETWEEN, "1 AND 3")),
    ("Whole not between 1 and 3", one(WHOLE, C.NOT_BETWEEN, "1 AND 3")),
    ("Word like 'F*'", one(WORD, C.LIKE, "F*")),
    ("Word contains at", one(WORD, C.LIKE, "*at*")),
    ("Word not contains at", one(WORD, C.NOT_LIKE, "*at*")),
    ("Word is empty", one(WORD, C.IS_NULL)),
    ("Word is null", one(WORD, C.IS_NULL)),
    ("Word is not missing", one(WORD, C.IS_NOT_NULL)),
    ("not Word is empty", one(WORD, C.IS_NOT_NULL)),
    ('exists "T1w/*.nii.gz"', one(FILE_PATH, C.EXISTS, "T1w/*.nii.gz")),
    ("not exists T1w/*.nii.gz", one(FILE_PATH, C.EXISTS_NOT, "T1w/*.nii.gz")),
    ("Subject = 100307", one(f"{TYPE}/SUBJECT_LABEL", C.EQUAL, "100307")),
    ("xnat:subjectData/GENDER_TEXT = F", one("xnat:subjectData/GENDER_TEXT", C.EQUAL, "F")),
    (f"{TYPE}/Whole < 3", one(WHOLE, C.LESS, "3")),
    (
        "xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/age > 3",
        one("xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/age", C.GREATER, "3"),
    ),
    ("not not Whole = 1", one(WHOLE, C.EQUAL, "1")),
    ("((Whole = 1))", one(WHOLE, C.EQUAL, "1")),
    ("", Group()),
    (" \n", Group()),
]


@pytest.mark.parametrize(("predicate", "where"), SPELLED)
def test_every_spelling_is_read(predicate: str, where: Group) -> None:
    assert parse_predicate(predicate, COLUMNS) == where


A, B, D = (Criterion(WHOLE, C.EQUAL, number) for number in ("1", "2", "3"))
NOT_A, NOT_B = (Criterion(WHOLE, C.DIFFERS, number) for number in ("1", "2"))
AND, OR = Method.AND, Method.OR
JOINED = [
    ("Whole = 1 and Whole = 2 and Whole = 3", Group(AND, (A, B, D))),
    ("Whole = 1 or Whole = 2 and Whole = 3", Group(OR, (A, Group(AND, (B, D))))),
    ("Whole = 1 and Whole = 2 or Whole = 3", Group(OR, (Group(AND, (A, B)), D))),
    ("Whole = 1 and (Whole = 2 or Whole = 3)", Group(AND, (A, Group(OR, (B, D))))),
    ("(Whole = 1 and Whole = 2) and Whole = 3", Group(AND, (A, B, D))),
    ("not (Whole = 1 or Whole = 2)", Group(AND, (NOT_A, NOT_B))),
    ("not (Whole = 1 and Whole = 2) or Whole = 3", Group(OR, (NOT_A, NOT_B, D))),
    ("not Whole = 1 and Whole = 2", Group(AND, (NOT_A, B))),
    ("Whole = 1 AND Whole = 2 Or Whole = 3", Group(OR, (Group(AND, (A, B)), D))),
    ("Word in ('A,B', F)", Group(OR, (Criterion(WORD, C.IN, "F"), Criterion(WORD, C.EQUAL, "A,B")))),
    ("Word not in ('A,B', F)", Group(AND, (Criterion(WORD, C.NOT_IN, "F"), Criterion(WORD, C.DIFFERS, "A,B")))),
    ("not (Word != x or empty)", Group(AND, (Criterion(WORD, C.EQUAL, "x"), Criterion(WORD, C.IS_NOT_NULL)))),
]


@pytest.mark.parametrize(("predicate", "where"), JOINED)
def test_not_binds_closer_than_and_and_closer_than_or(predicate: str, where: Group) -> None:
    assert parse_predicate(predicate, COLUMNS) == where


FAULTY = [
    ("Whol = 1", 1, "no column Whol", ("Whole",)),
    ("Whole = 1 and gender = F", 15, "no column gender", ("Gender",)),
    ("Qwertyuiop = 1", 1, "cdb fields", ()),
    ("Gender = female", 10, "one of F, M", ()),
    ("Gender = f", 10, "one of F, M", ("F",)),
    ("Gender in (F, m)", 15, "one of F, M", ("M",)),
    ("Whole = one", 9, "none", ()),
    ("Whole = nan", 9, "none", ()),
    ("Whole = 1_0", 9, "none", ()),
    ("Whole between 1 and x", 21, "none", ()),
    ("Whole like 1", 7, "holds numbers", ()),
    ("Whole has A", 7, "holds numbers", ()),
    ("Gender < F", 8, "no order", ()),
    ("Gender between F and M", 8, "no order", ()),
    ("Word = ''", 8, "missing value", ("is empty",)),
    ("Word != ' '", 9, "missing value", ("is not empty",)),
    ("Word in ('')", 10, "missing value", ("is empty",)),
    ("Word contains ''", 15, "every text", ("is not empty",)),
    ("Word != '*' or empty", 9, "not in", ()),
    ("3T_Codes has 'A B'", 14, "no blanks", ()),
    ("Word = and", 8, "keyword 'and'", ()),
    ("Word", 5, "ends where =", ()),
    ("Word =", 7, "ends where a value", ()),
    ("Word not = 1", 10, "in, between", ()),
    ("Word is 3", 9, "'empty' or 'not empty'", ()),
    ("Word in F", 9, "'('", ()),
    ("Word in (F M)", 12, "',' or ')'", ()),
    ("Word in ()", 10, "a value", ()),
    ("Word = F Word = M", 10, "'and', 'or' or the end", ()),
    ("Word = F && Word = M", 10, "'and', 'or' or the end", ("and",)),
    ("Word = F | Word = M", 10, "'and', 'or' or the end", ("or",)),
    ("(Word = F", 10, "')'", ()),
    ("Word = F)", 9, "the end", ()),
    ("and Word = F", 1, "a column", ()),
    ("Word = F and", 13, "a column", ()),
    ("not", 4, "a column", ()),
    ("= 3", 1, "a column", ()),
    ("'' = 3", 1, "a column", ()),
    ("Word ! F", 6, "alone", ("!=", "not")),
    ("Word = 'F", 8, "never closed", ()),
    ("Word = [x", 8, "in quotes", ()),
    ("exists", 7, "a pattern of files", ()),
    ("exists '../x{'", 8, "no pattern of files", ()),
    ("Word = F; drop table users", 11, "'and', 'or' or the end", ()),
    ("Whole between 1 and 'or'", 21, "none", ()),
]


@pytest.mark.parametrize(("predicate", "column", "words", "near"), FAULTY)
def test_an_error_points_at_the_place_and_suggests(
    predicate: str, column: int, words: str, near: tuple[str, ...]
) -> None:
    with pytest.raises(PredicateError) as caught:
        parse_predicate(predicate, COLUMNS)
    fault = caught.value
    assert (fault.column, fault.near) == (column, near)
    assert words in str(fault)
    shown, carets = str(fault).splitlines()[-2:]
    assert shown == f"    {predicate}"
    assert carets.index("^") == 4 + column - 1


def test_a_long_predicate_is_shown_around_the_place() -> None:
    predicate = " and ".join(["Whole = 1"] * 60 + ["Whol = 1"] + ["Whole = 1"] * 60)
    with pytest.raises(PredicateError) as caught:
        parse_predicate(predicate, COLUMNS)
    _, shown, carets = str(caught.value).splitlines()
    assert len(shown) <= 104
    assert shown[carets.index("^") :].startswith("Whol = 1")


BOUNDED = [
    "x" * (MAX_LENGTH + 1),
    "(" * (MAX_DEPTH + 1) + "Whole = 1" + ")" * (MAX_DEPTH + 1),
    "not " * (MAX_DEPTH + 1) + "Whole = 1",
    " or ".join(["Whole=1"] * (MAX_CONDITIONS + 1)),
]


@pytest.mark.parametrize("predicate", BOUNDED, ids=["length", "parentheses", "nots", "conditions"])
def test_what_is_too_long_or_deep_is_refused(predicate: str) -> None:
    with pytest.raises(PredicateError):
        parse_predicate(predicate, COLUMNS)


def test_depth_counts_nesting_not_length() -> None:
    predicate = " and ".join(["(not Whole = 1)"] * 100)
    assert len(parse_predicate(predicate, COLUMNS).members) == 100
    deep = "(" * MAX_DEPTH + "Whole = 1" + ")" * MAX_DEPTH
    assert parse_predicate(deep, COLUMNS) == Group(members=(A,))


@given(st.text(max_size=40) | st.text("ab'\"()=<>!, %not*", max_size=25))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        where = parse_predicate(text)
    except PredicateError as fault:
        assert 1 <= fault.column <= len(text) + 1
    else:
        assert parse_predicate(format_predicate(where)) == where


@given(groups(CRITERIA | EXISTING))
def test_what_is_printed_reads_as_the_same(where: Group) -> None:
    printed = format_predicate(where, COLUMNS)
    assert parse_predicate(printed, COLUMNS) == simplify(where)
    assert format_predicate(parse_predicate(printed, COLUMNS), COLUMNS) == printed


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10).filter(lambda name: "/" not in name)


@given(NAMES, st.text(min_size=1, max_size=10).filter(lambda value: value == value.strip() != ""))
def test_any_name_and_value_can_be_quoted(name: str, value: str) -> None:
    columns = Columns(None, TYPE)
    where = parse_predicate(format_predicate(one(f"{TYPE}/{name}", C.LIKE, value), columns), columns)
    assert where == one(f"{TYPE}/{name}", C.LIKE, value)


def test_pyxnats_list_and_the_predicate_are_one_query() -> None:
    nested = [
        (WHOLE, ">=", 2),
        (WORD, "IN", ["F", "M"]),
        [(WORD, "LIKE", "F%"), (PART, "BETWEEN", (1, 2.5)), "OR"],
        (CODES, "NOT HAS", ["A", "B"]),
        "AND",
    ]
    predicate = "Whole >= 2 and Word in (F, M) and (Word like 'F%' or Part between 1 and 2.5) and not 3T_Codes has A,B"
    assert parse_predicate(predicate, COLUMNS) == simplify(parse_constraints(nested))


def test_without_a_dictionary_nothing_is_checked() -> None:
    assert parse_predicate("Anything < x").members == (Criterion("hcp:nontoolboxdata/Anything", C.LESS, "x"),)
    assert parse_predicate("Subject = 1", Columns(Dictionary(), TYPE)) == one(f"{TYPE}/SUBJECT_LABEL", C.EQUAL, "1")


def test_an_error_of_a_predicate_is_an_error_of_a_query() -> None:
    with pytest.raises(QueryError):
        parse_predicate("(")

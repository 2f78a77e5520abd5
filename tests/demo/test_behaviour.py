"""The subject tables: form, ranges, sums that hold, families, and what the tutorial looks for."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectomedb.demo.measures.all_columns import COLUMN_BY_NAME, COLUMNS
from connectomedb.demo.measures.assessments import clock_text
from connectomedb.demo.measures.behaviour import behaviour_table, format_value, measures, restricted_table
from connectomedb.demo.measures.columns import Kind
from connectomedb.demo.measures.families import Twin, families
from connectomedb.demo.measures.private_measures import body_class
from connectomedb.demo.release import DemoRelease
from connectomedb.demo.subjects import MOTOR_LR, MOTOR_RL, REST, SUBJECTS, has_scan
from connectomedb.hcp.dictionary import Tier, ValueType, parse_value

Row = dict[str, str]
SEED = 1200
OPEN = {column.name for column in COLUMNS if column.tier is Tier.OPEN}
T1 = "Age_in_Yrs ZygositySR Family_ID Mother_ID Father_ID Race Ethnicity Handedness SSAGA_Income Height BMI ASR_Anxd_T"
T2 = "Hematocrit_1 BPSystolic FamHist_Moth_Dep THC Total_Drinks_7days SSAGA_FTND_Score SSAGA_Mj_Use"


def rows(content: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.fixture(scope="module")
def open_rows() -> list[Row]:
    return rows(behaviour_table(SUBJECTS, SEED))


@pytest.fixture(scope="module")
def all_rows(open_rows: list[Row]) -> list[Row]:
    restricted = rows(restricted_table(SUBJECTS, SEED))
    return [ours | theirs for ours, theirs in zip(open_rows, restricted, strict=True)]


def numbers(row: Row, names: str) -> list[float] | None:
    """The named cells as numbers, None when one is missing."""
    cells = [row[name] for name in names.split()]
    return [float(cell) for cell in cells] if all(cells) else None


def total(values: list[float]) -> float:
    return sum(values)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def area(shares: list[float]) -> float:
    widths = np.diff([1, 6, 12, 36, 60, 120])
    heights = np.array(shares)
    return float((widths * (heights[1:] + heights[:-1]) / 2).sum() / widths.sum())


def sv(short: str) -> str:
    return " ".join(f"DDisc_SV_{delay}_{short}" for delay in ("1mo", "6mo", "1yr", "3yr", "5yr", "10yr"))


def wm(load: str) -> str:
    return " ".join(f"WM_Task_{load}_{kind}_Acc" for kind in ("Body", "Face", "Place", "Tool"))


def both(name: str, first: str, second: str) -> str:
    return f"{name.format(first)} {name.format(second)}"


# result, parts, how the result comes from the parts, how far rounding may lead
IDENTITIES: list[tuple[str, str, Callable[[list[float]], float], float]] = [
    ("SCPT_FP", "SCPT_TN", lambda parts: 120 - parts[0], 0),
    ("SCPT_FN", "SCPT_TP", lambda parts: 60 - parts[0], 0),
    ("SCPT_SEN", "SCPT_TP", lambda parts: parts[0] / 60, 1e-4),
    ("SCPT_SPEC", "SCPT_TN", lambda parts: parts[0] / 120, 1e-4),
    ("ER40_CR", "ER40ANG ER40FEAR ER40HAP ER40NOE ER40SAD", total, 0),
    ("PSQI_Score", " ".join(f"PSQI_Comp{number}" for number in range(1, 8)), total, 0),
    ("PSQI_Comp1", "PSQI_Quality", total, 0),
    ("PSQI_Comp6", "PSQI_SleepMeds", total, 0),
    ("Mars_Final", "Mars_Log_Score Mars_Errs", lambda parts: parts[0] - 0.04 * parts[1], 1e-9),
    ("DDisc_AUC_200", sv("200"), lambda parts: area([part / 200 for part in parts]), 1e-3),
    ("DDisc_AUC_40K", sv("40K"), lambda parts: area([part / 40_000 for part in parts]), 1e-3),
    ("Emotion_Task_Acc", both("Emotion_Task_{}_Acc", "Face", "Shape"), mean, 0.011),
    ("Language_Task_Acc", both("Language_Task_{}_Acc", "Story", "Math"), mean, 0.011),
    ("Relational_Task_Acc", both("Relational_Task_{}_Acc", "Match", "Rel"), mean, 0.011),
    ("WM_Task_Acc", both("WM_Task_{}_Acc", "2bk", "0bk"), mean, 0.011),
    ("WM_Task_2bk_Acc", wm("2bk"), mean, 0.011),
    ("WM_Task_0bk_Acc", wm("0bk"), mean, 0.011),
    ("Gambling_Task_Perc_Smaller", both("Gambling_Task_Perc_{}", "Larger", "NLR"), lambda p: 100 - sum(p), 0.011),
    (
        "Social_Task_Perc_NLR",
        " ".join(f"Social_Task_Perc_{key}" for key in ("Random", "TOM", "Unsure")),
        lambda parts: 100 - sum(parts),
        1e-9,
    ),
    (
        "CogFluidComp_Unadj",
        " ".join(f"{test}_Unadj" for test in ("PicSeq", "CardSort", "Flanker", "ProcSpeed", "ListSort")),
        mean,
        0.011,
    ),
    ("CogCrystalComp_Unadj", both("{}_Unadj", "ReadEng", "PicVocab"), mean, 0.011),
    ("CogTotalComp_Unadj", both("Cog{}Comp_Unadj", "Fluid", "Crystal"), mean, 0.011),
    ("BMI", "Weight Height", lambda parts: 703 * parts[0] / parts[1] ** 2, 0.011),
    ("SSAGA_BMICat", "BMI", lambda parts: body_class(parts[0]), 0),
]


def test_the_columns_are_many_and_named_once() -> None:
    assert len(COLUMN_BY_NAME) == len(COLUMNS) > 300
    assert len(OPEN) > 250
    assert COLUMNS[0].name == "Subject"


def test_every_column_says_what_it_is() -> None:
    for column in COLUMNS:
        assert column.description and column.category and column.assessment, column.name
        assert (column.kind is Kind.ENUM) == bool(column.choices)
        assert column.definition.name == column.name
        if column.kind in (Kind.INTEGER, Kind.FLOAT):
            assert column.low is not None and column.high is not None and column.low <= column.high


def test_tiers_are_those_of_the_study() -> None:
    assert {COLUMN_BY_NAME[name].tier for name in T1.split()} == {Tier.RESTRICTED}
    assert {COLUMN_BY_NAME[name].tier for name in T2.split()} == {Tier.SENSITIVE}
    assert {COLUMN_BY_NAME[name].tier for name in ("Gender", "Age", "MMSE_Score", "QC_Issue")} == {Tier.OPEN}


def test_the_files_have_the_form_of_an_export(release: DemoRelease) -> None:
    for path, is_open in ((release.behaviour, True), (release.restricted, False)):
        content = path.read_bytes()
        assert b"\r" not in content and b'"' not in content and not content.startswith(b"\xef\xbb\xbf")
        lines = content.decode().splitlines()
        header = lines[0].split(",")
        assert header[0] == "Subject"
        assert {len(line.split(",")) for line in lines} == {len(header)}
        assert [line.split(",")[0] for line in lines[1:]] == list(release.subjects)
        assert (set(header) <= OPEN) == is_open
    assert set(header) & OPEN == {"Subject"}


def test_every_cell_is_of_its_columns_kind_and_range(all_rows: list[Row]) -> None:
    for row in all_rows:
        for name, cell in row.items():
            column = COLUMN_BY_NAME[name]
            if not cell:
                continue
            value = parse_value(column.definition.type or ValueType.TEXT, cell)
            if isinstance(value, int | float):
                assert column.low is not None and column.high is not None
                assert column.low <= value <= column.high, (name, cell)
            if column.kind is Kind.ENUM:
                assert cell in column.choices, (name, cell)
            if column.kind is Kind.TIME:
                assert re.fullmatch(r"([1-9]|1[0-9]|2[0-3]|0):[0-5][0-9]:00", cell), (name, cell)


@pytest.mark.parametrize(("result", "parts", "rule", "tolerance"), IDENTITIES, ids=[row[0] for row in IDENTITIES])
def test_sums_hold_for_everybody(
    all_rows: list[Row], result: str, parts: str, rule: Callable[[list[float]], float], tolerance: float
) -> None:
    checked = 0
    for row in all_rows:
        values, found = numbers(row, parts), numbers(row, result)
        if values is None or found is None:
            assert found is None, (row["Subject"], "a result without its parts")
            continue
        assert abs(found[0] - rule(values)) <= tolerance, row["Subject"]
        checked += 1
    assert checked > 60


@settings(max_examples=40)
@given(label=st.from_regex(r"[1-9][0-9]{5}", fullmatch=True), seed=st.integers(0, 10_000))
def test_sums_and_ranges_hold_for_any_person_and_seed(label: str, seed: int) -> None:
    row = {name: format_value(value) for name, value in measures(label, seed).items()}
    for result, parts, rule, tolerance in IDENTITIES:
        values, found = numbers(row, parts), numbers(row, result)
        if values and found:
            assert abs(found[0] - rule(values)) <= tolerance, result
    for column in COLUMNS:
        if column.low is not None and column.high is not None and row[column.name]:
            assert column.low <= float(row[column.name]) <= column.high, column.name


def test_personality_factors_are_the_sum_of_their_answers(open_rows: list[Row]) -> None:
    points = {"SD": 0, "D": 1, "N": 2, "A": 3, "SA": 4}
    for row in open_rows:
        for place, factor in enumerate("NEOAC"):
            answers = [row[f"NEORAW_{item:02d}"] for item in range(1 + place, 61, 5)]
            if row[f"NEOFAC_{factor}"]:
                assert int(row[f"NEOFAC_{factor}"]) == sum(points[answer] for answer in answers)
            else:
                assert set(answers) == {""}


def test_ages_agree_with_their_bands(all_rows: list[Row]) -> None:
    limits = {"22-25": (22, 25), "26-30": (26, 30), "31-35": (31, 35), "36+": (36, 99)}
    for row in all_rows:
        low, high = limits[row["Age"]]
        assert low <= int(row["Age_in_Yrs"]) <= high


def test_an_answer_that_nobody_gave_has_no_time(open_rows: list[Row]) -> None:
    unsure = [row for row in open_rows if row["Social_Task_Perc_Unsure"] == "0"]
    assert len(unsure) > 10
    assert {row["Social_Task_Median_RT_Unsure"] for row in unsure} == {""}


def test_delayed_money_is_worth_no_more_than_earlier_money(open_rows: list[Row]) -> None:
    for row in open_rows:
        for short in ("200", "40K"):
            values = numbers(row, sv(short))
            assert values is None or values == sorted(values, reverse=True)


def test_one_to_three_percent_of_the_values_are_missing(open_rows: list[Row]) -> None:
    skipped = {"QC_Issue", "Social_Task_Median_RT_Unsure"}
    cells = [cell for row in open_rows for name, cell in row.items() if name not in skipped]
    assert 0.005 < cells.count("") / len(cells) < 0.03


def test_completeness_columns_tell_what_is_there(open_rows: list[Row]) -> None:
    for row in open_rows:
        assert row["MMSE_Compl"] == ("TRUE" if row["MMSE_Score"] else "FALSE")
        assert row["NEO-FFI_Compl"] == ("TRUE" if row["NEOFAC_N"] else "FALSE")


def test_scan_columns_agree_with_the_files(open_rows: list[Row]) -> None:
    for row in open_rows:
        has_both = has_scan(row["Subject"], MOTOR_LR) and has_scan(row["Subject"], MOTOR_RL)
        assert (row["fMRI_Mot_Compl"] == "TRUE") == has_both
        assert (row["3T_RS-fMRI_Count"] == "4") == has_scan(row["Subject"], REST)
        kinds = re.findall(r"(\w+)\((\d+)\)", row["MRsession_Scans_3T"])
        assert " ".join(f"{kind}({count})" for kind, count in kinds) == row["MRsession_Scans_3T"]
    assert 3 < sum(row["3T_Full_MR_Compl"] == "FALSE" for row in open_rows) < 15


def test_the_tutorials_search_selects_some_and_finds_the_showcase_subject(open_rows: list[Row]) -> None:
    found = [row["Subject"] for row in open_rows if row["Gender"] == "F" and row["MMSE_Score"] in ("29", "30")]
    assert "100307" in found
    assert 10 < len(found) < 45


def test_some_subjects_have_quality_issues_by_letter(open_rows: list[Row]) -> None:
    issues = [row["QC_Issue"] for row in open_rows if row["QC_Issue"]]
    assert 2 < len(issues) < 25
    assert all(re.fullmatch(r"[A-E](;[A-E])*", issue) for issue in issues)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("PMAT24_A_CR", "PicVocab_Unadj", 0.2, 0.8),
        ("PMAT24_A_CR", "WM_Task_Acc", 0.1, 0.8),
        ("PicSeq_Unadj", "PicSeq_AgeAdj", 0.9, 1.0),
        ("Sadness_Unadj", "LifeSatisf_Unadj", -0.8, -0.1),
        ("VSPLOT_TC", "VSPLOT_OFF", -1.0, -0.6),
    ],
)
def test_measures_go_together_as_one_would_expect(
    open_rows: list[Row], one: str, other: str, low: float, high: float
) -> None:
    pairs = [pair for row in open_rows if (pair := numbers(row, f"{one} {other}"))]
    first, second = zip(*pairs, strict=True)
    assert low < np.corrcoef(first, second)[0, 1] < high


def test_families_have_siblings_and_twins_who_agree(all_rows: list[Row]) -> None:
    sizes = Counter(row["Family_ID"] for row in all_rows)
    assert {1, 2}.issubset(set(sizes.values()))
    assert all(
        name.startswith("SYN_") for row in all_rows for name in (row["Family_ID"], row["Mother_ID"], row["Father_ID"])
    )
    twins: dict[tuple[str, str], list[Row]] = {}
    for row in all_rows:
        if row["ZygositySR"] != Twin.NONE:
            twins.setdefault((row["Family_ID"], row["ZygositySR"]), []).append(row)
    assert {kind for _, kind in twins} == {Twin.FRATERNAL, Twin.IDENTICAL}
    for (_, kind), pair in twins.items():
        assert len(pair) == 2
        assert len({(row["Age_in_Yrs"], row["Mother_ID"], row["Father_ID"]) for row in pair}) == 1
        if kind == Twin.IDENTICAL:
            assert len({row["Gender"] for row in pair}) == 1


def test_everybody_of_the_list_has_a_family(all_rows: list[Row]) -> None:
    assert families(SEED).keys() == set(SUBJECTS)
    assert {row["Mother_ID"][5:] for row in all_rows} <= {row["Family_ID"][5:] for row in all_rows}


def test_a_person_is_the_same_in_any_selection() -> None:
    alone, among = rows(behaviour_table(["200614"], SEED)), rows(behaviour_table(SUBJECTS, SEED))
    assert alone == [row for row in among if row["Subject"] == "200614"]


def test_another_seed_gives_other_people(open_rows: list[Row]) -> None:
    others = rows(behaviour_table(SUBJECTS, SEED + 1))
    assert (
        sum(ours["PMAT24_A_CR"] == theirs["PMAT24_A_CR"] for ours, theirs in zip(open_rows, others, strict=True)) < 30
    )


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "0:00:00"), (23 * 60, "23:00:00"), (26 * 60, "2:00:00"), (375, "6:15:00")]
)
def test_times_have_no_leading_zero(minutes: int, text: str) -> None:
    assert clock_text(minutes) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (1, "1"), (1.0, "1"), (0.95, "0.95"), (100.0, "100"), ("A", "A")]
)
def test_numbers_have_no_idle_zeros(value: int | float | str | None, text: str) -> None:
    assert format_value(value) == text


def test_codes_say_what_they_stand_for() -> None:
    levels = {
        name: {one.value: one.meaning for one in COLUMN_BY_NAME[name].definition.values}
        for name in ("Gender", "SSAGA_Employ", "FamHist_Moth_Dep", "Age")
    }
    assert levels == {
        "Gender": {"F": "female", "M": "male", "U": "unknown"},
        "SSAGA_Employ": {"0": "none", "1": "part-time", "2": "full-time"},
        "FamHist_Moth_Dep": {"0": "no", "1": "yes"},
        "Age": {"22-25": "", "26-30": "", "31-35": "", "36+": ""},
    }

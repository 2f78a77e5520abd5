"""The demo's two subject tables, as ConnectomeDB exports them.

    behaviour.csv    Subject,Release,...      open columns
    restricted.csv   Subject,Age_in_Yrs,...   restricted and sensitive columns

First column Subject, comma separated, one line per subject, empty is missing, TRUE and FALSE, times `H:MM:SS`,
no commas inside fields.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from connectomedb.demo.dice import roll
from connectomedb.demo.measures.all_columns import COLUMN_BY_NAME, COLUMNS
from connectomedb.demo.measures.assessments import open_values, step
from connectomedb.demo.measures.columns import Column
from connectomedb.demo.measures.families import Relative, relative
from connectomedb.demo.measures.private_measures import restricted_values, truth
from connectomedb.demo.measures.scores import Traits, Value
from connectomedb.demo.subjects import MOTOR_LR, MOTOR_RL, REST, SHOWCASE, T2, has_scan
from connectomedb.hcp.dictionary import Tier

_LEFT_OUT = 0.016
"""How often one assessment of one person is missing."""

_NEVER_LEFT_OUT = frozenset(
    {
        "Subject Information",
        "Study Completion",
        "QC Issues",
        "MR Sessions",
        "Health and Family History",
        "Substance Use",
    }
)
_DONE_FLAGS: Mapping[str, str] = {
    "MMSE_Compl": "MMSE_Score",
    "PSQI_Compl": "PSQI_Score",
    "PMAT_Compl": "PMAT24_A_CR",
    "SCPT_Compl": "SCPT_TP",
    "IWRD_Compl": "IWRD_TOT",
    "VSPLOT_Compl": "VSPLOT_TC",
    "DelDisc_Compl": "DDisc_AUC_200",
    "EmoRecog_Compl": "ER40_CR",
    "NEO-FFI_Compl": "NEOFAC_A",
}
_COMPOSED_OF: Mapping[str, tuple[str, ...]] = {
    "CogFluidComp": ("PicSeq", "CardSort", "Flanker", "ProcSpeed", "ListSort"),
    "CogEarlyComp": ("PicSeq", "CardSort", "Flanker", "PicVocab"),
    "CogCrystalComp": ("ReadEng", "PicVocab"),
    "CogTotalComp": ("CogFluidComp", "CogCrystalComp"),
}
_LINKED = ({"Five Factor Model (NEO-FFI) Factor Summary Scores", "Five Factor Model (NEO-FFI) Raw Scores"},)
"""Assessments that come from one sitting: there or missing together."""


def behaviour_table(subjects: Iterable[str], seed: int) -> bytes:
    """The open table as CSV."""
    return _encode(_columns({Tier.OPEN}), (measures(subject, seed) for subject in subjects))


def restricted_table(subjects: Iterable[str], seed: int) -> bytes:
    """The restricted and sensitive table as CSV."""
    columns = (COLUMN_BY_NAME["Subject"], *_columns({Tier.RESTRICTED, Tier.SENSITIVE}))
    return _encode(columns, (measures(subject, seed) for subject in subjects))


def measures(subject: str, seed: int) -> dict[str, Value]:
    """Every value of one person, open and restricted, by column; None is missing."""
    kin = relative(seed, subject)
    traits = Traits.of(seed, subject, kin)
    values: dict[str, Value] = dict.fromkeys(COLUMN_BY_NAME)
    values.update(open_values(lambda part: roll(seed, subject, f"behaviour {part}"), traits))
    values.update(restricted_values(roll(seed, subject, "restricted"), traits, kin))
    if subject == SHOWCASE:
        values["MMSE_Score"] = max(29, int(str(values["MMSE_Score"])))
    else:
        _leave_out(values, subject, seed)
    return values | _demographics(subject, seed, kin) | _scans(subject, seed) | _completeness(values)


def format_value(value: Value) -> str:
    """A cell's text: missing is empty, numbers have no idle zeros."""
    if value is None:
        return ""
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _columns(tiers: set[Tier]) -> tuple[Column, ...]:
    return tuple(column for column in COLUMNS if column.tier in tiers)


def _encode(columns: Sequence[Column], people: Iterable[Mapping[str, Value]]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.name for column in columns)
    writer.writerows([format_value(person[column.name]) for column in columns] for person in people)
    return stream.getvalue().encode()


def _demographics(subject: str, seed: int, kin: Relative) -> dict[str, Value]:
    die = roll(seed, subject, "demographics")
    letters = [
        letter for letter, chance in zip("ABCDE", (0.04, 0.05, 0.04, 0.02, 0.02), strict=True) if die.random() < chance
    ]
    return {
        "Subject": subject,
        "Release": "Q1",
        "Acquisition": str(die.choice(["Q01", "Q02"])),
        "Gender": kin.gender,
        "Age": ("22-25", "26-30", "31-35", "36+")[step((26, 31, 36), kin.age)],
        "QC_Issue": ";".join(letters) or None,
    }


def _scans(subject: str, seed: int) -> dict[str, Value]:
    """What the scanner gave; agrees with the files of the release."""
    die = roll(seed, subject, "scans")
    has_rest, has_t2 = (has_scan(subject, scan) for scan in (REST, T2))
    motor_runs = has_scan(subject, MOTOR_LR) + has_scan(subject, MOTOR_RL)
    t1, t2 = (1 + int(die.random() < 0.6) for _ in range(2))
    rest = 4 if has_rest else 0
    kinds = {"dMRI": 6, "rfMRI": rest, "T1w": t1, "T2w": t2 * has_t2, "tfMRI": 12 + motor_runs}
    return {
        "3T_Full_MR_Compl": truth(has_rest and has_t2 and motor_runs == 2),
        "T1_Count": t1,
        "T2_Count": t2 * has_t2,
        "3T_RS-fMRI_Count": rest,
        "3T_RS-fMRI_PctCompl": 25 * rest,
        "3T_Full_Task_fMRI": truth(motor_runs == 2),
        "3T_tMRI_PctCompl": round(100 * (12 + motor_runs) / 14, 1),
        "fMRI_Mot_Compl": truth(motor_runs == 2),
        "fMRI_Mot_PctCompl": 50 * motor_runs,
        "3T_dMRI_Compl": truth(True),
        "3T_dMRI_PctCompl": 100,
        "fMRI_3T_ReconVrs": str(die.choice(["r177", "r227", "r177 r227"], p=(0.8, 0.15, 0.05))),
        "MRsession_Scanner_3T": "HCP3T",
        "MRsession_Scans_3T": " ".join(f"{kind}({count})" for kind, count in kinds.items() if count),
        "MRsession_Label_3T": f"{subject}_3T",
    }


def _completeness(values: Mapping[str, Value]) -> dict[str, Value]:
    done = {flag: values[column] is not None for flag, column in _DONE_FLAGS.items()}
    return {**{flag: truth(is_done) for flag, is_done in done.items()}, "Non-TB_Compl": truth(all(done.values()))}


def _leave_out(values: dict[str, Value], subject: str, seed: int) -> None:
    """Empty the assessments that this person did not do, and what is computed from them."""
    die = roll(seed, subject, "left out")
    names = dict.fromkeys(column.assessment for column in COLUMNS if column.category not in _NEVER_LEFT_OUT)
    missing = {name for name in names if die.random() < _LEFT_OUT}
    for linked in _LINKED:
        missing -= linked if die.random() < 0.5 else set()
        missing |= linked if missing & linked else set()
    for column in COLUMNS:
        if column.assessment in missing:
            values[column.name] = None
    for composite, parts in _COMPOSED_OF.items():
        if any(values[f"{part}_Unadj"] is None for part in parts):
            values |= {f"{composite}_Unadj": None, f"{composite}_AgeAdj": None}

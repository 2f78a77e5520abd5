"""What is known of HCP's columns beyond its data dictionary, which states neither tier nor type nor range.

Rules are tried from top to bottom, the first that fits counts. A column that no rule opens is restricted.
Source: tiers of HCP's public wiki; values of its data dictionary's descriptions and of its open export.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from connectomedb.hcp.advisories import known_advisories
from connectomedb.hcp.dictionary import AllowedValue, FieldDefinition, Tier, ValueType

OPEN_CATEGORIES = frozenset(
    {
        "Study Completion",
        "QC Issues",
        "MR Sessions",
        "MEG Sessions",
        "MEG Subjects",
        "Alertness",
        "Cognition",
        "Emotion",
        "FreeSurfer",
        "In-Scanner Task Performance",
        "Motor",
        "Personality",
        "Sensory",
        "7T Eye Tracker Metadata",
    }
)
"""Categories whose columns are open unless a rule below says otherwise."""

OPEN_NAMES = frozenset({"Subject", "Release", "Acquisition", "Gender", "Age"})
"""Columns that are open whatever their category."""

CLOSED_CATEGORIES: Mapping[str, Tier] = {
    "Psychiatric and Life Function": Tier.RESTRICTED,
    "Substance Use": Tier.SENSITIVE,
}

_CLOSED_NAMES = (
    (
        Tier.SENSITIVE,
        re.compile(
            r"Hematocrit_[12]|BPSystolic|BPDiastolic|ThyroidHormone|HbA1C|Hyp(?:o|er)thyroidism.*|OtherEndocr.*|FamHist_.*"
        ),
    ),
    (
        Tier.RESTRICTED,
        re.compile(
            r"Age_in_Yrs|Zygosity.*|Twin_Stat|HasGT|Family_ID|(?:Mother|Father)_ID|TestRetestInterval|Race|Ethnicity"
            r"|Handedness|SSAGA_(?:Employ|Income|Educ|InSchool|Rlshp|MOBorn|BMICat|BMICatHeaviest)|Height|Weight|BMI"
            r"|Blood_Drawn|Menstrual_.*|Color_Vision|Eye|EVA_Num|EVA_Denom|Correction"
        ),
    ),
)

_AGES = ("22-25", "26-30", "31-35", "36+")
_RELEASES = ("Q1", "Q2", "Q3", "S500", "MEG2", "S900", "S1200")

_INTEGER, _FLOAT, _TEXT = ValueType.INTEGER, ValueType.FLOAT, ValueType.TEXT


def _words(*values: str) -> tuple[AllowedValue, ...]:
    return tuple(AllowedValue(value) for value in values)


_RULES: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("fMRI_3T_ReconVrs", {"type": _TEXT, "values": _words("r177", "r227"), "holds_several": True}),
    ("Gender", {"type": _TEXT, "values": _words("F", "M", "U")}),
    ("Age", {"type": _TEXT, "values": _words(*_AGES), "unit": "years"}),
    ("Age_in_Yrs", {"type": _INTEGER, "unit": "years"}),
    ("Release", {"type": _TEXT, "values": _words(*_RELEASES)}),
    ("Acquisition", {"type": _TEXT, "values": _words(*(f"Q{quarter:02}" for quarter in range(1, 14)))}),
    ("Handedness", {"type": _INTEGER, "low": -100, "high": 100}),
    ("SSAGA_Income", {"type": _INTEGER, "low": 1, "high": 8}),
    ("SSAGA_Educ", {"type": _INTEGER, "low": 11, "high": 17, "unit": "years"}),
    ("SSAGA_Employ", {"type": _INTEGER, "low": 0, "high": 2}),
    ("SSAGA_BMICat", {"type": _INTEGER, "low": 1, "high": 4}),
    ("Height", {"type": _FLOAT, "unit": "in"}),
    ("PMAT24_A_CR", {"type": _INTEGER, "low": 0, "high": 24}),
    ("PMAT24_A_RTCR|VSPLOT_CRTE|SCPT_TPRT|IWRD_RTC|ER40_CRT", {"type": _FLOAT, "unit": "ms"}),
    ("DDisc_SV_.*", {"type": _FLOAT, "unit": "USD"}),
    ("PainIntens_RawScore", {"type": _INTEGER, "low": 0, "high": 10}),
    ("Noise_Comp", {"type": _FLOAT, "low": -2, "high": 26}),
    ("MMSE_Score", {"type": _INTEGER, "low": 0, "high": 30}),
    ("T[12]_Count", {"type": _INTEGER}),
    ("3T_RS-fMRI_Count", {"type": _INTEGER, "low": 0, "high": 4}),
    (".*_PctCompl", {"type": _FLOAT, "low": 0, "high": 100, "unit": "%"}),
    (".*_Median_RT(?:_.*)?", {"type": _FLOAT, "unit": "ms"}),
    (".*_(?:Unadj|AgeAdj)", {"type": _FLOAT}),
    ("FS_.*_Vol", {"type": _FLOAT, "unit": "mm^3"}),
    ("FS_.*_Thck", {"type": _FLOAT, "unit": "mm"}),
    ("FS_.*_Area", {"type": _FLOAT, "unit": "mm^2"}),
    ("(?:Alpha|Beta)_Peak", {"type": _FLOAT, "unit": "Hz"}),
    ("NEORAW_[0-9]{2}", {"type": _TEXT, "values": _words("SD", "D", "N", "A", "SA")}),
)


@cache
def _facts() -> tuple[tuple[re.Pattern[str], Mapping[str, object]], ...]:
    codes = tuple(AllowedValue(one.code, one.summary) for one in known_advisories().qc_codes.values())
    qc_issue = ("QC_Issue", {"type": _TEXT, "values": codes, "holds_several": True})
    return tuple((re.compile(pattern), facts) for pattern, facts in (qc_issue, *_RULES))


def tier_of(name: str, category: str) -> Tier:
    """Who may see a column of HCP; restricted unless it is known to be open."""
    for tier, names in _CLOSED_NAMES:
        if names.fullmatch(name):
            return tier
    if name in OPEN_NAMES or category in OPEN_CATEGORIES:
        return Tier.OPEN
    return CLOSED_CATEGORIES.get(category, Tier.RESTRICTED)


def with_facts(field: FieldDefinition) -> FieldDefinition:
    """The column with the type, unit and values that are known of it; what it states itself stays."""
    facts = next((facts for names, facts in _facts() if names.fullmatch(field.name)), {})
    return replace(field, **{name: fact for name, fact in facts.items() if not getattr(field, name)})  # type: ignore[arg-type]  # the table above names attributes

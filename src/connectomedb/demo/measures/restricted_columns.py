"""The restricted and sensitive columns: exact age, family, body, psychiatric self-report, blood, substances.

Names and tiers are real, so that rights can be tried out; ranges and words are made up by us.
"""

from itertools import chain

from connectomedb.demo.measures.columns import Column, choice, coded, flag, group, integer, number, text
from connectomedb.hcp.dictionary import Tier

SCALES: tuple[tuple[str, str, int], ...] = (
    ("ASR_Anxd", "anxious and low", 30),
    ("ASR_Witd", "withdrawn", 16),
    ("ASR_Soma", "complaints of the body", 20),
    ("ASR_Thot", "odd thoughts", 16),
    ("ASR_Attn", "attention", 24),
    ("ASR_Aggr", "aggression", 28),
    ("ASR_Rule", "rule breaking", 26),
    ("ASR_Intr", "intrusive", 12),
    ("DSM_Depr", "low mood", 26),
    ("DSM_Anxi", "anxiety", 14),
    ("DSM_Somp", "body, no cause found", 16),
    ("DSM_Avoid", "avoidance", 14),
    ("DSM_Adh", "attention and restlessness", 24),
    ("DSM_Antis", "antisocial", 28),
)
"""Self-report scales: stem of the two columns, what they ask about, largest sum of items."""

PARENTS = (("Moth", "mother"), ("Fath", "father"))
ILLNESSES = (
    ("Scz", "schizophrenia"),
    ("Dep", "depression"),
    ("BP", "bipolar disorder"),
    ("Anx", "anxiety"),
    ("DrgAlc", "drug or alcohol problems"),
    ("Alz", "Alzheimer's disease"),
    ("PD", "Parkinson's disease"),
    ("TS", "Tourette syndrome"),
)

_RESTRICTED, _SENSITIVE = Tier.RESTRICTED, Tier.SENSITIVE
_HEALTH = "Health and Family History"
_NO_YES = "0=no|1=yes"
_BMI = "1=below 18.5|2=below 25|3=below 30|4=30 and above"


def _self_report() -> tuple[Column, ...]:
    return tuple(
        column
        for stem, what, highest in SCALES
        for column in (
            integer(f"{stem}_Raw", 0, highest, f"Adult self-report, {what}: sum of items"),
            integer(f"{stem}_T", 50, 100, f"Adult self-report, {what}: scaled, mean 50, cut off below"),
        )
    )


def _parents() -> tuple[Column, ...]:
    return tuple(
        choice(f"FamHist_{key}_{short}", _NO_YES, f"Whether the {parent} had {illness}")
        for short, illness in ILLNESSES
        for key, parent in PARENTS
    ) + tuple(
        choice(f"FamHist_{key}_None", _NO_YES, f"Whether the {parent} had none of these") for key, parent in PARENTS
    )


RESTRICTED_COLUMNS: tuple[Column, ...] = tuple(
    chain(
        group(
            "Subject Information",
            "Demographics",
            integer("Age_in_Yrs", 22, 40, "Age at the first visit, years"),
            flag("HasGT", "Whether there is a genotype"),
            choice(
                "ZygositySR", "NotTwin=no twin|NotMZ=twin, not monozygotic|MZ=monozygotic twin", "Twin status as told"
            ),
            choice(
                "ZygosityGT",
                "DZ=dizygotic twin|MZ=monozygotic twin",
                "Twin status by genotype; empty when there is none",
            ),
            text("Family_ID", "Family, made up: SYN_F and a number"),
            text("Mother_ID", "Mother, made up: SYN_M and a number"),
            text("Father_ID", "Father, made up: SYN_P and a number"),
            choice("Race", "made-up A|made-up B|made-up C", "A made-up group"),
            choice("Ethnicity", "made-up X|made-up Y", "A made-up group"),
            integer("Handedness", -100, 100, "From wholly left-handed to wholly right-handed"),
            coded("SSAGA_Employ", "0=none|1=part-time|2=full-time", "Work"),
            integer("SSAGA_Income", 1, 8, "Household income, step 1 to 8"),
            integer("SSAGA_Educ", 11, 17, "Years of education; 11 is fewer than 12"),
            coded("SSAGA_InSchool", _NO_YES, "Whether in education now"),
            coded("SSAGA_Rlshp", _NO_YES, "Whether married or living with a partner"),
            coded("SSAGA_MOBorn", _NO_YES, "Whether born in the state of the study"),
            tier=_RESTRICTED,
        ),
        group(
            _HEALTH,
            "Physical Health",
            integer("Height", 55, 80, "Height, inches"),
            integer("Weight", 90, 330, "Weight, pounds"),
            number("BMI", 15, 50, "Body mass index, 703 x pounds / inches^2"),
            coded("SSAGA_BMICat", _BMI, "Body mass index, in four groups"),
            coded("SSAGA_BMICatHeaviest", _BMI, "The same, at one's heaviest"),
            flag("Blood_Drawn", "Whether blood was drawn"),
            tier=_RESTRICTED,
        ),
        group(
            "Psychiatric and Life Function",
            "Life Function (Achenbach Adult Self-Report, Syndrome Scales and DSM-Oriented Scale)",
            *_self_report(),
            integer("ASR_Totp_Raw", 0, 172, "Adult self-report, all syndromes: sum of the eight ASR scales"),
            integer("ASR_Totp_T", 25, 100, "Adult self-report, all syndromes: scaled, mean 50"),
            tier=_RESTRICTED,
        ),
        group(
            "Psychiatric and Life Function",
            "Psychiatric History",
            integer("SSAGA_ChildhoodConduct", 0, 12, "Conduct problems before 15, count"),
            coded("SSAGA_PanicDisorder", _NO_YES, "Whether ever a panic disorder"),
            coded("SSAGA_Agoraphobia", _NO_YES, "Whether ever agoraphobia"),
            coded("SSAGA_Depressive_Ep", _NO_YES, "Whether ever a depressive episode"),
            integer("SSAGA_Depressive_Sx", 0, 9, "Depressive symptoms, count"),
            tier=_RESTRICTED,
        ),
        group(
            "Sensory",
            "Vision (EVA Scores and Farnsworth Test)",
            choice(
                "Color_Vision",
                "NORMAL=sees all colours|PROTAN=weak in red|DEUTAN=weak in green|TRITAN=weak in blue",
                "Colour vision",
            ),
            choice("Eye", "L=left|R=right|B=both", "Eye tested"),
            integer("EVA_Num", 20, 20, "Acuity, upper number"),
            integer("EVA_Denom", 8, 100, "Acuity, lower number"),
            choice("Correction", "NONE|GLASSES|CONTACTS", "What is worn to see"),
            tier=_RESTRICTED,
        ),
        group(
            _HEALTH,
            "Physical Health",
            number("Hematocrit_1", 33, 54, "Red cells in blood, percent, first sample"),
            number("Hematocrit_2", 33, 54, "Red cells in blood, percent, second sample"),
            integer("BPSystolic", 85, 170, "Blood pressure, upper, mmHg"),
            integer("BPDiastolic", 45, 110, "Blood pressure, lower, mmHg"),
            number("ThyroidHormone", 0.3, 9, "Thyroid stimulating hormone, mU/l"),
            number("HbA1C", 4, 7, "Sugar bound to haemoglobin, percent"),
            tier=_SENSITIVE,
        ),
        group(
            _HEALTH,
            "Family History of Psychiatric and Neurologic Disorders",
            *_parents(),
            tier=_SENSITIVE,
        ),
        group(
            "Substance Use",
            "Breathalyzer and Drug Test Results",
            flag("Breathalyzer_Over_05", "Whether breath alcohol was above 0.05 percent"),
            flag("Breathalyzer_Over_08", "Whether breath alcohol was above 0.08 percent"),
            flag("THC", "Whether the test for cannabis was positive"),
            flag("Cocaine", "Whether the test for cocaine was positive"),
            tier=_SENSITIVE,
        ),
        group(
            "Substance Use",
            "Alcohol Use 7-Day Retrospective",
            integer("Total_Drinks_7days", 0, 40, "Drinks in the past week"),
            integer("Num_Days_Drank_7days", 0, 7, "Days with a drink in the past week"),
            tier=_SENSITIVE,
        ),
        group(
            "Substance Use",
            "Tobacco Use 7-Day Retrospective",
            integer("Total_Cigarettes_7days", 0, 140, "Cigarettes in the past week"),
            tier=_SENSITIVE,
        ),
        group(
            "Substance Use",
            "Tobacco Use and Dependence",
            integer("SSAGA_FTND_Score", 0, 10, "Nicotine dependence, points"),
            tier=_SENSITIVE,
        ),
        group(
            "Substance Use",
            "Marijuana Use and Dependence",
            coded("SSAGA_Mj_Use", _NO_YES, "Whether cannabis was ever used"),
            integer("SSAGA_Mj_Times_Used", 0, 5, "How often cannabis was used, step 0 to 5"),
            tier=_SENSITIVE,
        ),
    )
)

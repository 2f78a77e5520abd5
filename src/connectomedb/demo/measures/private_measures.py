"""What the restricted and sensitive columns hold: plainly made-up values, so that rights can be tried out."""

import math

import numpy as np

from connectomedb.demo.measures.families import Relative, Twin
from connectomedb.demo.measures.restricted_columns import ILLNESSES, PARENTS, SCALES
from connectomedb.demo.measures.scores import Traits, Value

Die = np.random.Generator


def restricted_values(die: Die, traits: Traits, kin: Relative) -> dict[str, Value]:
    """All restricted and sensitive values of a person."""
    return (
        _background(die, traits, kin)
        | _body(die, traits, kin)
        | _self_report(die, traits)
        | _eyes(die)
        | _blood(die)
        | _parents(die)
        | _substances(die, traits)
    )


def _background(die: Die, traits: Traits, kin: Relative) -> dict[str, Value]:
    has_genotype = die.random() < 0.95
    genotype = {Twin.IDENTICAL: "MZ", Twin.FRATERNAL: "DZ"}.get(kin.twin)
    return {
        "Age_in_Yrs": kin.age,
        "HasGT": truth(has_genotype),
        "ZygositySR": kin.twin.value,
        "ZygosityGT": genotype if has_genotype else None,
        "Family_ID": f"SYN_F{kin.family:03d}",
        "Mother_ID": f"SYN_M{kin.mother:03d}",
        "Father_ID": f"SYN_P{kin.father:03d}",
        "Race": f"made-up {die.choice(list('ABC'), p=(0.5, 0.3, 0.2))}",
        "Ethnicity": f"made-up {die.choice(list('XY'), p=(0.8, 0.2))}",
        "Handedness": int(5 * np.rint(np.clip(die.normal(65, 45), -100, 100) / 5)),
        "SSAGA_Employ": int(die.choice(3, p=(0.15, 0.2, 0.65))),
        "SSAGA_Income": _count(die, 4.5 + traits.ability, 1.8, 1, 8),
        "SSAGA_Educ": _count(die, 14.8 + traits.ability, 1.4, 11, 17),
        "SSAGA_InSchool": int(die.random() < 0.2),
        "SSAGA_Rlshp": int(die.random() < 0.45),
        "SSAGA_MOBorn": int(die.random() < 0.5),
    }


def _body(die: Die, traits: Traits, kin: Relative) -> dict[str, Value]:
    height = _count(die, 64.5 if kin.gender == "F" else 70, 2.7, 55, 80)
    unit = height**2 / 703
    lightest, heaviest = max(90, math.ceil(15 * unit)), min(330, math.floor(50 * unit))
    weight = _count(die, (25.5 - 1.2 * traits.fitness) * unit, 22, lightest, heaviest)
    index = round(weight / unit, 2)
    kind = body_class(index)
    return {
        "Height": height,
        "Weight": weight,
        "BMI": index,
        "SSAGA_BMICat": kind,
        "SSAGA_BMICatHeaviest": min(4, kind + int(die.random() < 0.3)),
    }


def body_class(index: float) -> int:
    """1 to 4 by body mass index."""
    return 1 + sum(index >= limit for limit in (18.5, 25, 30))


def _self_report(die: Die, traits: Traits) -> dict[str, Value]:
    values: dict[str, Value] = {}
    total = 0
    for stem, _, highest in SCALES:
        raw = int(np.clip(np.rint(highest * die.beta(1.6, 8) * np.exp(0.35 * traits.distress)), 0, highest))
        total += raw if stem.startswith("ASR") else 0
        values |= {f"{stem}_Raw": raw, f"{stem}_T": int(50 + np.rint(45 * (raw / highest) ** 1.5))}
    values |= {"ASR_Totp_Raw": total, "ASR_Totp_T": int(np.clip(30 + np.rint(total * 0.45), 25, 100))}
    symptoms = _count(die, 0.8 + 1.5 * max(traits.distress, 0), 1.2, 0, 9)
    return values | {
        "SSAGA_ChildhoodConduct": _count(die, 0.6, 1.2, 0, 12),
        "SSAGA_PanicDisorder": int(die.random() < 0.04),
        "SSAGA_Agoraphobia": int(die.random() < 0.03),
        "SSAGA_Depressive_Ep": int(symptoms >= 5),
        "SSAGA_Depressive_Sx": symptoms,
    }


def _eyes(die: Die) -> dict[str, Value]:
    return {
        "Color_Vision": str(die.choice(["NORMAL", "PROTAN", "DEUTAN", "TRITAN"], p=(0.95, 0.02, 0.02, 0.01))),
        "Eye": str(die.choice(["L", "R", "B"], p=(0.05, 0.05, 0.9))),
        "EVA_Num": 20,
        "EVA_Denom": int(die.choice([12, 16, 20, 25, 32], p=(0.2, 0.4, 0.25, 0.1, 0.05))),
        "Correction": str(die.choice(["NONE", "GLASSES", "CONTACTS"], p=(0.55, 0.25, 0.2))),
    }


def _blood(die: Die) -> dict[str, Value]:
    """Blood results; none when no blood was drawn."""
    is_drawn = die.random() < 0.9
    first = float(np.clip(die.normal(42, 3), 33.5, 53.5))
    samples: dict[str, Value] = {
        "Hematocrit_1": round(first, 1),
        "Hematocrit_2": round(first + float(np.clip(die.normal(0, 0.3), -0.5, 0.5)), 1),
        "ThyroidHormone": round(float(np.clip(die.lognormal(0.5, 0.4), 0.3, 9)), 2),
        "HbA1C": round(float(np.clip(die.normal(5.2, 0.3), 4, 7)), 1),
    }
    lower = _count(die, 76, 9, 45, 110)
    return {
        "Blood_Drawn": truth(is_drawn),
        **{name: value if is_drawn else None for name, value in samples.items()},
        "BPSystolic": min(170, max(85, lower + _count(die, 47, 7, 25, 70))),
        "BPDiastolic": lower,
    }


def _parents(die: Die) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for parent, _ in PARENTS:
        illnesses = {short: int(die.random() < 0.05) for short, _ in ILLNESSES}
        values |= {f"FamHist_{parent}_{short}": value for short, value in illnesses.items()}
        values[f"FamHist_{parent}_None"] = int(not any(illnesses.values()))
    return values


def _substances(die: Die, traits: Traits) -> dict[str, Value]:
    days = int(die.binomial(7, 0.25))
    smokes = die.random() < 0.12 + 0.04 * max(traits.distress, 0)
    times = int(die.choice(6, p=(0.45, 0.2, 0.12, 0.09, 0.08, 0.06)))
    breath = die.random() < 0.01
    return {
        "Breathalyzer_Over_05": truth(breath),
        "Breathalyzer_Over_08": truth(breath and die.random() < 0.5),
        "THC": truth(times > 3 and die.random() < 0.4),
        "Cocaine": truth(die.random() < 0.01),
        "Total_Drinks_7days": days + _count(die, 1.2 * days, 1.5, 0, 33) if days else 0,
        "Num_Days_Drank_7days": days,
        "Total_Cigarettes_7days": _count(die, 50, 30, 1, 140) if smokes else 0,
        "SSAGA_FTND_Score": _count(die, 3, 2, 0, 10) if smokes else None,
        "SSAGA_Mj_Use": int(times > 0),
        "SSAGA_Mj_Times_Used": times,
    }


def truth(value: object) -> str:
    """A yes or no as it stands in the tables."""
    return "TRUE" if value else "FALSE"


def _count(die: Die, mean: float, sd: float, low: int, high: int) -> int:
    return int(np.clip(np.rint(die.normal(mean, sd)), low, high))

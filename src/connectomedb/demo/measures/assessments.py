"""What each open assessment gives one person: columns and values that agree with one another.

Sums are sums of their parts, percentages add up, times of rare answers are empty when nobody gave the answer.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from connectomedb.demo.measures.open_columns import DELAYS, WM_STIMULI
from connectomedb.demo.measures.scores import FACTORS, SCORES, Score, Traits, Value, bounded, draw, standing

Values = Mapping[str, Value]
Die = np.random.Generator

_ALONE = (
    "GaitSpeed_Comp",
    "Noise_Comp",
    "PainIntens_RawScore",
    "PainInterf_Tscore",
    "IWRD_TOT",
    "IWRD_RTC",
    "AngAffect_Unadj",
    "AngHostil_Unadj",
    "AngAggr_Unadj",
    "FearAffect_Unadj",
    "FearSomat_Unadj",
    "Sadness_Unadj",
    "LifeSatisf_Unadj",
    "MeanPurp_Unadj",
    "PosAffect_Unadj",
    "Friendship_Unadj",
    "Loneliness_Unadj",
    "PercHostil_Unadj",
    "PercReject_Unadj",
    "EmotSupp_Unadj",
    "InstruSupp_Unadj",
    "PercStress_Unadj",
    "SelfEff_Unadj",
    "MMSE_Score",
)
"""Measures that depend on no other."""
_AGE_SCALES: Mapping[str, tuple[float, float]] = {
    "PicSeq": (106.2, 16),
    "CardSort": (102.7, 9.7),
    "Flanker": (102.6, 9.7),
    "ProcSpeed": (104, 19),
    "ListSort": (103, 13),
    "ReadEng": (107, 15),
    "PicVocab": (109, 15),
    "Endurance": (108, 13),
    "Dexterity": (103, 11),
    "Strength": (104, 19),
    "Taste": (96, 14),
}
_COMPOSITES: Mapping[str, tuple[str, ...]] = {
    "CogFluidComp": ("PicSeq", "CardSort", "Flanker", "ProcSpeed", "ListSort"),
    "CogEarlyComp": ("PicSeq", "CardSort", "Flanker", "PicVocab"),
    "CogCrystalComp": ("ReadEng", "PicVocab"),
}
_ODOURS = (82.74, 93.38, 96.87, 101.12, 108.79, 122.25)
_DISTURBANCES = ("WakeUp", "Bathroom", "Breathe", "Snore", "TooCold", "TooHot", "BadDream", "Pain", "Other")
_MONTHS = (1, 6, 12, 36, 60, 120)


def open_values(die: Callable[[str], Die], traits: Traits) -> Values:
    """All assessed open values of a person; `die` gives a die for each part, so that parts stay apart."""
    values: dict[str, Value] = {name: draw(name, die(name), traits) for name in _ALONE}
    for name, part in _PARTS.items():
        values.update(part(die(name), traits))
    return values


def _matrices(die: Die, traits: Traits) -> Values:
    solved = draw("PMAT24_A_CR", die, traits)
    skipped = bounded("PMAT24_A_SI", 16 - solved + 2 * die.standard_normal())
    return {"PMAT24_A_CR": solved, "PMAT24_A_SI": skipped, "PMAT24_A_RTCR": draw("PMAT24_A_RTCR", die, traits)}


def _toolbox(die: Die, traits: Traits) -> Values:
    values: dict[str, float] = {}
    for stem, (mean, sd) in _AGE_SCALES.items():
        raw = draw(f"{stem}_Unadj", die, traits)
        place = (raw - SCORES[f"{stem}_Unadj"].mean) / SCORES[f"{stem}_Unadj"].sd
        values[f"{stem}_Unadj"] = raw
        values[f"{stem}_AgeAdj"] = bounded(f"{stem}_AgeAdj", mean + sd * (0.97 * place + 0.1 * die.standard_normal()))
    for suffix in ("Unadj", "AgeAdj"):
        for composite, parts in _COMPOSITES.items():
            mean_of_parts = sum(values[f"{part}_{suffix}"] for part in parts) / len(parts)
            values[f"{composite}_{suffix}"] = bounded(f"{composite}_{suffix}", mean_of_parts)
        both = values[f"CogFluidComp_{suffix}"] + values[f"CogCrystalComp_{suffix}"]
        values[f"CogTotalComp_{suffix}"] = bounded(f"CogTotalComp_{suffix}", both / 2)
    return values


def _attention(die: Die, traits: Traits) -> Values:
    names = ("SCPT_TP", "SCPT_TN", "SCPT_TPRT", "SCPT_LRNR")
    values = {name: draw(name, die, traits) for name in names}
    hits, rejections = values["SCPT_TP"], values["SCPT_TN"]
    values |= {"SCPT_FN": 60 - hits, "SCPT_FP": 120 - rejections}
    return values | {"SCPT_SEN": round(hits / 60, 4), "SCPT_SPEC": round(rejections / 120, 4)}


def _orientation(die: Die, traits: Traits) -> Values:
    right = draw("VSPLOT_TC", die, traits)
    off = bounded("VSPLOT_OFF", 62 - 2.6 * right + 7 * die.standard_normal())
    return {"VSPLOT_TC": right, "VSPLOT_CRTE": draw("VSPLOT_CRTE", die, traits), "VSPLOT_OFF": off}


def _discounting(die: Die, traits: Traits) -> Values:
    """Values fall with the delay; each is one of the 32 steps that halving leads to."""
    values: dict[str, Value] = {}
    patience = 0.35 * traits.ability + 0.8 * die.standard_normal()
    for short, amount, shift in (("200", 200, 0.0), ("40K", 40_000, 1.4)):
        rate = np.exp(-3.2 - patience - shift)
        worth = 1 / (1 + rate * np.array(_MONTHS)) + die.normal(0, 0.03, len(_MONTHS))
        steps = np.clip(np.rint(np.minimum.accumulate(worth) * 64 - 0.5), 0, 62) + 0.5
        shares = np.clip(steps / 64, 1 / 64, 63 / 64)
        values |= {
            f"DDisc_SV_{delay}_{short}": bounded(f"DDisc_SV_{delay}_{short}", float(share * amount), 3)
            for delay, share in zip(DELAYS, shares, strict=True)
        }
        values[f"DDisc_AUC_{short}"] = bounded(f"DDisc_AUC_{short}", _area(shares), 4)
    return values


def _area(shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Mean height of the line through the shares over the delays."""
    widths = np.diff(_MONTHS)
    return float((widths * (shares[1:] + shares[:-1]) / 2).sum() / widths.sum())


def _faces(die: Die, traits: Traits) -> Values:
    parts = {name: round(draw(name, die, traits)) for name in ("ER40ANG", "ER40FEAR", "ER40HAP", "ER40NOE", "ER40SAD")}
    while sum(parts.values()) < 24:
        parts[min(parts, key=lambda name: parts[name])] += 1
    return {**parts, "ER40_CR": sum(parts.values()), "ER40_CRT": draw("ER40_CRT", die, traits)}


def _sleep(die: Die, traits: Traits) -> Values:
    bad = 0.6 * traits.distress
    often = {
        name: int(np.clip(np.floor(die.normal(bad * 0.5 + level, 0.9)), 0, 3))
        for name, level in {**dict.fromkeys(_DISTURBANCES, 0.5), "Latency30Min": 0.9, "SleepMeds": -0.4}.items()
    }
    quality = int(np.clip(np.rint(die.normal(0.8 + 0.4 * bad, 0.6)), 0, 3))
    awake, spirit = (int(np.clip(np.rint(die.normal(0.5 + 0.4 * bad, 0.6)), 0, 3)) for _ in range(2))
    minutes = int(np.clip(5 * np.rint(die.gamma(2.0, 10.0) * (1 + 0.3 * max(bad, 0)) / 5), 0, 300))
    hours = float(np.clip(round(2 * die.normal(6.85 - 0.2 * bad, 1.05)) / 2, 2.5, 10))
    bed = int(np.rint(die.normal(23.25, 1.0) * 4)) * 15
    lying = hours * 60 + minutes + int(np.clip(np.rint(die.normal(2, 1.5)), 0, 12)) * 15
    components = (
        quality,
        step((16, 31, 61), minutes) + often["Latency30Min"],
        3 - step((5, 6, 7.01), hours),
        3 - step((65, 75, 85), 100 * hours * 60 / lying),
        sum(often[name] for name in _DISTURBANCES),
        often["SleepMeds"],
        awake + spirit,
    )
    rated = list(components)
    rated[1], rated[4], rated[6] = step((1, 3, 5), rated[1]), step((1, 10, 19), rated[4]), step((1, 3, 5), rated[6])
    return {
        **{f"PSQI_Comp{number}": value for number, value in enumerate(rated, start=1)},
        **{f"PSQI_{name}": value for name, value in often.items()},
        "PSQI_Score": sum(rated),
        "PSQI_BedTime": clock_text(bed),
        "PSQI_GetUpTime": clock_text(bed + round(lying / 15) * 15),
        "PSQI_Min2Asleep": minutes,
        "PSQI_AmtSleep": hours,
        "PSQI_Quality": quality,
        "PSQI_DayStayAwake": awake,
        "PSQI_DayEnthusiasm": spirit,
    }


def step(limits: Sequence[float], value: float) -> int:
    """How many of the rising limits the value has reached."""
    return sum(value >= limit for limit in limits)


def clock_text(minutes: int) -> str:
    """Minutes after midnight as `H:MM:SS`."""
    hours, rest = divmod(minutes % (24 * 60), 60)
    return f"{hours}:{rest:02d}:00"


def _personality(die: Die, traits: Traits) -> Values:
    """Five factors, and twelve answers each that add up to them; no item is turned round, unlike in the real form."""
    answers = ("SD", "D", "N", "A", "SA")
    values: dict[str, Value] = {}
    for place, (factor, score) in enumerate(FACTORS.items()):
        points = np.clip(np.rint(die.normal(standing(score, die, traits) / 12, 0.9, 12)), 0, 4).astype(int)
        values[f"NEOFAC_{factor}"] = int(points.sum())
        values |= {f"NEORAW_{place + 1 + 5 * turn:02d}": answers[point] for turn, point in enumerate(points)}
    return values


def _senses(die: Die, traits: Traits) -> Values:
    odour = _ODOURS[int(np.clip(np.rint(die.normal(3.6, 1.1)), 0, 5))]
    log, errors = draw("Mars_Log_Score", die, traits), int(die.choice(5, p=(0.6, 0.24, 0.1, 0.04, 0.02)))
    return {
        "Odor_Unadj": odour,
        "Odor_AgeAdj": bounded("Odor_AgeAdj", odour - 5 + die.standard_normal()),
        "Mars_Log_Score": log,
        "Mars_Errs": errors,
        "Mars_Final": round(log - 0.04 * errors, 2),
    }


def _two_halves(task: str, halves: tuple[str, str]) -> Callable[[Die, Traits], Values]:
    """A task with two conditions: its accuracy and time are the means of theirs."""

    def values_of(die: Die, traits: Traits) -> Values:
        values: dict[str, Value] = {}
        for measure in ("Acc", "Median_RT"):
            names = [f"{task}_{half}_{measure}" for half in halves]
            parts = [draw(name, die, traits) for name in names]
            whole = bounded(f"{task}_{measure}", sum(parts) / 2)
            values.update(zip([*names, f"{task}_{measure}"], [*parts, whole], strict=True))
        return values

    return values_of


def _language_levels(die: Die, traits: Traits) -> Values:
    names = ("Language_Task_Story_Avg_Difficulty_Level", "Language_Task_Math_Avg_Difficulty_Level")
    return {name: draw(name, die, traits) for name in names}


def _gambling(die: Die, traits: Traits) -> Values:
    silent = round(float(max(0.0, die.normal(-1, 1.5))), 2)
    larger = round(float(np.clip(die.normal(49.8, 12.5), 0, 100 - silent)), 2)
    times = ("Gambling_Task_Median_RT_Larger", "Gambling_Task_Median_RT_Smaller")
    return {
        "Gambling_Task_Perc_Larger": larger,
        "Gambling_Task_Perc_Smaller": round(100 - larger - silent, 2),
        "Gambling_Task_Perc_NLR": silent,
        **{name: draw(name, die, traits) for name in times},
    }


def _social(die: Die, traits: Traits) -> Values:
    """Twenty films, each judged once; an answer that nobody gave has no time."""
    shares = np.array([0.46 - 0.02 * traits.ability, 0.5 + 0.02 * traits.ability, 0.03, 0.01])
    counts = die.multinomial(20, shares / shares.sum())
    keys = ("Random", "TOM", "Unsure", "NLR")
    values: dict[str, Value] = {
        f"Social_Task_Perc_{key}": 5.0 * count for key, count in zip(keys, counts.tolist(), strict=True)
    }
    for key, count in zip(keys[:3], counts.tolist()[:3], strict=True):
        name = f"Social_Task_Median_RT_{key}"
        values[name] = draw(name, die, traits) if count else None
    return values


def _working_memory(die: Die, traits: Traits) -> Values:
    values: dict[str, float] = {}
    for load, mean in (("2bk", 83.4), ("0bk", 90.5)):
        level = standing(Score(mean, 8, 0.5), die, traits)
        parts = [round(float(np.clip(die.normal(level, 5), 45.8, 100)), 2) for _ in WM_STIMULI]
        values |= {f"WM_Task_{load}_{kind}_Acc": part for kind, part in zip(WM_STIMULI, parts, strict=True)}
        values[f"WM_Task_{load}_Acc"] = bounded(f"WM_Task_{load}_Acc", sum(parts) / 4)
        values[f"WM_Task_{load}_Median_RT"] = draw(f"WM_Task_{load}_Median_RT", die, traits)
    for measure in ("Acc", "Median_RT"):
        both = values[f"WM_Task_2bk_{measure}"] + values[f"WM_Task_0bk_{measure}"]
        values[f"WM_Task_{measure}"] = bounded(f"WM_Task_{measure}", both / 2)
    return values


_PARTS: Mapping[str, Callable[[Die, Traits], Values]] = {
    "toolbox": _toolbox,
    "matrices": _matrices,
    "attention": _attention,
    "orientation": _orientation,
    "discounting": _discounting,
    "faces": _faces,
    "sleep": _sleep,
    "personality": _personality,
    "senses": _senses,
    "emotion task": _two_halves("Emotion_Task", ("Face", "Shape")),
    "language task": _two_halves("Language_Task", ("Story", "Math")),
    "relational task": _two_halves("Relational_Task", ("Match", "Rel")),
    "language levels": _language_levels,
    "gambling": _gambling,
    "social": _social,
    "working memory": _working_memory,
}

"""Scores that are drawn on their own: a mean, a spread, and how much of a trait shows in them.

Means and spreads are round figures near those published for healthy young adults; everything drawn is made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from connectomedb.demo.dice import COHORT, roll
from connectomedb.demo.measures.all_columns import COLUMN_BY_NAME
from connectomedb.demo.measures.columns import Kind
from connectomedb.demo.measures.families import Relative, Twin

Value = int | float | str | None


@dataclass(frozen=True, slots=True)
class Traits:
    """What runs through a person's scores, each with mean 0 and spread 1: ability, low spirits, fitness."""

    ability: float
    distress: float
    fitness: float

    @classmethod
    def of(cls, seed: int, subject: str, kin: Relative) -> Self:
        """Half of a trait comes from the family, nearly all of it in identical twins."""
        own = roll(seed, subject, "traits").standard_normal(3)
        shared = roll(seed, COHORT, f"traits of family {kin.family}").standard_normal(3)
        share = 0.45
        if kin.twin is Twin.IDENTICAL:
            shared = roll(seed, COHORT, f"traits of family {kin.family} birth {kin.birth}").standard_normal(3)
            share = 0.85
        ability, distress, fitness = np.sqrt(share) * shared + np.sqrt(1 - share) * own
        return cls(float(ability), float(distress), float(fitness))


@dataclass(frozen=True, slots=True)
class Score:
    """Mean, spread, and the part that traits explain (-1 to 1 each); decimals of the printed value."""

    mean: float
    sd: float
    ability: float = 0.0
    distress: float = 0.0
    fitness: float = 0.0
    decimals: int = 2


def draw(name: str, die: np.random.Generator, traits: Traits) -> float:
    """A value of one of SCORES within the column's range; whole where the column is."""
    return bounded(name, standing(SCORES[name], die, traits), SCORES[name].decimals)


def standing(score: Score, die: np.random.Generator, traits: Traits) -> float:
    """An unbounded value: the part of the traits, and chance for the rest."""
    explained = score.ability * traits.ability + score.distress * traits.distress + score.fitness * traits.fitness
    rest = np.sqrt(max(0.0, 1 - score.ability**2 - score.distress**2 - score.fitness**2))
    return float(score.mean + score.sd * (explained + rest * die.standard_normal()))


def bounded(name: str, value: float, decimals: int = 2) -> float:
    """The value brought into the column's range and rounded as the column is."""
    column = COLUMN_BY_NAME[name]
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    clipped = min(max(value, low), high)
    return round(clipped) if column.kind is Kind.INTEGER else round(float(clipped), decimals)


def _many(names: str, mean: float, sd: float, **parts: float) -> dict[str, Score]:
    return {name: Score(mean, sd, decimals=1, **parts) for name in names.split()}


SCORES: Mapping[str, Score] = {
    "PicSeq_Unadj": Score(112.7, 13.0, 0.45),
    "CardSort_Unadj": Score(115.7, 10.2, 0.45),
    "Flanker_Unadj": Score(112.6, 9.9, 0.4),
    "ProcSpeed_Unadj": Score(114.4, 15.5, 0.4),
    "ListSort_Unadj": Score(110.8, 11.0, 0.5),
    "ReadEng_Unadj": Score(116.6, 10.9, 0.7),
    "PicVocab_Unadj": Score(116.7, 9.3, 0.7),
    "PMAT24_A_CR": Score(17.0, 4.7, 0.7),
    "PMAT24_A_RTCR": Score(15890, 7000, 0.35, decimals=1),
    "VSPLOT_TC": Score(15.1, 4.3, 0.6),
    "VSPLOT_CRTE": Score(1131, 325, -0.1, decimals=1),
    "SCPT_TP": Score(57.4, 3.3, 0.25),
    "SCPT_TN": Score(114.5, 4.5, 0.3),
    "SCPT_TPRT": Score(470.6, 41, -0.15, decimals=1),
    "SCPT_LRNR": Score(9, 4.4, -0.1),
    "IWRD_TOT": Score(35.5, 3.0, 0.35),
    "IWRD_RTC": Score(1560, 291, -0.2, decimals=1),
    "ER40ANG": Score(6.8, 1.0, 0.15),
    "ER40FEAR": Score(6.9, 1.15, 0.2),
    "ER40HAP": Score(7.9, 0.3),
    "ER40NOE": Score(7.1, 1.4, 0.1, -0.1),
    "ER40SAD": Score(6.7, 1.2, 0.2),
    "ER40_CRT": Score(1855, 366, -0.2, decimals=1),
    "MMSE_Score": Score(29.0, 1.05, 0.35),
    "GaitSpeed_Comp": Score(1.33, 0.19, fitness=0.4),
    "Endurance_Unadj": Score(110.4, 11.3, 0.15, fitness=0.7),
    "Dexterity_Unadj": Score(112.7, 10.9, 0.25, fitness=0.2),
    "Strength_Unadj": Score(116.4, 11.2, fitness=0.5),
    "Taste_Unadj": Score(96.3, 14.1),
    "Noise_Comp": Score(2.6, 1.6, -0.15),
    "PainIntens_RawScore": Score(1.2, 1.6, distress=0.3),
    "PainInterf_Tscore": Score(45.1, 7.3, distress=0.4, decimals=1),
    "Mars_Log_Score": Score(1.82, 0.06),
    "Emotion_Task_Face_Acc": Score(97.5, 3.2, 0.2),
    "Emotion_Task_Shape_Acc": Score(98.6, 2.6, 0.2),
    "Language_Task_Story_Acc": Score(91, 8, 0.35),
    "Language_Task_Math_Acc": Score(87, 9, 0.45),
    "Language_Task_Story_Avg_Difficulty_Level": Score(9.5, 1.6, 0.4),
    "Language_Task_Math_Avg_Difficulty_Level": Score(2.6, 0.8, 0.45),
    "Relational_Task_Match_Acc": Score(80, 12, 0.45),
    "Relational_Task_Rel_Acc": Score(72, 15, 0.5),
    **_many("Emotion_Task_Face_Median_RT Emotion_Task_Shape_Median_RT", 770, 120, ability=-0.3),
    **_many("Language_Task_Story_Median_RT Language_Task_Math_Median_RT", 3350, 320, ability=-0.3),
    **_many("Relational_Task_Match_Median_RT Relational_Task_Rel_Median_RT", 1550, 250, ability=-0.2),
    **_many("WM_Task_2bk_Median_RT WM_Task_0bk_Median_RT", 864, 130, ability=-0.3),
    **_many("Gambling_Task_Median_RT_Larger Gambling_Task_Median_RT_Smaller", 420, 110),
    **_many("Social_Task_Median_RT_Random Social_Task_Median_RT_TOM Social_Task_Median_RT_Unsure", 900, 260),
    **_many("AngAffect_Unadj AngHostil_Unadj AngAggr_Unadj", 50, 8.5, distress=0.55),
    **_many("FearAffect_Unadj FearSomat_Unadj PercStress_Unadj", 49.5, 8.2, distress=0.65),
    **_many("Sadness_Unadj", 46.1, 8, distress=0.7),
    **_many("Loneliness_Unadj PercReject_Unadj PercHostil_Unadj", 49.5, 8.5, distress=0.6),
    **_many("LifeSatisf_Unadj MeanPurp_Unadj PosAffect_Unadj", 52.5, 8.8, distress=-0.6),
    **_many("Friendship_Unadj EmotSupp_Unadj InstruSupp_Unadj", 50.5, 9.2, distress=-0.45),
    **_many("SelfEff_Unadj", 51.2, 8.3, distress=-0.5, ability=0.15),
}

FACTORS: Mapping[str, Score] = {
    "N": Score(16.1, 7.4, distress=0.7),
    "E": Score(30.9, 6.0, distress=-0.35),
    "O": Score(28.4, 6.1, 0.3),
    "A": Score(32.3, 5.2, distress=-0.25),
    "C": Score(34.8, 5.5, distress=-0.3),
}
"""Personality, in the order in which the items take turns."""

"""Who is related to whom in the demo: made-up families of siblings and twins.

Families are laid over the whole list of demo subjects, never over a part of it, so a subject's family does not
change with the subjects that are asked for.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from connectomedb.demo.dice import COHORT, roll
from connectomedb.demo.subjects import SHOWCASE, SUBJECTS

_SIZES = (1, 2, 2, 3, 4)


class Twin(StrEnum):
    """Twin status as it stands in the tables."""

    NONE = "NotTwin"
    FRATERNAL = "NotMZ"
    IDENTICAL = "MZ"


@dataclass(frozen=True, slots=True)
class Relative:
    """A person's place in a family: numbers of family, mother, father; which birth, and whether it was a twin birth."""

    family: int
    mother: int
    father: int
    birth: int
    twin: Twin
    gender: str
    age: int


@lru_cache(maxsize=2)
def families(seed: int) -> dict[str, Relative]:
    """Demo subject → place in the family."""
    die = roll(seed, COHORT, "families")
    waiting = [label for label in die.permutation(SUBJECTS).tolist() if label != SHOWCASE]
    found: dict[str, Relative] = {}
    family = 1
    first: list[str] = [SHOWCASE]
    while first or waiting:
        size = int(die.choice(_SIZES))
        members = first + waiting[: size - len(first)]
        waiting = waiting[size - len(first) :]
        found |= _family(die, family, members)
        first = []
        family += 1
    return found


def relative(seed: int, subject: str) -> Relative:
    """The person's place in the family; whoever is not in the demo's list has a family of one."""
    if subject in SUBJECTS:
        return families(seed)[subject]
    die = roll(seed, subject, "families")
    number = 1000 + int(subject)
    return Relative(number, number, number, 0, Twin.NONE, _gender(die, subject), int(die.integers(22, 37)))


def _family(die: np.random.Generator, family: int, members: list[str]) -> dict[str, Relative]:
    """Siblings; the last two of three or more are mostly twins, a few siblings have another father."""
    ages = sorted(int(age) for age in die.integers(22, 37, len(members)))
    genders = [_gender(die, label) for label in members]
    fathers = [family + (500 if index and die.random() < 0.1 else 0) for index in range(len(members))]
    births = list(range(len(members)))
    twins = [Twin.NONE] * len(members)
    is_pair = len(members) >= 2 and SHOWCASE not in members[-2:] and die.random() < 0.8
    if is_pair:
        twins[-2:] = [Twin.IDENTICAL if die.random() < 0.5 else Twin.FRATERNAL] * 2
        ages[-1], births[-1], fathers[-1] = ages[-2], births[-2], fathers[-2]
        if twins[-1] is Twin.IDENTICAL:
            genders[-1] = genders[-2]
    return {
        label: Relative(family, family, fathers[index], births[index], twins[index], genders[index], ages[index])
        for index, label in enumerate(members)
    }


def _gender(die: np.random.Generator, subject: str) -> str:
    return "F" if die.random() < 0.54 or subject == SHOWCASE else "M"

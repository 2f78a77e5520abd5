"""Splits subjects into two parts, by family: nobody in one part has a relative in the other. Pure, seeded."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from connectomedb.errors import QueryError

Stratum: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Labels of both parts, sorted. A test part may miss the wanted size by less than one family."""

    train: tuple[str, ...]
    test: tuple[str, ...]


def split_families(
    families: Mapping[str, str],
    *,
    test: float,
    strata: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
) -> Split:
    """Put whole families into the test part until it holds the wanted share.

    Families come in an order that the seed decides; of those the next one taken is the one after which the strata
    of the test part are nearest to those of all subjects.

    Args:
        families: subject's label → family; a subject whose family is not known (empty) is one of its own.
        test: share of the subjects that the test part is to hold, between 0 and 1.
        strata: subject's label → values that are to be spread alike over both parts.
    Raises: QueryError for a share that is none.
    """
    if not 0 < test < 1:
        raise QueryError(f"Asked for a test part of {test}. Give a share between 0 and 1, like 0.2.")
    kin: dict[str, list[str]] = defaultdict(list)
    for label in sorted(families):
        kin[families[label] or f"\0{label}"].append(label)
    waiting = [kin[family] for family in sorted(kin)]
    random.Random(seed).shuffle(waiting)
    wanted = test * len(families)
    of = {label: tuple(strata[label]) if strata else () for label in families}
    goal = {stratum: test * count for stratum, count in Counter(of.values()).items()}
    chosen = _choose(waiting, of, goal, wanted)
    return Split(tuple(sorted(set(families) - chosen)), tuple(sorted(chosen)))


def _choose(
    waiting: list[list[str]], of: Mapping[str, Stratum], goal: Mapping[Stratum, float], wanted: float
) -> set[str]:
    chosen: set[str] = set()
    have: Counter[Stratum] = Counter()
    profiles = [Counter(of[label] for label in family) for family in waiting]
    left = set(range(len(waiting)))
    while left and len(chosen) < wanted:
        fitting = [number for number in left if len(chosen) + len(waiting[number]) <= wanted + len(waiting[number]) / 2]
        if not fitting:
            break
        best = min(sorted(fitting), key=lambda number: _distance(have, profiles[number], goal))
        left.discard(best)
        chosen.update(waiting[best])
        have.update(profiles[best])
    return chosen


def _distance(have: Counter[Stratum], more: Counter[Stratum], goal: Mapping[Stratum, float]) -> float:
    """How much nearer to the goal a family brings the part, per subject; the smaller the better."""
    gained = sum(
        abs(goal[stratum] - have[stratum] - count) - abs(goal[stratum] - have[stratum])
        for stratum, count in more.items()
    )
    return gained / more.total()

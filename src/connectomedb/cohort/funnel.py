"""How a predicate narrows the subjects, criterion by criterion: who passes, who fails, who lacks the value.

    1206 subjects
     1203   PMAT24_A_CR >= 20        failing 1, missing 2 ...

Each step looks only at those that passed all before, so its three numbers add up to what the step before left.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.evaluate import Files, Row, judge_of
from connectomedb.cohort.formatter import format_condition
from connectomedb.xnat.logic import simplify
from connectomedb.xnat.query import Criterion, Group, Method


@dataclass(frozen=True, slots=True)
class Step:
    """One criterion.

    Attributes:
        criterion: as in the predicate.
        before: how many subjects came to it; `passed`, `failing` and `missing` add up to it.
        missing: of these it cannot be said: a value is missing, or their files are not known.
    """

    criterion: str
    before: int
    passed: int
    failing: int
    missing: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """All steps; `total` subjects to begin with, `passed` at the end."""

    total: int
    steps: tuple[Step, ...]

    @property
    def passed(self) -> int:
        """How many passed all criteria."""
        return self.steps[-1].passed if self.steps else self.total

    def narrowed(self, criterion: str, passed: int) -> "Funnel":
        """With one more step, whose criterion can be said of everybody."""
        return Funnel(self.total, (*self.steps, Step(criterion, self.passed, passed, self.passed - passed, 0)))


def criteria_of(where: Group) -> tuple[Criterion | Group, ...]:
    """The criteria that must all hold. What is joined by OR is one of them."""
    simple = simplify(where)
    return simple.members if simple.method is Method.AND or not simple.members else (simple,)


def funnel(where: Group, subjects: Iterable[tuple[Row, Files]], columns: Columns | None = None) -> Funnel:
    """Count subjects, each given by its values and its files, in one pass. Raises QueryError."""
    criteria = criteria_of(where)
    judges = [judge_of(criterion) for criterion in criteria]
    counts = [[0, 0, 0] for _ in criteria]
    total = 0
    for row, files in subjects:
        total += 1
        for judge, count in zip(judges, counts, strict=True):
            truth = judge(row, files)
            count[_PLACES[truth]] += 1
            if truth is not True:
                break
    steps = [
        Step(format_condition(criterion, columns), sum(count), *count)
        for criterion, count in zip(criteria, counts, strict=True)
    ]
    return Funnel(total, tuple(steps))


_PLACES = {True: 0, False: 1, None: 2}

"""How a predicate narrows the subjects, criterion by criterion: who passes, who fails, who lacks the value.

    1206 subjects
     1203   PMAT24_A_CR >= 20        failing 1, missing 2 ...

Each step looks only at those that passed all before, so its three numbers add up to what the step before left.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.evaluate import Files, Judge, Row, judge_of
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
    judges = [judge_of(criterion) for criterion in criteria_of(where)]
    return funnel_of(where, Counter(_end(judges, row, files) for row, files in subjects), columns)


def funnel_of(where: Group, ends: Mapping[int, int], columns: Columns | None = None) -> Funnel:
    """The funnel of subjects counted by where they end: `2i` failing the criterion `i`, `2i + 1` lacking a value
    of it, and behind the last one those that pass.
    """
    criteria = criteria_of(where)
    total = before = sum(ends.values())
    steps = []
    for place, criterion in enumerate(criteria):
        failing, missing = ends.get(2 * place, 0), ends.get(2 * place + 1, 0)
        passed = before - failing - missing
        steps.append(Step(format_condition(criterion, columns), before, passed, failing, missing))
        before = passed
    return Funnel(total, tuple(steps))


def _end(judges: Sequence[Judge], row: Row, files: Files) -> int:
    for place, judge in enumerate(judges):
        truth = judge(row, files)
        if truth is not True:
            return 2 * place + (truth is None)
    return 2 * len(judges)

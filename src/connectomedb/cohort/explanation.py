"""Why these subjects: the funnel, what is known against their data, and words for a paper. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectomedb.cohort.funnel import Funnel, Step
from connectomedb.hcp.advisories import Advisory, Defect


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a predicate came to its subjects.

    Attributes:
        project: of the subjects; empty for all that are open to you.
        advisories: what is known against data of the subjects that passed, each with those it concerns.
        excluded: kinds of such knowledge that kept subjects out.
    """

    predicate: str
    project: str
    funnel: Funnel
    advisories: tuple[tuple[Advisory, tuple[str, ...]], ...] = ()
    excluded: tuple[Defect, ...] = ()

    def lines(self) -> Iterator[str]:
        """The funnel for people, a criterion per line."""
        yield f"{self.funnel.total} subjects{f' of {self.project}' if self.project else ''}"
        width = max((len(step.criterion) for step in self.funnel.steps), default=0)
        for step in self.funnel.steps:
            yield f"{step.passed:>6}  {step.criterion:<{width}}  failing {step.failing}, missing {step.missing}"

    def methods(self) -> str:
        """One paragraph for a Methods section."""
        where = f" in {self.project}" if self.project else ""
        steps = self.funnel.steps
        if not steps:
            return f"All {self.funnel.total} subjects{where} were included."
        parts = "; ".join(_clause(step) for step in steps)
        return (
            f"Of {self.funnel.total} subjects{where}, {self.funnel.passed} were included by the criterion "
            f"{self.predicate}. Criteria were applied one after the other: {parts}."
        )

    def python(self, server: str) -> str:
        """The same in Python, to paste."""
        project = f", project={self.project!r}" if self.project else ""
        kinds = ", ".join(repr(kind.value) for kind in self.excluded)
        without = f".without({kinds})" if kinds else ""
        return (
            "import connectomedb as cdb\n\n"
            f"with cdb.Interface({server!r}) as db:  # user and password from the environment\n"
            f"    cohort = db.where({self.predicate!r}{project}){without}\n"
            "    print(cohort.subjects())\n"
        )


def _clause(step: Step) -> str:
    lost = [f"{step.failing} did not meet it"] if step.failing else []
    lost += [f"{step.missing} lacked the value"] if step.missing else []
    return f"{step.criterion} ({', '.join(lost) or 'none were excluded'})"


def concerned(
    advisories: Sequence[Advisory], subjects: Sequence[str], release: str
) -> tuple[tuple[Advisory, tuple[str, ...]], ...]:
    """The advisories that concern any of these subjects, each with the subjects."""
    found = ((one, tuple(label for label in subjects if one.concerns(label, release))) for one in advisories)
    return tuple((advisory, labels) for advisory, labels in found if labels)

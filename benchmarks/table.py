"""Figures as people read them: medians with their spread, ratios, and promises beside what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.values)

    def show(self, digits: int = 2) -> str:
        """`median (least-most)`."""
        low, high = min(self.values), max(self.values)
        if len(self.values) == 1:
            return f"{self.middle:.{digits}f}"
        return f"{self.middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def ratios(ours: Sequence[float], others: Sequence[float]) -> Spread:
    """Ours divided by another, round by round: what disturbs a round disturbs both."""
    return Spread(tuple(one / other for one, other in zip(ours, others, strict=True)))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table, aligned: text to the left, all other columns to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join((first, *rest))} |"

    rule = ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    for cells in (header, rule, *rows):
        print(line(cells), flush=True)


def print_promise(promise: str, measured: str, *, is_kept: bool) -> None:
    """One promise of the project beside what was measured."""
    print(f"- promise {promise}; measured {measured}: {'kept' if is_kept else 'MISSED'}", flush=True)

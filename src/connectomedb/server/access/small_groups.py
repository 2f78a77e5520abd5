"""Counts of few people, left out of what is made to be shown: charts of columns above the open tier.

Whoever holds the grant may see each value; a chart goes further than its maker. A count that the others give away by
subtraction is left out, too.
"""

from collections.abc import Sequence


def hide_small(counts: Sequence[int], smallest: int) -> list[int | None]:
    """The counts of one column, None in place of those from 1 to `smallest - 1`, and of as many more as it takes
    until those left out are at least two and have `smallest` people together. Nobody at all is no secret.
    """
    hidden = {place for place, count in enumerate(counts) if 0 < count < smallest}
    others = sorted((place for place, count in enumerate(counts) if count >= smallest), key=lambda place: counts[place])
    while hidden and others and (len(hidden) < 2 or sum(counts[place] for place in hidden) < smallest):
        hidden.add(others.pop(0))
    return [None if place in hidden else count for place, count in enumerate(counts)]

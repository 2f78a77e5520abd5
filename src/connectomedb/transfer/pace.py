"""Whether bytes still come: a connection on which they only drip is as good as a silent one.

A time limit for silence never passes while a byte comes now and then; the same file from elsewhere would be there long
before.
"""

import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

LEAST_BYTES_PER_S = 512

S = TypeVar("S", bound=Sized)


class Pace:
    """The pace of one connection, judged each time that it was waited for longer than it may be silent.

    Args:
        patience_s: how long it may be silent, in seconds.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._waited_s = 0.0
        self._came = 0

    def came(self, count: int, waited_s: float) -> None:
        """Note bytes and how long they were waited for; what is done with them meanwhile does not count.

        Raises: TimeoutError where they only drip.
        """
        self._waited_s += waited_s
        self._came += count
        if self._waited_s > self._patience_s:
            if self._came < LEAST_BYTES_PER_S * self._waited_s:
                raise TimeoutError("hardly any bytes come")
            self._waited_s, self._came = 0.0, 0


def at_pace(pieces: Iterable[S], patience_s: float) -> Iterator[S]:
    """The pieces of a body as they come. Raises TimeoutError where they only drip."""
    pace = Pace(patience_s)
    coming = iter(pieces)
    while True:
        asked = time.monotonic()
        try:
            piece = next(coming)
        except StopIteration:
            return
        pace.came(len(piece), time.monotonic() - asked)
        yield piece

"""Whether what a server stands on answers, and soon: something that is frozen never says no.

Each thing is asked by one thread at a time. Whoever comes meanwhile waits for the same answer, so nobody piles up
questions, however often they ask.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectomedb.errors import ConnectomeDBError

WELL, FAILED = "ok", "failed"
PATIENCE_S = 5.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Question:
    answered: threading.Event = field(default_factory=threading.Event)
    word: str = FAILED


class Pulse:
    """The questions that are being asked, by name."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._mutex = threading.Lock()
        self._asked: dict[str, _Question] = {}

    def take(self, things: Mapping[str, Callable[[], None]]) -> dict[str, str]:
        """A word for each thing: WELL, or FAILED when its question raises one of our errors or takes too long."""
        deadline = time.monotonic() + self._patience_s
        questions = {name: self._ask(name, ask) for name, ask in things.items()}
        return {name: self._wait(name, question, deadline) for name, question in questions.items()}

    def _ask(self, name: str, ask: Callable[[], None]) -> _Question:
        with self._mutex:
            if name in self._asked:
                return self._asked[name]
            question = self._asked[name] = _Question()
        threading.Thread(
            target=self._answer, args=(name, ask, question), name="connectomedb-pulse", daemon=True
        ).start()
        return question

    def _answer(self, name: str, ask: Callable[[], None], question: _Question) -> None:
        try:
            ask()
            question.word = WELL
        except ConnectomeDBError as fault:
            logger.error("The %s does not answer: %s", name, fault)
        finally:
            with self._mutex:
                del self._asked[name]
            question.answered.set()

    def _wait(self, name: str, question: _Question, deadline: float) -> str:
        if question.answered.wait(max(0.0, deadline - time.monotonic())):
            return question.word
        logger.error("The %s has not answered for %g s.", name, self._patience_s)
        return FAILED

"""A program that we start, that must answer before we go on, and that cannot outlive us.

It runs in a session of its own, so that Ctrl-C in the terminal reaches only us and we stop things in order.
Its output goes to a log file, whose last lines explain a failure.
"""

import ctypes
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from connectomedb.errors import ServiceFailed

LOG_LINES = 5
_FATAL = re.compile(r"F[0-9]{4} |panic: |[A-Za-z.]*Error: ")
"""Lines that say why a program ended, which traces of its stack may push out of the last ones."""

_POLL_S = 0.05
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A running program.

    On Linux the kernel kills it when the thread that started it ends, however that comes about: start it in
    the main thread.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if _LIBC else None,
            )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait_until(self, answers: Callable[[], bool], *, timeout_s: float) -> None:
        """Wait until it answers. Raises ServiceFailed when it ends or takes too long; it is stopped then."""
        deadline = time.monotonic() + timeout_s
        while not answers():
            if not self.is_running:
                raise ServiceFailed(f"{self.name} ended with code {self._process.returncode}. {self._last_words()}")
            if time.monotonic() > deadline:
                self.stop()
                raise ServiceFailed(f"{self.name} did not answer within {timeout_s:g} s. {self._last_words()}")
            time.sleep(_POLL_S)

    def stop(self, *, grace_s: float = 0.0, by: signal.Signals = signal.SIGTERM) -> None:
        """End it: politely when there is grace, by the signal that it knows for that, then for certain."""
        if self.is_running and grace_s:
            self._process.send_signal(by)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        if self.is_running:
            self._process.kill()
        self._process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        if fatal := [line for line in lines if _FATAL.match(line)]:
            return f"Its log, {self.log}, says: {fatal[-1]}"
        return (
            f"Its log, {self.log}, ends: {' | '.join(lines[-LOG_LINES:])}"
            if lines
            else f"Its log, {self.log}, is empty."
        )


def _die_with_parent() -> None:
    assert _LIBC is not None
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

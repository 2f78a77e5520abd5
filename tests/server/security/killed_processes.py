"""`cdb` in processes to be killed: forked from one that has imported it, for starting Python would take longest."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_S = 20.0
END_S = 20.0


@dataclass(frozen=True, slots=True)
class Command:
    """A `cdb` that runs."""

    pid: int
    output: Path

    def first_line(self) -> str:
        """What it says first: a server its address."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if (said := self.output.read_text()).endswith("\n"):
                return said.splitlines()[0]
            time.sleep(0.01)
        raise AssertionError(f"it said nothing: {self.output.with_suffix('.err').read_text()}")

    def kill(self) -> None:
        """kill -9; comes back when it is gone."""
        with open(os.pidfd_open(self.pid)) as handle:
            signal.pidfd_send_signal(handle.fileno(), signal.SIGKILL)
            assert select.select([handle], [], [], END_S)[0], f"{self.pid} still runs"


class Forks:
    """Starts commands; ends with whatever still runs of them."""

    def __init__(self, template: subprocess.Popen[str], folder: Path) -> None:
        self._template = template
        self._folder = folder
        self._begun: list[Command] = []

    def begin(self, words: Sequence[str], environment: Mapping[str, str]) -> Command:
        assert self._template.stdin is not None and self._template.stdout is not None
        output = self._folder / str(len(self._begun))
        order = {
            "words": list(words),
            "env": {**os.environ, **environment},
            "folder": str(self._folder),
            "output": str(output),
            "errors": str(output.with_suffix(".err")),
            "goes_on": True,
        }
        output.touch()
        self._template.stdin.write(json.dumps(order) + "\n")
        self._template.stdin.flush()
        self._begun.append(Command(int(self._template.stdout.readline()), output))
        return self._begun[-1]

    def end(self) -> None:
        for command in self._begun:
            with suppress(ProcessLookupError):
                command.kill()


@contextmanager
def forking(folder: Path) -> Iterator[Forks]:
    """Commands whose output goes to a folder."""
    script = Path(__file__).parents[2] / "template.py"
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as template:
        forks = Forks(template, folder)
        try:
            yield forks
        finally:
            forks.end()
            assert template.stdin is not None
            template.stdin.close()

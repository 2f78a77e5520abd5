"""What a command used: time on the wall, time on processors, peak memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")


class CommandFailed(Exception):
    """A measured command did not do its work, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One run: wall and processor time (user + system) in s, peak resident memory in MB, standard output."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def run(command: Sequence[str], environment: Mapping[str, str]) -> Usage:
    """Run a command to its end. Raises CommandFailed with its last words."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "usage.json"
        launched = [sys.executable, "-I", "-S", str(LAUNCHER), str(report), *command]
        done = subprocess.run(launched, env=dict(environment), capture_output=True, text=True)
        if done.returncode:
            raise CommandFailed(f"{' '.join(command)[:200]} ended with {done.returncode}: {done.stderr[-2000:]}")
        used = json.loads(report.read_text())
    return Usage(used["wall_s"], used["user_s"] + used["system_s"], used["peak_kib"] * 1024 / 1e6, done.stdout)


def cpu_of(process: int) -> float:
    """Processor time that a running process has used so far, in s, all its threads together. Linux only."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def child_named(name: str) -> int:
    """The process number of a program that this process started. Linux only."""
    for tasks in Path("/proc/self/task").iterdir():
        for number in (tasks / "children").read_text().split():
            if Path(f"/proc/{number}/comm").read_text().strip() == name:
                return int(number)
    raise LookupError(f"no child named {name}")

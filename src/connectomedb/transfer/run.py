"""Who we are among the processes that share a folder, and who of the others has ended.

A run is named `<host>-<pid>-<start>`. On one host the process table tells at once whether a run lives; of other
hosts only signs of life on the shared folder tell, and their clocks are not ours: see `STALE_S`.
"""

import os
import re
import socket
import time
from dataclasses import dataclass

STALE_S = 60.0
"""A run of another host that left no sign of life for so long, by the folder's clock, counts as ended."""

_SAFE = re.compile(r"[^A-Za-z0-9]+")
_NAME = re.compile(r"([A-Za-z0-9_]+)-(\d+)-([0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class Run:
    """One process at work."""

    host: str
    pid: int
    start: str

    @classmethod
    def here(cls) -> "Run":
        """This process. A forked child is another run."""
        host = _SAFE.sub("_", socket.gethostname())[:32] or "host"
        return cls(host, os.getpid(), _start_of(os.getpid()) or f"{time.time_ns():x}")

    @classmethod
    def parse(cls, name: str) -> "Run | None":
        """The run of that name, None when it is no name of a run."""
        found = _NAME.fullmatch(name)
        return cls(found[1], int(found[2]), found[3]) if found else None

    def __str__(self) -> str:
        return f"{self.host}-{self.pid}-{self.start}"

    def has_ended(self, seconds_silent: float) -> bool:
        """Whether this run is over: its process is gone, or, on another host, it was silent for too long."""
        if self.host != Run.here().host:
            return seconds_silent > STALE_S
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        # Process numbers come round again: another start time is another process.
        start = _start_of(self.pid)
        return start is not None and self.start != start


def _start_of(pid: int) -> str | None:
    """When a process began, in ticks since boot, in hex; None where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return f"{int(file.read().rpartition(')')[2].split()[19]):x}"
    except (OSError, ValueError, IndexError):
        return None

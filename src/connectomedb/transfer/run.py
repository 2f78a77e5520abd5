"""Who we are among the processes that share a folder, and who of the others has ended.

A run is named `<host>-<pid>-<start>`. On one host the process table tells at once whether a run lives; of other
hosts only signs of life on the shared folder tell, and their clocks are not ours: see `STALE_S`.
"""

import hashlib
import os
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from connectomedb.transfer.boot import boot_id

STALE_S = 60.0
"""A run of another host that left no sign of life for so long, by the folder's clock, counts as ended."""

SUSPENDED_S = STALE_S / 2
"""Whoever did nothing for so long must look whether another took over meanwhile."""

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
        return cls(_host(), os.getpid(), _start_of(os.getpid()) or f"{time.time_ns():x}")

    @classmethod
    def parse(cls, name: str) -> "Run | None":
        """The run of that name, None when it is no name of a run."""
        found = _NAME.fullmatch(name)
        return cls(found[1], int(found[2]), found[3]) if found else None

    def __str__(self) -> str:
        return f"{self.host}-{self.pid}-{self.start}"

    def has_ended(self, seconds_silent: float) -> bool:
        """Whether this run is over: its process is gone, or, on another host, it was silent for too long."""
        if self.host != _host():
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


def now() -> float:
    """Seconds that also pass while this process, or the whole machine, is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@cache
def _host() -> str:
    """This host among those that share a folder; containers and clones of one name count as hosts of their own."""
    name = _SAFE.sub("_", socket.gethostname())[:32] or "host"
    marks = [name, boot_id() or ""]
    with suppress(OSError):
        marks.append(os.readlink("/proc/self/ns/pid"))
    return f"{name}_{hashlib.sha256(''.join(marks).encode()).hexdigest()[:8]}"


def _start_of(pid: int) -> str | None:
    """When a process began, in ticks since boot, in hex; None where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return f"{int(file.read().rpartition(')')[2].split()[19]):x}"
    except (OSError, ValueError, IndexError):
        return None

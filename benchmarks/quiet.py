"""The state a machine must be in before each timed run, or figures are of the machine and not of the copier.

Four traps, each of which has falsified tables: memory of a virtual machine that is touched for the first time
costs 3 us a page; ext4 passes over inodes deleted in the last minutes, so that making files after deleting many is up
to thirty times slower (3,000 take 0.07 s; 7 s after as many were deleted 1.0 s, 30 s after it 1.9 s); what an earlier
run left to be written is written during the next; and somebody else computes. Of the last, what cannot be waited for
is at least measured: `busy_s`.
"""

import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

WARM_BYTES = 2_500_000_000
IDLE = 0.1
PATIENCE_S = 20.0
"""A run waits so long at most for a moment in which the processors are busy for less than a tenth."""


class Scratch:
    """New folders for copies, which are emptied after the timed runs of a round; none is deleted before the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def new(self) -> Path:
        """A folder that did not exist before."""
        self._count += 1
        place = self._folder / f"copy-{self._count:03}"
        place.mkdir(parents=True)
        return place

    def empty(self) -> None:
        """Give back the room of all copies; their names stay until the benchmark's folder goes."""
        for place, _, files in os.walk(self._folder):
            for file in files:
                os.truncate(os.path.join(place, file), 0)
        os.sync()


def settle() -> None:
    """Write out what waits, have free memory that was touched before, and let others finish."""
    os.sync()
    subprocess.run([sys.executable, "-I", __file__], check=True)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and _busy_share() > IDLE:
        pass


def busy_s() -> float:
    """Processor time that everything on this machine has used so far, in s. Linux only."""
    words = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, hardware, software, stolen, *_ = (int(word) for word in words)
    return (user + nice + system + hardware + software + stolen) / os.sysconf("SC_CLK_TCK")


def _busy_share() -> float:
    """Which part of the processors' time was used in the half second that this takes."""
    before, started = busy_s(), time.monotonic()
    time.sleep(0.5)
    return (busy_s() - before) / (time.monotonic() - started) / (os.cpu_count() or 1)


def _touch_memory() -> None:
    """In a process of its own, which gives the memory back by ending."""
    size = min(WARM_BYTES, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        if hasattr(mmap, "MADV_HUGEPAGE"):
            memory.madvise(mmap.MADV_HUGEPAGE)
        memory[::4096] = bytes(len(range(0, size, 4096)))


if __name__ == "__main__":
    _touch_memory()

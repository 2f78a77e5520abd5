"""Runs one command and writes down what it used: python -I -S launch.py REPORT COMMAND...

The system counts a process's peak memory from before its program was loaded, that is, with the memory of
whoever started it. This process is small, so what it starts is measured for itself.
"""

import json
import os
import sys
import time


def main(report: str, command: list[str]) -> int:
    """Run a command; returns its exit code. Children that it waited for are counted with it."""
    started = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    wall_s = time.perf_counter() - started
    used = {"wall_s": wall_s, "user_s": usage.ru_utime, "system_s": usage.ru_stime, "peak_kib": usage.ru_maxrss}
    with open(report, "w") as file:
        json.dump(used, file)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

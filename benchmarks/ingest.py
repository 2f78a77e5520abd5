"""Tables that come in: how long it takes, in how much memory; new, unchanged, and with one cell in ten changed."""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import print_promise, print_table

COLUMNS = 800
FEW, MANY = 1_206, 100_000
FEW_MOST_S = 10.0
MOST_MB = 400
SEED = 20131030


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    """One run each, however many `rounds`: the large one takes minutes."""
    rows: list[list[str]] = []
    for count in (FEW, MANY // 10 if is_small else MANY):
        place = folder / str(count)
        place.mkdir()
        table = write_table(place / "table.csv", count, SEED)
        other = write_table(place / "other.csv", count, SEED, changed=0.1)
        measured = {what: _ingest(place, file) for what, file in (("new", table), ("same", table), ("changed", other))}
        for what, (seconds, megabytes, changes) in measured.items():
            rows.append([f"{count:,} x {COLUMNS}, {what}", f"{seconds:.1f}", f"{megabytes:.0f}", str(changes)])
        if count == FEW:
            seconds = measured["new"][0]
            print_promise(
                f"{FEW:,} x {COLUMNS} in <= {FEW_MOST_S} s", f"{seconds:.1f} s", is_kept=seconds <= FEW_MOST_S
            )
        else:
            most = max(megabytes for _, megabytes, _ in measured.values())
            print_promise(f"{count:,} x {COLUMNS} in <= {MOST_MB} MB", f"{most:.0f} MB", is_kept=most <= MOST_MB)
    print_table(["table", "seconds", "peak MB", "rows changed"], rows)


def write_table(file: Path, count: int, seed: int, changed: float = 0.0) -> Path:
    """A made-up export: a third of the columns whole numbers, a third fractions, a third words; some cells empty."""
    numbers, changes = random.Random(seed), random.Random(seed + 1)
    with file.open("w", encoding="ascii") as text:
        text.write(",".join(("Subject", *(f"C{place:03}" for place in range(COLUMNS)))) + "\n")
        for subject in range(count):
            cells = list(_cells(numbers))
            for place in range(3, COLUMNS, 3) if changed and changes.random() < changed else ():
                cells[place] = str(changes.randint(100, 200))
            text.write(f"{100_000 + subject},{','.join(cells)}\n")
    return file


def _cells(numbers: random.Random) -> Iterator[str]:
    for place in range(COLUMNS):
        draw = numbers.random()
        if draw < 0.05:
            yield ""
        elif place % 3 == 0:
            yield str(int(draw * 100))
        else:
            yield f"{draw * 150:.3f}" if place % 3 == 1 else f"w{int(draw * 12)}"


def _ingest(place: Path, table: Path) -> tuple[float, float, int]:
    """Seconds, peak memory in MB and changed rows of one ingest in a process of its own."""
    (place / "data").mkdir(exist_ok=True)
    words = [sys.executable, "-m", "benchmarks.ingest", str(place / "data"), "LAB", str(table), "--json"]
    begin = time.perf_counter()
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - begin
    document, peak_kb = done.stdout.splitlines()
    report = json.loads(document)
    return seconds, int(peak_kb) / 1024, report["tables"][0]["new"] + report["tables"][0]["changed"]


if __name__ == "__main__":
    from connectomedb.cli.main import main as cdb

    try:
        cdb(["ingest", *sys.argv[1:]])
    finally:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)

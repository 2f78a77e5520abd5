"""What it costs to ask for 12,000 files that are all there.

After the fetch the mirror is asked again with an address that leads nowhere: had it made a request, it would fail.
The other copiers have no memory of what they proved; they list the store and compare.
"""

import json
import sys
from pathlib import Path

from benchmarks.dataset import PREFIX, Dataset
from benchmarks.machine import describe
from benchmarks.process import CommandFailed, run
from benchmarks.quiet import settle
from benchmarks.rivals import Rivals
from benchmarks.station import Station, environment
from benchmarks.table import Spread, print_promise, print_table, ratios

NOWHERE = "http://127.0.0.1:9"
"""The port of the discard service, where nothing listens."""

WARM_CALLS = 11
LIMIT_MS = 50


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    dataset = Dataset((1_200 if is_small else 12_000, 500, 2_000))
    rivals = Rivals.install()
    script = str(Path(__file__).with_name("ours.py"))
    with Station.start(folder) as station:
        station.upload(dataset.objects())
        url, bucket, copy = station.endpoint_url, station.bucket, station.scratch.new()
        run([sys.executable, script, "fetch", url, bucket, str(copy)], environment())
        there = copy / PREFIX
        source = f"s3://{bucket}/{PREFIX}"
        print(f"## Files that are all there\n\n{dataset.describe()}; {rounds} interleaved rounds.")
        print(f"{describe(folder)}; {rivals.versions()}.\n")
        ask = [sys.executable, script, "files", NOWHERE, bucket, str(copy), str(WARM_CALLS)]
        syncs = {
            "s5cmd sync": rivals.s5cmd(url, 256, "sync", f"{source}*", f"{there}/"),
            "aws s3 sync": rivals.aws(url, "sync", "--only-show-errors", source, str(there)),
        }
        first, warm, process = [], [], []
        others: dict[str, list[float]] = {name: [] for name in syncs}
        for _ in range(rounds):
            settle()
            used = run(ask, environment())
            told = json.loads(used.output)
            if told["count"] != dataset.count:
                raise CommandFailed(f"{told['count']} files were there of {dataset.describe()}")
            first.append(told["seconds"][0])
            warm.append(Spread(tuple(told["seconds"][1:])).middle)
            process.append(used.wall_s - sum(told["seconds"][1:]))
            for name, command in syncs.items():
                others[name].append(run(command, environment()).wall_s)
    _report(dataset.count, first, warm, process, others)


def _report(
    count: int, first: list[float], warm: list[float], process: list[float], others: dict[str, list[float]]
) -> None:
    ours = {
        "mirror.files, first call of a process": first,
        "mirror.files, later calls": warm,
        "python, import and first call": process,
    }
    rows = [[name, _milliseconds(values).show(1), ""] for name, values in ours.items()]
    rows += [[name, _milliseconds(values).show(0), ratios(process, values).show(3)] for name, values in others.items()]
    print_table(["call", "wall ms", "whole process of ours / this"], rows)
    print()
    for name, values in (("later calls", warm), ("first call of a process", first)):
        spread = _milliseconds(values)
        print_promise(
            f"{count} files present <= {LIMIT_MS} ms, no request ({name})",
            f"{spread.show(1)} ms, none made",
            is_kept=spread.middle <= LIMIT_MS,
        )


def _milliseconds(seconds: list[float]) -> Spread:
    return Spread(tuple(1000 * value for value in seconds))

"""How fast a subject is copied: our verified mirror beside copiers that do not verify, in interleaved rounds.

Each run starts from the same state (benchmarks.quiet) and copies into a new folder; the order of the rows turns
by one each round. Ratios are taken round by round. Others' processor time is what neither copier nor store used:
the system's own writing, and whoever else was at work; where it is more than a small part, measure again.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from benchmarks.dataset import PREFIX, Dataset
from benchmarks.machine import describe
from benchmarks.process import CommandFailed, run
from benchmarks.quiet import busy_s, settle
from benchmarks.rivals import Rivals
from benchmarks.station import Station, environment
from benchmarks.table import Spread, print_promise, print_table, ratios

WHOLE = Dataset((3_000, 500, 60_000), (60, 2_000_000, 12_000_000), (3, 250_000_000, 250_000_000))
SMALL = Dataset((300, 500, 60_000), (6, 2_000_000, 12_000_000), (1, 60_000_000, 60_000_000))
OURS = "connectomedb, verified"
UNVERIFIED = "connectomedb with MD5 off"
S5CMD = ("s5cmd cp, 32 workers", "s5cmd cp, 256 workers")
SUMMED = "s5cmd cp, 32 workers, then md5sum"
AWS = "aws s3 cp --recursive"
BOTO = "boto3, 16 threads"
MEMORY_MB = 200

Command: TypeAlias = Callable[[Path], list[str]]


@dataclass
class Figures:
    """One row's measurements, a value per round: seconds, and MB."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    server_s: list[float] = field(default_factory=list)
    others_s: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    dataset = SMALL if is_small else WHOLE
    rivals = Rivals.install()
    with Station.start(folder) as station:
        station.upload(dataset.objects())
        print(f"## Copying a subject\n\n{dataset.describe()}; {rounds} interleaved rounds.")
        print(f"{describe(folder)}; {rivals.versions()}.\n")
        figures = _measure(station, dataset, _commands(station, rivals), rounds)
    if is_small:
        print("A small set: the promises are about the whole one.\n")
    _report(figures)


def _commands(station: Station, rivals: Rivals) -> dict[str, Command]:
    url, bucket = station.endpoint_url, station.bucket
    source = f"s3://{bucket}/{PREFIX}"
    script = Path(__file__).with_name("ours.py")
    return {
        OURS: lambda copy: [sys.executable, str(script), "fetch", url, bucket, str(copy)],
        UNVERIFIED: lambda copy: [sys.executable, str(script), "copy", url, bucket, str(copy)],
        S5CMD[0]: lambda copy: rivals.s5cmd_copy(url, 32, source, copy),
        S5CMD[1]: lambda copy: rivals.s5cmd_copy(url, 256, source, copy),
        SUMMED: lambda copy: rivals.s5cmd_copy_and_sum(url, 32, source, copy),
        AWS: lambda copy: rivals.aws_copy(url, source, copy),
        BOTO: lambda copy: rivals.boto("copy", url, bucket, PREFIX, str(copy)),
    }


def _measure(station: Station, dataset: Dataset, commands: dict[str, Command], rounds: int) -> dict[str, Figures]:
    scratch, figures = station.scratch, {name: Figures() for name in commands}
    run(commands[S5CMD[0]](scratch.new()), environment())  # not counted: the store reads its files for the first time
    scratch.empty()
    names = list(commands)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            copy = scratch.new()
            settle()
            server_s, all_s = station.server_cpu_s, busy_s()
            used = run(commands[name](copy), environment())
            row = figures[name]
            row.server_s.append(station.server_cpu_s - server_s)
            row.others_s.append(max(0.0, busy_s() - all_s - used.cpu_s - row.server_s[-1]))
            row.wall_s.append(used.wall_s)
            row.cpu_s.append(used.cpu_s)
            row.peak_mb.append(used.peak_mb)
            _check(name, copy, dataset, used.output)
            print(f"round {number + 1}: {name} {used.wall_s:.2f} s", file=sys.stderr)
        scratch.empty()
    return figures


def _check(name: str, copy: Path, dataset: Dataset, output: str) -> None:
    """A copier that copied less than all is not fast; ours must have proven all but the manifest by the manifest."""
    sizes = [
        os.stat(os.path.join(place, file)).st_size
        for place, _, files in os.walk(copy)
        if ".connectomedb" not in place
        for file in files
    ]
    if len(sizes) != dataset.count or sum(sizes) < dataset.size:
        raise CommandFailed(f"{name} copied {len(sizes)} files and {sum(sizes)} bytes of {dataset.describe()}")
    if name == OURS and json.loads(output)["proofs"].get("manifest") != dataset.count - 1:
        raise CommandFailed(f"{name} did not prove every file by its manifest: {output}")


def _report(figures: dict[str, Figures]) -> None:
    ours = figures[OURS]
    rows = [
        [
            name,
            Spread(tuple(row.wall_s)).show(),
            Spread(tuple(row.cpu_s)).show(),
            Spread(tuple(row.server_s)).show(),
            Spread(tuple(row.others_s)).show(),
            Spread(tuple(row.peak_mb)).show(0),
            "" if row is ours else ratios(ours.wall_s, row.wall_s).show(),
        ]
        for name, row in figures.items()
    ]
    print_table(["copier", "wall s", "client CPU s", "server CPU s", "others' CPU s", "peak MB", "ours / this"], rows)
    print()
    better = min(S5CMD, key=lambda name: Spread(tuple(figures[name].wall_s)).middle)
    limits = ((better, 1.0), (SUMMED, 0.9), (AWS, 0.3), (BOTO, 0.33))
    for name, limit in limits:
        ratio = ratios(ours.wall_s, figures[name].wall_s)
        print_promise(f"<= {limit:g} x {name}", ratio.show(), is_kept=round(ratio.middle, 2) <= limit)
    peak = Spread(tuple(ours.peak_mb))
    print_promise(f"peak memory <= {MEMORY_MB} MB", f"{peak.show(0)} MB", is_kept=max(peak.values) <= MEMORY_MB)

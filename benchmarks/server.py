"""How many requests `cdb serve` answers in a second, and how soon, for 32 clients at once.

Clients and server share this machine's processors, so a server on a machine of its own answers more.
PostgreSQL does not sync to disk here; only reads are measured.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from benchmarks.lab import (
    FEW,
    LARGE_FILE,
    LOGIN,
    MANY_TYPE,
    MEMBERS,
    PASSWORD,
    Sizes,
    databases,
    make_lab,
    subject,
    write_tree,
)
from benchmarks.load import Load, format_request, measure
from benchmarks.machine import describe
from benchmarks.nginx import find_nginx, serve_files, version_of
from benchmarks.quiet import settle
from benchmarks.table import Spread, print_table
from connectomedb.demo.services.server_process import ServerProcess
from connectomedb.server.intake.subject_tables import NONTOOLBOX
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query, parse_constraints, parse_field

CLIENTS = 32
WARMING = 4
WORKERS = (1, 2)
SECONDS, SECONDS_SMALL = 2.0, 0.5
"""Of each trial in each round: 26 rows in 5 rounds take less than five minutes."""

JSON = "format=json"


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    sizes, seconds = Sizes.chosen(is_small), SECONDS_SMALL if is_small else SECONDS
    write_tree(folder / "tree", sizes)
    nginx = find_nginx()
    print(f"## Server\n\n{CLIENTS} clients at once, each row {rounds} times for {seconds:g} s, in turns.")
    print(
        f"{describe(folder)}; {version_of(nginx) if nginx else 'nginx is not installed, so its rows are left out'}.\n"
    )
    with ExitStack() as running:
        trials = list(_trials(running, folder, sizes, nginx))
        settle()
        for trial in trials:
            measure(trial.address, trial.request, clients=WARMING, seconds=0)
        for number in range(rounds):
            for trial in trials:
                trial.loads.append(measure(trial.address, trial.request, clients=CLIENTS, seconds=seconds))
                print(f"{number + 1}: {trial.name}, {trial.server}: {trial.loads[-1].per_s:.1f}/s", file=sys.stderr)
    rank = {name: place for place, name in enumerate(dict.fromkeys(trial.name for trial in trials))}
    rows = [_row(trial) for trial in sorted(trials, key=lambda trial: rank[trial.name])]
    print_table(["request", "server, workers", "requests/s", "p50 ms", "p95 ms", "MB/s"], rows)


@dataclass
class _Trial:
    """One row: what is asked of which server, and how often it answered in each round."""

    name: str
    server: str
    address: str
    request: bytes
    loads: list[Load] = field(default_factory=list)


def _trials(running: ExitStack, folder: Path, sizes: Sizes, nginx: str | None) -> Iterator[_Trial]:
    """All rows; their servers run until `running` ends, idle but for the one that is measured."""
    for engine, url in running.enter_context(databases()).items():
        lab = make_lab(folder / engine, folder / "tree", url, sizes)
        for workers in WORKERS:
            words = ("--workers", str(workers))
            server = running.enter_context(ServerProcess.start(lab.folder, lab.environment, PASSWORD, words))
            session = httpx2.get(f"{server.address}/data/JSESSION", auth=(LOGIN, PASSWORD)).raise_for_status().text
            headers = (("Cookie", f"JSESSIONID={session}"),)
            for name, (method, path, body) in _requests(sizes).items():
                request = format_request(server.address, method, path, headers, body)
                yield _Trial(name, f"{engine}, {workers}", server.address, request)
    for workers in WORKERS if nginx else ():
        place = folder / f"nginx-{workers}"
        address = running.enter_context(serve_files(nginx or "", lab.large_file.parent, place, workers=workers))
        request = format_request(address, "GET", f"/{lab.large_file.name}")
        yield _Trial(_file_name(sizes), f"nginx, {workers}", address, request)


def _file_name(sizes: Sizes) -> str:
    return f"file of {sizes.file_bytes // 1_000_000} MB"


def _requests(sizes: Sizes) -> dict[str, tuple[str, str, bytes]]:
    """What is measured → method, address and body."""
    release = f"/data/projects/{FEW}/subjects/{{0}}/experiments/{{0}}_CREST/resources/{{0}}_CREST/files"
    search = f"/data/search?{JSON}"
    return {
        "one subject, JSON": ("GET", f"/data/projects/{FEW}/subjects/{subject(0)}?{JSON}", b""),
        f"list of {sizes.few:,} subjects": ("GET", f"/data/projects/{FEW}/subjects?{JSON}", b""),
        f"search over {sizes.few:,}": ("POST", search, _search(NONTOOLBOX)),
        f"search over {sizes.many:,}": ("POST", search, _search(MANY_TYPE)),
        _file_name(sizes): (
            "GET",
            f"{release.format(subject(0))}/{LARGE_FILE}",
            b"",
        ),
        f"zip of {MEMBERS:,} files": ("GET", f"{release.format(subject(1))}?format=zip", b""),
    }


def _search(data_type: str) -> bytes:
    """Three criteria that about one subject in a hundred meets."""
    fields = tuple(parse_field(f"{data_type}/{name}") for name in ("SUBJECT_LABEL", "PMAT24_A_CR", "MMSE_SCORE"))
    limits = (("PMAT24_A_CR", ">=", "23"), ("MMSE_SCORE", ">", "27"), ("PICSEQ_UNADJ", "<", "110"))
    constraints = parse_constraints([*((f"{data_type}/{name}", op, value) for name, op, value in limits), "AND"])
    return format_bundle(Query(data_type, fields, constraints))


def _row(trial: _Trial) -> list[str]:
    loads = trial.loads
    figures = (
        Spread(tuple(load.per_s for load in loads)).show(1),
        Spread(tuple(load.percentile_ms(50) for load in loads)).show(1),
        Spread(tuple(load.percentile_ms(95) for load in loads)).show(1),
        Spread(tuple(load.mb_per_s for load in loads)).show(1),
    )
    return [trial.name, trial.server, *figures]

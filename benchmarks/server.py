"""How many requests `cdb serve` answers in a second, and how soon, for 32 clients at once.

Clients and server share this machine's processors, so a server on a machine of its own answers more.
PostgreSQL does not sync to disk here; only reads are measured.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2

from benchmarks.lab import (
    FEW,
    LARGE_FILE,
    LOGIN,
    MANY_TYPE,
    MEMBERS,
    PASSWORD,
    Lab,
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
WORKERS = (1, 2)
SECONDS, SECONDS_SMALL = 4.0, 1.0
JSON = "format=json"


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    sizes, seconds = Sizes.chosen(is_small), SECONDS_SMALL if is_small else SECONDS
    write_tree(folder / "tree", sizes)
    nginx = find_nginx()
    print(f"## Server\n\n{CLIENTS} clients at once, each row {rounds} times for {seconds:g} s.")
    print(f"{describe(folder)}; {version_of(nginx) if nginx else 'nginx is not installed: apt-get install nginx'}.\n")
    rows: list[list[str]] = []
    with databases() as urls:
        for engine, url in urls.items():
            lab = make_lab(folder / engine, folder / "tree", url, sizes)
            for workers in WORKERS:
                for name, loads in _measure_server(lab, workers, rounds, seconds):
                    rows.append(_row(name, f"{engine}, {workers}", loads))
    if nginx:
        name = f"file of {sizes.file_bytes // 1_000_000} MB"
        for workers in WORKERS:
            with serve_files(nginx, lab.large_file.parent, folder / f"nginx-{workers}", workers=workers) as address:
                request = format_request(address, "GET", f"/{lab.large_file.name}")
                rows.append(_row(name, f"nginx, {workers}", _repeat(address, request, rounds, seconds)))
    rank = {name: place for place, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    rows.sort(key=lambda row: rank[row[0]])
    print_table(["request", "server, workers", "requests/s", "p50 ms", "p95 ms", "MB/s"], rows)


def _measure_server(lab: Lab, workers: int, rounds: int, seconds: float) -> Iterator[tuple[str, list[Load]]]:
    with ServerProcess.start(lab.folder, lab.environment, PASSWORD, ("--workers", str(workers))) as server:
        session = httpx2.get(f"{server.address}/data/JSESSION", auth=(LOGIN, PASSWORD)).raise_for_status().text
        settle()
        headers = (("Cookie", f"JSESSIONID={session}"),)
        for name, (method, path, body) in _requests(lab.sizes).items():
            request = format_request(server.address, method, path, headers, body)
            yield name, _repeat(server.address, request, rounds, seconds)


def _repeat(address: str, request: bytes, rounds: int, seconds: float) -> list[Load]:
    measure(address, request, clients=CLIENTS, seconds=0)
    loads = []
    for _ in range(rounds):
        loads.append(measure(address, request, clients=CLIENTS, seconds=seconds))
        print(f"{request[:60]!r}: {loads[-1].per_s:.1f}/s", file=sys.stderr)
    return loads


def _requests(sizes: Sizes) -> dict[str, tuple[str, str, bytes]]:
    """What is measured → method, address and body."""
    release = f"/data/projects/{FEW}/subjects/{{0}}/experiments/{{0}}_CREST/resources/{{0}}_CREST/files"
    search = f"/data/search?{JSON}"
    return {
        "one subject, JSON": ("GET", f"/data/projects/{FEW}/subjects/{subject(0)}?{JSON}", b""),
        f"list of {sizes.few:,} subjects": ("GET", f"/data/projects/{FEW}/subjects?{JSON}", b""),
        f"search over {sizes.few:,}": ("POST", search, _search(NONTOOLBOX)),
        f"search over {sizes.many:,}": ("POST", search, _search(MANY_TYPE)),
        f"file of {sizes.file_bytes // 1_000_000} MB": (
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


def _row(name: str, server: str, loads: list[Load]) -> list[str]:
    figures = (
        Spread(tuple(load.per_s for load in loads)).show(1),
        Spread(tuple(load.percentile_ms(50) for load in loads)).show(1),
        Spread(tuple(load.percentile_ms(95) for load in loads)).show(1),
        Spread(tuple(load.mb_per_s for load in loads)).show(1),
    )
    return [name, server, *figures]

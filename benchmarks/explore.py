"""How soon the subject dashboard's questions are answered: rows, counts and funnel of one filter, and a chart.

One client asks one `cdb serve` process of this machine, again and again with another bound, so that no answer is that
of the question before. A filter is one request; the chart of a column is another.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import httpx2

from benchmarks.lab import LOGIN, PASSWORD, databases, subject
from benchmarks.machine import describe
from benchmarks.quiet import settle
from benchmarks.table import Spread, print_promise, print_table
from connectomedb.demo.services.server_process import ServerProcess
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Role
from connectomedb.server.access.users import add_member, create_user
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import make_admin
from connectomedb.server.settings import read_settings
from connectomedb.server.site import open_site

SEED = 20130301
FEW_MS, MANY_MS = 100.0, 1_000.0
"""The promises: a filter over a study, and over one a hundred times as large."""

TIMES = 5
"""So often each question is asked in a round."""


@dataclass(frozen=True, slots=True)
class Study:
    """A project to be explored: how many subjects and columns, and the promise for a filter in ms."""

    project: str
    subjects: int
    columns: int
    promise_ms: float

    @property
    def words(self) -> str:
        """For tables."""
        return f"{self.subjects:,} x {self.columns}"

    @property
    def data_type(self) -> str:
        """Measures of its own, so that one study's table does not slow another's."""
        return f"lab:{self.project.lower()}data"


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    many = 10_000 if is_small else 100_000
    studies = (
        Study("STUDY", 1_206, 800, FEW_MS),
        Study("NARROW", many, 30, MANY_MS),
        Study("WIDE", many, 100, MANY_MS),
    )
    print(f"## Explore\n\nOne client; each question {TIMES} times in each of {rounds} rounds; {describe(folder)}.\n")
    tables = {study.project: write_table(folder / f"{study.project}.csv", study) for study in studies}
    rows: list[list[str]] = []
    filters: dict[tuple[str, Study], float] = {}
    with databases() as urls:
        for engine, url in urls.items():
            fill(folder / engine, url, studies, tables)
            with ServerProcess.start(folder / engine, {"CDB_DATABASE_URL": url}, PASSWORD) as server:
                session = httpx2.get(f"{server.address}/data/JSESSION", auth=(LOGIN, PASSWORD)).raise_for_status().text
                settle()
                with httpx2.Client(base_url=server.address, cookies={"JSESSIONID": session}, timeout=60) as client:
                    for study in studies:
                        for name, ask in _questions(client, study).items():
                            spread = _measure(ask, rounds)
                            print(f"{engine}, {study.words}, {name}: {spread.show(1)} ms", file=sys.stderr)
                            rows.append([f"{name}, {study.words}", engine, spread.show(1)])
                            filters.setdefault((engine, study), spread.middle)
    rank = {name: place for place, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    rows.sort(key=lambda row: rank[row[0]])
    print_table(["question", "database", "ms"], rows)
    print()
    for (engine, study), middle in filters.items():
        promise = f"a filter over {study.words} on {engine} < {study.promise_ms:g} ms"
        print_promise(promise, f"{middle:.0f} ms", is_kept=middle < study.promise_ms)


def _questions(client: httpx2.Client, study: Study) -> dict[str, Callable[[int], None]]:
    """What is asked → how; the first is what the promise is about. Each turn asks for something slightly other."""
    address, last = f"/data/projects/{study.project}/explore", study.columns - 1
    shown = ",".join(f"C{number:03}" for number in range(min(study.columns, 12)))
    common = {"type": study.data_type, "columns": shown}

    def ask(what: str, **words: str) -> Callable[[int], None]:
        def turn(number: int) -> None:
            asked = {**common, **words, "where": condition(study, number)}
            reply = client.get(f"{address}{what}", params=asked).raise_for_status()
            if what == "" and not 0 < json.loads(reply.content)["passed"] < study.subjects:
                raise SystemExit(f"{study.project}: the filter chooses nobody, or everybody")

        return turn

    def page(number: int) -> None:
        words = {"type": study.data_type, "where": condition(study, number)}
        client.get(f"/projects/{study.project}/subjects", params=words).raise_for_status()

    return {
        "filter: rows, counts, funnel": ask("", funnel="true"),
        "the dashboard's page, filtered": page,
        "the same, sorted": ask("", funnel="true", sort=f"C{last:03}", descending="true"),
        "a page far down": ask("", sort="C001", offset="500"),
        "histogram": ask("/distribution", column="C001"),
        "bars": ask("/distribution", column="C002"),
        "labels of all who pass": ask("/subjects"),
    }


def _measure(ask: Callable[[int], None], rounds: int) -> Spread:
    """Median time of each round in ms."""
    ask(0)
    turns = iter(range(1, 1_000_000))
    middles = []
    for _ in range(rounds):
        taken = []
        for _ in range(TIMES):
            begun = time.perf_counter()
            ask(next(turns))
            taken.append((time.perf_counter() - begun) * 1e3)
        middles.append(median(taken))
    return Spread(tuple(middles))


def condition(study: Study, turn: int) -> str:
    """A filter with four criteria, slightly another each turn; some pass."""
    last = study.columns - 1
    return f"C000 >= {10 + turn % 9} and C{last:03} < {60 + turn / 100} and C002 in ('b', 'c') and C003 > 5"


def fill(folder: Path, url: str, studies: tuple[Study, ...], tables: dict[str, Path]) -> None:
    """Take studies into a new data folder, for one reader."""
    folder.mkdir()
    settings = read_settings(None, {})
    site = open_site(folder, config=replace(settings, database=replace(settings.database, url=url)))
    make_admin(site, PASSWORD)
    create_user(site.database, LOGIN, PASSWORD)
    for study in studies:
        begun = time.perf_counter()
        table = SubjectTable(tables[study.project], tier=Tier.OPEN)
        delivery = Delivery(release_of(study.project), "Made up", tables=[table], data_type=study.data_type)
        ingest_release(site.database, site.archive, delivery)
        add_member(site.database, study.project, LOGIN, Role.COLLABORATOR)
        print(f"{study.words} taken in: {time.perf_counter() - begun:.1f} s", file=sys.stderr)
    site.close()


def write_table(file: Path, study: Study) -> Path:
    """Whole numbers, fractions and words in turn, with a gap in every twentieth cell."""
    numbers = random.Random(SEED)
    with file.open("w", encoding="ascii") as table:
        table.write(",".join(("Subject", *(f"C{number:03}" for number in range(study.columns)))) + "\n")
        for number in range(study.subjects):
            table.write(",".join((subject(number), *_cells(numbers, study.columns))) + "\n")
    return file


def _cells(numbers: random.Random, count: int) -> Iterator[str]:
    for number in range(count):
        chance = numbers.random()
        if chance < 0.05:
            yield ""
        elif number % 4 == 2:
            yield "abcde"[int(chance * 5)]
        elif number % 4 == 1:
            yield f"{chance * 200 - 50:.4f}"
        else:
            yield str(int(chance * 100))

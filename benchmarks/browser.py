"""How soon the dashboard shows what was asked for, in Chromium: from the key or the mouse to the painted table.

A filter that is typed ends with the key Enter, one that is brushed with the letting go of the mouse; from that moment
the browser counts until the view with the new table is painted. The server is one `cdb serve`
process of this machine, with SQLite; each turn asks for something slightly other. The browser draws without a
graphics card, and shares the processors with the server.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx2
from playwright.sync_api import Page, sync_playwright

from benchmarks.explore import FEW_MS, MANY_MS, TIMES, Study, condition, fill, write_table
from benchmarks.lab import LOGIN, PASSWORD
from benchmarks.machine import describe
from benchmarks.quiet import settle
from benchmarks.table import Spread, print_promise, print_table
from connectomedb.demo.services.server_process import ServerProcess

CHROMIUM = "/usr/bin/chromium-headless-shell"
SIZE = {"width": 1280, "height": 900}

_WATCH = """
const isAsked = { keydown: (event) => event.key === "Enter", pointerup: () => true };
for (const [kind, is] of Object.entries(isAsked)) {
  addEventListener(kind, (event) => {
    if (!is(event)) return;
    const asked = event.timeStamp, from = location.search;
    const look = () => {
      if (location.search === from) requestAnimationFrame(look);
      else setTimeout(() => { window.took = performance.now() - asked; });
    };
    window.took = null;
    requestAnimationFrame(look);
  }, true);
}
"""
"""Looks at every frame until the view has changed; what waits then for its turn comes after that frame is painted."""


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    many = 10_000 if is_small else 100_000
    studies = (Study("STUDY", 1_206, 800, FEW_MS), Study("WIDE", many, 100, MANY_MS))
    print(f"## Browser\n\nChromium; each question {TIMES} times in each of {rounds} rounds; {describe(folder)}.\n")
    tables = {study.project: write_table(folder / f"{study.project}.csv", study) for study in studies}
    fill(folder / "SQLite", "", studies, tables)
    rows: list[list[str]] = []
    typed: dict[Study, float] = {}
    with ServerProcess.start(folder / "SQLite", {}, PASSWORD) as server, _window(server.address) as page:
        settle()
        for study in studies:
            for name, ask in _questions(page, study).items():
                spread = _measure(ask, rounds)
                print(f"{study.words}, {name}: {spread.show(1)} ms", file=sys.stderr)
                rows.append([f"{name}, {study.words}", spread.show(1)])
                typed.setdefault(study, spread.middle)
    print_table(["from the question to the painted table", "ms"], rows)
    print()
    for study, middle in typed.items():
        promise = f"a typed filter over {study.words} is on the screen in < {study.promise_ms:g} ms"
        print_promise(promise, f"{middle:.0f} ms", is_kept=middle < study.promise_ms)


@contextmanager
def _window(address: str) -> Iterator[Page]:
    """A signed-in window on a server."""
    session = httpx2.get(f"{address}/data/JSESSION", auth=(LOGIN, PASSWORD)).raise_for_status().text
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=address, viewport={"width": SIZE["width"], "height": SIZE["height"]})
        context.add_cookies([{"name": "JSESSIONID", "value": session, "url": address}])
        context.add_init_script(_WATCH)
        yield context.new_page()
        browser.close()


def _questions(page: Page, study: Study) -> dict[str, Callable[[int], float]]:
    """What is asked → how, giving ms; the first is what the promise is about."""
    last = study.columns - 1
    start = f"/projects/{study.project}/subjects?type={study.data_type}&columns=C000,C001,C002,C{last:03}"

    def typed(turn: int) -> float:
        _open(page, start)
        line = page.get_by_label("Filter in one line")
        line.fill(condition(study, turn))
        page.wait_for_timeout(400)  # until what is told while typing has been told
        line.press("Enter")
        return _painted(page)

    def brushed(turn: int) -> float:
        _open(page, start)
        chart = page.get_by_role("region", name="C001").locator("svg")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * (0.1 + turn % 7 / 20), box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20)
        page.mouse.up()
        return _painted(page)

    def sorted_by(turn: int) -> float:
        _open(page, f"{start}&where=C000+>=+{10 + turn % 9}")
        head = page.get_by_role("columnheader", name=f"C{last:03}").locator("a.sort")
        head.focus()
        page.keyboard.press("Enter")
        return _painted(page)

    return {"typed": typed, "brushed": brushed, "sorted": sorted_by}


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#charts[data-drawn]").wait_for()


def _painted(page: Page) -> float:
    found: float = page.wait_for_function("() => window.took", timeout=30_000).json_value()
    return found


def _measure(ask: Callable[[int], float], rounds: int) -> Spread:
    """Median time of each round in ms."""
    ask(0)
    turns = iter(range(1, 1_000_000))
    return Spread(tuple(median(ask(next(turns)) for _ in range(TIMES)) for _ in range(rounds)))

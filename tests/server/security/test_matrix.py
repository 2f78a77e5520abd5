"""Every route, every kind of caller: who gets which status; and nobody learns of what is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Match, Route
from tests.server.security.estate import ABSENT, Estate, serving
from tests.server.security.matrix import CALLERS, ROWS, Row

from connectomedb.server.app import WAYS
from connectomedb.server.routes.wrappers import plain_path

NUMBERS = count()


class World:
    """The estate on two servers, one of them open to guests."""

    def __init__(self, closed: Estate, opened: Estate) -> None:
        self.estate = closed
        self.names = {project: closed.names(project) for project in ("CLOSED", "TERMS")}
        self.token = dict(zip(("alias", "secret"), closed.token("reader"), strict=True))
        self._closed, self._opened = closed.client(None), opened.client(None)

    def ask(self, caller: str, row: Row, names: dict[str, str], before: str = "") -> httpx2.Response:
        """What a row asks, or what comes before it; each time with the caller's own session."""
        method, _, address = _fill(before or row.ask, names).partition(" ")
        body = b"" if before and not row.body_before else _fill(row.body.decode(), names).encode()
        headers = {"Content-Type": row.kind} if row.kind and body else {}
        if caller not in ("nobody", "guest"):
            headers["Cookie"] = f"JSESSIONID={self.estate.session(caller)}"
        client = self._opened if caller == "guest" else self._closed
        reply = client.request(method, address, content=body, headers=headers)
        client.cookies.clear()
        if row.ask == "DELETE /data/JSESSION":
            self.estate.sessions.pop(caller, None)
        return reply

    def close(self) -> None:
        self._closed.close()
        self._opened.close()

    def names_for(self, project: str) -> dict[str, str]:
        """What stands in the braces of addresses."""
        return {**self.names[project], **self.token, "new": f"new{next(NUMBERS)}"}


def _fill(text: str, names: dict[str, str]) -> str:
    for name, word in names.items():
        text = text.replace(f"{{{name}}}", word)
    return text


@pytest.fixture(scope="module")
def world(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("matrix") / "data"
    with serving(template, folder) as closed, serving(template, folder, is_open_to_guests=True) as opened:
        world = World(closed, opened)
        yield world
        world.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.ask)
def test_who_may(world: World, row: Row) -> None:
    got, ready = {}, dict[str, dict[str, str]]()
    for caller in CALLERS:
        project = "TERMS" if caller == "waiting" else "CLOSED"
        if project not in ready:
            ready[project] = world.names_for(project)
            for before in row.before:
                world.ask("admin", row, ready[project], before)
        reply = world.ask(caller, row, {**ready[project], "me": caller})
        got[caller] = reply.status_code
        if reply.is_success:
            del ready[project]
    assert got == row.statuses


HIDDEN = [row for row in ROWS if any(f"{{{name}}}" in row.ask for name in ABSENT) and not row.tells]


@pytest.mark.parametrize("caller", ["guest", "stranger"])
def test_what_is_hidden_looks_absent(world: World, caller: str) -> None:
    names = {**world.names_for("CLOSED"), "me": caller}
    wrong = []
    for row in HIDDEN:
        hidden, absent = world.ask(caller, row, names), world.ask(caller, row, {**names, **ABSENT})
        said = absent.text
        for name, word in ABSENT.items():
            said = said.replace(word, names[name])
        if (hidden.status_code, hidden.text) != (absent.status_code, said):
            wrong.append((row.ask, hidden.status_code, hidden.text, absent.status_code, absent.text))
    assert wrong == []


ROUTES = [(way, Route(way.path, way.handler, methods=way.methods.split())) for way in WAYS]


def _way_of(ask: str) -> tuple[str, str]:
    """The route that answers a request, as the application finds it: the first one that fits."""
    method, _, address = ask.partition(" ")
    filled = _fill(address, {**ABSENT, "new": "new", "me": "me"})
    scope = {"type": "http", "method": method, "path": plain_path(filled.encode()), "headers": []}
    return next((method, way.path) for way, route in ROUTES if route.matches(scope)[0] is Match.FULL)


def test_no_route_is_forgotten() -> None:
    told = {_way_of(row.ask) for row in ROWS}
    assert {(method, way.path) for way in WAYS for method in way.methods.split()} - told == set()

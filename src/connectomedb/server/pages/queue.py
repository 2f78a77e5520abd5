"""The package queue: which files of the chosen subjects, how much that is, and the ways to have them.

Without script the first subjects are counted, `first=` at most; with it, all of them, part after part.
"""

import shlex
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from connectomedb.cohort.lockfile import SUFFIX
from connectomedb.errors import QueryError
from connectomedb.hcp.packages import packages
from connectomedb.server.pages.explored import ask_explore, explore_address
from connectomedb.server.pages.render import render
from connectomedb.server.pages.selection import Selection
from connectomedb.server.routes.call import Call, Later, Way
from connectomedb.server.routes.parameters import Parameters

FIRST_SUBJECTS = 20
"""So many are counted before the page is sent: each has thousands of files."""


def get_queue(call: Call) -> Later:
    """The page. Counting reads thousands of rows, outside the threads that answer short questions."""
    return Later(lambda: _page(call))


def _page(call: Call) -> Response:
    selection = Selection.read(call.words["project"], call.parameters)
    ticked, patterns = _words(call.parameters, "package"), _words(call.parameters, "pattern")
    pairs = [*(("package", one) for one in ticked), *(("pattern", one) for one in patterns)]
    fault, counted = "", None
    first = min(call.parameters.count("first", FIRST_SUBJECTS) or 0, FIRST_SUBJECTS)
    try:
        counted = ask_explore(call, selection, "/files", [*pairs, ("limit", str(first))])
    except QueryError as slip:
        fault = str(slip).partition("\n")[0]
    asked = urlencode([*selection.chosen.items(), *pairs])
    lockfile = f"{selection.project}{SUFFIX}"
    server = call.base_url.rstrip("/")
    values = {
        "project": selection.project,
        "tier": str(selection.tier),
        "view": selection,
        "fault": fault,
        "counted": counted,
        "by_id": {one["id"]: one for one in counted["packages"]} if counted else {},
        "kinds": _kinds(),
        "ticked": ticked,
        "patterns": patterns,
        "explore": explore_address(selection.project),
        "asked": asked,
        "lockfile": lockfile,
        "command": shlex.join(["cdb", "sync", lockfile, "--to", selection.project, "--server", server]),
    }
    return render(call, "queue.html", values, status=422 if fault else 200)


def _words(parameters: Parameters, name: str) -> list[str]:
    """Values of a parameter that may be repeated, each once."""
    return list(dict.fromkeys(value.strip() for key, value in parameters.pairs if key == name and value.strip()))


def _kinds() -> Sequence[Mapping[str, Any]]:
    """The packages by session and level, as users choose among them."""
    return [
        {"session": session, "level": level, "packages": list(members)}
        for (session, level), members in groupby(packages().values(), key=lambda one: (one.session, one.level))
    ]


WAYS = (Way("GET", "/projects/{project}/queue", get_queue),)

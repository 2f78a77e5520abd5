"""The subject dashboard: a table of subjects, filters in two spellings, the funnel, groups, ways to take it along.

It works without script: every link and form is an address that says the whole view. A form that puts a criterion
together is answered by sending the browser to the predicate that comes of it. Our script, which asks the REST API for
lists of attributes and keeps them, prefers the page without: `Prefer: return=minimal` (RFC 7240).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from connectomedb.cohort.columns import NONTOOLBOX
from connectomedb.errors import QueryError
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.pages import filter_form
from connectomedb.server.pages.cohorts import list_groups, open_group
from connectomedb.server.pages.explored import ask_explore, explore_address, list_types
from connectomedb.server.pages.forms import send_on
from connectomedb.server.pages.render import render
from connectomedb.server.pages.selection import PAGE_SIZE, Selection
from connectomedb.server.pages.snippets import csv_address, snippets
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.explored import SUBJECT

FIRST_COLUMNS = 8
"""So many columns of a category are shown until somebody chooses."""

_MINIMAL = "return=minimal"

Answer = Mapping[str, Any]
"""JSON of the REST API."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the REST API says of a selection; `found` is None where its predicate cannot be read."""

    listed: Answer
    told: Answer
    found: Answer | None
    fault: str

    @property
    def columns(self) -> list[str]:
        """Names of the measures shown."""
        return [column["name"] for column in self.found["columns"] if column["name"] != SUBJECT] if self.found else []


def get_dashboard(call: Call) -> Response:
    """The page; or on to the one that a form or a group asks for."""
    selection = Selection.read(call.words["project"], call.parameters)
    given = call.parameters
    try:
        if given.get("group"):
            return send_on(open_group(call, selection.project, given.get("group")).address)
        if given.has("apply"):
            told = ask_explore(call, selection, "/predicate", filter_form.criterion_of(given))
            return send_on(selection.but(where=told["predicate"]).address)
        if given.get("add"):
            return send_on(_with_column(call, selection, given.get("add").strip()).address)
    except QueryError as slip:
        return _page(call, selection, _first_line(slip))
    return _page(call, selection)


def _page(call: Call, selection: Selection, fault: str = "") -> Response:
    types = list_types(call)
    if types and NONTOOLBOX not in types and not selection.data_type and not fault:
        return send_on(selection.but(data_type=types[0]).address)
    is_minimal = call.headers.get("prefer") == _MINIMAL
    shown = _look(call, selection, fault, is_minimal=is_minimal)
    tier = Tier(shown.listed["tier"])
    view = selection.but(where=shown.told["predicate"], page=selection.page, tier=tier)
    form = filter_form.read_form(call.parameters, shown.told["criteria"])
    offered = shown.listed
    if not is_minimal and form.category and form.category != offered["category"]:
        offered = ask_explore(call, view.but(where=""), "/columns", [("category", form.category)])
    is_user = bool(call.caller and not call.caller.is_guest)
    server, login = call.base_url.rstrip("/"), call.user.login if is_user else ""
    values = {
        "project": view.project,
        "tier": str(view.tier),
        "view": view,
        "shown": shown,
        "tab": shown.listed["category"],
        "form": form,
        "offered": offered,
        "category": form.category or offered["category"],
        "is_minimal": is_minimal,
        "operators": filter_form.WORDS,
        "found": shown.found,
        "fault": shown.fault,
        "pages": -(-shown.found["passed"] // PAGE_SIZE) if shown.found else 0,
        "page_size": PAGE_SIZE,
        "groups": list_groups(call, view.project) if is_user else [],
        "may_save": is_user,
        "types": [word for word in types if word != NONTOOLBOX],
        "explore": explore_address(view.project),
        "csv": csv_address(view, shown.columns),
        "snippets": snippets(view, shown.columns, server, login),
    }
    headers = {"Vary": "Prefer", **({"Preference-Applied": _MINIMAL} if is_minimal else {})}
    return render(call, "subjects.html", values, status=422 if shown.fault else 200, headers=headers)


def _look(call: Call, selection: Selection, fault: str = "", *, is_minimal: bool = False) -> _Shown:
    """The selection as the REST API answers it; of a predicate that cannot be read, its words and what is wrong."""
    of_tab = [("category", selection.tab), *([("limit", str(FIRST_COLUMNS))] if is_minimal else [])]
    listed = ask_explore(call, selection.but(where=""), "/columns", of_tab)
    told: Answer = {"predicate": selection.where, "criteria": []}
    found: Answer | None = None
    try:
        told = ask_explore(call, selection, "/predicate") if selection.where else told
        found = _found(call, selection, listed, told)
    except QueryError as slip:
        fault = fault or _first_line(slip)
    return _Shown(listed, told, found, fault)


def _found(call: Call, selection: Selection, listed: Answer, told: Answer) -> Answer:
    """Counts, the funnel, and one page of rows."""
    columns = selection.columns
    if not columns:
        own = [column["name"] for column in listed["columns"][:FIRST_COLUMNS]]
        read = [one["column"] for one in told["criteria"] if one["column"] and "/" not in one["column"]]
        columns = tuple(dict.fromkeys((*own, *read)))
    pairs = [
        ("columns", ",".join(columns) or SUBJECT),
        ("limit", str(PAGE_SIZE)),
        ("offset", str((selection.page - 1) * PAGE_SIZE)),
        ("funnel", "true"),
    ]
    if selection.sort:
        pairs += [("sort", selection.sort), ("descending", str(selection.is_descending).lower())]
    return ask_explore(call, selection, "", pairs)


def _with_column(call: Call, selection: Selection, name: str) -> Selection:
    """The view with one more column. Raises QueryError where there is none of that name."""
    ask_explore(call, selection, "", [("columns", name), ("limit", "0")])
    shown = _look(call, selection).columns
    return selection.but(columns=tuple(dict.fromkeys((*shown, name))), page=selection.page)


def _first_line(slip: QueryError) -> str:
    """The sentence, without the picture of the place, which needs a terminal."""
    return str(slip).partition("\n")[0]


WAYS = (Way("GET", "/projects/{project}/subjects", get_dashboard),)

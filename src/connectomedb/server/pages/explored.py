"""What the pages of subjects ask of the REST API's `explore` routes."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from connectomedb.errors import AddressError, QueryError
from connectomedb.server.pages.ask import ask, ask_rows
from connectomedb.server.pages.render import segment
from connectomedb.server.pages.selection import Selection
from connectomedb.server.routes.call import Call


def explore_address(project: str) -> str:
    """Where the REST API answers for a project's subjects."""
    return f"/data/projects/{segment(project)}/explore"


def ask_explore(
    call: Call, selection: Selection, what: str = "", pairs: Iterable[tuple[str, str]] = ()
) -> dict[str, Any]:
    """The answer for a selection's subjects.

    Raises QueryError, in the API's words, for a predicate that cannot be read, or parameters that cannot be.
    """
    form = urlencode([*selection.asked.items(), *pairs])
    try:
        reply = ask(call, f"{explore_address(selection.project)}{what}", "POST", body=form.encode())
    except AddressError as slip:
        raise QueryError(str(slip)) from slip
    answer: dict[str, Any] = json.loads(bytes(reply.body))
    if "message" in answer:
        raise QueryError(answer["message"])
    return answer


def list_types(call: Call) -> list[str]:
    """Data types of the measures that the caller may see."""
    return list(dict.fromkeys(row["data_type"] for row in ask_rows(call, "/data/dictionary")))

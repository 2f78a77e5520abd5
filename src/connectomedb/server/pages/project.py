"""A project's page: what it is, what it offers, and where its reader stands."""

from itertools import groupby
from typing import Any

from starlette.responses import Response

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.pages.ask import ask_json, ask_rows
from connectomedb.server.pages.front import s3_state, standing
from connectomedb.server.pages.render import render, segment
from connectomedb.server.routes.call import Call, Way


def get_project(call: Call) -> Response:
    """Description, resources, groups and tables; without access only the description and the way to it."""
    base = f"/data/projects/{segment(call.words['project'])}"
    record = ask_json(call, base, format="json")["items"][0]["data_fields"]
    id = str(record["ID"])
    roles = {row["ID"]: row["role"] for row in ask_json(call, "/xapi/access/projects")}
    where = standing(call, id, id in roles)
    values = {"project": id, "record": record, "standing": where, "role": roles.get(id, "")}
    return render(call, "project.html", values | (_contents(call, id) if where.is_readable else _NOTHING))


_NOTHING: dict[str, Any] = {"resources": [], "groups": [], "types": [], "granted": Tier.OPEN, "s3": ""}


def _contents(call: Call, id: str) -> dict[str, Any]:
    base = f"/data/projects/{segment(id)}"
    return {
        "resources": ask_rows(call, f"{base}/resources"),
        "groups": [row for row in ask_rows(call, "/data/search/saved") if _is_of(row, id)],
        "types": _types(call),
        "granted": granted_tier(call, id),
        "s3": s3_state(call),
    }


def granted_tier(call: Call, project: str) -> Tier:
    """The highest tier whose columns the caller may see in a project."""
    if call.user.is_admin:
        return Tier.SENSITIVE
    if call.user.is_guest:
        return Tier.OPEN
    return next(
        (Tier.of(row["tier"]) for row in ask_rows(call, "/data/grants") if row["project"] == project), Tier.OPEN
    )


def _is_of(row: dict[str, str], project: str) -> bool:
    """Whether a kept search belongs to a project, or is a group of its subjects or of anybody's."""
    begins = (f"cohort of {project}:", "cohort of *:")
    return row["tag"] == project or row["description"].startswith(begins)


def _types(call: Call) -> list[dict[str, Any]]:
    """Data types of measures, each with its categories and whether these have columns above the open tier."""
    found = []
    for name, of_type in groupby(ask_rows(call, "/data/dictionary"), key=lambda row: row["data_type"]):
        tiers: dict[str, set[str]] = {}
        for row in of_type:
            tiers.setdefault(row["category"], set()).add(row["tier"])
        found.append({"name": name, "categories": {word: kinds for word, kinds in tiers.items() if word}})
    return found


WAYS = (Way("GET", "/projects/{project}", get_project),)

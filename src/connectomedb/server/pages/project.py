"""A project's page: what it is, what it offers, and where its reader stands."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from connectomedb.cohort.named import from_stored
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.pages.ask import ask_json, ask_rows
from connectomedb.server.pages.front import s3_state, standing
from connectomedb.server.pages.render import render, segment
from connectomedb.server.routes.call import Call, Way


def get_project(call: Call) -> Response:
    """What the project is and holds; without access only its description and the way to it."""
    base = f"/data/projects/{segment(call.words['project'])}"
    record = ask_json(call, base, format="json")["items"][0]["data_fields"]
    id = str(record["ID"])
    roles = {row["ID"]: row["role"] for row in ask_json(call, "/xapi/access/projects")}
    where = standing(call, id, id in roles)
    values = {"project": id, "record": record, "standing": where, "role": roles.get(id, "")}
    return render(call, "project.html", values | (_contents(call, id) if where.is_readable else _NOTHING))


_NOTHING: dict[str, Any] = {"resources": [], "groups": [], "keys": [], "types": [], "granted": Tier.OPEN, "s3": ""}


def _contents(call: Call, id: str) -> dict[str, Any]:
    base = f"/data/projects/{segment(id)}"
    return {
        "resources": ask_rows(call, f"{base}/resources"),
        "groups": _kept(call, id),
        "keys": ask_rows(call, f"{base}/subject_keys"),
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


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept group of subjects, or another kept search of the project, and where it leads."""

    name: str
    says: str
    owner: str
    address: str


def _kept(call: Call, project: str) -> list[Kept]:
    """The groups of a project's subjects or of anybody's, and the searches that are kept for the project."""
    found = []
    for row in ask_rows(call, "/data/search/saved"):
        cohort = from_stored(row["id"], row["description"])
        name, owner = row["brief_description"] or row["id"], row["users"].split(", ")[0]
        if cohort and cohort.project in ("", project):
            address = f"/projects/{segment(project)}/subjects?{urlencode({'group': cohort.name})}"
            found.append(Kept(name, cohort.predicate, owner, address))
        elif not cohort and row["tag"] == project:
            address = f"/data/projects/{segment(project)}/searches/{segment(row['id'])}/results?format=html"
            found.append(Kept(name, row["description"], owner, address))
    return found


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

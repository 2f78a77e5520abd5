"""Lists that an object has, a row per entry: custom variables, parameters, shares, other names of a project."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import FromClause, Select, Table, case, func, select

from connectomedb.server.tables.schema import (
    experiment_facts,
    experiment_shares,
    experiments,
    project_aliases,
    project_facts,
    projects,
    reconstruction_facts,
    reconstructions,
    scan_facts,
    scan_shares,
    scans,
    subject_facts,
    subject_shares,
    subjects,
)
from connectomedb.server.types.datatypes import ENTRIES, PARTS, RECORDS, Entity

ROWS: Mapping[Entity, Table] = {
    Entity.PROJECT: projects,
    Entity.SUBJECT: subjects,
    Entity.EXPERIMENT: experiments,
    Entity.SCAN: scans,
    Entity.RECONSTRUCTION: reconstructions,
}
"""Where the objects of a level are kept."""

FACTS: Mapping[Entity, Table] = {
    Entity.PROJECT: project_facts,
    Entity.SUBJECT: subject_facts,
    Entity.EXPERIMENT: experiment_facts,
    Entity.SCAN: scan_facts,
    Entity.RECONSTRUCTION: reconstruction_facts,
}
"""Where their rare fields and custom variables are."""

SHARES: Mapping[Entity, Table] = {
    Entity.SUBJECT: subject_shares,
    Entity.EXPERIMENT: experiment_shares,
    Entity.SCAN: scan_shares,
}
"""In which further projects they are seen."""


def entries(entity: Entity, name: str) -> FromClause:
    """The rows of one list of all objects of a level, with the object's key as `owner_key`."""
    if name in ENTRIES:
        facts = FACTS[entity]
        return select(facts).where(facts.c.path == name).subquery()
    if name in PARTS:
        return _parts(name).subquery()
    if name in RECORDS:
        return _records(FACTS[entity], name).subquery()
    return _shares(entity).subquery() if name == "shares" else _aliases().subquery()


_PARTS: Mapping[str, tuple[Table, str]] = {
    "scans/scan": (scans, "experiment_key"),
    "reconstructions/reconstructedImage": (reconstructions, "experiment_key"),
    "assessors/assessor": (experiments, "session_key"),
}
"""List of a session's parts → their rows, and the column that says whose they are."""


def _parts(list: str) -> Select[Any]:
    rows, owner = _PARTS[list]
    homes = [rows.c[name] for name in ("key", "project_key") if name in rows.c]
    return select(rows.c[owner].label("owner_key"), *homes, *(rows.c[column] for column in PARTS[list].values()))


def _records(facts: Table, list: str) -> Select[int, str]:
    """A record is one fact per field; all of one record bear the same name, its number."""
    paths = {field: f"{list}/{field}" for field in RECORDS[list]}
    columns = [func.max(case((facts.c.path == path, facts.c.value))).label(field) for field, path in paths.items()]
    rows = select(facts.c.owner_key, facts.c.name, *columns).where(facts.c.path.in_([*paths.values()]))
    return rows.group_by(facts.c.owner_key, facts.c.name)


def _shares(entity: Entity) -> Select[int, int, str, str]:
    shares = SHARES[entity]
    columns = select(shares.c.owner_key, shares.c.project_key, shares.c.label, projects.c.id.label("project"))
    return columns.select_from(shares.join(projects, projects.c.key == shares.c.project_key))


def _aliases() -> Select[int, str]:
    return select(project_aliases.c.project_key.label("owner_key"), project_aliases.c.alias)

"""Which tiers were granted to whom; `users.grant_tier` changes it."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.tables.schema import grants, projects, users

GRANTED = (Tier.RESTRICTED, Tier.SENSITIVE)
"""Tiers that need a grant."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One user's grant in one project. `tier` is the word in the database, which may be older or newer than we."""

    project: str
    login: str
    firstname: str
    lastname: str
    tier: str


def list_grants(connection: Connection, project: str | None = None, login: str | None = None) -> list[Grant]:
    """The grants in a project, by its ID, or in all; to one user, or to everybody."""
    person = users.c
    columns = select(projects.c.id, person.login, person.firstname, person.lastname, grants.c.tier)
    joined = columns.select_from(grants.join(users).join(projects)).order_by(projects.c.key, person.key)
    if project is not None:
        joined = joined.where(projects.c.id == project)
    if login is not None:
        joined = joined.where(person.login == login)
    return [Grant(*(cell or "" for cell in row)) for row in connection.execute(joined)]

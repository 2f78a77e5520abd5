"""Columns that several projects share: who brings values of one must not change what it means to the others.

A data type's columns are the site's, not a project's. Whoever owns all projects that have values of a type, and
administrators, may shape it: new columns, wider types, other tiers. To everybody else its columns are as they are.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from connectomedb.errors import AccessDenied
from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType, widest
from connectomedb.server.access.auth import Caller, Rights, Role
from connectomedb.server.intake.delivery import Prepared
from connectomedb.server.intake.subject_tables import CheckedTable
from connectomedb.server.tables.meaning import load_definitions
from connectomedb.server.tables.schema import experiments, members


def settled(connection: Connection, rights: Rights, project: int, prepared: Prepared) -> Prepared:
    """The delivery with columns as the caller may bring them into a project. Raises AccessDenied."""
    data_type = prepared.delivery.data_type
    known = load_definitions(connection, data_type)
    names = [one.name for table in prepared.tables for one in table.definitions]
    _check_grants(connection, rights, project, data_type, [known[name] for name in names if name in known])
    if may_shape(connection, rights.caller, data_type):
        return prepared
    if prepared.delivery.dictionary and not prepared.tables:
        raise AccessDenied(
            f"Other projects have values of {data_type}, too: only administrators say what its columns mean.",
            status=403,
        )
    tables = [_as_they_are(table, known, data_type) for table in prepared.tables]
    return replace(prepared, delivery=replace(prepared.delivery, dictionary=()), tables=tables)


def may_shape(connection: Connection, caller: Caller, data_type: str) -> bool:
    """Whether no project but those that the caller owns has values of a data type; administrators always may."""
    if caller.is_admin:
        return True
    owned = select(members.c.project_key).where(members.c.user_key == caller.key, members.c.role == Role.OWNER.value)
    others = select(experiments.c.key).where(
        experiments.c.data_type == data_type, experiments.c.project_key.not_in(owned)
    )
    return connection.execute(others.limit(1)).first() is None


def _check_grants(
    connection: Connection, rights: Rights, project: int, data_type: str, known: Sequence[FieldDefinition]
) -> None:
    """Whoever brings values is told which of them are new: nothing is told of values that she may not see."""
    held = select(experiments.c.key).where(experiments.c.data_type == data_type, experiments.c.project_key == project)
    if rights.caller.is_admin or connection.execute(held.limit(1)).first() is None:
        return
    closed = [one.name for one in known if one.tier is not Tier.OPEN and project not in rights.projects_with(one.tier)]
    if closed:
        raise AccessDenied(
            f"Asked to replace values of {', '.join(closed[:5])}, which are restricted and not granted to you. "
            "Grant the tier to yourself first; owners may.",
            status=403,
        )


def _as_they_are(table: CheckedTable, known: dict[str, FieldDefinition], data_type: str) -> CheckedTable:
    definitions = []
    for brought in table.definitions:
        there = known.get(brought.name)
        what = _objection(brought, there)
        if what or there is None:
            raise AccessDenied(
                f"Column {brought.name}: {what} Other projects have values of {data_type}, too: ask an administrator, "
                "or take a data type of your own, like lab:scores.",
                status=403,
            )
        definitions.append(replace(there, type=brought.type))
    return replace(table, definitions=tuple(definitions))


def _objection(brought: FieldDefinition, there: FieldDefinition | None) -> str:
    """Why values of a column cannot be added to what is there; empty when they can."""
    if there is None:
        return "there is none of that name yet."
    if not there.tier.includes(brought.tier):
        return f"it is {there.tier} on this site, and {brought.tier} in your table."
    own, kept = brought.type or ValueType.TEXT, there.type or ValueType.TEXT
    if widest(own, kept) is not kept:
        return f"it holds values of the type {kept} on this site, and {own} in your table."
    return ""

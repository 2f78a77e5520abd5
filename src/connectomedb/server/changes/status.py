"""Status of subjects and experiments: active, quarantined until somebody looked at it, or locked against changes.

    PUT ...?activate=true   ?quarantine=true   ?_lock=true   ?_unlock=true

Owners decide. Quarantine is a mark for people and searches; what is locked is not changed, nor deleted, nor are
its scans and files. Source: XNAT's flags of a PUT, as xnatpy sends them.
"""

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import Connection, select

from connectomedb.errors import AccessDenied
from connectomedb.server.access.rules import Action
from connectomedb.server.changes.rights import require
from connectomedb.server.changes.wish import Wish
from connectomedb.server.changes.writer import Writer
from connectomedb.server.query.entries import ROWS
from connectomedb.server.tables.schema import experiments
from connectomedb.server.types.datatypes import Entity


class Status(StrEnum):
    """What `.../status` says; a row without one is active."""

    ACTIVE = "active"
    QUARANTINE = "quarantine"
    LOCKED = "locked"


_FLAGS: Mapping[str, Status] = {
    "activate": Status.ACTIVE,
    "_unlock": Status.ACTIVE,
    "quarantine": Status.QUARANTINE,
    "_lock": Status.LOCKED,
}


def settle_status(writer: Writer, entity: Entity, key: int, project_key: int, wish: Wish) -> None:
    """Give an object the status that is wished for. Raises AccessDenied: no owner asks, or it is and stays locked."""
    wished = [status for flag, status in _FLAGS.items() if wish.get(flag).lower() not in ("", "false", "0")]
    if wished:
        require(writer.view, project_key, Action.MANAGE)
        writer.update(entity, key, status=None if wished[-1] is Status.ACTIVE else wished[-1].value)
    else:
        check_unlocked(writer.connection, entity, key)


def status_of(connection: Connection, entity: Entity, key: int) -> Status:
    """Status of an object; of what a session holds, the session's."""
    rows = ROWS[entity]
    if entity is Entity.PROJECT:
        return Status.ACTIVE
    wanted = select(rows.c.status) if "status" in rows.c else select(experiments.c.status).join_from(experiments, rows)
    found: str | None = connection.execute(wanted.where(rows.c.key == key)).scalar()
    return Status(found or Status.ACTIVE)


def check_unlocked(connection: Connection, entity: Entity, key: int) -> None:
    """Raises AccessDenied for what is locked."""
    if status_of(connection, entity, key) is Status.LOCKED:
        raise AccessDenied(
            "It is locked. Let an owner of its project unlock it first: PUT ...?_unlock=true.", status=403
        )

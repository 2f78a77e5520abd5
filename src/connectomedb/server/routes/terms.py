"""Data-use terms of a project, and the caller's acceptance of them.

| request                                     | who                  | does                                         |
|---------------------------------------------|----------------------|----------------------------------------------|
| `GET /data/projects/P/terms`                | who sees the project | the terms, and whether the caller accepted   |
| `PUT /data/projects/P/terms`                | owners               | demand these, JSON: version, title, text     |
| `DELETE /data/projects/P/terms`             | owners               | demand nothing any more                      |
| `PUT`, `POST .../terms/acceptance?version=` | who may enter        | accept that version; the answer is a receipt |
| `GET .../terms/acceptance`                  | who accepted         | the receipt again                            |
| `GET .../terms/acceptances`                 | owners               | table of all who accepted, of all versions   |

Owners stands for owners of the project and administrators.
"""

import json
from datetime import datetime

from sqlalchemy import Connection, select
from starlette.responses import Response

from connectomedb.errors import AccessDenied, AddressError, ConfigError, Conflict, NotFound
from connectomedb.server.access.audit import Action, Event, record
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.terms import (
    MAX_TEXT_BYTES,
    Receipt,
    Terms,
    Wording,
    accept_terms,
    current_terms,
    find_receipt,
    list_receipts,
    owns,
    set_terms,
    withdraw_terms,
)
from connectomedb.server.access.visible import may_agree
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.replies import json_document, table
from connectomedb.server.tables.schema import projects
from connectomedb.xnat.address import Address, Level
from connectomedb.xnat.resultset import ResultTable

_FIELDS = ("version", "title", "text")
_COLUMNS = ("login", "version", "digest", "accepted")


def get_terms(call: Call) -> Response:
    """What the project demands, and where the caller stands."""
    with call.site.database.read() as connection:
        project = _project(connection, call)
        current = current_terms(connection, project.key)
        if current is None:
            return _json({"project": project.id, "demanded": False})
        receipt = find_receipt(connection, call.user.key, current)
        is_exempt = owns(connection, call.user, project.key)
    return _json(
        {
            "project": project.id,
            "demanded": True,
            "version": current.wording.version,
            "title": current.wording.title,
            "text": current.wording.text,
            "digest": current.digest,
            "since": _time(current.since),
            "accepted": _time(receipt.accepted) if receipt else None,
            "is_exempt": is_exempt,
        }
    )


def put_terms(call: Call) -> Response:
    """Demand terms from now on."""
    wording = _read_wording(call.body)
    with call.site.database.write() as connection:
        project = _own_project(connection, call)
        set_terms(connection, project.key, wording, call.user.login)
        record(connection, Event(call.actor, Action.TERMS_SET, project.id, wording.version, wording.digest))
    return get_terms(call)


def delete_terms(call: Call) -> Response:
    """Demand no terms any more."""
    with call.site.database.write() as connection:
        project = _own_project(connection, call)
        withdraw_terms(connection, project.key)
        record(connection, Event(call.actor, Action.TERMS_WITHDRAWN, project.id))
    return get_terms(call)


def put_acceptance(call: Call) -> Response:
    """Accept the terms. The version says which words were read, lest others be accepted unread."""
    version, caller = call.parameters.get("version"), call.signed_in
    with call.site.database.write() as connection:
        project, current = _demanded(connection, call)
        _check_may_enter(connection, caller, project)
        if not version:
            raise AddressError("Asked to accept terms without saying which. Add ?version= with the one that you read.")
        if version != current.wording.version:
            raise Conflict(
                f"Asked to accept version {version} of the terms of {project.id}. They have the version "
                f"{current.wording.version} now. Read them, then accept that.",
                status=409,
            )
        accept_terms(connection, caller.key, current)
        record(connection, Event(call.actor, Action.TERMS_ACCEPTED, project.id, version, current.digest))
        receipt = find_receipt(connection, caller.key, current)
    return _receipt_reply(current, receipt)


def get_acceptance(call: Call) -> Response:
    """The caller's receipt."""
    with call.site.database.read() as connection:
        _, current = _demanded(connection, call)
        return _receipt_reply(current, find_receipt(connection, call.user.key, current))


def get_acceptances(call: Call) -> Response:
    """Who accepted what and when."""
    with call.site.database.read() as connection:
        found = list_receipts(connection, _own_project(connection, call).key)
    rows = tuple((one.login, one.version, one.digest, _time(one.accepted)) for one in found)
    return table(call, ResultTable(_COLUMNS, rows, "Acceptances", len(rows)))


def _project(connection: Connection, call: Call) -> Found:
    """The project; also a hidden one of which something is shared with the caller."""
    word = call.words["project"]
    wanted = select(projects.c.key, projects.c.id).where(projects.c.id == word, may_agree(call.user, projects.c.key))
    row = connection.execute(wanted).first()
    if row is not None:
        return Found(Level.PROJECTS, row.key, row.id, row.id)
    address = Address().child(Level.PROJECTS, word)
    return find_place(connection, call.user, address).last[0]


def _own_project(connection: Connection, call: Call) -> Found:
    project = _project(connection, call)
    if not owns(connection, call.user, project.key):
        message = f"Terms of project {project.id} are a matter of its owners and of administrators. Ask an owner."
        raise AccessDenied(message, status=403)
    return project


def _demanded(connection: Connection, call: Call) -> tuple[Found, Terms]:
    project = _project(connection, call)
    current = current_terms(connection, project.key)
    if current is None:
        raise NotFound(f"Asked for the terms of project {project.id}. It demands none.")
    return project, current


def _check_may_enter(connection: Connection, caller: Caller, project: Found) -> None:
    open_to = select(projects.c.key).where(projects.c.key == project.key, may_agree(caller, projects.c.key))
    if not connection.execute(open_to).first():
        raise AccessDenied(
            f"Project {project.id} is open to its people only, with or without terms. Ask an owner to be one of them.",
            status=403,
        )


def _read_wording(body: bytes) -> Wording:
    try:
        document = json.loads(body)
        if not isinstance(document, dict) or set(document) != set(_FIELDS):
            raise ValueError
        if not all(isinstance(document[name], str) for name in _FIELDS):
            raise ValueError
        return Wording(**document)
    except ConfigError as fault:
        raise AddressError(str(fault)) from fault
    except (ValueError, RecursionError):
        fields = ", ".join(_FIELDS)
        raise AddressError(f"Asked to set terms. The body must be a JSON object with the texts {fields}.") from None


def _receipt_reply(current: Terms, receipt: Receipt | None) -> Response:
    if receipt is None:
        version, project = current.wording.version, current.project
        raise NotFound(f"You have not accepted version {version} of the terms of project {project}.")
    return _json(
        {
            "project": current.project,
            "user": receipt.login,
            "title": current.wording.title,
            "version": receipt.version,
            "digest": receipt.digest,
            "accepted": _time(receipt.accepted),
        }
    )


def _json(document: object) -> Response:
    return json_document(json.dumps(document, ensure_ascii=False).encode())


def _time(time: datetime) -> str:
    return f"{time.isoformat(timespec='seconds')}Z"


_TERMS = "/data/projects/{project}/terms"
_MAX_BODY_BYTES = 6 * MAX_TEXT_BYTES + 4096
"""JSON may write a character with six."""

WAYS = (
    Way("GET", _TERMS, get_terms),
    Way("PUT", _TERMS, put_terms, is_slow=True, changes_rights=True, max_body_bytes=_MAX_BODY_BYTES),
    Way("DELETE", _TERMS, delete_terms, is_slow=True, changes_rights=True),
    Way("GET", f"{_TERMS}/acceptance", get_acceptance),
    Way("PUT POST", f"{_TERMS}/acceptance", put_acceptance, is_slow=True, changes_rights=True),
    Way("GET", f"{_TERMS}/acceptances", get_acceptances),
)

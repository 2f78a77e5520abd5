"""Subject keys of a project: the coded ids of publications for which restricted columns were used.

| request                                          | who                       | does                                 |
|--------------------------------------------------|---------------------------|--------------------------------------|
| `GET /data/projects/P/subject_keys`              | who reads the project     | table: the shared ones, and own ones |
| `GET .../NAME`                                   | see `access.subject_keys` | CSV: Coded ID, HCP ID                |
| `PUT .../NAME?title=&description=&pmid=&shared=` | who reads the project     | keeps the CSV of the body            |
| `DELETE .../NAME`                                | its maker, owners         | forgets it                           |

The CSV may be a key that `cdb lock --key` made: of its secrets nothing is kept. Without a body, PUT changes the rest.
"""

from sqlalchemy import Connection
from starlette.responses import Response

from connectomedb.cohort.subject_key import HEADER, parse_published_key
from connectomedb.errors import ConfigError, DocumentError
from connectomedb.server.access.audit import Action, record
from connectomedb.server.access.clock import now
from connectomedb.server.access.groups import Project
from connectomedb.server.access.subject_keys import (
    KeptKey,
    KeyFacts,
    delete_key,
    find_key,
    list_keys,
    put_key,
    read_codes,
)
from connectomedb.server.access.visible import load_rights
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.contents import disposition
from connectomedb.server.routes.membership import find_project
from connectomedb.server.routes.replies import is_browser, table, text
from connectomedb.xnat.resultset import ResultTable
from connectomedb.xnat.writers import CsvWriter

MAX_BYTES = 8 << 20
_COLUMNS = ("name", "title", "description", "pmid", "owner", "shared", "subjects", "readable", "own")


def get_keys(call: Call) -> Response:
    """What is told of each key."""
    with call.site.database.read() as connection:
        found = list_keys(connection, load_rights(connection, call.user), _project(call, connection))
    return table(call, ResultTable(_COLUMNS, tuple(map(_row, found)), "Subject keys", len(found)))


def get_key(call: Call) -> Response:
    """Who is who. It is in the audit log who asked."""
    name = call.words["name"]
    with call.site.database.read() as connection:
        kept = find_key(connection, load_rights(connection, call.user), _project(call, connection), name)
        codes = read_codes(connection, kept)
    call.note(Action.RESTRICTED_READ, f"subject key {name}")
    content = ResultTable(tuple(HEADER[:2]), tuple(codes))
    writer = CsvWriter(is_for_spreadsheet=is_browser(call))
    lines = writer.head(content) + writer.rows(content, list(zip(*codes, strict=True)))
    headers = {"Content-Disposition": disposition(f"{name}.key.csv"), "Cache-Control": "no-store"}
    return Response(lines, headers=headers, media_type="text/csv; charset=utf-8")


def put_one_key(call: Call) -> Response:
    """Keep one."""
    caller, given = call.signed_in, call.parameters
    words = {name: given.get(name).strip() for name in ("title", "description", "pmid")}
    facts = KeyFacts(call.words["name"], **words, is_shared=given.is_true("shared"))
    try:
        codes = parse_published_key(call.body.decode("utf-8-sig"), "the coded ids") if call.body.strip() else None
    except (ConfigError, UnicodeDecodeError) as fault:
        raise DocumentError(f"Asked to keep the subject key {facts.name!r}. {fault}") from fault
    with call.site.database.write() as connection:
        project = _project(call, connection)
        put_key(connection, load_rights(connection, caller), project, facts, codes, now())
        record(connection, call.event(Action.CHANGED))
    return text(facts.name)


def delete_one_key(call: Call) -> Response:
    """Forget one."""
    caller, name = call.signed_in, call.words["name"]
    with call.site.database.write() as connection:
        kept = find_key(connection, load_rights(connection, caller), _project(call, connection), name)
        delete_key(connection, kept)
        record(connection, call.event(Action.DELETED))
    return text("")


def _project(call: Call, connection: Connection) -> Project:
    return find_project(call, connection, is_inside=True)


def _row(kept: KeptKey) -> tuple[str, ...]:
    facts = kept.facts
    flags = (str(flag).lower() for flag in (kept.is_open, kept.is_own))
    shared, number = str(facts.is_shared).lower(), str(kept.subjects)
    return (facts.name, facts.title, facts.description, facts.pmid, kept.owner, shared, number, *flags)


_KEYS = "/data/projects/{project}/subject_keys"

WAYS = (
    Way("GET", _KEYS, get_keys),
    Way("GET", f"{_KEYS}/{{name}}", get_key),
    Way("PUT", f"{_KEYS}/{{name}}", put_one_key, is_slow=True, max_body_bytes=MAX_BYTES),
    Way("DELETE", f"{_KEYS}/{{name}}", delete_one_key, is_slow=True),
)

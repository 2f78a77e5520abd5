"""The audit log, for administrators: the newest lines first, page by page.

GET /data/audit?user=bob&action=download&project=HCP_Q1&from=2026-01-01&to=2026-02-01&limit=100&offset=200
"""

from datetime import date, timedelta

from sqlalchemy import ColumnElement, select
from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.replies import table
from connectomedb.server.routes.rights import check_admin
from connectomedb.server.tables.schema import audit
from connectomedb.server.types.values import format_value
from connectomedb.xnat.resultset import ResultTable

DEFAULT_LIMIT = 100
MAX_LIMIT = 100_000

_COLUMNS = ("id", "time", "user", "address", "action", "project", "target", "detail")
_EQUAL = {"user": audit.c.login, "action": audit.c.action, "project": audit.c.project, "target": audit.c.target}


def get_audit(call: Call) -> Response:
    """A page of the log. Reads of the last moments are written first, so that what happened before is in it."""
    check_admin(call)
    call.site.audit.flush()
    columns = [audit.c[name] for name in ("key", "time", "login", "address", "action", "project", "target", "detail")]
    limit, offset = _number(call, "limit", DEFAULT_LIMIT), _number(call, "offset", 0)
    wanted = select(*columns).where(*_conditions(call)).order_by(audit.c.key.desc()).limit(limit).offset(offset)
    with call.site.database.read() as connection:
        found = connection.execute(wanted).all()
    rows = tuple((str(row[0]), *(_harmless(format_value(cell)) for cell in row[1:])) for row in found)
    return table(call, ResultTable(_COLUMNS, rows, "Audit"))


def _conditions(call: Call) -> list[ColumnElement[bool]]:
    parameters = call.parameters
    found = [column == parameters.get(name) for name, column in _EQUAL.items() if parameters.has(name)]
    if parameters.has("from"):
        found.append(audit.c.time >= _day(parameters.get("from")))
    if parameters.has("to"):
        found.append(audit.c.time < _day(parameters.get("to")) + timedelta(days=1))
    return found


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise AddressError(f"Asked for the day {word!r}. Write it like 2026-01-31; days are in UTC.") from None


def _number(call: Call, name: str, default: int) -> int:
    word = call.parameters.get(name) or str(default)
    if not (word.isascii() and word.isdecimal() and len(word) <= 9 and int(word) <= MAX_LIMIT * 1000):
        raise AddressError(f"Asked for {name}={word!r}. It is a whole number.")
    return min(int(word), MAX_LIMIT) if name == "limit" else int(word)


def _harmless(cell: str) -> str:
    """Text that no spreadsheet takes for a formula: names of files are other people's words."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


WAYS = (Way("GET", "/data/audit", get_audit, is_slow=True),)

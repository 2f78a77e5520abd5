"""Who may see columns above the open tier in a project: listed, granted and taken away by its owners."""

from sqlalchemy import select
from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.users import grant_tier
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.membership import find_project
from connectomedb.server.routes.replies import table, text
from connectomedb.server.routes.rights import check_owner
from connectomedb.server.tables.schema import grants, users
from connectomedb.server.types.values import format_value
from connectomedb.xnat.resultset import ResultTable

_COLUMNS = ("login", "firstname", "lastname", "tier")
_GRANTED = (Tier.RESTRICTED, Tier.SENSITIVE)


def get_grants(call: Call) -> Response:
    """Who was granted which tier in a project."""
    person = users.c
    columns = select(person.login, person.firstname, person.lastname, grants.c.tier)
    with call.site.database.read() as connection:
        project = find_project(call, connection)
        check_owner(call, connection, project.key)
        joined = columns.select_from(grants.join(users)).where(grants.c.project_key == project.key)
        found = connection.execute(joined.order_by(person.key)).all()
    rows = tuple(tuple(format_value(cell) for cell in row) for row in found)
    return table(call, ResultTable(_COLUMNS, rows, "Grants", len(rows)))


def put_grant(call: Call) -> Response:
    """Grant a tier, which includes the lower ones, in place of what was granted before."""
    word = call.words["tier"].lower()
    if word not in [tier.value for tier in _GRANTED]:
        raise AddressError(f"Asked to grant {word!r}. Tiers that need a grant: {', '.join(_GRANTED)}.")
    _write(call, Tier(word))
    return text(word)


def delete_grant(call: Call) -> Response:
    """Take away what was granted; nothing granted is no error."""
    _write(call, Tier.OPEN)
    return text("")


def _write(call: Call, tier: Tier) -> None:
    with call.site.database.read() as connection:
        project = find_project(call, connection)
        check_owner(call, connection, project.key)
    grant_tier(call.site.database, project.id, call.words["login"], tier, actor=call.actor)


_GRANTS = "/data/projects/{project}/grants"

WAYS = (
    Way("GET", _GRANTS, get_grants),
    Way("PUT", f"{_GRANTS}/{{login}}/{{tier}}", put_grant, is_slow=True),
    Way("DELETE", f"{_GRANTS}/{{login}}", delete_grant, is_slow=True),
)

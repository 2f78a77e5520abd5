"""Who may see columns above the open tier in a project: listed, granted and taken away by its owners.

`GET /data/grants` lists the caller's own in all projects; for administrators those of everybody.
"""

from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.tiers import GRANTED, list_grants
from connectomedb.server.access.users import grant_tier
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.membership import find_project
from connectomedb.server.routes.replies import table, text
from connectomedb.server.routes.rights import check_owner
from connectomedb.xnat.resultset import ResultTable

_COLUMNS = ("login", "firstname", "lastname", "tier")


def get_own_grants(call: Call) -> Response:
    """What was granted to the caller; to administrators, who see everything anyway, all grants are told."""
    login = None if call.signed_in.is_admin else call.signed_in.login
    with call.site.database.read() as connection:
        found = list_grants(connection, login=login)
    rows = tuple((grant.project, grant.login, grant.firstname, grant.lastname, grant.tier) for grant in found)
    return table(call, ResultTable(("project", *_COLUMNS), rows, "Grants", len(rows)))


def get_grants(call: Call) -> Response:
    """Who was granted which tier in a project."""
    with call.site.database.read() as connection:
        project = find_project(call, connection)
        check_owner(call, connection, project.key)
        found = list_grants(connection, project.id)
    rows = tuple((grant.login, grant.firstname, grant.lastname, grant.tier) for grant in found)
    return table(call, ResultTable(_COLUMNS, rows, "Grants", len(rows)))


def put_grant(call: Call) -> Response:
    """Grant a tier, which includes the lower ones, in place of what was granted before."""
    word = call.words["tier"].lower()
    if word not in list(GRANTED):
        raise AddressError(f"Asked to grant {word!r}. Tiers that need a grant: {', '.join(GRANTED)}.")
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
    Way("GET", "/data/grants", get_own_grants),
    Way("GET", _GRANTS, get_grants),
    Way("PUT", f"{_GRANTS}/{{login}}/{{tier}}", put_grant, is_slow=True),
    Way("DELETE", f"{_GRANTS}/{{login}}", delete_grant, is_slow=True),
)

"""The projects that a user marked as favorites."""

from sqlalchemy import delete, insert, select
from starlette.responses import Response

from connectomedb.errors import AccessDenied, NotFound
from connectomedb.server.access.visible import may_list
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.membership import find_project
from connectomedb.server.routes.replies import table, text
from connectomedb.server.tables.schema import favorites, projects
from connectomedb.server.types.values import format_value
from connectomedb.xnat.resultset import ResultTable

_COLUMNS = ("ID", "secondary_ID", "name", "description", "URI")


def get_favorites(call: Call) -> Response:
    """The caller's favorites, as far as she may still see them."""
    _check(call)
    row = projects.c
    with call.site.database.read() as connection:
        joined = select(row.id, row.secondary_id, row.name, row.description).select_from(favorites.join(projects))
        mine = (favorites.c.user_key == call.user.key, may_list(call.user, row.key))
        found = connection.execute(joined.where(*mine).order_by(row.key)).all()
    rows = tuple((*(format_value(cell) for cell in cells), f"/data/projects/{cells[0]}") for cells in found)
    return table(call, ResultTable(_COLUMNS, rows, "Favorites", len(rows)))


def change_favorite(call: Call) -> Response:
    """Mark a project, or unmark it. Twice is once."""
    _check(call)
    with call.site.database.write() as connection:
        keys = {"user_key": call.user.key, "project_key": find_project(call, connection).key}
        connection.execute(delete(favorites).where(*(favorites.c[name] == key for name, key in keys.items())))
        if call.method == "PUT":
            connection.execute(insert(favorites).values(keys))
    return text("")


def _check(call: Call) -> None:
    if call.user.is_guest:
        raise AccessDenied("Guests have no favorites.", status=403)
    if call.words["type"].lower() not in ("project", "projects", "xnat:projectdata"):
        raise NotFound(f"Asked for favorites of {call.words['type']!r}. Only projects can be favorites.")


WAYS = (
    Way("GET", "/data/users/favorites/{type}", get_favorites),
    Way("PUT DELETE", "/data/users/favorites/{type}/{project}", change_favorite, is_slow=True),
)

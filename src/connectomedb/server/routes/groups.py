"""Named cohorts of the dashboard, kept as stored searches, so that every client may run them.

| request                                           | does                                                    |
|---------------------------------------------------|---------------------------------------------------------|
| `GET /data/explore/groups`                        | JSON: those that the caller may use                     |
| `PUT /data/projects/P/explore/groups/NAME?where=` | keeps one, in place of one of the caller's of that name |
| `DELETE /data/explore/groups/NAME`                | forgets it                                              |
"""

from dataclasses import asdict

from starlette.responses import Response

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.named import NamedCohort, from_stored, to_stored
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.errors import AddressError, ConfigError, NotFound, QueryError
from connectomedb.server.access import searches
from connectomedb.server.access.clock import now
from connectomedb.server.query.sql import compile_search
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.explored import answering, project_of, read_asked
from connectomedb.server.routes.replies import json_value, text


def get_groups(call: Call) -> Response:
    """The cohorts that the caller may use and whose columns are all open to her."""
    with call.view() as view:
        project = project_of(call, view) if "project" in call.words else None
        known = []
        for kept in searches.list_searches(view.connection, view.caller):
            cohort = from_stored(kept.search.id, kept.search.description)
            if cohort is None or (project and cohort.project not in ("", project.id)):
                continue
            try:
                parse_predicate(cohort.predicate, Columns(view.dictionary(cohort.data_type), cohort.data_type))
            except QueryError:
                continue
            known.append({**asdict(cohort), "owner": kept.owner})
    return json_value({"groups": known})


@answering
def put_group(call: Call) -> Response:
    """Keep the predicate under a name. Raises PredicateError, AddressError, AccessDenied."""
    caller = call.signed_in
    with read_asked(call) as asked:
        project = project_of(call, asked.view)
        home = project.id if project else ""
        cohort = NamedCohort(call.words["name"], asked.predicate, home, asked.columns.data_type)
        try:
            where = parse_predicate(asked.predicate, asked.columns)
            kept = to_stored(cohort, where)
        except ConfigError as fault:
            raise AddressError(str(fault)) from fault
        compile_search(kept.query, asked.exploration.names, asked.view.details)
    with call.site.database.write() as connection:
        searches.put_search(connection, caller, kept, now())
    return json_value(asdict(cohort))


def delete_group(call: Call) -> Response:
    """Forget one. Raises NotFound for what is no cohort, AccessDenied for somebody else's."""
    name = call.words["name"]
    with call.site.database.write() as connection:
        kept = searches.find_search(connection, call.signed_in, name).search
        if from_stored(name, kept.description) is None:
            raise NotFound(f"There is no group {name!r}. List those that you may use at /data/explore/groups.")
        searches.delete_search(connection, call.signed_in, name)
    return text("")


WAYS = (
    *(
        way
        for root in ("/data", "/data/projects/{project}")
        for way in (
            Way("GET", f"{root}/explore/groups", get_groups),
            Way("PUT", f"{root}/explore/groups/{{name}}", put_group, is_slow=True, max_body_bytes=1 << 17),
        )
    ),
    Way("DELETE", "/data/explore/groups/{name}", delete_group, is_slow=True),
)

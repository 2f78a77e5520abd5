"""Who gets which status from which address: the table of the security matrix.

Columns, in this order:

    nobody     on a site that is closed to guests       granted   collaborator, granted all tiers
    guest      on a site that is open to them           member    of the project
    stranger   signed in, in no project                 owner     of the project
    waiting    collaborator, terms not accepted         admin     of the site
    reader     collaborator, without a grant

`waiting` asks about the project TERMS, all others about CLOSED. In addresses `{P}` is the project, `{S}` and `{E}`
are the accession IDs of its subject 100307 and of 100307_3T, `{new}` is a name that nothing has, `{me}` the caller.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.server.security.estate import TERMS, N

from connectomedb.server.changes.projects import CODES
from connectomedb.server.routes.extras import SHAREABLE
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query, SearchField
from connectomedb.xnat.stored import StoredSearch, format_stored

CALLERS = ("nobody", "guest", "stranger", "waiting", "reader", "granted", "member", "owner", "admin")


@dataclass(frozen=True)
class Row:
    """One address and what each caller gets.

    Attributes:
        ask: method and address.
        expected: statuses in the order of CALLERS.
        before: what an administrator asks before, so that there is something to change; with the same body or none.
        tells: to whom the project is hidden it is told apart from one that is not there; why, stands beside it.
    """

    ask: str
    expected: str
    body: bytes = b""
    kind: str = ""
    before: tuple[str, ...] = ()
    body_before: bool = False
    tells: bool = False

    @property
    def statuses(self) -> dict[str, int]:
        return dict(zip(CALLERS, map(int, self.expected.split()), strict=True))


ALL = "200 200 200 200 200 200 200 200 200"
ENTER = "401 200 200 200 200 200 200 200 200"
"""Whoever is let in, be it as a guest."""
USERS = "401 401 200 200 200 200 200 200 200"
ADMIN = "401 403 403 403 403 403 403 403 200"
NONE = "401 404 404 404 404 404 404 404 404"
READ = "401 404 404 403 200 200 200 200 200"
"""What a project holds."""
RECORD = "401 404 404 200 200 200 200 200 200"
"""That there is a project, and what it calls itself."""
EDIT = "401 401 404 403 403 403 200 200 200"
DELETE = "401 401 404 403 403 403 403 200 200"
OWN = "401 404 404 403 403 403 403 200 200"
"""What owners decide."""
GRANTED = "401 404 404 403 403 200 403 403 200"
UNCHANGING = "401 405 405 405 405 405 405 405 405"

P = "/data/projects/{P}"
SESSION = f"{P}/subjects/100307/experiments/100307_3T"
CREST = f"{P}/subjects/100307/experiments/100307_CREST"
BVALS = "resources/100307_CREST/files/T1w/Diffusion/bvals"
PACKAGE = "/spring/download/{P}/100307/100307_3T_Structural_preproc.zip"
SEARCH = format_bundle(Query(N, (SearchField(N, "MMSE_SCORE"),)))
STORED = format_stored(StoredSearch(Query("xnat:subjectData")))
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def _site() -> Iterator[Row]:
    yield Row("GET /", ALL)
    yield Row("GET /xapi/siteConfig/buildInfo", ALL)
    yield Row("GET /xapi/siteConfig/siteId", ALL)
    yield Row("GET /xapi/plugins", ENTER)
    yield Row("GET /xapi/openapi.json", ENTER)
    yield Row("GET /healthz", ALL)
    yield Row("GET /metrics", ADMIN)
    yield Row("GET /data/JSESSION", ALL)
    yield Row("POST /data/JSESSION", ALL)
    yield Row("DELETE /data/JSESSION", ALL)
    form = b"username={alias}&password={secret}"
    yield Row("PUT /data/services/auth", ALL, form, FORM)
    yield Row("POST /data/services/auth", ALL, form, FORM)
    yield Row("GET /data/auth", USERS)
    yield Row("GET /xapi/users/username", ENTER)
    yield Row("GET /data/grants", USERS)
    yield Row("GET /data/audit", ADMIN)
    yield Row("GET /xapi/siteConfig/uptime", ENTER)
    for address in ("/xapi/schemas", "/xapi/schemas/datatypes", "/xapi/schemas/datatypes/names/all"):
        yield Row(f"GET {address}", ENTER)
    for address in (f"/xapi/schemas/datatypes/elements/{N}", "/xapi/schemas/xnat", "/schemas/xnat/xnat.xsd"):
        yield Row(f"GET {address}", ENTER)
    for method in ("GET", "POST", "DELETE"):
        yield Row(f"{method} /data/services/s3keys", NONE)


def _people() -> Iterator[Row]:
    mine, of_reader = "/xapi/users/{me}", "401 401 403 403 200 403 403 403 200"
    yield Row("GET /data/users", ADMIN)
    yield Row("GET /xapi/users", ADMIN)
    yield Row(
        "POST /xapi/users",
        "401 403 403 403 403 403 403 403 201",
        b'{"username": "{new}", "password": "long enough"}',
        JSON,
    )
    yield Row("GET /xapi/users/profiles", ADMIN)
    yield Row("GET /xapi/users/current", USERS)
    yield Row("GET /xapi/users/active", "401 401 403 403 403 403 403 403 200")
    yield Row("GET /xapi/users/active/reader", of_reader)
    yield Row("DELETE /xapi/users/active/nobodyhere", "401 401 403 403 403 403 403 403 404")
    yield Row("GET /xapi/users/reader", of_reader)
    yield Row(f"GET {mine}", "401 401 200 200 200 200 200 200 200")
    yield Row("PUT /xapi/users/reader", of_reader.replace("200", "304"), b"{}", JSON)
    yield Row("PUT /xapi/users/reader/enabled/true", ADMIN.replace("200", "304"))
    yield Row("PUT /xapi/users/reader/verified/true", ADMIN.replace("200", "304"))
    yield Row("GET /xapi/users/reader/roles", of_reader)
    yield Row("PUT /xapi/users/admin/roles/Administrator", ADMIN)
    yield Row("DELETE /xapi/users/reader/roles/Administrator", ADMIN)
    yield Row("GET /xapi/users/reader/groups", of_reader)
    yield Row("PUT /xapi/users/reader/groups/{P}_collaborator", OWN)
    yield Row("DELETE /xapi/users/stranger/groups/{P}_owner", OWN)
    yield Row("GET /xapi/access/projects", ENTER)
    favorites = "401 403 200 200 200 200 200 200 200"
    yield Row("GET /data/users/favorites/Project", favorites)
    for method in ("PUT", "DELETE"):
        yield Row(f"{method} /data/users/favorites/Project/{{P}}", "401 403 404 200 200 200 200 200 200")
    tokens = "/data/services/tokens"
    yield Row(f"GET {tokens}/issue", favorites)
    yield Row(f"GET {tokens}/issue/user/reader", "401 403 403 403 200 403 403 403 200")
    yield Row(f"GET {tokens}/show", USERS)
    yield Row(f"GET {tokens}/validate/a/b", ENTER)
    yield Row(f"GET {tokens}/invalidate/a", USERS.replace("200", "404"))
    yield Row(f"GET {tokens}/invalidate/a/b", USERS.replace("200", "404"))
    yield Row(f"GET {tokens}/nonsense", ENTER.replace("200", "400"))


def _project() -> Iterator[Row]:
    """People, grants and terms of a project."""
    yield Row(f"GET {P}/users", READ)
    yield Row("GET /data/projects/PUBLIC/users", "401 403 200 200 200 200 200 200 200")
    yield Row(f"PUT {P}/users/Collaborators/reader", OWN)
    yield Row(f"DELETE {P}/users/Owners/stranger", OWN)
    yield Row(f"GET {P}/groups", READ)
    yield Row(f"GET {P}/groups/owner", READ)
    yield Row(f"PUT {P}/groups/raters?displayName=Raters", OWN)
    yield Row(f"DELETE {P}/groups/doomed", OWN, before=(f"PUT {P}/groups/doomed?displayName=Doomed",))
    yield Row(f"GET {P}/accessibility", RECORD)
    yield Row(f"PUT {P}/accessibility/private", OWN)
    yield Row(f"GET {P}/grants", OWN)
    yield Row(f"PUT {P}/grants/stranger/restricted", OWN)
    yield Row(f"DELETE {P}/grants/stranger", OWN)
    words = b'{"version": "%s", "title": "%s", "text": "%s"}'
    terms = words % (TERMS.version.encode(), TERMS.title.encode(), TERMS.text.encode())
    yield Row(f"GET {P}/terms", RECORD)
    yield Row(f"PUT {P}/terms", OWN, terms, JSON, before=("DELETE /data/projects/CLOSED/terms",))
    yield Row(f"GET {P}/terms/acceptance", "401 404 404 404 404 404 404 404 404")
    yield Row(f"GET {P}/terms/acceptances", OWN)
    yield Row("PUT /data/projects/TERMS/terms/acceptance?version=0", "401 401 404 409 409 409 409 409 409")
    yield Row("POST /data/projects/TERMS/terms/acceptance?version=0", "401 401 404 409 409 409 409 409 409")
    yield Row("PUT /data/projects/RECORD/terms/acceptance?version=0", "401 401 404 404 404 404 404 404 404")
    yield Row(f"DELETE {P}/terms", OWN)
    codes, paper = b"Coded ID,HCP ID\nS1,100307\n", f"{P}/subject_keys/paper"
    before = (f"PUT {paper}?title=T&shared=true",)
    yield Row(f"GET {P}/subject_keys", READ)
    yield Row(f"PUT {P}/subject_keys/{{new}}?title=T", "401 401 404 403 200 200 200 200 200", codes)
    yield Row(f"GET {paper}", "401 404 404 403 403 200 403 200 200", codes, before=before, body_before=True)
    yield Row(f"DELETE {paper}", "401 401 404 403 403 403 403 200 200", codes, before=before, body_before=True)


def _searches() -> Iterator[Row]:
    yield Row(f"GET /data/dictionary/{N}", ENTER)
    category = "/data/search/dict/Alertness/results?project={P}"
    yield Row(f"GET {category}", READ)
    yield Row(f"GET {category}&restricted=1", GRANTED)
    # A guest and a stranger may search what is public.
    yield Row("POST /data/search", ENTER, SEARCH)
    yield Row("GET /data/search/elements", ENTER)
    yield Row(f"GET /data/search/elements/{N}", ENTER)
    yield Row(f"GET /data/search/elements/{N}/versions", ENTER)
    yield Row("GET /data/search/00000000000000000000000000000000", ENTER.replace("200", "410"))
    yield Row("GET /data/search/saved", ENTER)
    yield Row("GET /data/search/saved/@xnat:subjectData", ENTER)
    yield Row("GET /data/search/saved/@xnat:subjectData/results", ENTER)
    yield Row("GET /data/search/saved/KEPT_{P}", "401 404 404 404 200 200 200 200 200")
    yield Row("GET /data/search/saved/KEPT_{P}/results", "401 404 404 404 200 200 200 200 200")
    yield Row("PUT /data/search/saved/{new}", "401 401 200 200 200 200 200 200 200", STORED)
    kept = "PUT /data/search/saved/DOOMED"
    yield Row(
        "DELETE /data/search/saved/DOOMED",
        "401 401 403 403 403 403 403 403 200",
        STORED,
        before=(kept,),
        body_before=True,
    )
    kept = f"{P}/searches"
    yield Row(f"GET {kept}", READ)
    yield Row(f"GET {kept}/KEPT_{{P}}", READ)
    yield Row(f"GET {kept}/KEPT_{{P}}/results", READ)
    yield Row(f"PUT {kept}/{{new}}", EDIT, STORED)
    yield Row(
        f"DELETE {kept}/KEPT_{{P}}",
        "401 401 404 403 403 403 403 403 200",
        before=(f"PUT {kept}/KEPT_{{P}}",),
        body=STORED,
        body_before=True,
    )


def _exploring() -> Iterator[Row]:
    where = "?where=MMSE_Score%20%3E%3D%2029"
    yield Row("GET /data/dictionary", ENTER)
    for method in ("GET", "POST"):
        for below in ("", "/subjects", "/distribution?column=MMSE_Score"):
            yield Row(f"{method} /data/explore{below}", ENTER)
            yield Row(f"{method} {P}/explore{below}", READ)
    yield Row("GET /data/explore/groups", ENTER)
    yield Row(f"PUT /data/explore/groups/{{new}}{where}", USERS)
    yield Row("DELETE /data/explore/groups/{new}", USERS.replace("200", "404"))
    yield Row(f"GET {P}/explore/groups", READ)
    yield Row(f"PUT {P}/explore/groups/{{new}}{where}", "401 401 404 403 200 200 200 200 200")
    for method in ("PUT", "POST"):
        # A table makes the project that is not there, so who may not see it learns nothing from an empty one.
        yield Row(f"{method} {P}/measures", "401 401 400 403 403 403 403 400 400")
    yield Row(f"GET {P}/subjects/100307/advisories", READ)


def _pages() -> Iterator[Row]:
    """What people see; forms are refused here, for none of these requests carries the token of its page."""
    form = "401 401 403 403 403 403 403 403 403"
    yield Row("GET /login", "200 200 303 303 303 303 303 303 303")
    yield Row("POST /login", "403 403 403 403 403 403 403 403 403")
    yield Row("POST /logout", "403 403 403 403 403 403 403 403 403")
    yield Row("GET /static/x/style.css", ALL)
    yield Row("GET /account", USERS)
    for name in ("groups/end", "keys", "keys/end", "password", "tokens", "tokens/end"):
        yield Row(f"POST /account/{name}", form)
    yield Row("GET /admin", ADMIN)
    yield Row("GET /admin/audit", ADMIN)
    for name in ("users", "users/change"):
        yield Row(f"POST /admin/{name}", form)
    yield Row("GET /dictionary", ENTER)
    yield Row(f"GET /dictionary/{N}", ENTER)
    yield Row("GET /projects/{P}", RECORD)
    yield Row("GET /projects/{P}/terms", RECORD)
    yield Row("GET /projects/{P}/people", OWN)
    for name in ("terms", "keys", "people/grant", "people/member"):
        yield Row(f"POST /projects/{{P}}/{name}", form)
    for name in ("files", "subjects/100307", "subjects/100307/files"):
        yield Row(f"GET /projects/{{P}}/{name}", READ)
    yield Row("GET /view", ENTER.replace("200", "400"))


def _files() -> Iterator[Row]:
    for address in ("resources", "files", "files?format=zip", "resources/PLAN", "resources/PLAN/files/a.txt"):
        yield Row(f"GET {P}/{address}", READ)
    for address in ("resources", "resources/100307_CREST", "resources/100307_CREST/files", BVALS):
        yield Row(f"GET {CREST}/{address}", READ)
    for address in ("files", "files?format=zip", "resources", "scans/1/resources/NIFTI/files/b.txt"):
        yield Row(f"GET /data/experiments/{{E}}/{address}", READ)
    yield Row("GET /data/experiments/{E}/scans/1/files", READ)
    yield Row(f"PUT {P}/resources/{{new}}", EDIT)
    yield Row(f"POST {P}/resources?label={{new}}", EDIT)
    yield Row(f"DELETE {P}/resources/DOOMED", DELETE, before=(f"PUT {P}/resources/DOOMED",))
    yield Row(f"PUT {P}/resources", UNCHANGING.replace("405", "400"))
    yield Row(f"DELETE {P}/resources", UNCHANGING.replace("405", "400"))
    yield Row(f"POST {P}/resources/{{new}}", EDIT)
    yield Row(f"PUT {P}/files?content=x", "401 401 404 403 403 403 400 400 400", b"x")
    yield Row(f"POST {P}/files", "401 401 404 403 403 403 400 400 400", b"x")
    yield Row(f"PUT {P}/files/{{new}}", EDIT, b"x")
    yield Row(f"POST {P}/files/{{new}}", EDIT, b"x")
    yield Row(f"DELETE {P}/files/doomed", DELETE, b"x", before=(f"PUT {P}/files/doomed?inbody=true",), body_before=True)
    yield Row(f"DELETE {P}/files", DELETE, b"x", before=(f"PUT {P}/files/doomed?inbody=true",), body_before=True)
    for address in (f"{P}/resources/PLAN", "/data/subjects/{S}", "/data/experiments/{E}", f"{SESSION}/scans/1"):
        yield Row(f"PUT {address}/files/{{new}}", EDIT, b"x")
    yield Row("POST /data/services/refresh/catalog?resource=/archive/projects/{P}/resources/PLAN", EDIT)
    yield Row("POST /data/services/import?project={P}&resource={new}", EDIT.replace("200", "400"), b"x")
    mine, kept = "/data/user/cache/resources", "PUT /data/user/cache/resources/{new}/files/a"
    yield Row(f"GET {mine}", USERS)
    yield Row(f"PUT {mine}/{{new}}", USERS)
    yield Row(f"PUT {mine}/{{new}}/files/a", USERS, b"x")
    yield Row(f"POST {mine}/{{new}}/files/a", USERS, b"x")
    yield Row(f"PUT {mine}/{{new}}/files", USERS.replace("200", "400"), b"x")
    yield Row(f"POST {mine}/{{new}}/files", USERS.replace("200", "400"), b"x")
    hidden = "401 401 404 404 404 404 404 404 200"  # what an administrator put there is nobody else's
    for below in ("", "/files", "/files/a"):
        yield Row(f"GET {mine}/{{new}}{below}", hidden, b"x", before=(kept,), body_before=True)
        if below != "/files":
            yield Row(f"DELETE {mine}/{{new}}{below}", hidden, b"x", before=(kept,), body_before=True)
    yield Row("GET /data/prearchive", ENTER)
    yield Row("GET /data/prearchive/projects", ENTER)
    yield Row("GET /data/prearchive/projects/{P}", READ)
    yield Row("GET /data/prearchive/projects/{P}/1/2", NONE)
    for service in ("archive", "prearchive/delete", "prearchive/rebuild", "prearchive/move"):
        yield Row(f"POST /data/services/{service}?src=/prearchive/projects/{{P}}/1/2", NONE.replace("404", "401", 1))
    yield Row("GET /spring/download", ENTER)
    asked = "subjects=100307&package=3T_Structural_preproc&project={P}"
    yield Row(f"GET /spring/download?view=subjects&{asked}", READ)
    yield Row(f"POST /spring/download?{asked}", READ)
    yield Row(f"GET {PACKAGE}", READ)
    yield Row(f"GET {PACKAGE}.md5", READ)


def _dashboard() -> Iterator[Row]:
    """What the dashboard and the queue ask, and their pages, which ask the same."""
    for what in ("predicate", "columns"):
        for method in ("GET", "POST"):
            yield Row(f"{method} /data/explore/{what}", ENTER)
            yield Row(f"{method} {P}/explore/{what}", READ)
    for method, what in (("GET", "files"), ("GET", "lockfile"), ("GET", "zip"), ("HEAD", "zip")):
        yield Row(f"{method} {P}/explore/{what}?pattern=T1w/Diffusion/bvals", READ)
    for what in ("files", "lockfile", "zip"):
        yield Row(f"POST {P}/explore/{what}", READ, b"pattern=T1w/Diffusion/bvals", FORM)
    yield Row("GET /projects/{P}/subjects", READ)
    yield Row("GET /projects/{P}/queue", READ)
    yield Row("POST /projects/{P}/groups", "401 401 403 403 403 403 403 403 403", b"name=women", FORM)


def _words(template: str) -> str:
    """An address of an object from a route's words."""
    is_below_project = template.startswith("projects/")
    words = {
        "{project}": "{P}",
        "{subject}": "100307" if is_below_project else "{S}",
        "{experiment}": "100307_3T" if is_below_project else "{E}",
        "{id}": "QC" if "/assessors/" in template else "1",
    }
    for word, filled in words.items():
        template = template.replace(word, filled)
    return f"/data/{template}"


def _objects() -> Iterator[Row]:
    """Lists, objects and what is told of them; and all that changes them."""
    for level in ("projects", "subjects", "experiments"):
        yield Row(f"GET /data/{level}", ENTER)
    yield Row(f"GET {P}", RECORD)
    yield Row("GET /data/projects/RECORD", ENTER)
    yield Row("GET /data/projects/RECORD/accessibility", ENTER)
    yield Row("GET /data/projects/PUBLIC/subjects", ENTER)
    yield Row("GET /data/projects/RECORD/subjects", "401 403 403 403 403 403 403 403 200")
    for below in ("subjects", "experiments", "subjects/100307", "subjects/{S}", "experiments/100307_nontoolbox"):
        yield Row(f"GET {P}/{below}", READ)
    for below in ("", "/scans", "/scans/1", "/assessors", "/assessors/QC", "/reconstructions", "/reconstructions/R1"):
        yield Row(f"GET {SESSION}{below}", READ)
    yield Row("GET /data/subjects/{S}", READ)
    yield Row("GET /data/experiments/{E}", READ)
    yield Row("GET /data/experiments/{E}/scans", READ)
    for above in map(_words, SHAREABLE):
        for below in ("status", "history", "projects"):
            yield Row(f"GET {above}/{below}", READ)
        shared, ended = f"PUT {above}/projects/TARGET", f"DELETE {above}/projects/TARGET"
        yield Row(shared, EDIT, before=(ended,))
        yield Row(ended, DELETE, before=(shared,))
    yield Row(f"GET {P}/history", RECORD)
    for name in CODES:
        value = "arc001" if name == "current_arc" else "0"
        yield Row(f"GET {P}/{name}", RECORD)
        yield Row(f"PUT {P}/{name}/{value}", DELETE)
    for kinds in ("scan_types", "scanners"):
        yield Row(f"GET /data/{kinds}", ENTER)
        yield Row(f"GET {P}/{kinds}", READ)
    yield from _changes()


def _changes() -> Iterator[Row]:
    for level in ("projects", "subjects", "experiments"):
        yield Row(f"PUT /data/{level}", UNCHANGING)
        yield Row(f"DELETE /data/{level}", UNCHANGING)
    # IDs of projects are one namespace, as in XNAT: who asks for one that is taken learns that it is.
    yield Row("POST /data/projects?ID={new}", USERS)
    yield Row("PUT /data/projects/{new}", USERS)
    yield Row(f"PUT {P}?description=x", "401 401 403 403 403 403 403 200 200", tells=True)
    yield Row(f"POST {P}?description=x", "401 401 403 403 403 403 403 200 200", tells=True)
    people = {"reader": "Collaborators", "granted": "Collaborators", "member": "Members", "owner": "Owners"}
    invited = (f"PUT /data/projects/{{new}}/users/{group}/{login}" for login, group in people.items())
    yield Row("DELETE /data/projects/{new}", "401 401 404 404 403 403 403 200 200", before=(_NEW, *invited))
    yield Row("POST /data/subjects?project={P}&label={new}", EDIT)
    yield Row("POST /data/experiments?project={P}&subject_ID=100307&xsiType=xnat:mrSessionData&label={new}", EDIT)
    for address in (
        f"{P}/subjects/{{new}}",
        f"{P}/subjects/100307/experiments/{{new}}?xsiType=xnat:mrSessionData",
        f"{SESSION}/scans/{{new}}?xsiType=xnat:mrScanData",
        f"{SESSION}/assessors/{{new}}?xsiType=xnat:qcManualAssessorData",
        f"{SESSION}/reconstructions/{{new}}",
    ):
        made = EDIT if "scans" in address or "reconstructions" in address else EDIT.replace("200", "201")
        yield Row(f"PUT {address}", made)
        yield Row(f"DELETE {address.partition('?')[0].replace('{new}', 'DOOMED')}", DELETE, before=(_doomed(address),))
    for address in ("/data/subjects/{S}?group=x", f"{P}/subjects/100307?group=x", "/data/experiments/{E}?note=x"):
        # By accession ID alone it would be made, if it were told where.
        status = EDIT.replace("404", "422") if address.startswith("/data/subjects") else EDIT
        yield Row(f"PUT {address}", status)
        yield Row(f"POST {address}", status)
    yield Row("DELETE /data/subjects/S_{P}", DELETE, before=("PUT /data/subjects/S_{P}?project={P}&label=DOOMED",))
    kind = "project={P}&subject_ID=100307&xsiType=xnat:mrSessionData"
    yield Row("DELETE /data/experiments/E_{P}", DELETE, before=(f"PUT /data/experiments/E_{{P}}?{kind}",))


def _doomed(address: str) -> str:
    return f"PUT {address.replace('{new}', 'DOOMED')}"


_NEW = "PUT /data/projects/{new}"

ROWS = (
    *_site(),
    *_people(),
    *_project(),
    *_searches(),
    *_exploring(),
    *_pages(),
    *_files(),
    *_dashboard(),
    *_objects(),
)

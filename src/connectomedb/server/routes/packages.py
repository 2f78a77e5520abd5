"""Download packages, as ConnectomeDB had them: `/spring/download`.

| request                                              | answer                                               |
|------------------------------------------------------|------------------------------------------------------|
| `GET /spring/download`                               | all packages                                         |
| `?subjects=a,b&view=subjects[&package=x,y]`          | per subject its packages, with files and bytes       |
| `?subjects=a,b&view=packages[&package=x,y]`          | per package the subjects that have it                |
| `POST ?subjects=a,b&package=x,y[&destination=d]`     | a transfer document, whose paths are zips            |
| `GET /spring/download/P/100307/100307_3T_<x>.zip`    | the zip; ranges, HEAD and conditions as of any file  |
| the same with `.zip.md5`                             | its MD5, as `md5sum` writes it                       |

`project=` says which project is meant where a label is in several. Source: the client that ConnectomeDB
shipped, for the addresses and the transfer document's fields; the shapes of the views are ours.
"""

import json
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from sqlalchemy import Connection
from starlette.responses import Response

from connectomedb.errors import AddressError, NotFound
from connectomedb.hcp.packages import Package, packages
from connectomedb.server.packages.fixed_zip import skip
from connectomedb.server.packages.holdings import Holding, find_package, find_subjects, holdings
from connectomedb.server.packages.zips import PackageZip, md5_of, plan_zip, zip_name
from connectomedb.server.query.places import find_place
from connectomedb.server.routes.call import Call, Later, Way
from connectomedb.server.routes.contents import begun_archive, disposition
from connectomedb.server.routes.ranges import Version, choose_part
from connectomedb.server.routes.replies import json_document, text
from connectomedb.xnat.address import Address, Level

_SUM = ".md5"


def get_download(call: Call) -> Response | Later:
    """The list of packages, or a view of what subjects have."""
    view = call.parameters.get("view")
    if not view and not call.parameters.has("subjects"):
        return _json({"packages": [_describe(one) for one in packages().values()]})
    views = {"subjects": _by_subject, "packages": _by_package}
    if view not in views:
        raise AddressError(f"Asked for view={view!r}. There are view=subjects and view=packages.")

    def begin() -> Response:
        found, subject_count = _holdings(call, _packages(call) or list(packages().values()))
        return _json(views[view](found, subject_count))

    return Later(begin)


def post_download(call: Call) -> Response | Later:
    """A transfer document; or a view, as by GET."""
    if call.parameters.has("view"):
        return get_download(call)
    wanted = _packages(call)
    if not wanted:
        raise AddressError("Asked to download no package. Name some by package=; GET /spring/download lists them.")

    def begin() -> Response:
        found, _ = _holdings(call, wanted)
        if not found:
            raise NotFound("None of these subjects has files of these packages. See view=packages for what there is.")
        return _json(_transfer(call, found))

    return Later(begin)


def get_package(call: Call) -> Response | Later:
    """One zip, or its checksum."""
    name = call.words["name"]
    with call.site.database.read() as connection:
        planned = _plan(connection, call, name.removesuffix(_SUM))
    if name.endswith(_SUM):

        def sum_up() -> Response:
            return text(f"{md5_of(call.site.database, planned)}  {planned.name}\n")

        return Later(sum_up, planned.stores, is_long=True)
    return _send(call, planned)


def _plan(connection: Connection, call: Call, name: str) -> PackageZip:
    project, label = call.words["project"], call.words["subject"]
    find_place(connection, call.user, Address().child(Level.PROJECTS, project), is_inside=True)
    subject = find_subjects(connection, call.user, [label], project)[0]
    wanted = next((one for one in packages().values() if zip_name(label, one) == name), None)
    if wanted is None:
        raise NotFound(f"There is no package {name!r}. It is <subject>_<package>.zip; GET /spring/download lists them.")
    return plan_zip(connection, call.site.archive, subject, wanted)


def _send(call: Call, planned: PackageZip) -> Response | Later:
    version = Version(planned.size, planned.stamp, None)
    part = choose_part(call.headers, version)
    headers = {
        **version.headers(),
        **part.headers(version),
        "Cache-Control": "private, must-revalidate",
        "Content-Disposition": disposition(planned.name),
    }
    if call.method == "HEAD" or part.status in (304, 412, 416):
        return Response(status_code=part.status, headers=headers, media_type="application/zip")

    def begin() -> Response:
        pieces = skip(planned.pieces(), part.start, part.length)
        return begun_archive(pieces, planned.stores, part.status, headers, "application/zip")

    return Later(begin, planned.stores)


def _holdings(call: Call, wanted: Sequence[Package]) -> tuple[list[Holding], int]:
    labels = _words(call, "subjects")
    with call.site.database.read() as connection:
        found = find_subjects(connection, call.user, labels, call.parameters.get("project"))
        return list(holdings(connection, found, wanted)), len(found)


def _packages(call: Call) -> list[Package]:
    """The packages that the request names, each once."""
    return list({one.id: one for one in map(find_package, _words(call, "package"))}.values())


def _words(call: Call, name: str) -> list[str]:
    """Values of a parameter that may be repeated and joined by commas."""
    given = ",".join(value for key, value in call.parameters.pairs if key == name)
    return [word.strip() for word in given.split(",") if word.strip()]


def _describe(one: Package) -> dict[str, object]:
    description = f"{one.label}: {one.level} files of the {one.session} session."
    return {"id": one.id, "label": one.label, "description": description, "session": one.session, "level": one.level}


def _by_subject(found: Sequence[Holding], subject_count: int) -> object:
    by_subject: dict[tuple[str, str], list[object]] = {}
    for one in found:
        line = {"id": one.package.id, "files": one.files, "size": one.size}
        by_subject.setdefault((one.subject.project, one.subject.label), []).append(line)
    return {
        "subjects": [
            {"project": project, "subject": label, "packages": lines} for (project, label), lines in by_subject.items()
        ]
    }


def _by_package(found: Sequence[Holding], subject_count: int) -> object:
    by_package: dict[str, list[Holding]] = {}
    for one in found:
        by_package.setdefault(one.package.id, []).append(one)
    return {
        "packages": [
            {
                "id": one.id,
                "label": one.label,
                "subjects": [holding.subject.label for holding in by_package.get(one.id, [])],
                "asked": subject_count,
                "files": sum(holding.files for holding in by_package.get(one.id, [])),
                "size": sum(holding.size for holding in by_package.get(one.id, [])),
            }
            for one in packages().values()
            if one.id in by_package
        ]
    }


def _transfer(call: Call, found: Sequence[Holding]) -> object:
    """The document that ConnectomeDB's client knew; its paths are those of this server, over HTTP."""
    return {
        "remote_user": call.user.login,
        "remote_host": urlsplit(call.base_url).hostname,
        "protocol": urlsplit(call.base_url).scheme,
        "direction": "receive",
        "destination_root": call.parameters.get("destination", "."),
        "paths": [_path(one) for one in found],
    }


def _path(one: Holding) -> dict[str, object]:
    name = zip_name(one.subject.label, one.package)
    source = f"/spring/download/{quote(one.subject.project, safe='')}/{one.subject.label}/{quote(name)}"
    return {
        "source": source,
        "checksum": f"{source}{_SUM}",
        "subject": one.subject.label,
        "package": one.package.id,
        "files": one.files,
        "size": one.size,
    }


def _json(document: object) -> Response:
    return json_document(json.dumps(document).encode())


WAYS = (
    Way("GET", "/spring/download", get_download),
    Way("POST", "/spring/download", post_download),
    Way("GET", "/spring/download/{project}/{subject}/{name}", get_package),
)

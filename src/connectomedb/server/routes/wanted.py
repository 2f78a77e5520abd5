"""Files of the subjects that meet a predicate: how many, their lockfile, or a zip of them.

| request                                      | answer                                                             |
|----------------------------------------------|--------------------------------------------------------------------|
| `GET /data/projects/P/explore/files`         | JSON: what `limit` subjects from `offset` on have, by package      |
| `GET /data/projects/P/explore/lockfile`      | the lockfile of the wanted files, for `cdb sync`                   |
| `GET /data/projects/P/explore/zip`           | the files themselves with a manifest per subject, if they are few  |

Subjects are chosen as for `explore`; files by `package=` and `pattern=`, each of which may be repeated. POST takes the
same as a form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from starlette.responses import Response

from connectomedb.cohort.formatter import format_predicate
from connectomedb.cohort.lockfile import SUFFIX, LockedFile, Lockfile, format_lockfile
from connectomedb.errors import AddressError, NotFound, TooLarge
from connectomedb.hcp.dictionary import Dictionary
from connectomedb.hcp.dictionary_file import version_of
from connectomedb.hcp.packages import packages
from connectomedb.hcp.release import release_of
from connectomedb.server.access.audit import Action
from connectomedb.server.packages.fixed_zip import Member, length_of, zip_pieces
from connectomedb.server.packages.holdings import find_package
from connectomedb.server.packages.wanted import (
    MAX_LOCKED_FILES,
    MAX_ZIP_BYTES,
    MAX_ZIP_FILES,
    Wanted,
    count,
    each_file,
    files_for_zip,
    subjects_of,
)
from connectomedb.server.packages.zips import members_of
from connectomedb.server.routes.call import Call, Later, Reading, Way
from connectomedb.server.routes.contents import begun_archive, disposition
from connectomedb.server.routes.explore import MAX_FORM_BYTES
from connectomedb.server.routes.explored import SUBJECT, answering, read_asked
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.routes.replies import json_value

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
"""Subjects whose files are counted in one request: a release has thousands of files of each."""

_SELECTION = "selection"
"""Name of the manifests in a zip."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Who is chosen, in which project, and by what words; by none where these would tell restricted values of somebody
    who is named.
    """

    project: str
    predicate: str
    labels: tuple[str, ...]
    dictionary: str


@answering
def get_files(call: Call) -> Response:
    """Sums of a part of the subjects, so that many can be counted one part after the other."""
    parameters, wanted = call.parameters, _wanted(call.parameters)
    limit, offset = parameters.count("limit", DEFAULT_LIMIT), parameters.count("offset", 0) or 0
    if limit is None or limit > MAX_LIMIT:
        raise AddressError(f"Asked for files of more than {MAX_LIMIT} subjects at once. Ask in parts: offset=.")
    chosen = _chosen(call)
    part = chosen.labels[offset : offset + limit]
    with call.site.database.read() as connection:
        sums = count(connection, subjects_of(connection, chosen.project, part), wanted)
    zip_limits = {"files": MAX_ZIP_FILES, "size": MAX_ZIP_BYTES}
    return json_value(
        {
            "subjects": len(chosen.labels),
            "counted": len(part),
            "packages": [
                {"id": one.id, "label": one.label, "session": one.session, "level": one.level, **sums.packages[one.id]}
                for one in packages().values()
                if one.id in sums.packages
            ],
            "wanted": {name: sums.wanted[name] for name in ("subjects", "files", "size")},
            "zip": zip_limits,
        }
    )


@answering
def get_lockfile(call: Call) -> Response:
    """The lockfile; without packages and patterns, of the subjects alone."""
    wanted, chosen = _wanted(call.parameters), _chosen(call)
    files: dict[str, dict[str, LockedFile]] = {}
    number = 0
    with call.site.database.read() as connection:
        found = subjects_of(connection, chosen.project, chosen.labels)
        for subject, rows in each_file(connection, found, wanted) if wanted.globs else ():
            number += len(rows)
            if number > MAX_LOCKED_FILES:
                raise TooLarge(f"Asked to lock more than {MAX_LOCKED_FILES} files. Choose less, or use cdb lock.")
            if rows:
                in_bucket = release_of(subject.project).to_bucket  # paths as a mirror has them on disk
                locked = {in_bucket(str(row.path)): LockedFile(row.size, row.md5 or None) for row in rows}
                files[subject.label] = locked
    made = Lockfile(
        release=chosen.project,
        predicate=chosen.predicate,
        patterns=wanted.globs,
        subjects=chosen.labels,
        files=files,
        dictionary=chosen.dictionary,
    )
    headers = {"Content-Disposition": disposition(chosen.project + SUFFIX), "Cache-Control": "no-store"}
    return Response(format_lockfile(made), headers=headers, media_type="application/toml; charset=utf-8")


@answering
def get_zip(call: Call) -> Response | Later:
    """The zip, its length known beforehand and its first file at hand; of HEAD the headers alone."""
    wanted, chosen = _wanted(call.parameters), _chosen(call)
    if not wanted.globs:
        raise AddressError("Asked for a zip of no files. Name some by package= or pattern=.")
    with call.site.database.read() as connection:
        held = files_for_zip(connection, subjects_of(connection, chosen.project, chosen.labels), wanted)
    if not held:
        raise NotFound("None of these subjects has files like these. See explore/files for what there is.")
    members: list[Member] = []
    for subject, rows in held:
        members += members_of(call.site.archive, subject, rows, _SELECTION)[0]
    headers = {
        "Content-Disposition": disposition(f"{chosen.project}.zip"),
        "Content-Length": str(length_of(members)),
        "Cache-Control": "no-store",
    }
    if call.method == "HEAD":
        return Response(headers=headers, media_type="application/zip")
    stores = frozenset(str(row.store) for _, rows in held for row in rows)

    def begin() -> Response:
        reply = begun_archive(zip_pieces(members), stores, 200, headers, "application/zip")
        call.note(Action.DOWNLOAD, " ".join(subject.label for subject, _ in held))
        return reply

    return Later(begin, stores)


def _chosen(call: Call) -> _Chosen:
    with read_asked(call) as asked:
        places = asked.view.connection.execute(asked.exploration.places()).all()
        data_type = asked.exploration.data_type.name
        known = Dictionary(tuple(field for field in asked.view.dictionary(data_type) if field.name != SUBJECT))
        labels = tuple(dict.fromkeys(label for label, _ in places if label is not None))
        project = places[0][1] if places else call.words["project"]
        predicate = "" if asked.reads_restricted else format_predicate(asked.exploration.where)
        return _Chosen(project, predicate, labels, version_of(known))


def _wanted(parameters: Parameters) -> Wanted:
    """The packages and globs that are named. Raises AddressError."""
    named = ",".join(value for key, value in parameters.pairs if key == "package").split(",")
    ids = {one.id: one for one in (find_package(word.strip()) for word in named if word.strip())}
    globs = (value.strip() for key, value in parameters.pairs if key == "pattern")
    return Wanted(tuple(ids.values()), tuple(dict.fromkeys(glob for glob in globs if glob)))


def _reading(handler: Callable[[Call], Response | Later]) -> Callable[[Call], Reading]:
    """Thousands of rows of each subject are read: outside the threads that answer short questions."""

    @wraps(handler)
    def read(call: Call) -> Reading:
        return Reading(lambda: handler(call))

    return read


WAYS = tuple(
    Way(methods, f"/data/projects/{{project}}/explore/{what}", _reading(handler), max_body_bytes=MAX_FORM_BYTES)
    for methods, what, handler in (
        ("GET POST", "files", get_files),
        ("GET POST", "lockfile", get_lockfile),
        ("GET HEAD POST", "zip", get_zip),
    )
)

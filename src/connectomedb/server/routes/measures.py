"""Tables of measures that come in over REST, all or nothing.

    PUT /data/projects/P/measures            a form: `table` (CSV or TSV; may be repeated) and `dictionary`, as files
        ?data_type=&tier=                    of the columns; tier is that of columns that no dictionary speaks of
        &title=&description=&accessibility=  of the project, which is made if there is none
        &only_known=true                     refuse subjects that the project does not have
        &trial=true                          tell all, keep nothing
        &store=NAME&prefix=                  files that a store of cdb.toml lists; administrators only

A table alone may be the body itself. The answer is JSON (hcp.ingested); a table that cannot be is answered 422,
with line and column.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select
from starlette.responses import Response

from connectomedb.errors import AccessDenied, AddressError, ConfigError, DocumentError, NotFound
from connectomedb.hcp.dictionary import Dictionary, Tier
from connectomedb.hcp.dictionary_file import parse_dictionary
from connectomedb.hcp.release import release_of
from connectomedb.hcp.sidecars import common_definitions, definitions_of
from connectomedb.server.access import audit
from connectomedb.server.access.rules import Action, may_create_projects
from connectomedb.server.changes.projects import put_project, read_accessibility
from connectomedb.server.changes.rights import require
from connectomedb.server.changes.wish import Wish
from connectomedb.server.changes.writer import Writer
from connectomedb.server.intake.bodies import Received, too_large
from connectomedb.server.intake.delivery import Delivery, Prepared, prepare
from connectomedb.server.intake.ingest import IngestReport, summary, take_in
from connectomedb.server.intake.shared_columns import settled
from connectomedb.server.intake.subject_tables import NONTOOLBOX
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.routes.call import Call, View, Way
from connectomedb.server.routes.replies import json_value
from connectomedb.server.routes.uploads import Reception
from connectomedb.server.tables.schema import projects
from connectomedb.xnat.address import Address, Level

MAX_DICTIONARY_BYTES = 64 << 20

TABLE, DICTIONARY = "table", "dictionary"


def receive_tables(call: Call) -> "TablesUpload":
    """Make ready for tables: whoever may not bring them is refused before the first byte."""
    with call.view() as view:
        project = _find(view, call.words["project"])
        if project is None and not may_create_projects(call.signed_in):
            raise AccessDenied("Projects are made by users with an account. Sign in with one.", status=403)
    if call.parameters.get("store") and not call.signed_in.is_admin:
        raise AccessDenied("Asked to take in files of a store. Only administrators may: ask one.", status=403)
    return TablesUpload(call, project.id if project else call.words["project"])


class TablesUpload:
    """One delivery under way."""

    def __init__(self, call: Call, project: str) -> None:
        self._call = call
        self._project = project
        self._received = Reception(call)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._received.feed(piece)

    def drop(self) -> None:
        """Remove what came."""
        self._received.drop()

    def finish(self) -> Response:
        """Take all of it in, or nothing."""
        call = self._call
        try:
            delivery = self._delivery(self._received.finish())
            prepared = prepare(call.site.archive, delivery)
            report, is_kept = self._write(prepared)
        except ConfigError as fault:
            raise DocumentError(str(fault)) from fault
        return json_value(report.account(self._project, is_kept=is_kept).document())

    def _write(self, prepared: Prepared) -> tuple[IngestReport, bool]:
        call, id = self._call, self._project
        is_trial = call.parameters.is_true("trial")
        try:
            with call.change() as view:
                found = _find(view, id)
                if found is None:
                    words = (("name", prepared.delivery.title or id), ("accessibility", self._word("accessibility")))
                    put_project(Writer.of(view, call.actor), id, Wish([pair for pair in words if pair[1]]))
                key = found.key if found else _key_of(view.connection, id)
                report = take_in(view.connection, settled(view.connection, view.rights, key, prepared), call.user.login)
                event = audit.Event(call.actor, audit.Action.INGEST, id, call.path, summary(report))
                audit.record(view.connection, event)
                if is_trial:
                    raise _Undone
        except _Undone:
            return report, False
        return report, True

    def _delivery(self, received: Sequence[Received]) -> Delivery:
        call = self._call
        tier = _tier(self._word("tier"))
        dictionaries = {one.name: _read(one, tier) for one in received if one.field == DICTIONARY}
        tables = [one for one in received if one.field != DICTIONARY]
        names = [one.name for one in tables]
        stores = [word for word in self._word("store").split(",") if word]
        if not received and not stores:
            raise AddressError("Asked to take in measures. Nothing was sent: send a table, or name a store.")
        if accessibility := self._word("accessibility"):
            read_accessibility(accessibility)
        release = release_of(self._project, self._word("prefix") or None)
        return Delivery(
            release,
            self._word("title"),
            self._word("description"),
            {name: call.site.archive.store(name).list(f"{release.prefix}/") for name in stores},
            [
                SubjectTable(
                    one.part.path, definitions_of(one.name, names, dictionaries), tier, one.name or "the table"
                )
                for one in tables
            ],
            common_definitions(names, dictionaries),
            only_known=call.parameters.is_true("only_known"),
            data_type=self._word("data_type") or NONTOOLBOX,
        )

    def _word(self, name: str) -> str:
        return self._call.parameters.get(name).strip()


class _Undone(Exception):
    """Ends a trial: nothing of it is kept."""


def _find(view: View, id: str) -> Found | None:
    """A project that the caller manages; None of one that is not there. Raises AccessDenied.

    One that is hidden from the caller is answered like a name that is taken, when it is to be made.
    """
    try:
        found = find_place(view.connection, view.caller, Address().child(Level.PROJECTS, id)).project
    except NotFound:
        return None
    assert found is not None, "the address names a project"
    require(view, found.key, Action.MANAGE)
    return found


def _key_of(connection: Connection, id: str) -> int:
    key: int = connection.execute(select(projects.c.key).where(projects.c.id == id)).scalar_one()
    return key


def _tier(word: str) -> Tier:
    if word and word not in list(Tier):
        raise AddressError(f"Asked for the tier {word!r}. Use one of {', '.join(Tier)}.")
    return Tier(word) if word else Tier.RESTRICTED


def _read(received: Received, tier: Tier) -> Dictionary:
    if received.part.size > MAX_DICTIONARY_BYTES:
        raise too_large(MAX_DICTIONARY_BYTES)
    return parse_dictionary(received.part.path.read_bytes(), received.name, tier).dictionary


WAYS = (Way("PUT POST", "/data/projects/{project}/measures", receive_tables, is_slow=True),)

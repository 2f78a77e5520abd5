"""The one door for data: a release's listings and tables → rows. All of it or nothing; again and again.

    project
      subject 100307
        experiment 100307_3T          scans of unprocessed/3T, one resource per processing step
        experiment 100307_CREST       one resource with the whole release tree
        experiment 100307_nontoolbox  measures

A repeated ingest updates: what is new comes in, what changed is replaced, files that left the listing
go, IDs stay. What a person set since (accessibility, members) is not touched. Subjects that a table does
not name keep what they have.

Stores and tables are read before the database is taken; the values of tables then stream into it.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from connectomedb.hcp.ingested import Ingested, TableChanges
from connectomedb.server.access.audit import OPERATOR, Action, Event, record
from connectomedb.server.access.clock import now
from connectomedb.server.archive import Archive
from connectomedb.server.intake.delivery import Delivery, Prepared, prepare
from connectomedb.server.intake.inventory import Inventory
from connectomedb.server.intake.rows import ProjectRows
from connectomedb.server.tables.bulk import note_growth
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import projects
from connectomedb.server.tables.upsert import Upsert

MANY_CHANGES = 10_000
"""Rows changed after which the database's figures about its tables are old."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What came in: counts of all objects, how many rows changed, and what was wrong with the delivery."""

    subjects: int
    experiments: int
    scans: int
    resources: int
    files: int
    measures: int
    changes: int
    inventory: Inventory = field(repr=False)
    new_subjects: int = 0
    tables: tuple[TableChanges, ...] = ()
    described: tuple[str, ...] = ()

    def account(self, project: str, *, is_kept: bool = True) -> Ingested:
        """The same for who asked for it."""
        return Ingested(
            project=project,
            subjects=self.subjects,
            new_subjects=self.new_subjects,
            experiments=self.experiments,
            scans=self.scans,
            files=self.files,
            measures=self.measures,
            changes=self.changes,
            tables=self.tables,
            described=self.described,
            skipped=dict(self.inventory.skipped),
            is_kept=is_kept,
        )


def ingest_release(
    database: Database, archive: Archive, delivery: Delivery, *, login: str = "admin", is_trial: bool = False
) -> IngestReport:
    """Take a release in; `login` stands in the rows as who did it. A trial tells all and keeps nothing.

    Raises ConfigError (a table or label), ManifestError, StoreError, Conflict (the project's ID; other words
    under a version of terms that is known).
    """
    prepared = prepare(archive, delivery)
    try:
        with database.write() as connection:
            report = take_in(connection, prepared, login)
            record(connection, Event(OPERATOR, Action.INGEST, delivery.release.project, detail=summary(report)))
            if is_trial:
                raise _Undone
    except _Undone:
        pass
    return report


class _Undone(Exception):
    """Ends a trial: nothing of it is kept."""


def take_in(connection: Connection, prepared: Prepared, login: str) -> IngestReport:
    """Write what was prepared, in a transaction that alone may write. Raises ConfigError, Conflict."""
    delivery = prepared.delivery
    rows = ProjectRows(Upsert(connection, login, now()), delivery)
    keys = rows.subjects(prepared)
    rows.files(keys, prepared.inventory)
    if delivery.tables or delivery.dictionary:
        rows.measures(keys, prepared.tables)
    if rows.changes >= MANY_CHANGES:
        note_growth(connection)
    return IngestReport(
        subjects=len(keys),
        measures=sum(len(table.definitions) for table in prepared.tables),
        changes=rows.changes,
        inventory=prepared.inventory,
        new_subjects=rows.new_subjects,
        tables=tuple(rows.tables),
        described=rows.described,
        **rows.seen,
    )


def project_ids(database: Database) -> list[str]:
    """The projects that there are."""
    with database.read() as connection:
        return list(connection.execute(select(projects.c.id)).scalars())


def summary(report: IngestReport) -> str:
    """A line for the audit log."""
    return f"{report.subjects} subjects, {report.measures} columns, {report.files} files, {report.changes} rows changed"

"""The one door for data: a release's listings and tables → rows. All of it or nothing; again and again.

    project
      subject 100307
        experiment 100307_3T          scans of unprocessed/3T, one resource per processing step
        experiment 100307_CREST       one resource with the whole release tree
        experiment 100307_nontoolbox  measures

A repeated ingest updates: what is new comes in, what changed is replaced, files that left the listing
go, IDs stay. What a person set since (accessibility, members) is not touched.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from connectomedb.errors import ConfigError, Conflict
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.release import Release
from connectomedb.server import builtin
from connectomedb.server.archive import Archive
from connectomedb.server.auth import Accessibility
from connectomedb.server.counters import next_accession
from connectomedb.server.database import Database
from connectomedb.server.inventory import Folder, Inventory, StoredFile, folders_of, scans_of, take_inventory
from connectomedb.server.measures import declare_fields, declare_type, write_measures
from connectomedb.server.schema import experiments, files, projects, resources, scans, subjects
from connectomedb.server.subject_tables import NONTOOLBOX, Measures, SubjectTable, join_measures, read_subject_table
from connectomedb.server.users import now
from connectomedb.stores.base import ObjectInfo

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GENDERS = {"M": "male", "F": "female"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A release to be taken in.

    Attributes:
        release: project and prefix of its keys.
        title, description: for people.
        listings: name of a store of the archive → its objects, the preferred store first.
        tables: CSV files of measures.
        data_type: the data type of the measures.
        accessibility: of a project that is new.
    """

    release: Release
    title: str
    description: str = ""
    listings: Mapping[str, Iterable[ObjectInfo]] = field(default_factory=dict)
    tables: Sequence[SubjectTable] = ()
    data_type: str = NONTOOLBOX
    accessibility: Accessibility = Accessibility.PRIVATE


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


def ingest_release(database: Database, archive: Archive, delivery: Delivery, *, login: str = "admin") -> IngestReport:
    """Take a release in; `login` stands in the rows as who did it.

    Raises ConfigError (a table or label), ManifestError, StoreError, Conflict (the project's ID).
    """
    inventory = take_inventory(archive, delivery.release, delivery.listings)
    measures = join_measures([read_subject_table(table) for table in delivery.tables])
    labels = sorted({*inventory.files, *measures.values})
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise ConfigError(f"A subject is labelled {label!r}. Use letters, digits, '_' and '-'.")
    with database.write() as connection:
        intake = _Intake(connection, login, now())
        project = intake.project(delivery)
        keys = {label: intake.subject(project, label, measures.values.get(label, {}), measures) for label in labels}
        for label, found in inventory.files.items():
            intake.files_of_subject(project, keys[label], delivery, found)
        if measures.definitions:
            intake.measures(project, keys, delivery.data_type, measures)
        return intake.report(len(labels), len(measures.definitions), inventory)


class _Intake:
    """One ingest in its transaction: makes or updates rows, and counts."""

    def __init__(self, connection: Connection, login: str, time: datetime) -> None:
        self._connection = connection
        self._login = login
        self._time = time
        self._changes = 0
        self._seen = {"experiments": 0, "scans": 0, "resources": 0, "files": 0}

    def report(self, subject_count: int, measure_count: int, inventory: Inventory) -> IngestReport:
        """The sums."""
        return IngestReport(
            subjects=subject_count, measures=measure_count, changes=self._changes, inventory=inventory, **self._seen
        )

    def project(self, delivery: Delivery) -> int:
        """Key of the project."""
        id = delivery.release.project
        taken = select(projects.c.id).where(func.lower(projects.c.id) == id.lower(), projects.c.id != id)
        if other := self._connection.execute(taken).scalar():
            raise Conflict(f"Asked to make the project {id}. There is {other}, which differs in case only.")
        facts = {"name": delivery.title, "description": delivery.description}
        return self._put(projects, {"id": id}, facts, {"accessibility": delivery.accessibility.value})

    def subject(self, project: int, label: str, values: Mapping[str, object], measures: Measures) -> int:
        """Key of a subject. Of the measures only an open `Gender` is shown as the subject's own."""
        is_open = any(column.name == "Gender" and column.tier is Tier.OPEN for column in measures.definitions)
        gender = _GENDERS.get(str(values.get("Gender"))) if is_open else None
        facts = {"gender": gender} if gender else {}
        return self._put(subjects, {"project_key": project, "label": label}, facts, {}, "S")

    def files_of_subject(self, project: int, subject: int, delivery: Delivery, found: Sequence[StoredFile]) -> None:
        """Experiments, scans, resources and files of one subject."""
        folders = folders_of(found, delivery.release.project)
        acquired = scans_of(found)
        for label in sorted({folder.experiment for folder in folders} | set(acquired)):
            experiment = self.experiment(project, subject, label, builtin.MR_SESSION)
            self._scans(experiment, acquired.get(label, []))
            own = [folder for folder in folders if folder.experiment == label]
            for folder in own:
                self._folder(experiment, folder)
            self._drop_others(experiment, {folder.label for folder in own}, delivery)

    def measures(self, project: int, keys: Mapping[str, int], data_type: str, measures: Measures) -> None:
        """The data type, its fields, one experiment per subject, and the values."""
        name = data_type.rpartition(":")[2].removesuffix("data").capitalize()
        declare_type(self._connection, data_type, name, name)
        declare_fields(self._connection, data_type, measures.definitions)
        rows = {
            self.experiment(project, keys[label], f"{label}_{name.lower()}", data_type): values
            for label, values in measures.values.items()
        }
        changed = write_measures(self._connection, data_type, rows)
        for key in changed:
            touched = update(experiments).where(experiments.c.key == key)
            self._connection.execute(touched.values(last_modified=self._time))
        self._changes += len(changed)

    def experiment(self, project: int, subject: int, label: str, data_type: str) -> int:
        """Key of an experiment."""
        self._seen["experiments"] += 1
        facts = {"subject_key": subject, "data_type": data_type}
        return self._put(experiments, {"project_key": project, "label": label}, facts, {}, "E")

    def _scans(self, experiment: int, names: Sequence[str]) -> None:
        """Scans keep their numbers; new ones are numbered on."""
        known = select(scans.c.type, scans.c.id).where(scans.c.experiment_key == experiment)
        numbers = {str(row.type): str(row.id) for row in self._connection.execute(known)}
        highest = max((int(id) for id in numbers.values() if id.isdecimal()), default=0)
        for name in names:
            if name not in numbers:
                highest += 1
            identity = {"experiment_key": experiment, "id": numbers.get(name, str(highest))}
            facts = {"data_type": builtin.MR_SCAN, "type": name, "series_description": name}
            self._put(scans, identity, facts, {"quality": "usable"})
            self._seen["scans"] += 1

    def _folder(self, experiment: int, folder: Folder) -> None:
        """A resource, and exactly these files in it."""
        of_experiment = resources.c.experiment_key == experiment
        known = select(resources.c.key).where(of_experiment, resources.c.label == folder.label)
        key = self._connection.execute(known).scalar()
        if key is None:
            key = self._insert(resources, {"experiment_key": experiment, "label": folder.label})
        in_resource = files.c.resource_key == key
        before = {row.path: row for row in self._connection.execute(select(files).where(in_resource))}
        new = []
        for path, file in folder.files.items():
            facts = _file_facts(file)
            old = before.pop(path, None)
            if old is None:
                new.append({"resource_key": key, "path": path, **facts})
            elif any(getattr(old, name) != value for name, value in facts.items()):
                self._connection.execute(update(files).where(files.c.key == old.key).values(facts))
                self._changes += 1
        if new:
            self._connection.execute(insert(files), new)
        for row in before.values():
            self._connection.execute(delete(files).where(files.c.key == row.key))
        self._changes += len(new) + len(before)
        self._seen["resources"] += 1
        self._seen["files"] += len(folder.files)

    def _drop_others(self, experiment: int, labels: set[str], delivery: Delivery) -> None:
        """Files of this release in other resources of the experiment have left it; empty resources go too."""
        known = select(resources.c.key, resources.c.label).where(resources.c.experiment_key == experiment)
        of_release = files.c.object_key.startswith(f"{delivery.release.prefix}/", autoescape=True)
        for row in self._connection.execute(known).all():
            if row.label in labels:
                continue
            in_resource = files.c.resource_key == row.key
            gone = delete(files).where(in_resource, of_release, files.c.store.in_(list(delivery.listings)))
            count = self._connection.execute(gone).rowcount
            if count and not self._connection.execute(select(files.c.key).where(in_resource).limit(1)).first():
                self._connection.execute(delete(resources).where(resources.c.key == row.key))
            self._changes += count

    def _put(
        self,
        table: Table,
        identity: Mapping[str, object],
        facts: Mapping[str, object],
        first: Mapping[str, object],
        letter: str = "",
    ) -> int:
        """Key of the row of that identity: made, with `first` and an accession ID, or updated if facts differ."""
        row = self._connection.execute(
            select(table).where(*(table.c[name] == value for name, value in identity.items()))
        ).first()
        if row is None:
            history = {"insert_date": self._time, "insert_user": self._login, "last_modified": self._time}
            accession = {"id": next_accession(self._connection, letter)} if letter else {}
            return self._insert(table, {**identity, **facts, **first, **history, **accession})
        if any(getattr(row, name) != value for name, value in facts.items()):
            changed = update(table).where(table.c.key == row.key).values(**facts, last_modified=self._time)
            self._connection.execute(changed)
            self._changes += 1
        return int(row.key)

    def _insert(self, table: Table, row: Mapping[str, object]) -> int:
        self._changes += 1
        made: int = self._connection.execute(insert(table).values(**row).returning(table.c.key)).scalar_one()
        return made


def _file_facts(file: StoredFile) -> dict[str, object]:
    return {
        "size": file.size,
        "md5": file.md5,
        "modified": file.modified,
        "store": file.store,
        "object_key": file.key,
    }

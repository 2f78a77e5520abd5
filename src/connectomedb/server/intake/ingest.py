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

from sqlalchemy import delete, func, insert, select

from connectomedb.errors import ConfigError, Conflict
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.release import Release
from connectomedb.server.access.auth import Accessibility
from connectomedb.server.access.clock import now
from connectomedb.server.access.terms import Wording, set_terms
from connectomedb.server.archive import Archive
from connectomedb.server.intake.inventory import Folder, Inventory, StoredFile, folders_of, scans_of, take_inventory
from connectomedb.server.intake.subject_tables import (
    NONTOOLBOX,
    Measures,
    SubjectTable,
    join_measures,
    read_subject_table,
)
from connectomedb.server.tables.agreements import prefixes
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.measures import declare_fields, declare_type, write_measures
from connectomedb.server.tables.schema import experiments, files, projects, resources, scans, subjects
from connectomedb.server.tables.upsert import Upsert, Wanted
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import local_name
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
        terms: data-use terms that the project demands from now on; without them, those that it has stay.
    """

    release: Release
    title: str
    description: str = ""
    listings: Mapping[str, Iterable[ObjectInfo]] = field(default_factory=dict)
    tables: Sequence[SubjectTable] = ()
    data_type: str = NONTOOLBOX
    accessibility: Accessibility = Accessibility.PRIVATE
    terms: Wording | None = None


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

    Raises ConfigError (a table or label), ManifestError, StoreError, Conflict (the project's ID; other words
    under a version of terms that is known).
    """
    inventory = take_inventory(archive, delivery.release, delivery.listings)
    measures = join_measures([read_subject_table(table) for table in delivery.tables])
    labels = sorted({*inventory.files, *measures.values})
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise ConfigError(f"A subject is labelled {label!r}. Use letters, digits, '_' and '-'.")
    with database.write() as connection:
        intake = _Intake(Upsert(connection, login, now()), delivery)
        keys = intake.subjects(labels, measures)
        intake.files(keys, inventory)
        if measures.definitions:
            intake.measures(keys, measures)
        return intake.report(len(labels), len(measures.definitions), inventory)


class _Intake:
    """One ingest in its transaction."""

    def __init__(self, rows: Upsert, delivery: Delivery) -> None:
        self._rows = rows
        self._connection = rows.connection
        self._delivery = delivery
        self._seen = {"experiments": 0, "scans": 0, "resources": 0, "files": 0}
        self._project = self._put_project()
        self._put_prefix()
        if delivery.terms:
            set_terms(self._connection, self._project, delivery.terms, rows.login)

    def report(self, subject_count: int, measure_count: int, inventory: Inventory) -> IngestReport:
        """The sums."""
        changes = self._rows.changes
        return IngestReport(
            subjects=subject_count, measures=measure_count, changes=changes, inventory=inventory, **self._seen
        )

    def subjects(self, labels: Sequence[str], measures: Measures) -> dict[str, int]:
        """Keys of the subjects by label. Of the measures only an open `Gender` is shown as the subject's own."""
        is_open = any(column.name == "Gender" and column.tier is Tier.OPEN for column in measures.definitions)
        wanted = {}
        for label in labels:
            gender = _GENDERS.get(str(measures.values.get(label, {}).get("Gender"))) if is_open else None
            wanted[label] = Wanted({"gender": gender} if gender else {})
        return self._rows.put(subjects, {"project_key": self._project}, "label", wanted, letter="S")

    def files(self, keys: Mapping[str, int], inventory: Inventory) -> None:
        """Imaging experiments with their scans, resources and files."""
        owners: dict[str, int] = {}
        folders: dict[str, list[Folder]] = {}
        acquired: dict[str, list[str]] = {}
        for label, found in inventory.files.items():
            of_subject = folders_of(found, self._delivery.release.project)
            scans_found = scans_of(found)
            for folder in of_subject:
                folders.setdefault(folder.experiment, []).append(folder)
            acquired |= scans_found
            owners |= dict.fromkeys([*(folder.experiment for folder in of_subject), *scans_found], keys[label])
        for label, key in self._experiments(owners, builtin.MR_SESSION).items():
            self._put_scans(key, acquired.get(label, []))
            self._put_folders(key, folders.get(label, []))

    def measures(self, keys: Mapping[str, int], measures: Measures) -> None:
        """The data type, its fields, one experiment per subject, and the values."""
        data_type = self._delivery.data_type
        name = local_name(data_type).removesuffix("data").capitalize()
        declare_type(self._connection, data_type, name, name)
        declare_fields(self._connection, data_type, measures.definitions)
        labels = {label: f"{label}_{name.lower()}" for label in measures.values}
        experiment_keys = self._experiments({labels[label]: keys[label] for label in labels}, data_type)
        rows = {experiment_keys[labels[label]]: values for label, values in measures.values.items()}
        for key in write_measures(self._connection, data_type, rows):
            self._rows.touch(experiments, key)

    def _put_project(self) -> int:
        delivery = self._delivery
        id = delivery.release.project
        taken = select(projects.c.id).where(func.lower(projects.c.id) == id.lower(), projects.c.id != id)
        if other := self._connection.execute(taken).scalar():
            raise Conflict(f"Asked to make the project {id}. There is {other}, which differs in case only.")
        facts = {"name": delivery.title, "description": delivery.description}
        wanted = Wanted(facts, {"accessibility": delivery.accessibility.value})
        return self._rows.put(projects, {}, "id", {id: wanted})[id]

    def _put_prefix(self) -> None:
        """Where the release lies, for keys of users."""
        prefix = f"{self._delivery.release.prefix}/"
        for store in self._delivery.listings:
            row = {"project_key": self._project, "store": store, "prefix": prefix}
            known = select(prefixes.c.store).where(*(prefixes.c[name] == value for name, value in row.items()))
            if not self._connection.execute(known).first():
                self._connection.execute(insert(prefixes).values(row))

    def _experiments(self, owners: Mapping[str, int], data_type: str) -> dict[str, int]:
        """Keys of experiments by label; `owners` are the keys of their subjects."""
        self._seen["experiments"] += len(owners)
        wanted = {label: Wanted({"subject_key": key, "data_type": data_type}) for label, key in sorted(owners.items())}
        return self._rows.put(experiments, {"project_key": self._project}, "label", wanted, letter="E")

    def _put_scans(self, experiment: int, names: Sequence[str]) -> None:
        """Scans keep their numbers; new ones are numbered on."""
        known = select(scans.c.type, scans.c.id).where(scans.c.experiment_key == experiment)
        numbers = {str(row.type): str(row.id) for row in self._connection.execute(known)}
        highest = max((int(id) for id in numbers.values() if id.isdecimal()), default=0)
        for name in names:
            if name not in numbers:
                highest += 1
                numbers[name] = str(highest)
        wanted = {
            numbers[name]: Wanted(
                {"data_type": builtin.MR_SCAN, "type": name, "series_description": name}, {"quality": "usable"}
            )
            for name in names
        }
        self._rows.put(scans, {"experiment_key": experiment}, "id", wanted)
        self._seen["scans"] += len(names)

    def _put_folders(self, experiment: int, folders: Sequence[Folder]) -> None:
        """Resources, and exactly these files of the release in them."""
        owner = {"experiment_key": experiment}
        wanted = {folder.label: Wanted() for folder in folders}
        keys = self._rows.put(resources, owner, "label", wanted, has_history=False)
        for folder in folders:
            held = {path: Wanted(_file_facts(file)) for path, file in folder.files.items()}
            self._rows.put(files, {"resource_key": keys[folder.label]}, "path", held, has_history=False)
            self._seen["files"] += len(held)
        self._seen["resources"] += len(folders)
        self._drop_gone(experiment, {keys[folder.label]: folder for folder in folders})

    def _drop_gone(self, experiment: int, folders: Mapping[int, Folder]) -> None:
        """Remove files of this release that its listings no longer have, and resources that this leaves empty."""
        known = select(resources.c.key).where(resources.c.experiment_key == experiment)
        of_release = files.c.object_key.startswith(f"{self._delivery.release.prefix}/", autoescape=True)
        from_listings = files.c.store.in_(list(self._delivery.listings))
        for key in self._connection.execute(known).scalars().all():
            held = folders[key].files if key in folders else {}
            present = select(files.c.key, files.c.path).where(files.c.resource_key == key, of_release, from_listings)
            gone = [row.key for row in self._connection.execute(present) if row.path not in held]
            for file in gone:
                self._connection.execute(delete(files).where(files.c.key == file))
            self._rows.changes += len(gone)
            is_left = select(files.c.key).where(files.c.resource_key == key).limit(1)
            if gone and not self._connection.execute(is_left).first():
                self._connection.execute(delete(resources).where(resources.c.key == key))


def _file_facts(file: StoredFile) -> dict[str, object]:
    return {
        "size": file.size,
        "md5": file.md5,
        "modified": file.modified,
        "store": file.store,
        "object_key": file.key,
    }

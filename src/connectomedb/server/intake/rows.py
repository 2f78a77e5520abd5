"""The rows of a delivery, in one transaction: subjects, experiments, scans, resources, files, measures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import delete, func, insert, select

from connectomedb.errors import ConfigError, Conflict
from connectomedb.hcp import bids
from connectomedb.hcp.bids import Scan
from connectomedb.hcp.dictionary import FieldDefinition
from connectomedb.hcp.ingested import TableChanges
from connectomedb.server.access.terms import set_terms
from connectomedb.server.intake.delivery import Delivery, Prepared
from connectomedb.server.intake.inventory import Folder, Inventory, SharedFile, folders_of, scans_of
from connectomedb.server.intake.subject_tables import CheckedTable
from connectomedb.server.tables.agreements import prefixes
from connectomedb.server.tables.meaning import load_definitions
from connectomedb.server.tables.measures import MeasuresWriter, declare_fields, declare_type, load_columns
from connectomedb.server.tables.schema import experiments, files, projects, resources, scans, subjects
from connectomedb.server.tables.upsert import Upsert, Wanted, in_parts
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import local_name

_GENDERS = {"M": "male", "F": "female"}


class ProjectRows:
    """One ingest in its transaction.

    Attributes:
        seen: how many experiments, scans, resources and files the delivery has.
        new_subjects: how many the project did not have.
        tables: what each table did.
        described: names of columns that are new or mean something else now.
    """

    def __init__(self, rows: Upsert, delivery: Delivery) -> None:
        self._rows = rows
        self._connection = rows.connection
        self._delivery = delivery
        self.seen = {"experiments": 0, "scans": 0, "resources": 0, "files": 0}
        self.new_subjects = 0
        self.tables: list[TableChanges] = []
        self.described: tuple[str, ...] = ()
        self._project = self._put_project()
        self._put_prefix()
        if delivery.terms:
            set_terms(self._connection, self._project, delivery.terms, rows.login)

    @property
    def changes(self) -> int:
        """Rows made or changed."""
        return self._rows.changes

    def subjects(self, prepared: Prepared) -> dict[str, int]:
        """Keys of the subjects by label. Of the measures only an open `Gender` is shown as the subject's own."""
        genders = {label: word for table in prepared.tables for label, word in table.genders.items()}
        keys: dict[str, int] = {}
        for labels in in_parts(prepared.labels):
            self._count_new(labels)
            wanted = {label: Wanted(_gender_facts(genders.get(label, ""))) for label in labels}
            keys |= self._rows.put(subjects, {"project_key": self._project}, "label", wanted, letter="S")
        return keys

    def _count_new(self, labels: Sequence[str]) -> None:
        """Count subjects that the project lacks. Raises ConfigError when there must be none."""
        mine = select(subjects.c.label).where(subjects.c.project_key == self._project, subjects.c.label.in_(labels))
        known = set(self._connection.execute(mine).scalars())
        new = [label for label in labels if label not in known]
        if new and self._delivery.only_known:
            raise ConfigError(
                f"A table names {', '.join(new[:5])}, whom {self._delivery.release.project} does not have. "
                "Correct the labels, or let new subjects in."
            )
        self.new_subjects += len(new)

    def files(self, keys: Mapping[str, int], inventory: Inventory) -> None:
        """Imaging experiments with their scans, resources and files."""
        owners: dict[str, int] = {}
        folders: dict[str, list[Folder]] = {}
        acquired: dict[str, list[Scan]] = {}
        for label, found in inventory.files.items():
            of_subject = folders_of(found, self._delivery.release.project)
            scans_found = scans_of(found)
            for folder in of_subject:
                folders.setdefault(folder.experiment, []).append(folder)
            acquired |= scans_found
            owners |= dict.fromkeys([*(folder.experiment for folder in of_subject), *scans_found], keys[label])
        for label, key in self._experiments(owners, builtin.MR_SESSION, inventory.visits).items():
            self._put_scans(key, acquired.get(label, []))
            self._put_folders({"experiment_key": key}, folders.get(label, []))
        if inventory.shared:
            self._put_folders({"project_key": self._project}, [Folder("", bids.RESOURCE, inventory.shared)])

    def measures(self, keys: Mapping[str, int], tables: Sequence[CheckedTable]) -> None:
        """The data type, its fields, one experiment per subject, and the values, table by table."""
        data_type = self._delivery.data_type
        name = local_name(data_type).removesuffix("data").capitalize()
        declare_type(self._connection, data_type, name, name)
        self.described = declare_fields(self._connection, data_type, self._definitions(tables))
        types = {column.name: column.type for column in load_columns(self._connection, data_type).values()}
        labelled = {label: f"{label}_{name.lower()}" for table in tables for label in table.labels}
        owners = {experiment: keys[label] for label, experiment in labelled.items()}
        experiment_keys = self._experiments(owners, data_type)
        fresh: set[int] = set()
        changed: set[int] = set()
        for table in tables:
            names = [definition.name for definition in table.definitions]
            writer = MeasuresWriter(self._connection, data_type, names, fresh)
            for batch in table.batches(types):
                places = [experiment_keys[labelled[label]] for label in batch.labels]
                writer.write(dict(zip(places, batch.rows, strict=True)))
            self.tables.append(_changes_of(table, writer))
            changed |= writer.changed
        self._rows.touch(experiments, sorted(changed | fresh))

    def _definitions(self, tables: Sequence[CheckedTable]) -> list[FieldDefinition]:
        """What columns mean from now on: those of the tables, and those of the dictionary that are there already."""
        found = {definition.name: definition for table in tables for definition in table.definitions}
        known = load_definitions(self._connection, self._delivery.data_type)
        for definition in self._delivery.dictionary:
            if definition.name in known and definition.name not in found:
                found[definition.name] = _joined(definition, known[definition.name])
        return list(found.values())

    def _put_project(self) -> int:
        delivery = self._delivery
        id = delivery.release.project
        taken = select(projects.c.id).where(func.lower(projects.c.id) == id.lower(), projects.c.id != id)
        if other := self._connection.execute(taken).scalar():
            raise Conflict(f"Asked to make the project {id}. There is {other}, which differs in case only.")
        words = {"name": delivery.title, "description": delivery.description}
        facts = {name: text for name, text in words.items() if text}
        first = {"accessibility": delivery.accessibility.value} | ({} if delivery.title else {"name": id})
        wanted = Wanted(facts, first)
        return self._rows.put(projects, {}, "id", {id: wanted})[id]

    def _put_prefix(self) -> None:
        """Where the release lies, for keys of users."""
        prefix = f"{self._delivery.release.prefix}/"
        for store in self._delivery.listings:
            row = {"project_key": self._project, "store": store, "prefix": prefix}
            known = select(prefixes.c.store).where(*(prefixes.c[name] == value for name, value in row.items()))
            if not self._connection.execute(known).first():
                self._connection.execute(insert(prefixes).values(row))

    def _experiments(
        self, owners: Mapping[str, int], data_type: str, visits: Mapping[str, str] | None = None
    ) -> dict[str, int]:
        """Keys of experiments by label; `owners` are the keys of their subjects, `visits` what sessions are called."""
        sessions = visits or {}
        self.seen["experiments"] += len(owners)
        keys: dict[str, int] = {}
        for labels in in_parts(sorted(owners)):
            wanted = {
                label: Wanted(
                    {"subject_key": owners[label], "data_type": data_type},
                    {"visit_id": sessions[label]} if label in sessions else {},
                )
                for label in labels
            }
            keys |= self._rows.put(experiments, {"project_key": self._project}, "label", wanted, letter="E")
        return keys

    def _put_scans(self, experiment: int, found: Sequence[Scan]) -> None:
        """Scans keep their numbers; new ones are numbered on."""
        known = select(scans.c.series_description, scans.c.id).where(scans.c.experiment_key == experiment)
        numbers = {str(row.series_description): str(row.id) for row in self._connection.execute(known)}
        highest = max((int(id) for id in numbers.values() if id.isdecimal()), default=0)
        for scan in found:
            if scan.name not in numbers:
                highest += 1
                numbers[scan.name] = str(highest)
        wanted = {
            numbers[scan.name]: Wanted(
                {"data_type": builtin.MR_SCAN, "type": scan.type, "series_description": scan.name},
                {"quality": "usable"},
            )
            for scan in found
        }
        self._rows.put(scans, {"experiment_key": experiment}, "id", wanted)
        self.seen["scans"] += len(found)

    def _put_folders(self, owner: Mapping[str, int], folders: Sequence[Folder]) -> None:
        """Resources of an experiment or of the project, and exactly these files of the release in them."""
        wanted = {folder.label: Wanted() for folder in folders}
        keys = self._rows.put(resources, owner, "label", wanted, has_history=False)
        for folder in folders:
            held = {path: Wanted(_file_facts(file)) for path, file in folder.files.items()}
            self._rows.put(files, {"resource_key": keys[folder.label]}, "path", held, has_history=False)
            self.seen["files"] += len(held)
        self.seen["resources"] += len(folders)
        self._drop_gone(owner, {keys[folder.label]: folder for folder in folders})

    def _drop_gone(self, owner: Mapping[str, int], folders: Mapping[int, Folder]) -> None:
        """Remove files of this release that its listings no longer have, and resources that this leaves empty."""
        known = select(resources.c.key).where(*(resources.c[name] == key for name, key in owner.items()))
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


def _joined(said: FieldDefinition, known: FieldDefinition) -> FieldDefinition:
    """What a dictionary says of a column; one without types, as HCP's is, says nothing of values: those facts stay."""
    if said.type is not None:
        return said
    return replace(
        said,
        type=known.type,
        unit=said.unit or known.unit,
        values=said.values or known.values,
        low=known.low if said.low is None else said.low,
        high=known.high if said.high is None else said.high,
        holds_several=said.holds_several or known.holds_several,
    )


def _file_facts(file: SharedFile) -> dict[str, object]:
    return {
        "size": file.size,
        "md5": file.md5,
        "modified": file.modified,
        "store": file.store,
        "object_key": file.key,
    }


def _gender_facts(word: str) -> dict[str, object]:
    gender = _GENDERS.get(word)
    return {"gender": gender} if gender else {}


def _changes_of(table: CheckedTable, writer: MeasuresWriter) -> TableChanges:
    rows = len(table.labels)
    new, changed = len(writer.new), len(writer.changed)
    return TableChanges(str(table), rows, new, changed, rows - new - changed, dict(writer.cells))

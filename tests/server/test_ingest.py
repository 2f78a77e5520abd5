"""The door for data: what comes in, what a second delivery changes, and what is refused whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, text

from connectomedb.demo.measures.all_columns import COLUMNS
from connectomedb.demo.release import generate
from connectomedb.errors import ConfigError, Conflict, ConnectomeDBError, ManifestError
from connectomedb.hcp.dictionary import AllowedValue, FieldDefinition, Tier, ValueType
from connectomedb.hcp.ingested import TableChanges
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Accessibility, Caller, Rights
from connectomedb.server.access.users import set_accessibility
from connectomedb.server.archive import Archive
from connectomedb.server.intake import ingest, subject_tables
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import IngestReport, ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.query.results import format_batches, read_rows
from connectomedb.server.query.sql import compile_search
from connectomedb.server.site import Site, open_site
from connectomedb.server.tables import sqlite
from connectomedb.server.tables.meaning import load_definitions
from connectomedb.server.tables.measures import MAX_FIELDS
from connectomedb.server.tables.schema import experiments, files, projects, resources, scans, subjects
from connectomedb.server.types.columns import Names
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.memory import MemoryStore
from connectomedb.xnat.query import Query, parse_field

if TYPE_CHECKING:
    from tests.server.conftest import DataFolders

N = "hcp:nontoolboxdata"
ADMIN = Rights(Caller(1, "admin", is_admin=True))


@pytest.fixture
def tree(tmp_path: Path, write_release: Callable[[Path], None]) -> FolderStore:
    write_release(tmp_path / "tree")
    return FolderStore(tmp_path / "tree", "tree")


@pytest.fixture
def site(tmp_path: Path, tree: FolderStore, data_folder: DataFolders) -> Iterator[Site]:
    found = open_site(data_folder(tmp_path / "data"), stores={"tree": tree})
    yield found
    found.close()


Change = Callable[[Delivery], Delivery]


def deliver(
    site: Site, tree: FolderStore, *tables: SubjectTable, change: Change = lambda delivery: delivery
) -> IngestReport:
    delivery = Delivery(release_of("HCP_Q1"), "Q1", listings={"tree": list(tree.list("q1/"))}, tables=tables)
    return ingest_release(site.database, site.archive, change(delivery))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def measured(site: Site, *names: str) -> list[tuple[str, ...]]:
    """Measures by subject, as an administrator finds them."""
    query = Query(N, tuple(parse_field(f"{N}/{name}") for name in ("SUBJECT_LABEL", *names)))
    with site.database.read() as connection:
        catalogue = site.catalogue.load(connection)
        search = compile_search(query, Names(catalogue.registry, ADMIN), catalogue.details)
        batches = format_batches(read_rows(connection, search))
        return [row[:-1] for columns in batches for row in zip(*columns, strict=True)]


def dump(site: Site) -> dict[str, list[tuple[object, ...]]]:
    tables = (projects, subjects, experiments, scans, resources, files)
    with site.database.read() as connection:
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in tables}


def test_a_release_comes_in_whole(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    table = SubjectTable(written(tmp_path / "b.csv", "Subject,MMSE_Score\n100307,29\n999999,30\n"), tier=Tier.OPEN)
    report = deliver(site, tree, table)
    assert (report.subjects, report.experiments, report.scans) == (3, 6, 4)
    assert (report.resources, report.files, report.measures) == (12, 32, 1)
    inventory = report.inventory
    assert (inventory.skipped, inventory.conflicts, inventory.absent) == ({}, (), ())
    assert len(inventory.uncovered) == 4  # the two manifests themselves, and two release notes
    with site.database.read() as connection:
        labels = set(connection.execute(select(experiments.c.label)).scalars())
    assert {"100307_3T", "100307_CREST", "100307_nontoolbox", "999999_nontoolbox"} <= labels


def test_a_large_ingest_lets_postgresql_plan_for_its_size_at_once(
    site: Site, tree: FolderStore, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MANY_CHANGES", 10)
    deliver(site, tree)
    with site.database.read() as connection:
        held = connection.execute(select(func.count()).select_from(experiments)).scalar_one()
        figure = text("SELECT reltuples FROM pg_class WHERE oid = to_regclass('experiments')")
        assert engine == "sqlite" or connection.execute(figure).scalar_one() == held


def test_a_second_ingest_changes_nothing(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    table = SubjectTable(written(tmp_path / "b.csv", "Subject,MMSE_Score,Note\n100307,29,x\n103515,,\n"))
    first = deliver(site, tree, table)
    before = dump(site)
    second = deliver(site, tree, table)
    assert first.changes > 0
    assert second.changes == 0
    assert dump(site) == before
    assert (second.subjects, second.files, second.measures) == (first.subjects, first.files, first.measures)
    assert (first.new_subjects, second.new_subjects) == (2, 0)
    assert second.tables == (TableChanges(str(table), 2, 0, 0, 2),)
    assert (first.described, second.described) == (("MMSE_Score", "Note"), ())


def test_what_changed_is_updated_and_what_left_goes(site: Site, tree: FolderStore) -> None:
    deliver(site, tree)
    before = dump(site)
    tree.put("q1/100307/T1w/ribbon.nii.gz", b"new")
    tree.put("q1/100307/MNINonLinear/aparc+aseg.nii.gz", b"labels, changed")
    tree.delete("q1/100307/unprocessed/3T/T1w_MPR1/100307_3T_T1w_MPR1.nii.gz")
    with pytest.raises(AssertionError, match="absent"):
        _check_whole(deliver(site, tree))
    report = deliver(site, tree)
    assert report.changes == 0
    assert report.inventory.absent == ("q1/100307/unprocessed/3T/T1w_MPR1/100307_3T_T1w_MPR1.nii.gz",)
    assert report.inventory.conflicts == ("q1/100307/MNINonLinear/aparc+aseg.nii.gz: 15 bytes, its manifest says 6",)
    after = dump(site)
    paths = {(row[1], row[2]) for row in after["files"]}
    assert any(path == "T1w/ribbon.nii.gz" for _, path in paths)
    assert not any("T1w_MPR1" in str(path) for key, path in paths if key == 6)
    assert {row[5] for row in after["resources"]} == {row[5] for row in before["resources"]}  # 103515 has it still
    assert len(after["resources"]) == len(before["resources"]) - 1
    assert {row[:2] for row in after["subjects"]} == {row[:2] for row in before["subjects"]}


def _check_whole(report: IngestReport) -> None:
    assert not report.inventory.absent, "absent"


def test_ids_stay_and_are_never_given_again(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    deliver(site, tree)
    before = {row[3]: row[1] for row in dump(site)["subjects"]}
    table = SubjectTable(written(tmp_path / "b.csv", "Subject,A\n000001,1\n"))
    deliver(site, tree, table)
    after = {row[3]: row[1] for row in dump(site)["subjects"]}
    assert {label: after[label] for label in before} == before
    assert after["000001"] == "ConnectomeDB_S00003"


def test_scans_keep_their_numbers_when_others_join(site: Site, tree: FolderStore) -> None:
    deliver(site, tree)
    tree.put("q1/100307/unprocessed/3T/Diffusion/100307_3T_DWI_dir95_LR.nii.gz", b"d")
    deliver(site, tree)
    with site.database.read() as connection:
        found = connection.execute(select(scans.c.id, scans.c.type).where(scans.c.experiment_key == 1)).all()
    assert sorted(tuple(row) for row in found) == [("1", "T1w_MPR1"), ("2", "tfMRI_MOTOR_LR"), ("3", "Diffusion")]


def test_of_two_stores_the_first_counts(site: Site, tree: FolderStore) -> None:
    own = FolderStore(site.folder.archive, "archive")
    own.put("q1/100307/Diffusion/bvals", b"other")
    own.put("q1/100307/T1w/only_here.nii.gz", b"here")
    listings = {"tree": list(tree.list("q1/")), "archive": list(own.list("q1/"))}
    deliver(site, tree, change=lambda delivery: replace(delivery, listings=listings))
    with site.database.read() as connection:
        stores = dict(connection.execute(select(files.c.path, files.c.store).where(files.c.resource_key == 6)).all())
    assert stores["T1w/Diffusion/bvals"] == "tree"
    assert stores["T1w/only_here.nii.gz"] == "archive"


def test_what_a_person_set_since_stays(site: Site, tree: FolderStore) -> None:
    deliver(site, tree)
    set_accessibility(site.database, "HCP_Q1", Accessibility.PUBLIC)
    deliver(site, tree, change=lambda delivery: replace(delivery, title="New title"))
    with site.database.read() as connection:
        row = connection.execute(select(projects)).one()
    assert (row.accessibility, row.name) == ("public", "New title")


def test_objects_that_are_no_release_files_are_named(site: Site, tree: FolderStore) -> None:
    tree.put("q1/README", b"hello")
    tree.put("q1/100307/100408_3T_T1w.nii.gz", b"somebody else")
    tree.put("elsewhere/100307/T1w/x.nii.gz", b"not ours")
    report = deliver(site, tree, change=lambda delivery: replace(delivery, listings={"tree": list(tree.list())}))
    assert set(report.inventory.skipped) == {"q1/README", "q1/100307/100408_3T_T1w.nii.gz"}
    assert report.files == 32


def test_a_broken_manifest_stops_everything(site: Site, tree: FolderStore) -> None:
    tree.put("q1/100307/.xdlm/100307_3T_Diffusion_preproc.json", b"{")
    with pytest.raises(ManifestError, match=r"q1/100307/\.xdlm/100307_3T_Diffusion_preproc\.json"):
        deliver(site, tree)
    assert dump(site)["projects"] == []


def test_measures_join_side_by_side(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    one = SubjectTable(written(tmp_path / "1.csv", "Subject,A\n100307,1\n103515,2\n"))
    two = SubjectTable(written(tmp_path / "2.csv", "Subject,B\n103515,x\n118932,y\n"))
    deliver(site, tree, one, two)
    assert measured(site, "A", "B") == [("100307", "1", ""), ("103515", "2", "x"), ("118932", "", "y")]


def test_a_later_table_adds_and_widens_columns(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    deliver(site, tree, SubjectTable(written(tmp_path / "1.csv", "Subject,A,B\n100307,1,x\n103515,2,y\n")))
    deliver(site, tree, SubjectTable(written(tmp_path / "2.csv", "Subject,A,C\n100307,1.5,7\n")))
    assert measured(site, "A", "B", "C") == [("100307", "1.5", "x", "7"), ("103515", "2.0", "y", "")]
    deliver(site, tree, SubjectTable(written(tmp_path / "3.csv", "Subject,A\n103515,many\n")))
    assert measured(site, "A", "B", "C") == [("100307", "1.5", "x", "7"), ("103515", "many", "y", "")]
    report = deliver(site, tree, SubjectTable(written(tmp_path / "4.csv", "Subject,C\n100307,8\n")))
    assert measured(site, "C") == [("100307", "8"), ("103515", "")]
    assert report.changes == 1


def test_what_a_table_changed_is_counted_by_row_and_column(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    before = SubjectTable(written(tmp_path / "1.csv", "Subject,A,B\n100307,1,x\n103515,2,\n"))
    after = SubjectTable(written(tmp_path / "1.csv.new", "Subject,A,B\n118932,9,z\n103515,2,y\n100307,3,w\n"))
    more = SubjectTable(written(tmp_path / "2.csv", "Subject,C\n118932,1\n103515,2\n"))
    deliver(site, tree, before)
    report = deliver(site, tree, after, more)
    assert report.tables == (
        TableChanges(str(after), 3, 1, 2, 0, {"A": 1, "B": 2}),
        TableChanges(str(more), 2, 1, 1, 0, {"C": 1}),
    )
    assert (report.new_subjects, report.described) == (1, ("C",))


def test_values_keep_to_a_column_that_is_wider_by_now(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    deliver(site, tree, SubjectTable(written(tmp_path / "1.csv", "Subject,A,B\n100307,many,0.5\n")))
    again = SubjectTable(written(tmp_path / "2.csv", "Subject,A,B\n100307,7,1\n103515,,\n"))
    deliver(site, tree, again)
    assert measured(site, "A", "B") == [("100307", "7", "1.0"), ("103515", "", "")]
    assert deliver(site, tree, again).tables[0].changed == 0


def test_a_trial_tells_all_and_keeps_nothing(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    deliver(site, tree)
    before = dump(site)
    table = SubjectTable(written(tmp_path / "1.csv", "Subject,A\n100307,1\n999999,2\n"))
    delivery = Delivery(release_of("HCP_Q1"), "Other", tables=[table])
    report = ingest_release(site.database, site.archive, delivery, is_trial=True)
    assert (report.new_subjects, report.tables[0].new) == (1, 2)
    assert dump(site) == before
    assert "A" not in [name for name, _ in site_columns(site)]


def site_columns(site: Site) -> list[tuple[str, Tier]]:
    with site.database.read() as connection:
        data_type = site.catalogue.load(connection).registry.find(N)
    return [(path.path, path.tier) for path in data_type.paths] if data_type else []


def test_a_misspelled_subject_is_refused_when_none_is_to_be_new(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    deliver(site, tree)
    before = dump(site)
    table = SubjectTable(written(tmp_path / "1.csv", "Subject,A\n100307,1\n100308,2\n"))
    with pytest.raises(ConfigError, match="names 100308, whom HCP_Q1 does not have"):
        deliver(site, tree, table, change=lambda delivery: replace(delivery, only_known=True))
    assert dump(site) == before


def test_a_table_of_bids_comes_in(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    text = "participant_id\tsex\tscore\nsub-100307\tF\t1.5\nsub-103515\tn/a\tn/a\n"
    deliver(site, tree, SubjectTable(written(tmp_path / "participants.tsv", text)))
    assert measured(site, "sex", "score") == [("100307", "F", "1.5"), ("103515", "", "")]


def test_sessions_of_a_subject_become_columns(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    text = "participant_id\tsession_id\tA\nsub-100307\tses-pre\t1\nsub-103515\tses-pre\t2\nsub-100307\tses-post\t3.5\n"
    known = (FieldDefinition("A", tier=Tier.OPEN, label="A score"), FieldDefinition("A.post", tier=Tier.SENSITIVE))
    table = SubjectTable(written(tmp_path / "visits.tsv", text), known)
    report = deliver(site, tree, table)
    assert report.described == ("A.post", "A.pre")
    assert [(one.table, one.rows) for one in report.tables] == [
        (f"{table}, session post", 1),
        (f"{table}, session pre", 2),
    ]
    assert measured(site, "A.pre", "A.post") == [("100307", "1", "3.5"), ("103515", "2", "")]
    with site.database.read() as connection:
        meanings = load_definitions(connection, N)
    assert (meanings["A.pre"].label, meanings["A.pre"].tier) == ("A score, session pre", Tier.OPEN)
    assert meanings["A.post"].tier is Tier.SENSITIVE
    assert deliver(site, tree, table).changes == 0


def test_files_of_a_bids_data_set_become_sessions_and_what_left_goes(site: Site, tree: FolderStore) -> None:
    image, note = "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz", "sub-01/ses-1/anat/sub-01_ses-1_T1w.json"
    for name in (image, note, "sub-02/func/sub-02_task-rest_bold.nii.gz", "README", "code/run.sh"):
        tree.put(f"lab/{name}", name.encode())

    def bring() -> IngestReport:
        listings = {"tree": list(tree.list("lab/"))}
        return ingest_release(site.database, site.archive, Delivery(release_of("LAB", "lab"), listings=listings))

    report = bring()
    assert (report.subjects, report.experiments, report.scans, report.files) == (2, 4, 2, 7)
    assert list(report.inventory.skipped) == ["lab/code/run.sh"]
    assert bring().changes == 0
    with site.database.read() as connection:
        found = {row.label: row.visit_id for row in connection.execute(select(experiments))}
        types = {(row.type, row.series_description) for row in connection.execute(select(scans))}
    assert found == {"01_CREST": None, "01_ses-1": "1", "02_CREST": None, "02_MR": None}
    assert types == {("T1w", "T1w"), ("bold", "task-rest_bold")}
    tree.delete(f"lab/{note}")
    assert bring().changes == 2  # in the tree of the subject, and in the session's `anat`


def test_a_dictionary_alone_says_what_columns_mean_from_now_on(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    deliver(site, tree, SubjectTable(written(tmp_path / "1.csv", "Subject,A,B\n100307,1,2\n")))
    said = FieldDefinition(
        "A", tier=Tier.OPEN, label="An A", unit="ms", values=(AllowedValue("1", "one"),), low=0, high=2
    )
    stranger = FieldDefinition("Z", ValueType.TEXT)
    report = deliver(site, tree, change=lambda delivery: replace(delivery, dictionary=(said, stranger)))
    assert report.described == ("A",)
    assert site_columns(site) == [("A", Tier.OPEN), ("B", Tier.RESTRICTED)]
    with site.database.read() as connection:
        known = load_definitions(connection, N)
    assert known["A"] == replace(said, type=ValueType.INTEGER)
    plain = FieldDefinition("A", tier=Tier.OPEN, label="Anew")  # as HCP's CSV has it: no type, no values
    deliver(site, tree, change=lambda delivery: replace(delivery, dictionary=(plain,)))
    with site.database.read() as connection:
        assert load_definitions(connection, N)["A"] == replace(known["A"], label="Anew")


def test_a_table_is_read_in_parts(
    site: Site, tree: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject_tables, "BATCH_CELLS", 4)
    rows = [("100307", "1", "x"), ("103515", "", ""), ("118932", "2.5", ""), ("200614", "", "y"), ("200616", "7", "")]
    text = "Subject,A,B\n" + "".join(",".join(row) + "\n" for row in rows)
    deliver(site, tree, SubjectTable(written(tmp_path / "1.csv", text)))
    found = [(label, str(float(a)) if a else "", b) for label, a, b in rows]
    assert measured(site, "A", "B") == found
    with pytest.raises(ConfigError, match="line 6: subject '100307' is empty or occurs twice"):
        deliver(site, tree, SubjectTable(written(tmp_path / "2.csv", text.replace("200616", "100307"))))


@pytest.mark.parametrize(("count", "word"), [(1_100, "8 kB"), (1_401, "at most 1400 fit")])
def test_more_columns_than_a_row_holds_are_refused_and_change_nothing(
    site: Site, tree: FolderStore, tmp_path: Path, count: int, word: str
) -> None:
    names = [f"V{number}" for number in range(count)]
    lines = [",".join(("Subject", *names)), ",".join(("100307", *("0.5" for _ in names)))]
    table = SubjectTable(written(tmp_path / "b.csv", "\n".join(lines)))
    if count < MAX_FIELDS and site.database.name == sqlite.NAME:
        deliver(site, tree, table)
        assert measured(site, names[-1])[0] == ("100307", "0.5")
        return
    deliver(site, tree)
    before = dump(site)
    with pytest.raises(ConfigError, match=word):
        deliver(site, tree, table)
    assert dump(site) == before


def test_names_may_be_odd_and_values_anything(site: Site, tree: FolderStore, tmp_path: Path) -> None:
    header = "Subject,3T_RS-fMRI_Count,Non-TB_Compl,select,A.B+C,Text with blanks"
    table = written(
        tmp_path / "b.csv", f'\ufeff{header}\r\n100307,4,true,"; DROP TABLE users",\u2265 5,"a ""b"", c"\r\n'
    )
    deliver(site, tree, SubjectTable(table))
    names = ("3T_RS-FMRI_COUNT", "NON-TB_COMPL", "SELECT", "A.B+C", "TEXT WITH BLANKS")
    assert measured(site, *names) == [("100307", "4", "true", "; DROP TABLE users", "\u2265 5", 'a "b", c')]


def test_tiers_come_from_definitions_and_are_closed_where_nobody_said(
    site: Site, tree: FolderStore, tmp_path: Path
) -> None:
    table = written(tmp_path / "b.csv", "Subject,Open,Unknown,Sensitive\n100307,1,2,3\n")
    definitions = [FieldDefinition("Open", tier=Tier.OPEN), FieldDefinition("Sensitive", tier=Tier.SENSITIVE)]
    deliver(site, tree, SubjectTable(table, definitions))
    with site.database.read() as connection:
        data_type = site.catalogue.load(connection).registry.get(N)
    tiers = {path.path: path.tier for path in data_type.paths}
    assert tiers == {"Open": Tier.OPEN, "Unknown": Tier.RESTRICTED, "Sensitive": Tier.SENSITIVE}
    deliver(site, tree, SubjectTable(table, [FieldDefinition("Open", tier=Tier.RESTRICTED)], tier=Tier.OPEN))
    with site.database.read() as connection:
        data_type = site.catalogue.load(connection).registry.get(N)
    assert {path.path: path.tier for path in data_type.paths}["Open"] is Tier.RESTRICTED


REFUSED = {
    "no file": (None, "CSV"),
    "empty": ("", "empty"),
    "no subject column": ("Id,A\n1,2\n", "first column"),
    "ragged": ("Subject,A\n100307,1,2\n", "line 2"),
    "a subject twice": ("Subject,A\n100307,1\n100307,2\n", "line 3"),
    "a subject without label": ("Subject,A\n,1\n", "line 2"),
    "a label that is a path": ("Subject,A\n../x,1\n", "labelled"),
    "a column twice": ("Subject,A,A\n100307,1,2\n", "twice"),
    "columns without end": (f"Subject,{','.join(map(str, range(100_000)))}\n", "100001 columns"),
    "columns that differ in case": ("Subject,A,a\n100307,1,2\n", "case"),
    "a column without name": ("Subject,\n100307,1\n", "named"),
    "a name with a quote": ('Subject,"A""B"\n100307,1\n', "named"),
    "a name that searches need": ("Subject,Project\n100307,1\n", "Project"),
    "a NUL": ("Subject,A\n100307,a\x00\n", "line 2: a cell holds a NUL"),
    "a name with other letters": ("Subject,Größe\n100307,1\n", "line 1: A column is named 'Größe'"),
    "semicolons": ("Subject;A\n100307;1\n", "not by semicolons"),
    "a session without name": ("Subject,Session,A\n100307,,1\n", "line 2: a session"),
    "a session twice": ("Subject,Session,A\n100307,ses-1,1\n100307,1,2\n", "line 3"),
    "no UTF-8": (b"Subject,A\n100307,\xff\n", "UTF-8"),
    "an open quote": ('Subject,A\n100307,"1\n103515,2\n', "CSV"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_table_that_makes_no_sense_is_refused_and_changes_nothing(
    site: Site, tree: FolderStore, tmp_path: Path, reason: str
) -> None:
    content, words = REFUSED[reason]
    path = tmp_path / "b.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    deliver(site, tree)
    before = dump(site)
    with pytest.raises(ConfigError, match=words):
        deliver(site, tree, SubjectTable(path), change=lambda delivery: replace(delivery, title="Changed"))
    assert dump(site) == before


def test_a_value_that_is_not_of_its_type_is_named_by_line_and_column(
    site: Site, tree: FolderStore, tmp_path: Path
) -> None:
    table = written(tmp_path / "b.csv", "Subject,MMSE_Score\n100307,29\n103515,many\n")
    with pytest.raises(ConfigError, match=r"b\.csv, line 3, column MMSE_Score: 'many' is no integer"):
        deliver(site, tree, SubjectTable(table, [FieldDefinition("MMSE_Score", ValueType.INTEGER)]))


FAULTS: list[tuple[Change, type[ConnectomeDBError]]] = [
    (lambda delivery: replace(delivery, data_type="nontoolbox"), ConfigError),
    (lambda delivery: replace(delivery, data_type="xnat:mrSessionData"), ConfigError),
    (lambda delivery: replace(delivery, data_type="lab:a b"), ConfigError),
    (lambda delivery: replace(delivery, release=release_of("hcp_q1", "q1")), Conflict),
]


@pytest.mark.parametrize(("change", "error"), FAULTS)
def test_a_delivery_that_makes_no_sense_is_refused(
    site: Site, tree: FolderStore, tmp_path: Path, change: Change, error: type[ConnectomeDBError]
) -> None:
    table = SubjectTable(written(tmp_path / "b.csv", "Subject,A\n100307,1\n"))
    deliver(site, tree, table)
    before = dump(site)
    with pytest.raises(error):
        deliver(site, tree, table, change=change)
    assert dump(site) == before


def test_readers_see_the_old_state_until_all_is_in(site: Site, tree: FolderStore) -> None:
    deliver(site, tree)
    seen: list[int] = []

    class Watching(MemoryStore):
        """Asks the database while the ingest is on its way."""

        def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
            seen.append(len(dump(site)["files"]))
            return super().open(key, offset, length)

    slow = Watching({"q1/118932/T1w/ribbon.nii.gz": b"r"}, "slow")
    infos = [replace(info, md5=None) for info in slow.list()]
    archive = Archive({"tree": tree, "slow": slow})
    listings = {"tree": list(tree.list("q1/")), "slow": infos}
    delivery = Delivery(release_of("HCP_Q1"), "Q1", listings=listings)
    ingest_release(site.database, archive, delivery)
    assert seen == [32]
    assert len(dump(site)["files"]) == 34


def test_the_demo_release_comes_in(tmp_path: Path, data_folder: DataFolders) -> None:
    release = generate(tmp_path / "release", subjects=("100307", "103515"), workers=1)
    store = FolderStore(release.tree, "release")
    site = open_site(data_folder(tmp_path / "data"), stores={"release": store})
    delivery = Delivery(
        release_of(release.project),
        release.title,
        release.description,
        {"release": store.list(f"{release.prefix}/")},
        [
            SubjectTable(table, [column.definition for column in COLUMNS])
            for table in (release.behaviour, release.restricted)
        ],
    )
    report = ingest_release(site.database, site.archive, delivery)
    assert (report.inventory.skipped, report.inventory.conflicts, report.inventory.absent) == ({}, (), ())
    assert report.subjects == 2
    assert {f"q1/{path}" for path in report.inventory.uncovered} >= set(release.uncovered)
    with site.database.read() as connection:
        names = set(connection.execute(select(scans.c.type)).scalars())
        assert not connection.execute(select(files.c.key).where(files.c.md5.is_(None))).first()
        catalogue = site.catalogue.load(connection)
    assert {"tfMRI_MOTOR_LR", "tfMRI_MOTOR_RL"} <= names
    assert catalogue.registry.display(catalogue.registry.get(N), "MMSE_SCORE") is not None
    site.close()

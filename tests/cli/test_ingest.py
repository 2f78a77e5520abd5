"""A lab's own study: a table, a dictionary and a folder of files become a project, and again."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.cli.conftest import Cdb

from connectomedb.client.interface import Interface
from connectomedb.cohort.lockfile import parse_lockfile
from connectomedb.server.run import start
from connectomedb.server.site import open_site

PASSWORD = "a long word"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A table, its dictionary, a tree of files, and a data folder that knows the tree."""
    (tmp_path / "behaviour.csv").write_text("Subject,Score,Note\n100307,29,fine\n103515,,\n")
    (tmp_path / "columns.csv").write_text("name,type,tier,category\nScore,integer,open,Alertness\n")
    file = tmp_path / "tree" / "STUDY" / "100307" / "T1w" / "T1w_acpc_dc.nii.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"made up")
    data = tmp_path / "data"
    data.mkdir()
    (data / "cdb.toml").write_text(f'[stores.tree]\nkind = "folder"\npath = "{tmp_path / "tree"}"\n')
    return tmp_path


PLACE = ("ingest", "data", "STUDY")
FULL = (*PLACE, "behaviour.csv", "--dictionary", "columns.csv", "--store", "tree", "--prefix", "STUDY", "--json")


def test_a_study_comes_in_and_again_without_change(study: Path, alone: Cdb) -> None:
    done = alone(*FULL)
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    assert (first["subjects"], first["measures"]) == (2, 2)
    assert first["files"] > 0
    assert first["changes"] > 0
    assert json.loads(alone(*FULL).stdout)["changes"] == 0
    (study / "behaviour.csv").write_text("Subject,Score,Note\n100307,30,fine\n103515,,\n")
    assert json.loads(alone(*FULL, "--dry-run").stdout)["is_kept"] is False
    last = json.loads(alone(*FULL).stdout)
    assert (last["changes"], last["tables"][0]["columns"]) == (1, {"Score": 1})


def test_people_are_told_what_changed(study: Path, alone: Cdb) -> None:
    (study / "more.csv").write_text("Subject,Score\n100307,1\n")
    assert alone(*FULL).returncode == 0
    said = alone(*PLACE, "--table", "more.csv", "-n").stderr
    assert "more.csv: 1 rows: 0 new, 1 changed, 0 as before" in said
    assert "    Score: 1 cells changed" in said
    assert said.endswith("This was a trial: nothing is kept.\n")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("Subject,Score\n100307,29\n100307,30\n", "line 3: subject '100307'"),
        ("Subject,Score\n100307\n", "line 2: 1 cells where the header has 2"),
        ("Subject,Score\n100307,many\n", "line 2, column Score: 'many'"),
        ("Score\n29\n", "the first column is 'Score'"),
    ],
)
def test_a_bad_table_is_refused_with_its_place_and_nothing_comes_in(
    study: Path, alone: Cdb, table: str, words: str
) -> None:
    assert alone(*FULL).returncode == 0
    (study / "behaviour.csv").write_text(table)
    done = alone(*FULL)
    assert done.returncode == 2
    fault = json.loads(done.stderr)
    assert (fault["error"], fault["exit_code"]) == ("ConfigError", 2)
    assert words in fault["message"]
    (study / "behaviour.csv").write_text("Subject,Score,Note\n100307,29,fine\n103515,,\n")
    assert json.loads(alone(*FULL).stdout)["changes"] == 0


@pytest.mark.parametrize("words", [PLACE, ("ingest", "data"), ("ingest",)])
def test_nothing_to_take_in_is_a_usage_error(study: Path, alone: Cdb, words: tuple[str, ...]) -> None:
    assert alone(*words).returncode == 2


def test_a_dictionary_alone_describes_the_columns_that_are_there(study: Path, alone: Cdb) -> None:
    words = ("ingest", "data", "dictionary", "columns.csv")
    early = alone(*words)
    assert (early.returncode, "There is no project yet" in early.stderr) == (2, True)
    assert alone(*PLACE, "behaviour.csv").returncode == 0
    done = alone(*words, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["described"] == ["Score"]
    assert "1 columns: 1 open" in done.stderr
    assert alone("ingest", "data", "dictionary").returncode == 2
    assert alone(*words, "--store", "tree").returncode == 2


TREE = {
    "dataset_description.json": '{"Name": "Made up", "BIDSVersion": "1.10.0"}',
    "participants.tsv": "participant_id\tsex\nsub-01\tF\nsub-CON2\tM\n",
    "phenotype/mood.tsv": "participant_id\tsession_id\tmood\nsub-01\tses-pre\t3\nsub-01\tses-post\t7\n",
    "task-rest_bold.json": '{"RepetitionTime": 2}',
    "derivatives/x/sub-01/anat/sub-01_T1w.nii.gz": "derived",
    "sub-01/sub-01_sessions.tsv": "session_id\tweight\nses-pre\t61\nses-post\t60.5\n",
    "sub-01/ses-pre/sub-01_ses-pre_scans.tsv": "filename\tacq_time\n",
    "sub-01/ses-pre/anat/sub-01_ses-pre_T1w.nii.gz": "T1w, pre",
    "sub-01/ses-pre/anat/sub-01_ses-pre_T1w.json": "{}",
    "sub-01/ses-pre/func/sub-01_ses-pre_task-rest_run-1_bold.nii.gz": "bold, pre",
    "sub-01/ses-pre/func/sub-01_ses-pre_task-rest_run-1_events.tsv": "onset\tduration\n",
    "sub-01/ses-post/dwi/sub-01_ses-post_dwi.nii.gz": "dwi, post",
    "sub-01/ses-post/dwi/sub-01_ses-post_dwi.bval": "0 1000",
    "sub-01/ses-post/fmap/sub-01_ses-post_epi.nii.gz": "fmap, post",
    "sub-CON2/anat/sub-CON2_T1w.nii.gz": "T1w of another",
    "sub-CON2/anat/sub-01_T2w.nii.gz": "a mix-up",
}


@pytest.fixture
def bids(study: Path) -> Path:
    for name, text in TREE.items():
        (study / "tree" / "my-bids" / name).parent.mkdir(parents=True, exist_ok=True)
        (study / "tree" / "my-bids" / name).write_text(text)
    return study / "tree" / "my-bids"


@pytest.fixture
def server(study: Path) -> Iterator[str]:
    with start(open_site(study / "data"), admin_password=PASSWORD) as running:
        yield running.address


def test_the_same_over_rest_is_the_python_value(study: Path, bids: Path, alone: Cdb, server: str) -> None:
    where = ("--server", server, "--user", "admin")
    words = ("ingest", "STUDY", "behaviour.csv", "--dictionary", "columns.csv", "--store", "tree", "--prefix", "STUDY")
    done = alone(*words, *where, "--json", env={"XNAT_PASS": PASSWORD})
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    assert (first["subjects"], first["measures"]) == (2, 2)
    assert first["files"] > 0
    with Interface(server, "admin", PASSWORD) as db:
        again = db.ingest(
            "STUDY",
            [study / "behaviour.csv"],
            dictionaries=[study / "columns.csv"],
            stores=["tree"],
            prefix="STUDY",
            trial=True,
        )
        brought = db.ingest("BIDS", bids=bids, stores=["tree"], prefix="my-bids", tier="open")
        assert (brought.subjects, brought.scans, brought.is_kept) == (2, 5, True)
        assert [entry.name for entry in db.project("BIDS").subject("CON2").list_level("anat")] == [
            "sub-CON2_T1w.nii.gz"
        ]
    assert set(again.document()) == set(first)
    assert (again.changes, again.subjects, again.files) == (0, first["subjects"], first["files"])


def test_a_bids_data_set_comes_in_with_its_files(study: Path, bids: Path, alone: Cdb) -> None:
    words = ("ingest", "data", "BIDS", "--bids", str(bids), "--tier", "open", "--json")
    done = alone(*words)
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    assert (first["subjects"], first["scans"]) == (2, 5)
    assert [key.partition("/")[2] for key in sorted(first["skipped"])] == [
        "derivatives/x/sub-01/anat/sub-01_T1w.nii.gz",
        "sub-CON2/anat/sub-01_T2w.nii.gz",
    ]
    assert "named after another subject, 01" in first["skipped"]["my-bids/sub-CON2/anat/sub-01_T2w.nii.gz"]
    assert [table["table"] for table in first["tables"]][1:] == [
        f"{bids}/phenotype/mood.tsv, session post",
        f"{bids}/phenotype/mood.tsv, session pre",
        *(table["table"] for table in first["tables"][3:]),
    ]
    assert json.loads(alone(*words).stdout)["changes"] == 0
    with start(open_site(study / "data"), admin_password=PASSWORD) as running:
        user = {"XNAT_HOST": running.address, "XNAT_USER": "admin", "XNAT_PASS": PASSWORD}
        shown = alone("ls", "BIDS/01/ses-pre", "--json", env=user)
        assert [row["name"] for row in json.loads(shown.stdout)] == ["anat/", "func/", "sub-01_ses-pre_scans.tsv"]
        words = ("get", "BIDS/01/ses-pre/anat", "--to", "mirror", "--layout", "bids", "--links", "linked")
        got = alone(*words, env=user)
        assert got.returncode == 0, got.stderr
        assert (study / "linked/sub-01/ses-pre/anat/sub-01_ses-pre_T1w.nii.gz").read_text() == "T1w, pre"
        assert (study / "mirror/BIDS/01/ses-pre/anat/sub-01_ses-pre_T1w.nii.gz").read_text() == "T1w, pre"
        sought = alone(
            "get", "mood.post > 5 and mood.pre < 5 and sex = 'F'", "**/*_bold.nii.gz", "--to", "mirror", env=user
        )
        assert sought.stdout.split() == ["mirror/BIDS/01/ses-pre/func/sub-01_ses-pre_task-rest_run-1_bold.nii.gz"]
        assert alone("verify", "mirror").returncode == 0
        locked = alone("lock", "exists '*_T1w.nii.gz'", "**/*_T1w.nii.gz", "-o", "a.toml", env=user)
        assert locked.returncode == 0, locked.stderr
        assert alone("sync", "a.toml", "--to", "elsewhere", env=user).returncode == 0
        assert (study / "elsewhere/BIDS/CON2/anat/sub-CON2_T1w.nii.gz").read_text() == "T1w of another"
        with Interface(running.address, "admin", PASSWORD) as db:
            subject = db.project("BIDS").subject("01")
            assert sorted(subject.experiments().labels()) == ["01_CREST", "01_nontoolbox", "01_ses-post", "01_ses-pre"]
            scans = list(subject.experiment("01_ses-pre").scans())
            assert sorted((scan.attrs.get("type"), scan.attrs.get("series_description")) for scan in scans) == [
                ("T1w", "T1w"),
                ("bold", "task-rest_run-1_bold"),
            ]
            file = subject.experiment("01_ses-post").resource("dwi").file("sub-01_ses-post_dwi.bval")
            assert file.digest() == hashlib.md5(b"0 1000").hexdigest()
            shared = db.project("BIDS").resource("BIDS").files().get()
            assert sorted(map(str, shared)) == [
                "dataset_description.json",
                "participants.tsv",
                "phenotype/mood.tsv",
                "task-rest_bold.json",
            ]
            asked = {"where": "sex = 'F'", "pattern": "**/*_bold.nii.gz"}
            written = db.connection.get_bytes(f"/data/projects/BIDS/explore/lockfile?{urlencode(asked)}").decode()
            assert [path for _, path, _ in parse_lockfile(written).each_file()] == [
                "ses-pre/func/sub-01_ses-pre_task-rest_run-1_bold.nii.gz"
            ]
            table = db.where("", project="BIDS").table("weight.pre", "weight.post")
            assert table["weight.pre"] == ["61", ""]


def test_a_bids_data_set_in_no_store_brings_its_tables(study: Path, bids: Path, alone: Cdb) -> None:
    elsewhere = study / "elsewhere"
    bids.rename(elsewhere)
    done = alone("ingest", "data", "BIDS", "--bids", "elsewhere", "--json")
    assert (done.returncode, json.loads(done.stdout)["files"]) == (0, 0)
    assert f'path = "{study}"' in done.stderr

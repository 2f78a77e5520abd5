"""A lab's own study: a table, a dictionary and a folder of files become a project, and again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Cdb

from connectomedb.client.interface import Interface
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


@pytest.fixture
def server(study: Path) -> Iterator[str]:
    with start(open_site(study / "data"), admin_password=PASSWORD) as running:
        yield running.address


def test_the_same_over_rest_is_the_python_value(study: Path, alone: Cdb, server: str) -> None:
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
    assert set(again.document()) == set(first)
    assert (again.changes, again.subjects, again.files) == (0, first["subjects"], first["files"])

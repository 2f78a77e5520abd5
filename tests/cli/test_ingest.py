"""A lab's own study: a table, a dictionary and a folder of files become a project, and again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


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


def ingest(study: Path, environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "connectomedb", "ingest", "data", "STUDY", *words]
    return subprocess.run(command, cwd=study, env=environment, capture_output=True, text=True, timeout=60, check=False)


FULL = ("--table", "behaviour.csv", "--dictionary", "columns.csv", "--store", "tree", "--prefix", "STUDY", "--json")


def test_a_study_comes_in_and_again_without_change(study: Path, clean_env: dict[str, str]) -> None:
    done = ingest(study, clean_env, *FULL)
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    assert (first["subjects"], first["measures"]) == (2, 2)
    assert first["files"] > 0
    assert first["changes"] > 0
    assert json.loads(ingest(study, clean_env, *FULL).stdout)["changes"] == 0
    (study / "behaviour.csv").write_text("Subject,Score,Note\n100307,30,fine\n103515,,\n")
    assert json.loads(ingest(study, clean_env, *FULL).stdout)["changes"] == 1


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
    study: Path, clean_env: dict[str, str], table: str, words: str
) -> None:
    assert ingest(study, clean_env, *FULL).returncode == 0
    (study / "behaviour.csv").write_text(table)
    done = ingest(study, clean_env, *FULL)
    assert done.returncode != 0
    assert words in done.stderr
    (study / "behaviour.csv").write_text("Subject,Score,Note\n100307,29,fine\n103515,,\n")
    assert json.loads(ingest(study, clean_env, *FULL).stdout)["changes"] == 0


def test_nothing_to_take_in_is_a_usage_error(study: Path, clean_env: dict[str, str]) -> None:
    assert ingest(study, clean_env).returncode == 2

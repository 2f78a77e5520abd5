"""`cdb fields` and `cdb diff`: no server, no bucket."""

import json
from pathlib import Path

from tests.cli.conftest import Cdb
from tests.conftest import STAGED

from connectomedb.cohort.lockfile import LockedFile, Lockfile
from connectomedb.demo.stage import Stage
from connectomedb.mirror.studies import save_lockfile


def test_fields_finds_columns_by_words(alone: Cdb) -> None:
    found = alone("fields", "fluid", "inteligence")
    assert found.stdout.splitlines()[1].startswith("PMAT24_A_CR\tinteger\topen\t")
    document = json.loads(alone("fields", "PMAT24_A_CR", "--json").stdout)
    assert document["PMAT24_A_CR"]["Maximum"] == 24
    nothing = alone("fields", "xylophone")
    assert (nothing.returncode, nothing.stdout) == (5, "")
    assert "Try fewer words" in nothing.stderr


def test_fields_counts_a_dictionary_and_notes_what_is_odd(alone: Cdb, tmp_path: Path) -> None:
    header = "fullDisplayName,category,assessment,columnHeader,description"
    row = "A score,Cognition,Tests,A_Score,What it is"
    (tmp_path / "hcp.csv").write_text(f"\ufeff{header}\r\n{row}\r\n{row}", encoding="utf-8")
    counted = alone("fields", "--dictionary", "hcp.csv", "--json")
    assert json.loads(counted.stdout) == {
        "columns": 1,
        "tiers": {"open": 1},
        "categories": {"Cognition": {"open": 1, "restricted": 0, "sensitive": 0}},
    }
    assert "hcp.csv: line 3: A_Score again" in counted.stderr
    assert alone("fields", "--dictionary", "hcp.csv").stdout.splitlines()[-1] == "all\t1\t0\t0"
    missing = alone("fields", "--dictionary", "none.csv")
    assert missing.returncode == 2
    assert "none.csv" in missing.stderr


def test_diff_says_what_differs_and_its_exit_code_whether(alone: Cdb, tmp_path: Path) -> None:
    one = Lockfile("HCP_Q1", subjects=("100307",), files={"100307": {"T1w/a.nii.gz": LockedFile(1)}})
    other = Lockfile("HCP_Q1", subjects=("100307",), files={"100307": {"T1w/a.nii.gz": LockedFile(2)}})
    save_lockfile(tmp_path / "a.cdb.toml", one)
    save_lockfile(tmp_path / "b.cdb.toml", other)
    same = alone("diff", "a.cdb.toml", "a.cdb.toml")
    assert (same.returncode, same.stdout) == (0, "")
    differ = alone("diff", "a.cdb.toml", "b.cdb.toml")
    assert differ.returncode == 1
    assert differ.stdout == "~ file 100307/T1w/a.nii.gz: 1 bytes, no checksum → 2 bytes, no checksum\n"
    assert "0 came, 0 went, 1 changed" in differ.stderr
    document = json.loads(alone("diff", "a.cdb.toml", "b.cdb.toml", "--json").stdout)
    assert document["files_changed"][0]["what"] == "100307/T1w/a.nii.gz"
    (tmp_path / "bad").write_text("format = 9\n")
    assert alone("diff", "a.cdb.toml", "bad").returncode == 2


def test_fields_of_a_server_say_what_is_missing(alone: Cdb, stage: Stage) -> None:
    done = alone("fields", "MMSE_Score", "--counts", "--project", "HCP_Q1", "--json", env=stage.environment())
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["MMSE_Score"]
    assert (told["Present"] + told["Missing"], told["Tier"], told["Maximum"]) == (len(STAGED), "open", 30)
    shown = alone("fields", "MMSE_Score", "--counts", env=stage.environment()).stdout.splitlines()
    assert shown[0].split("\t")[3] == "missing"
    assert shown[1].split("\t")[3] == f"{told['Missing']} of {len(STAGED)}"
    assert alone("fields", "--counts", env=stage.environment()).returncode == 2

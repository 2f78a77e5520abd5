"""What the commands print, to people and to programs."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from connectomedb.demo.stage import Stage

Cdb = Callable[..., "subprocess.CompletedProcess[str]"]
MOTOR = "MNINonLinear/Results/tfMRI_MOTOR_LR"


def test_ls_lists_projects_subjects_and_one_level_of_files(cdb: Cdb) -> None:
    assert cdb("ls").stdout.splitlines() == ["project", "HCP_Q1"]
    subjects = [line.split("\t")[0] for line in cdb("ls", "HCP_Q1").stdout.splitlines()]
    assert subjects == ["subject", "100307", "103515", "200614"]
    level = json.loads(cdb("ls", "HCP_Q1/100307", "--json").stdout)
    names = [".xdlm/", "Diffusion/", "MNINonLinear/", "T1w/", "release-notes/", "unprocessed/"]
    assert [entry["name"] for entry in level] == names
    assert {entry["size"] for entry in level} == {None}
    notes = json.loads(cdb("ls", "HCP_Q1/100307/release-notes", "--json").stdout)
    assert all(isinstance(entry["size"], int) and entry["size"] > 0 for entry in notes)


def test_ls_lists_one_level_of_a_bucket(cdb: Cdb, stage: Stage) -> None:
    lines = cdb("ls", f"s3://{stage.bucket}/q1/").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["name", "q1/", "q1/100307/", "q1/103515/", "q1/200614/"]


def test_search_finds_subjects_by_behaviour(cdb: Cdb) -> None:
    words = ("search", "hcp:nontoolboxdata", "SUBJECT_LABEL", "MMSE_Score", "--where", "MMSE_Score >= 29")
    found = json.loads(cdb(*words, "--json").stdout)
    label, score = found["columns"].index("subject_label"), found["columns"].index("mmse_score")
    assert "100307" in [row[label] for row in found["rows"]]
    assert all(int(row[score]) >= 29 for row in found["rows"])
    assert cdb(*words, "--csv").stdout.startswith("subject_label,mmse_score,")


def test_several_conditions_are_joined_by_and_or_by_any(cdb: Cdb) -> None:
    words = (
        "search",
        "hcp:nontoolboxdata",
        "SUBJECT_LABEL",
        "--json",
        "--where",
        "Gender = F",
        "--where",
        "Gender = M",
    )
    assert json.loads(cdb(*words).stdout)["rows"] == []
    assert len(json.loads(cdb(*words, "--any").stdout)["rows"]) == 3


def test_get_brings_exactly_the_files_and_says_how_they_are_proven(cdb: Cdb, tmp_path: Path) -> None:
    done = cdb("get", f"HCP_Q1/100307/{MOTOR}", "--to", str(tmp_path / "m"), "--json")
    files = json.loads(done.stdout)
    assert all(file["path"].startswith(MOTOR) and Path(file["local"]).is_file() for file in files)
    uncovered = [file["path"] for file in files if file["proof"] != "manifest"]
    assert uncovered == [f"{MOTOR}/tfMRI_MOTOR_LR.L.native.func.gii"]
    again = json.loads(cdb("get", f"HCP_Q1/100307/{MOTOR}", "--to", str(tmp_path / "m"), "--json").stdout)
    assert [file["local"] for file in again] == [file["local"] for file in files]
    assert not any(file["fetched"] for file in again)


def test_get_takes_what_the_bucket_lacks_from_the_server(cdb: Cdb, tmp_path: Path, stage: Stage) -> None:
    place = "MNINonLinear/Results/rfMRI_REST1_LR"
    done = cdb("get", f"HCP_Q1/200614/{place}", "--to", str(tmp_path / "m"), "--json")
    assert done.returncode == 0, done.stderr
    served = {file["path"]: file["sources"] for file in json.loads(done.stdout)}
    assert served[f"{place}/rfMRI_REST1_LR.nii.gz"] == [stage.server]
    assert served[f"{place}/rfMRI_REST1_LR_SBRef.nii.gz"] == [f"s3://{stage.bucket} at {stage.s3_endpoint}"]


def test_get_from_the_server_alone_brings_the_same_tree(cdb: Cdb, tmp_path: Path) -> None:
    from_bucket = cdb("get", "HCP_Q1/103515", "--to", str(tmp_path / "b"), "--json")
    from_server = cdb("get", "HCP_Q1/103515", "--to", str(tmp_path / "s"), "--json", env={"CONNECTOMEDB_BUCKET": None})
    assert from_server.returncode == 0, from_server.stderr
    trees = [[file["path"] for file in json.loads(done.stdout)] for done in (from_bucket, from_server)]
    assert trees[0] == trees[1]
    assert any(path.startswith("Diffusion/") for path in trees[1])


def test_verify_tells_good_files_from_bad_ones(cdb: Cdb, tmp_path: Path) -> None:
    cdb("get", f"HCP_Q1/100307/{MOTOR}/EVs", "--to", str(tmp_path / "m"))
    good = cdb("verify", str(tmp_path / "m"))
    assert good.returncode == 0, good.stderr
    (tmp_path / "m/q1/100307" / MOTOR / "EVs/lf.txt").write_text("1\t2\t3\n")
    bad = cdb("verify", str(tmp_path / "m"), "--json")
    assert bad.returncode == 8
    verdicts = {file["path"]: file["verdict"] for file in json.loads(bad.stdout)["files"]}
    assert verdicts[f"{MOTOR}/EVs/lf.txt"] in ("size", "checksum")
    assert verdicts[f"{MOTOR}/EVs/rf.txt"] == "ok"


@pytest.mark.parametrize(("least", "code"), [("etag", 0), ("manifest", 8)])
def test_verify_can_demand_a_proof(cdb: Cdb, tmp_path: Path, least: str, code: int) -> None:
    cdb("get", f"HCP_Q1/100307/{MOTOR}/tfMRI_MOTOR_LR.L.native.func.gii", "--to", str(tmp_path / "m"))
    assert cdb("verify", str(tmp_path / "m"), "--path", MOTOR, "--at-least", least).returncode == code


@pytest.mark.parametrize("command", ["demo", "get", "ls", "search", "serve", "verify"])
def test_every_command_has_help_with_examples(cdb: Cdb, command: str) -> None:
    done = cdb(command, "--help")
    assert done.returncode == 0
    assert done.stdout.count(f"cdb {command}") >= 3

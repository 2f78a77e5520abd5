"""From one sentence about behaviour to verified files, with the real command against the stage."""

import hashlib
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from tests.cli.conftest import Cdb

from connectomedb.cli import _getting as getting
from connectomedb.cli import _wanted as wanted
from connectomedb.cli._cohort import is_predicate
from connectomedb.cli._getting import Warnings
from connectomedb.cli.main import main
from connectomedb.client.cohorts import cohort as client_cohort
from connectomedb.client.interface import Interface
from connectomedb.cohort.lockfile import parse_lockfile
from connectomedb.demo.stage import Stage
from connectomedb.errors import ConfigError, PredicateError, QueryError
from connectomedb.hcp.advisories import Advisories, Advisory, Defect, known_advisories

BRAIN = "T1w/T1w_acpc_dc_restore_brain.nii.gz"
ALL = "MMSE_Score >= 0"


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".connectomedb" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def cdb(alone: Cdb, stage: Stage) -> Cdb:
    """Runs the command in this process, with the stage's environment."""
    return partial(alone, env=stage.environment())


@pytest.fixture
def db(stage: Stage, tmp_path: Path) -> Interface:
    return Interface(stage.server, stage.user, stage.password)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("HCP_Q1/100307/T1w", False), ("HCP_Q1", False), ("Age = 3", True), ("MMSE_Score>=29", True), ("a'b", True)],
)
def test_a_predicate_is_told_from_a_place(word: str, expected: bool) -> None:
    assert is_predicate(word) is expected


def test_one_sentence_brings_the_files(cdb: Cdb, tmp_path: Path, db: Interface) -> None:
    expected = db.where("MMSE_Score >= 29").subjects()
    assert 0 < len(expected) <= 3
    done = cdb("get", "MMSE_Score >= 29", BRAIN, "--to", "brains")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"brains/q1/{label}/{BRAIN}" for label in expected]
    assert all((tmp_path / line).is_file() for line in done.stdout.splitlines())


def test_files_are_linked_under_other_names(cdb: Cdb, tmp_path: Path) -> None:
    words = ("get", "MMSE_Score >= 29", BRAIN, "--to", "brains", "--layout")
    flat = cdb(*words, "flat").stdout.split()
    assert flat
    rows = json.loads(cdb(*words, "bids", "--links", "study", "--json").stdout)
    assert len(rows) == len(flat)
    for row, name in zip(rows, flat, strict=True):
        assert name == f"brains-flat/{row['subject']}__{BRAIN.replace('/', '__')}"
        assert row["link"] == f"study/derivatives/hcp/sub-{row['subject']}/{BRAIN}"
        assert (tmp_path / name).samefile(tmp_path / row["local"])
        assert (tmp_path / row["link"]).samefile(tmp_path / row["local"])
    assert cdb("get", ALL, BRAIN, "--to", "brains", "--links", "study").returncode == 2


def test_a_dry_run_brings_nothing(cdb: Cdb, tmp_path: Path) -> None:
    done = cdb("get", ALL, "T1w/*_brain.nii.gz", "--to", "brains", "-n", "--json")
    assert done.returncode == 0, done.stderr
    assert {row["act"] for row in json.loads(done.stdout)["files"]} == {"fetch"}
    assert digests(tmp_path / "brains") == {}


def test_a_slip_is_pointed_at(cdb: Cdb) -> None:
    done = cdb("get", "MMSE_Score >= 29 and Gendr = 'F'", BRAIN, "--to", "x")
    assert done.returncode == 2
    assert "at column 22, there is no column Gendr. Did you mean Gender?" in done.stderr


def test_nobody_is_not_found(cdb: Cdb) -> None:
    done = cdb("get", "MMSE_Score < 0", BRAIN, "--to", "x")
    assert (done.returncode, done.stdout) == (5, "")
    assert "cdb explain" in done.stderr


def test_explain_adds_up_and_its_python_gives_the_same(cdb: Cdb, stage: Stage, clean_env: dict[str, str]) -> None:
    predicate = "MMSE_Score >= 29 and PMAT24_A_CR >= 5 and exists 'tfMRI_MOTOR_LR/*.nii.gz'"
    done = cdb("explain", predicate, "--project", "HCP_Q1", "--json")
    assert done.returncode == 0, done.stderr
    funnel = json.loads(done.stdout)["funnel"]
    left = funnel["total"]
    for step in funnel["steps"]:
        assert step["before"] == left == step["passed"] + step["failing"] + step["missing"]
        left = step["passed"]
    snippet = cdb("explain", predicate, "--project", "HCP_Q1", "--python").stdout
    ran = subprocess.run(
        [sys.executable, "-c", snippet],
        env={**clean_env, **stage.environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(ran.stdout.split(",")) == funnel["passed"]


def test_a_lockfile_brings_the_same_bytes_elsewhere(cdb: Cdb, tmp_path: Path) -> None:
    assert cdb("lock", ALL, "T1w/*_brain.nii.gz", "-o", "a.toml", "--to", "here").returncode == 0
    assert cdb("lock", ALL, "T1w/*_brain.nii.gz", "-o", "b.toml", "--to", "there").returncode == 0
    assert (tmp_path / "a.toml").read_bytes() == (tmp_path / "b.toml").read_bytes()
    for folder in ("one", "two"):
        done = cdb("sync", "a.toml", "--to", folder)
        assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "one") == digests(tmp_path / "two") != {}
    again = cdb("sync", "a.toml", "--to", "one", "--json")
    assert [row["fetched"] for row in json.loads(again.stdout)] == [False] * len(digests(tmp_path / "one"))
    assert cdb("audit", "a.toml").returncode == 0


def test_restricted_columns_code_the_lockfile_and_its_key_opens_it(cdb: Cdb, tmp_path: Path, db: Interface) -> None:
    words = ("lock", "Age_in_Yrs > 0", "T1w/*_brain.nii.gz", "-o", "study.cdb.toml")
    done = cdb(*words, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["is_coded"], told["key"]) == (True, "study.key.csv")
    labels = db.where("Age_in_Yrs > 0").subjects()
    seals = {subject: {path: file["seal"] for path, file in files.items()} for subject, files in told["files"].items()}
    locked = parse_lockfile((tmp_path / "study.cdb.toml").read_text()).files
    assert seals == {subject: {path: file.seal for path, file in files.items()} for subject, files in locked.items()}
    text, key = (tmp_path / "study.cdb.toml").read_text(), (tmp_path / "study.key.csv").read_text()
    assert labels
    assert all(label in key and label not in text for label in labels)
    assert (tmp_path / "study.key.csv").stat().st_mode & 0o077 == 0
    assert cdb(*words).returncode == 0
    assert (tmp_path / "study.cdb.toml").read_text() == text
    assert cdb("sync", "study.cdb.toml", "--to", "mirror").returncode == 2
    done = cdb("sync", "study.cdb.toml", "--key", "study.key.csv", "--to", "mirror")
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "mirror").keys() >= {f"q1/{label}/{BRAIN}" for label in labels}
    assert cdb("audit", "study.cdb.toml").returncode == 2
    assert cdb("audit", "study.cdb.toml", "--key", "study.key.csv").returncode == 0
    (tmp_path / "study.cdb.toml").write_text(text.replace('seal = "', 'seal = "0000', 1).replace('" }', '"}', 1))
    assert cdb("sync", "study.cdb.toml", "--key", "study.key.csv", "--to", "mirror").returncode == 2  # no longer a seal
    seal = text.partition('seal = "')[2][:64]
    (tmp_path / "study.cdb.toml").write_text(text.replace(seal, "0" * 64))
    strange = cdb("sync", "study.cdb.toml", "--key", "study.key.csv", "--to", "mirror")
    assert strange.returncode == 8
    assert "1 are not published as they were sealed" in strange.stderr
    assert cdb(*words, "--labels").returncode == 0
    assert all(label in (tmp_path / "study.cdb.toml").read_text() for label in labels)


def test_tables_for_others_have_coded_ids(cdb: Cdb, tmp_path: Path, db: Interface) -> None:
    refused = cdb("cohort", "export", "Age_in_Yrs > 0", "Gender")
    assert refused.returncode == 2
    assert "Restricted columns take part" in refused.stderr
    assert cdb("cohort", "export", ALL, "Age_in_Yrs").returncode == 2
    done = cdb("cohort", "export", "Age_in_Yrs > 0", "Gender", "MMSE_Score", "--key", "my.key.csv")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    labels = db.where("Age_in_Yrs > 0").subjects()
    assert header == "coded_id,gender,mmse_score"
    assert [row.split(",")[0] for row in rows] == [f"S{number:04}" for number in range(1, len(labels) + 1)]
    assert not any(label in done.stdout for label in labels)
    key = (tmp_path / "my.key.csv").read_text()
    assert cdb("cohort", "export", ALL, "Gender", "--key", "my.key.csv").returncode == 0
    assert (tmp_path / "my.key.csv").read_text().startswith(key.splitlines()[0])
    plain = cdb("cohort", "export", ALL, "Gender", "--json")
    assert [row[0] for row in json.loads(plain.stdout)["rows"]] == db.where(ALL).subjects()


ODD: list[tuple[tuple[str, ...], int, str]] = [
    (("cohort", "find", ALL, "--project", "NOPE"), 5, "NOPE"),
    (("explain", ALL, "--project", "NOPE"), 5, "NOPE"),
    (("lock", "MMSE_Score < 0", BRAIN), 5, "There are none. See why: cdb explain."),
    (("cohort", "export", ALL, "Age", "Nope"), 2, "Nope"),
    (("cohort", "find", "MMSE_Score = null"), 2, "Did you mean is empty?"),
    (("cohort", "remove", "nobody"), 5, "There are: none."),
    (("fields", "MMSE_Score", "--counts", "--project", "NOPE"), 5, "NOPE"),
]


@pytest.mark.parametrize(("words", "code", "said"), ODD, ids=range(len(ODD)))
def test_what_cannot_be_is_one_sentence_and_its_exit_code(
    cdb: Cdb, words: tuple[str, ...], code: int, said: str
) -> None:
    done = cdb(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def here(
    stage: Stage,
    clean_env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Cdb:
    """Runs the command in this process, where a test may replace what is known."""
    for name in os.environ.keys() - clean_env.keys() - {"PYTEST_CURRENT_TEST"}:
        monkeypatch.delenv(name)
    for name, value in {**clean_env, **stage.environment()}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), *capsys.readouterr())

    return run


def test_subjects_of_whose_data_something_is_known_are_left_out_by_choice(
    here: Cdb, db: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Advisory("made-up", Defect.UNUSABLE, ("103515",), ("HCP_Q1",), ("T1w/**",), "All is black.", "us")
    for place in (getting, wanted, client_cohort):
        monkeypatch.setattr(place, "known_advisories", lambda: Advisories((one,)))
    everyone = db.where(ALL, project="HCP_Q1").subjects()
    assert db.where(ALL, project="HCP_Q1").without("unusable").subjects() == [s for s in everyone if s != "103515"]
    assert db.where(ALL, project="HCP_Q1").without("withdrawn").subjects() == everyone
    done = here("explain", ALL, "--project", "HCP_Q1", "--without", "any", "--json")
    told = json.loads(done.stdout)
    last = told["funnel"]["steps"][-1]
    assert (last["before"], last["passed"], last["failing"]) == (len(everyone), len(everyone) - 1, 1)
    assert "unusable" in told["methods"]
    assert ".without(" in here("explain", ALL, "--project", "HCP_Q1", "--without", "any", "--python").stdout
    found = here("cohort", "find", ALL, "--project", "HCP_Q1", "--without", "unusable").stdout.split()
    assert found == [s for s in everyone if s != "103515"]
    assert here("lock", ALL, BRAIN, "-o", "a.toml").returncode == 0
    assert here("lock", ALL, BRAIN, "-o", "b.toml", "--without", "wrong", "--without", "unusable").returncode == 0
    assert 'without = ["unusable", "wrong"]' in Path("b.toml").read_text()
    assert "~ without: none → unusable, wrong" in here("diff", "a.toml", "b.toml").stdout
    assert here("sync", "b.toml", "--to", "synced").returncode == 0
    with pytest.raises(ConfigError, match="keeps its predicate alone"):
        db.groups.save("some", db.where(ALL).without("any"))
    done = here("get", ALL, BRAIN, "--to", "brains", "--without", "unusable")
    assert done.returncode == 0, done.stderr
    assert not any("103515" in line for line in done.stdout.splitlines())
    done = here("get", f"HCP_Q1/103515/{BRAIN}", "--to", "brains", "--json")
    assert [row["advisories"] for row in json.loads(done.stdout)] == [["made-up"]]
    assert "Known: unusable: All is black. (103515)" in done.stderr
    assert here("get", f"HCP_Q1/103515/{BRAIN}", "--to", "brains", "--without", "unusable").returncode == 5


def test_a_file_that_changed_is_named_and_not_kept(cdb: Cdb, tmp_path: Path) -> None:
    assert cdb("lock", "Subject = 100307", BRAIN, "-o", "a.toml").returncode == 0
    text = (tmp_path / "a.toml").read_text()
    md5 = text.partition('md5 = "')[2][:32]
    (tmp_path / "a.toml").write_text(text.replace(md5, "0" * 32))
    done = cdb("sync", "a.toml", "--to", "mirror")
    assert done.returncode in (8, 9)
    assert BRAIN in done.stderr
    assert "0" * 32 in done.stderr
    assert not (tmp_path / "mirror/q1/100307" / BRAIN).exists()


def test_tables_counts_and_splits(db: Interface) -> None:
    cohort = db.where(ALL, project="HCP_Q1")
    assert cohort.count() == len(cohort) == len(list(cohort)) == 3
    table = cohort.table("MMSE_Score", "Gender")
    assert len(table) == 3
    assert table.types[table.asked["hcp:nontoolboxdata/MMSE_Score"]] == "integer"
    assert str(table.to_pandas()["gender"].dtype) == "category"
    split = cohort.split(test=0.4, seed=1)
    assert sorted((*split.train, *split.test)) == cohort.subjects()


def test_files_and_measures_choose_together(db: Interface) -> None:
    there = db.where("exists 'T1w/T1w_acpc_dc_restore_brain.nii.gz'", project="HCP_Q1")
    gone = db.where("not exists 'T1w/T1w_acpc_dc_restore_brain.nii.gz'", project="HCP_Q1")
    assert there.subjects() == db.where(ALL, project="HCP_Q1").subjects()
    assert gone.subjects() == []
    assert db.where("exists 'no/such.file'").count() == 0


def test_nothing_is_sent_before_something_is_asked() -> None:
    nowhere = Interface("http://127.0.0.1:9", "me", "secret")
    assert "Age" in repr(nowhere.where("Age = '26-30'"))
    with pytest.raises(PredicateError):
        nowhere.where("Age = ")


def test_columns_are_found_by_words_and_a_foreign_one_is_refused(db: Interface) -> None:
    assert "MMSE_Score" in [field.name for field in db.fields("mini mental stat")]
    with pytest.raises(QueryError):
        db.where(ALL).table("No_Such_Column")


def test_a_group_is_kept_shown_and_forgotten(cdb: Cdb, db: Interface) -> None:
    assert cdb("cohort", "save", "bright", "MMSE_Score >= 29", "--project", "HCP_Q1").returncode == 0
    kept = json.loads(cdb("cohort", "list", "--json").stdout)
    bright = {"name": "bright", "project": "HCP_Q1", "predicate": "MMSE_Score >= 29"}
    assert kept == [bright | {"data_type": "hcp:nontoolboxdata"}]
    assert cdb("cohort", "show", "bright").stdout.split() == db.where("MMSE_Score >= 29", project="HCP_Q1").subjects()
    stored = db.connection.get_table("/data/search/saved/bright/results")
    assert len(stored.rows) == db.groups.get("bright").count()
    assert cdb("cohort", "remove", "bright").returncode == 0
    missing = cdb("cohort", "show", "bright")
    assert missing.returncode == 5
    assert "There are: none." in missing.stderr


def test_subjects_of_a_predicate_are_listed(cdb: Cdb, db: Interface) -> None:
    expected = db.where("Gender = 'F'", project="HCP_Q1").subjects()
    found = cdb("cohort", "find", "Gender = 'F'", "--project", "HCP_Q1")
    assert (found.returncode, found.stdout.split()) == (0, expected)
    assert json.loads(cdb("cohort", "find", "", "--json").stdout) == db.where("").subjects()


def test_what_is_known_against_files_is_told() -> None:
    known = next(one for one in known_advisories().advisories if one.subjects and "*" not in one.paths[0])
    subject, release, path = known.subjects[0], known.releases[0], known.paths[0]
    warnings = Warnings()
    assert known.id in warnings.hear(release, subject, path)
    assert warnings.hear(release, "100206", path) == []
    assert warnings.subjects[f"{known.kind}: {known.summary}"] == [subject]

"""`cdb get`: which files, what would happen, and how it is told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectomedb.cli._forecast import format_seconds
from connectomedb.cli._output import ending_well
from connectomedb.demo.stage import Stage

Cdb = Callable[..., "subprocess.CompletedProcess[str]"]
MOTOR = "MNINonLinear/Results/tfMRI_MOTOR_LR"
HOLE = "MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz"


@pytest.fixture
def get(cdb: Cdb) -> Cdb:
    """`cdb get … --to m`."""
    return lambda *words, **more: cdb("get", *words, "--to", "m", **more)


def paths(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """Subject and path of each file that was told."""
    assert done.returncode == 0, done.stderr
    return [f"{file['subject']}/{file['path']}" for file in json.loads(done.stdout)]


# Which files


def test_a_package_of_several_subjects(get: Cdb) -> None:
    found = paths(get("HCP_Q1", "--subjects", "100307,200614", "--package", "3T_tfMRI_MOTOR_preproc", "--json"))
    assert {path.split("/")[0] for path in found} == {"100307", "200614"}
    assert f"100307/{MOTOR}/EVs/lf.txt" in found
    assert "100307/.xdlm/100307_3T_tfMRI_MOTOR_preproc.json" in found
    assert [path for path in found if "/unprocessed/" in path or "tfMRI_WM" in path] == []


def test_a_diffusion_package_is_found_where_q1_keeps_it(get: Cdb) -> None:
    found = paths(get("HCP_Q1/100307", "--package", "3T_Diffusion_preproc", "--json"))
    assert "100307/Diffusion/bvals" in found


@pytest.mark.parametrize("lacks", ["XNAT_HOST", "CONNECTOMEDB_BUCKET"], ids=["bucket alone", "server alone"])
@pytest.mark.parametrize("path", ["T1w/Diffusion", "Diffusion", "T1w/Diffusion/bvals"])
def test_what_q1_moved_is_found_under_either_name(get: Cdb, path: str, lacks: str) -> None:
    found = paths(get(f"HCP_Q1/100307/{path}", "--json", env={lacks: None}))
    assert "100307/Diffusion/bvals" in found
    assert all(name.startswith("100307/Diffusion/") for name in found)


def test_keys_come_from_a_profile_of_aws_beside_a_server_that_has_none(get: Cdb, stage: Stage, tmp_path: Path) -> None:
    keys = stage.environment()
    (tmp_path / "aws").write_text(
        f"[lab]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n"
    )
    env = {
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws"),
        "AWS_ACCESS_KEY_ID": None,
        "AWS_SECRET_ACCESS_KEY": None,
    }
    place = "HCP_Q1/100307/release-notes"
    done = get(place, "--profile", "lab", "--json", "--existing", "refetch", env=env)
    assert {file["sources"][0][:5] for file in json.loads(done.stdout)} == {"s3://"}
    unknown = get(place, "--profile", "laboratory", env=env)
    assert unknown.returncode == 2 and "'laboratory'" in unknown.stderr


def test_a_folder_is_asked_first_be_it_of_the_release_or_another_mirror(cdb: Cdb, tmp_path: Path) -> None:
    place, alone = "HCP_Q1/100307/T1w", {"XNAT_HOST": None, "CONNECTOMEDB_BUCKET": None}
    known = paths(cdb("get", place, "--to", "one", "--json"))
    (tmp_path / "one/q1/100307/T1w/.new.nii.gz.host-1-a.part").write_bytes(b"on its way")
    for number, folder in enumerate(("one", "one/q1")):
        done = cdb("get", place, "--from", folder, "--to", f"two{number}", "--json", env=alone)
        assert paths(done) == known
        assert {source for file in json.loads(done.stdout) for source in file["sources"]} == {folder}
        assert {file["proof"] for file in json.loads(done.stdout) if "/." not in file["local"]} == {"manifest"}
    (tmp_path / "one/q1/100307/T1w/ribbon.nii.gz").unlink()
    done = cdb("get", place, "--from", "one", "--to", "three", "--json")
    assert paths(done) == known
    served = {Path(file["path"]).name: file["sources"][0] for file in json.loads(done.stdout)}
    assert served["ribbon.nii.gz"].startswith("s3://") and served["wmparc.nii.gz"] == "one"
    (tmp_path / "other").mkdir()
    wrong = cdb("get", place, "--from", "other", "--to", "four")
    assert wrong.returncode == 2 and "neither holds a folder 'q1' nor is one" in wrong.stderr


def test_globs_narrow_what_the_path_leaves(get: Cdb) -> None:
    found = paths(get("HCP_Q1/100307/T1w", "--include", "**/*.nii.gz", "--exclude", "**/*restore*", "--json"))
    assert found
    assert all(path.startswith("100307/T1w/") and path.endswith(".nii.gz") for path in found)
    assert not any("restore" in path for path in found)


def test_a_path_for_all_subjects_and_places_of_their_own(get: Cdb) -> None:
    found = paths(
        get("HCP_Q1", f"HCP_Q1/100307/{MOTOR}/EVs", "--subjects", "103515 200614", "--path", "release-notes", "--json")
    )
    below = {path.split("/")[0]: "/".join(path.split("/")[1:]) for path in found}
    assert set(below) == {"100307", "103515", "200614"}
    assert below["100307"].startswith(f"{MOTOR}/EVs/")
    assert below["103515"].startswith("release-notes/")


@pytest.mark.parametrize(
    "text",
    [
        "103515\n200614\n",
        "subject_label,mmse_score\n103515,29\n200614,30\n",
        "# mine\n\n103515\tx\n103515\n200614 # y\n",
    ],
    ids=["plain", "csv", "table"],
)
def test_subjects_come_out_of_a_file(get: Cdb, tmp_path: Path, text: str) -> None:
    (tmp_path / "labels").write_text(text)
    found = paths(get("HCP_Q1", "--subjects-from", "labels", "--path", "release-notes", "--json"))
    assert {path.split("/")[0] for path in found} == {"103515", "200614"}


def test_a_search_tells_a_download_its_subjects(
    cdb: Cdb, stage: Stage, clean_env: dict[str, str], tmp_path: Path
) -> None:
    search = cdb("search", "hcp:nontoolboxdata", "SUBJECT_LABEL", "--where", "SUBJECT_LABEL = 103515", "--csv")
    words = ("get", "HCP_Q1", "--subjects-from", "-", "--path", "release-notes", "--to", "m", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "connectomedb", *words],
        env={**clean_env, **stage.environment()},
        cwd=tmp_path,
        input=search.stdout,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert {path.split("/")[0] for path in paths(done)} == {"103515"}


BAD: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no place": ((), 2, "No place was named"),
    "subjects without a project alone": (("HCP_Q1/100307", "--subjects", "103515"), 2, "a project alone"),
    "a project without subjects": (("HCP_Q1",), 2, "--subjects"),
    "a label that is none": (("HCP_Q1", "--subjects", "10030"), 2, "six digits"),
    "an unknown package": (("HCP_Q1/100307", "--package", "3T_tfMRI_MOTOR"), 2, "3T_tfMRI_MOTOR_preproc"),
    "a glob that is none": (("HCP_Q1/100307", "--include", "{a"), 2, "no glob"),
    "a glob that finds nothing": (("HCP_Q1/100307", "--include", "**/*.mat", "--path", "T1w"), 5, "None of its"),
    "a glob that finds nothing, dry": (("HCP_Q1/100307", "--include", "*.mat", "--dry-run"), 5, "None of its"),
    "a package that no subject has": (
        ("HCP_Q1", "--subjects", "103515,100307", "--package", "7T_MOVIE_2mm_fix", "--dry-run"),
        5,
        "7T_MOVIE_2mm_fix",
    ),
    "no such file of labels": (("HCP_Q1", "--subjects-from", "none.txt"), 2, "none.txt"),
    "a limit that is no size": (("HCP_Q1/100307", "--limit-rate", "fast"), 2, "no number of bytes"),
    "a limit that lets nothing pass": (("HCP_Q1/100307", "--limit-rate", "0"), 2, "nothing pass"),
    "a plan to keep of no dry run": (("HCP_Q1/100307", "--save-plan", "p"), 2, "--dry-run"),
    "a plan that is not there": (("--plan", "none.jsonl"), 2, "none.jsonl"),
    "a policy that is none": (("HCP_Q1/100307", "--existing", "burn"), 2, "burn"),
}


@pytest.mark.parametrize(("words", "code", "hint"), BAD.values(), ids=BAD)
def test_bad_words_get_one_sentence(get: Cdb, tmp_path: Path, words: tuple[str, ...], code: int, hint: str) -> None:
    done = get(*words)
    assert (done.returncode, hint in done.stderr) == (code, True), done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert [path for path in (tmp_path / "m").rglob("*.nii.gz")] == []


def test_labels_with_a_slip_among_them_are_refused_by_line(get: Cdb, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("103515\nnobody\n200614\n")
    done = get("HCP_Q1", "--subjects-from", "labels")
    assert (done.returncode, "line 2: 'nobody'" in done.stderr) == (2, True)


# What would happen


def test_a_dry_run_tells_files_bytes_sources_room_and_time_and_writes_nothing(
    get: Cdb, stage: Stage, tmp_path: Path
) -> None:
    done = get("HCP_Q1/100307", "--path", MOTOR, "--dry-run")
    assert done.returncode == 0, done.stderr
    head, *lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert head == ["act", "size", "source", "path"]
    assert {(act, source) for act, _, source, _ in lines} == {("fetch", f"s3://{stage.bucket} at {stage.s3_endpoint}")}
    assert all(path.startswith(f"HCP_Q1/100307/{MOTOR}/") for *_, path in lines)
    for word in ("to fetch", f"from s3://{stage.bucket}", "it fits", "expected time: unknown"):
        assert word in done.stderr
    assert not (tmp_path / "m").exists()


def test_a_dry_run_names_the_server_for_what_the_bucket_lacks(get: Cdb, stage: Stage) -> None:
    done = get(f"HCP_Q1/200614/{HOLE.rpartition('/')[0]}", "--dry-run", "--json")
    told = json.loads(done.stdout)
    sources = {file["path"]: file["source"] for file in told["files"]}
    assert sources.pop(HOLE) == stage.server
    assert set(sources.values()) == {f"s3://{stage.bucket} at {stage.s3_endpoint}"}
    assert {one["source"] for one in told["totals"]["sources"]} == {stage.server, *sources.values()}


def test_a_dry_run_says_nowhere_when_no_source_is_left(get: Cdb) -> None:
    done = get(f"HCP_Q1/200614/{HOLE.rpartition('/')[0]}", "--dry-run", env={"XNAT_HOST": None})
    assert f"nowhere\tHCP_Q1/200614/{HOLE}" in done.stdout
    assert "from nowhere: 1 files" in done.stderr


def test_a_dry_run_after_a_run_knows_what_is_here(get: Cdb, tmp_path: Path) -> None:
    get(f"HCP_Q1/100307/{MOTOR}/EVs")
    (tmp_path / "m/q1/100307" / MOTOR / "EVs/lf.txt").touch()
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "m").rglob("*"))
    totals = json.loads(get(f"HCP_Q1/100307/{MOTOR}", "--dry-run", "--json").stdout)["totals"]
    assert totals["check"]["files"] == 1
    assert totals["keep"]["files"] > 1
    assert totals["fetch"]["files"] > 1
    assert totals["fits"] is True
    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "m").rglob("*")) == before


def test_what_would_not_fit_has_its_code_before_anything_is_fetched(get: Cdb, tmp_path: Path) -> None:
    for words in (("--dry-run",), (), ("HCP_Q1/103515",)):
        done = get("HCP_Q1/100307/T1w", *words, "--reserve", "1000TB")
        assert (done.returncode, "Nothing was fetched" in done.stderr) == (10, True), done.stderr
        assert list((tmp_path / "m").rglob("*.nii.gz")) == []


def test_a_plan_is_kept_and_carried_out(get: Cdb, tmp_path: Path) -> None:
    wanted = ("HCP_Q1", "--subjects", "100307,103515", "--path", "release-notes")
    dry = get(*wanted, "--dry-run", "--save-plan", "plan.jsonl")
    assert dry.returncode == 0, dry.stderr
    head = json.loads((tmp_path / "plan.jsonl").read_text().splitlines()[0])
    assert (head["project"], head["subject"]) == ("HCP_Q1", "100307")
    again = get("--plan", "plan.jsonl", "--dry-run")
    assert again.stdout == dry.stdout
    done = get("--plan", "plan.jsonl", "--json")
    assert paths(done) == paths(get(*wanted, "--json"))
    refused = get("--plan", "plan.jsonl", "HCP_Q1/100307")
    assert (refused.returncode, "leave out" in refused.stderr) == (2, True)


def test_a_plan_that_is_spoilt_is_refused(get: Cdb, tmp_path: Path) -> None:
    (tmp_path / "plan.jsonl").write_text('{"path": "../../etc/passwd"}\n')
    done = get("--plan", "plan.jsonl")
    assert (done.returncode, "line 1" in done.stderr) == (2, True), done.stderr


# How it is brought


def test_files_on_disk_are_kept_checked_or_fetched_again(get: Cdb, tmp_path: Path) -> None:
    place = f"HCP_Q1/100307/{MOTOR}/EVs"
    file = tmp_path / "m/q1/100307" / MOTOR / "EVs/lf.txt"
    get(place)
    right = file.read_bytes()
    file.write_bytes(b"x" * len(right))
    kept = json.loads(get(place, "--existing", "keep", "--json").stdout)
    assert not any(one["fetched"] for one in kept)
    checked = json.loads(get(place, "--json").stdout)
    assert [one["path"] for one in checked if one["fetched"]] == [f"{MOTOR}/EVs/lf.txt"]
    assert file.read_bytes() == right
    assert all(one["fetched"] for one in json.loads(get(place, "--existing", "refetch", "--json").stdout))


def test_a_limit_holds_all_connections_together(get: Cdb) -> None:
    started = time.monotonic()
    done = get("HCP_Q1/100307/T1w", "--include", "T1w/*.nii.gz", "--limit-rate", "1MB", "--json")
    seconds = time.monotonic() - started
    size = sum(file["size"] for file in json.loads(done.stdout))
    assert size > 1_000_000
    assert seconds > size / 1_000_000 - 0.3


def test_a_subject_that_lacks_the_files_is_told_and_the_others_come(get: Cdb, tmp_path: Path) -> None:
    done = get("HCP_Q1", "--subjects", "999999,103515", "--path", "release-notes", "--json")
    assert (done.returncode, "999999" in done.stderr) == (9, True), done.stderr
    assert {file["subject"] for file in json.loads(done.stdout)} == {"103515"}
    assert "1 failed" in done.stderr


def test_an_interrupted_run_says_how_to_go_on_and_does(
    cdb: Cdb, stage: Stage, clean_env: dict[str, str], tmp_path: Path
) -> None:
    words = ("get", "HCP_Q1/100307/T1w", "--to", "m", "--json", "--jobs", "1")
    running = subprocess.Popen(
        [sys.executable, "-m", "connectomedb", *words, "--limit-rate", "400kB"],
        env={**clean_env, **stage.environment()},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for(lambda: any((tmp_path / "m/q1/100307/T1w").rglob("[!.]*.nii.gz")), running)
        running.send_signal(signal.SIGINT)
        output, talk = running.communicate(timeout=30)
    finally:
        running.kill()
    assert (running.returncode, output) == (130, "")
    fault = json.loads(talk.splitlines()[-1])
    assert fault["message"].endswith("What is done stays done: run the same command to go on.")
    assert fault["exit_code"] == 130
    landed = {path.name for path in (tmp_path / "m/q1/100307/T1w").rglob("[!.]*") if path.is_file()}
    done = cdb(*words)
    again = {Path(file["path"]).name for file in json.loads(done.stdout) if file["fetched"]}
    assert landed
    assert landed & again == set()


@pytest.fixture(params=[signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def ending(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that ends a job; it is left as it was, which under nohup is ignored."""
    number: signal.Signals = request.param
    before = signal.signal(number, signal.SIG_DFL)
    yield number
    signal.signal(number, before)


def test_other_signals_that_end_a_job_count_as_an_interrupt(ending: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), ending_well():
        os.kill(os.getpid(), ending)
        time.sleep(5)
    assert signal.getsignal(ending) is signal.SIG_DFL


def test_who_ignores_a_signal_means_it(ending: signal.Signals) -> None:
    signal.signal(ending, signal.SIG_IGN)
    with ending_well():
        os.kill(os.getpid(), ending)
    assert signal.getsignal(ending) is signal.SIG_IGN


def _wait_for(is_so: Callable[[], bool], running: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert running.poll() is None, "it ended too soon"
        assert time.monotonic() < deadline
        os.sched_yield()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "unknown"), (0.0, "1 s"), (89, "89 s"), (91, "2 min"), (3600, "60 min"), (7200, "2 h"), (3e5, "3 days")],
)
def test_a_duration_is_told_in_one_unit(seconds: float | None, text: str) -> None:
    assert format_seconds(seconds) == text

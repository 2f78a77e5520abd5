"""The release as a whole: the same bytes every time, whole or absent, and its manifests tell the truth."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connectomedb.demo.files.packages import PACKAGES
from connectomedb.demo.release import DemoRelease, generate
from connectomedb.demo.subjects import SUBJECTS
from connectomedb.errors import ConfigError, ConnectomeDBError, DiskFull, DiskRefused, ServiceFailed
from connectomedb.hcp.archive import archive_of, has_resource
from connectomedb.hcp.layout import format_key, parse_key
from connectomedb.hcp.manifest import Entry, join_entries, parse_manifest
from connectomedb.hcp.packages import matches, package
from connectomedb.hcp.release import release_of

Q1_CHILDREN = {".xdlm", "Diffusion", "MNINonLinear", "T1w", "release-notes", "unprocessed"}
MOTOR_FILES = {
    "tfMRI_MOTOR_LR.nii.gz",
    "tfMRI_MOTOR_LR_SBRef.nii.gz",
    "tfMRI_MOTOR_LR_Atlas.dtseries.nii",
    "tfMRI_MOTOR_LR_Physio_log.txt",
    "tfMRI_MOTOR_LR_hp200_s4_level1.fsf",
    "MOTOR_run2_TAB.txt",
    "Movement_Regressors.txt",
    *(f"EVs/{name}.txt" for name in ("Sync", "cue", "lf", "lh", "rf", "rh", "t")),
}


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.md5(path.read_bytes()).hexdigest() for path in files}


def manifests(release: DemoRelease, subject: str) -> Iterator[tuple[str, dict[str, Entry]]]:
    for path in sorted((release.tree / release.prefix / subject / ".xdlm").iterdir()):
        name = path.stem.removeprefix(f"{subject}_3T_")
        yield name, join_entries(parse_manifest(path.read_bytes(), name=path.name).entries)


def covered(release: DemoRelease, subject: str) -> dict[str, Entry]:
    return join_entries(entry for _, entries in manifests(release, subject) for entry in entries.values())


def workers_of_this_process() -> list[int]:
    """Numbers of the worker processes that this one has started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # Fields after the name in brackets: state, parent.
            is_ours = entry.read_text().rpartition(")")[2].split()[1] == str(os.getpid())
            if is_ours and b"connectomedb.demo.worker" in (entry.parent / "cmdline").read_bytes():
                found.append(int(entry.parent.name))
    return found


def test_the_subjects_are_the_71_of_the_tutorials_listing() -> None:
    assert len(SUBJECTS) == len(set(SUBJECTS)) == 71
    assert list(SUBJECTS) == sorted(SUBJECTS)


def test_workers_and_order_change_no_byte(release: DemoRelease, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", subjects=tuple(reversed(release.subjects)), workers=2)
    assert digests(again.folder) == digests(release.folder)


def test_a_subject_has_the_same_bytes_alone_and_among_others(release: DemoRelease, tmp_path: Path) -> None:
    alone = generate(tmp_path / "alone", subjects=["103515"])
    assert digests(alone.tree / "q1" / "103515") == digests(release.tree / "q1" / "103515")
    ours, all_lines = (table.behaviour.read_text().splitlines() for table in (alone, release))
    assert set(ours) <= set(all_lines)


def test_another_seed_gives_other_images_under_the_same_names(release: DemoRelease, tmp_path: Path) -> None:
    other = generate(tmp_path / "other", seed=7, subjects=["103515"])
    ours, theirs = (digests(which.tree / "q1" / "103515") for which in (release, other))
    volumes = {path for path in ours if path.endswith((".nii.gz", ".surf.gii", ".dtseries.nii"))}
    assert ours.keys() == theirs.keys()
    unchanged = {path for path in volumes if ours[path] == theirs[path]}
    assert {path for path in unchanged if "inflated" not in path} == set()


def test_the_whole_release_is_small_and_every_subject_has_the_q1_children(tmp_path: Path) -> None:
    heard: list[str] = []
    whole = generate(tmp_path / "whole", on_subject=heard.append)
    assert sorted(heard) == list(whole.subjects) == list(SUBJECTS)
    assert sum(path.stat().st_size for path in (tmp_path / "whole").rglob("*") if path.is_file()) <= 60_000_000
    assert whole.files == sum(1 for _ in whole.file_keys())
    for subject in whole.subjects:
        children = {path.name for path in (whole.tree / "q1" / subject).iterdir()}
        assert children == Q1_CHILDREN


def test_availability_varies_and_the_showcase_subject_has_every_package(release: DemoRelease) -> None:
    names = {subject: {name for name, _ in manifests(release, subject)} for subject in release.subjects}
    small = set(PACKAGES) - {"tfMRI_MOTOR_analysis_s4"}
    assert (names["100307"], names["103515"]) == (set(PACKAGES), small)
    assert names["131621"] == small - {"tfMRI_MOTOR_preproc", "tfMRI_MOTOR_unproc"}


@pytest.mark.parametrize("subject", ["100307", "103515"])
def test_a_motor_run_has_its_files(release: DemoRelease, subject: str) -> None:
    folder = release.tree / "q1" / subject / "MNINonLinear" / "Results" / "tfMRI_MOTOR_LR"
    assert digests(folder).keys() >= MOTOR_FILES


def test_every_key_is_one_of_the_release_and_its_package_has_an_archive_resource(release: DemoRelease) -> None:
    q1 = release_of("HCP_Q1")
    for key in release.file_keys():
        path = parse_key(q1, key)
        assert format_key(q1, path) == key
        if not path.path.startswith((".xdlm/", "release-notes/")):
            assert has_resource(path)
            assert archive_of(path, "HCP_Q1").session == f"{path.subject}_3T"


def test_manifests_agree_with_the_disk(release: DemoRelease) -> None:
    for subject in release.subjects:
        root = release.tree / "q1" / subject
        for path, entry in covered(release, subject).items():
            content = (root / path).read_bytes()
            assert (entry.size, entry.md5) == (len(content), hashlib.md5(content).hexdigest())


def test_exactly_one_file_is_uncovered_and_it_is_named(release: DemoRelease) -> None:
    found = set()
    for subject in release.subjects:
        listed = covered(release, subject)
        on_disk = digests(release.tree / "q1" / subject).keys()
        found |= {f"q1/{subject}/{path}" for path in on_disk - listed.keys() if not path.startswith(".xdlm/")}
        assert not any(path.startswith(".xdlm/") for path in listed)
    assert found == set(release.uncovered)
    assert found == {"q1/100307/MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR.L.native.func.gii"}


def test_the_file_that_the_bucket_lacks_is_on_disk_and_in_its_manifest(release: DemoRelease) -> None:
    (key,) = release.bucket_lacks
    assert key == "q1/200614/MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz"
    assert (release.tree / key).is_file()
    assert key.removeprefix("q1/200614/") in covered(release, "200614")


def test_a_manifest_lists_what_its_package_holds(release: DemoRelease) -> None:
    q1 = release_of("HCP_Q1")
    for name, entries in manifests(release, "100307"):
        for path in entries:
            inside = parse_key(q1, f"q1/100307/{path}").path
            note = inside.startswith("release-notes/")
            assert note or matches(package(f"3T_{name}"), inside, "100307"), (name, inside)


def test_release_notes_name_their_zip_and_say_that_all_is_synthetic(release: DemoRelease) -> None:
    notes = release.tree / "q1" / "100307" / "release-notes"
    assert {path.stem for path in notes.iterdir()} == set(PACKAGES)
    for path in notes.iterdir():
        lines = path.read_text().splitlines()
        assert lines[0] == f"100307_3T_{path.stem}.zip"
        assert lines[1] == lines[3] == ""
        assert "SYNTHETIC" in "".join(lines[4:])


def test_a_release_is_found_again_as_it_was_made(release: DemoRelease) -> None:
    assert DemoRelease.load(release.folder) == release
    assert "SYNTHETIC" in release.title
    assert "SYNTHETIC" in release.description
    assert (release.project, release.prefix, release.seed) == ("HCP_Q1", "q1", 1200)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"project": "HCP_Q1"}'])
def test_a_folder_without_a_release_is_refused_in_one_sentence(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "release.json").write_text(content)
    with pytest.raises(ConfigError, match=r"release\.json is missing or not readable"):
        DemoRelease.load(tmp_path)


@pytest.mark.parametrize("occupied", ["q1", "release.json", "behaviour.csv", "restricted.csv"])
def test_what_lies_in_the_folder_is_never_overwritten(tmp_path: Path, occupied: str) -> None:
    (tmp_path / occupied).write_text("mine")
    with pytest.raises(ConfigError, match=f"already has {occupied}"):
        generate(tmp_path, subjects=["103515"])
    assert (tmp_path / occupied).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [occupied]


@pytest.mark.parametrize("label", ["10030", "0100307", "100307a", "../1003", "", "\uff1100307"])
def test_a_label_that_is_not_six_digits_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(ConfigError, match="six digits"):
        generate(tmp_path / "x", subjects=["103515", label])
    assert not (tmp_path / "x").exists()


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="seed -1"):
        generate(tmp_path / "x", seed=-1)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DiskRefused, match="Give a folder"):
        generate(tmp_path / "file", subjects=["103515"])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, workers: int) -> None:
    # A limit on the size of files is the full disk that needs no rights to arrange.
    script = (
        "import resource, sys; from pathlib import Path; from connectomedb.demo.release import generate\n"
        "from connectomedb.errors import DiskFull\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try: generate(Path(sys.argv[1]), subjects=['103515', '103818'], workers=int(sys.argv[2]))\n"
        "except DiskFull as fault: print(fault)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(workers)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    assert "the disk is full" in ran.stdout
    assert list(tmp_path.iterdir()) == []
    assert issubclass(DiskFull, ConnectomeDBError)


def test_a_worker_that_dies_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    def kill_all(subject: str) -> None:
        for pid in workers_of_this_process():
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(ServiceFailed, match="worker process ended early"):
        generate(tmp_path, subjects=SUBJECTS[1:20], workers=2, on_subject=kill_all)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_generation_leaves_no_file_and_no_process(tmp_path: Path, workers: int) -> None:
    def interrupt(subject: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, subjects=SUBJECTS[1:9], workers=workers, on_subject=interrupt)
    assert list(tmp_path.iterdir()) == []
    assert workers_of_this_process() == []


def test_a_script_without_a_main_guard_may_generate(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\nfrom connectomedb.demo.release import generate\n"
        f"print(generate(Path({str(tmp_path / 'out')!r}), subjects=['103515', '103818'], workers=2).files)\n"
    )
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    assert int(ran.stdout) > 150

"""What a choice takes and leaves, and which choices are none."""

import json
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import AddressError
from connectomedb.hcp.release import release_of
from connectomedb.mirror.choice import Choice

Q1, S1200 = release_of("HCP_Q1"), release_of("HCP_1200")
MOTOR = "MNINonLinear/Results/tfMRI_MOTOR_LR"

FILES = (
    ".xdlm/100307_3T_tfMRI_MOTOR_preproc.json",
    f"{MOTOR}/EVs/lf.txt",
    f"{MOTOR}/Movement_Regressors.txt",
    f"{MOTOR}/tfMRI_MOTOR_LR.nii.gz",
    f"{MOTOR}/tfMRI_MOTOR_LR_Atlas.dtseries.nii",
    "MNINonLinear/Results/tfMRI_WM_LR/tfMRI_WM_LR.nii.gz",
    "MNINonLinear/T1w.nii.gz",
    "T1w/100307/mri/orig/001.mgz",
    "T1w/T1w_acpc_dc.nii.gz",
    "T1w/Results/tfMRI_MOTOR_LR/SBRef_dc.nii.gz",
    "notes.txt",
)

CASES: dict[str, tuple[Choice, set[str]]] = {
    "all": (Choice(), set(FILES)),
    "a folder": (Choice("T1w"), {path for path in FILES if path.startswith("T1w/")}),
    "a folder with slashes": (Choice("/T1w/"), {path for path in FILES if path.startswith("T1w/")}),
    "a file": (Choice("MNINonLinear/T1w.nii.gz"), {"MNINonLinear/T1w.nii.gz"}),
    "a star stays in its folder": (Choice(include=("T1w/*",)), {"T1w/T1w_acpc_dc.nii.gz"}),
    "two stars cross": (Choice(include=("T1w/**",)), {path for path in FILES if path.startswith("T1w/")}),
    "two stars cross nothing, too": (Choice(include=("**/*.txt",)), {path for path in FILES if path.endswith(".txt")}),
    "two stars in the middle": (Choice(include=("MNINonLinear/**/*.txt",)), {FILES[1], FILES[2]}),
    "a slash at the end means all below": (Choice(include=(f"{MOTOR}/EVs/",)), {FILES[1]}),
    "a slash at the start is none": (Choice(include=("/notes.txt",)), {"notes.txt"}),
    "either of two": (Choice(include=("{notes,MNINonLinear/T1w}.{txt,nii.gz}",)), {"notes.txt", FILES[6]}),
    "two globs in one": (Choice(include=("notes.txt,T1w/*",)), {"notes.txt", "T1w/T1w_acpc_dc.nii.gz"}),
    "two globs": (Choice(include=("notes.txt", "T1w/*")), {"notes.txt", "T1w/T1w_acpc_dc.nii.gz"}),
    "one character": (Choice(include=("T?w/*",)), {"T1w/T1w_acpc_dc.nii.gz"}),
    "the subject's own label": (Choice(include=("T1w/<subject>/**",)), {"T1w/100307/mri/orig/001.mgz"}),
    "without": (Choice("T1w", exclude=("**/*.mgz", "T1w/*")), {"T1w/Results/tfMRI_MOTOR_LR/SBRef_dc.nii.gz"}),
    "all but": (Choice(exclude=("**",)), set()),
    "a package": (
        Choice(packages=("3T_tfMRI_MOTOR_preproc",)),
        {*FILES[:5], "T1w/Results/tfMRI_MOTOR_LR/SBRef_dc.nii.gz"},
    ),
    "a package, narrowed": (
        Choice("MNINonLinear", include=("**/*.nii.gz",), packages=("3T_tfMRI_MOTOR_preproc",)),
        {f"{MOTOR}/tfMRI_MOTOR_LR.nii.gz"},
    ),
    "two packages": (
        Choice(include=("**/*_LR.nii.gz",), packages=("3T_tfMRI_MOTOR_preproc", "3T_tfMRI_WM_preproc")),
        {f"{MOTOR}/tfMRI_MOTOR_LR.nii.gz", FILES[5]},
    ),
}


@pytest.mark.parametrize(("choice", "expected"), CASES.values(), ids=CASES)
def test_a_choice_takes_these_files(choice: Choice, expected: set[str]) -> None:
    is_chosen = choice.filter(S1200, "100307")
    assert {path for path in FILES if is_chosen(path)} == expected


@pytest.mark.parametrize("choice", [Choice(packages=("3T_Diffusion_preproc",)), Choice(include=("T1w/Diffusion/*",))])
def test_in_q1_the_bucket_keeps_diffusion_beside_t1w_and_the_choice_finds_it(choice: Choice) -> None:
    assert choice.filter(Q1, "100307")("Diffusion/data.nii.gz")
    assert choice.filter(S1200, "100307")("T1w/Diffusion/data.nii.gz")
    assert not choice.filter(S1200, "100307")("Diffusion/data.nii.gz")


def test_a_stray_file_in_the_bucket_belongs_to_no_package_and_ends_nothing() -> None:
    assert Choice(packages=("3T_Diffusion_preproc",)).filter(Q1, "100307")("release-notes/ReleaseNotes.txt")
    assert not Choice(packages=("3T_tfMRI_WM_preproc",)).filter(Q1, "100307")("T1w/Diffusion/data.nii.gz")


@pytest.mark.parametrize(
    "glob",
    ["", "/", "{a", "a}", "}{", "a<b", "<nothing>", "a>b", "a\\b", "a\x00", "a\nb", "/".join(["**", "a"] * 9)],
)
def test_what_is_no_glob_is_refused(glob: str) -> None:
    with pytest.raises(AddressError, match="no glob"):
        Choice(include=(glob,))
    with pytest.raises(AddressError, match="no glob"):
        Choice(exclude=(glob,))


@pytest.mark.parametrize("path", ["..", "a/../b", "a//b", "a\\b", "a/."])
def test_a_path_that_climbs_is_refused(path: str) -> None:
    with pytest.raises(AddressError):
        Choice(path)


def test_an_unknown_package_is_told_with_its_neighbours() -> None:
    with pytest.raises(AddressError, match="3T_tfMRI_MOTOR_preproc"):
        Choice(packages=("3T_tfMRI_MOTOR_prepro",))


@pytest.mark.parametrize("choice", [choice for choice, _ in CASES.values()])
def test_a_choice_comes_back_from_json_equal(choice: Choice) -> None:
    assert Choice.parse(json.loads(json.dumps(choice.format()))) == choice


@pytest.mark.parametrize("document", [{"path": 1}, {"path": "", "include": "T1w"}, {"include": 3}, {"path": "../x"}])
def test_a_choice_that_is_none_is_refused_when_read(document: dict[str, object]) -> None:
    with pytest.raises(AddressError):
        Choice.parse(document)


def test_a_single_word_may_come_bare() -> None:
    assert Choice(include="T1w/*") == Choice(include=("T1w/*",))  # type: ignore[arg-type]  # as untyped callers will
    assert Choice.of("T1w") == Choice("T1w")


names = st.text("ab1._", min_size=1, max_size=4).filter(lambda name: set(name) != {"."})
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@given(st.lists(st.sampled_from(["a", "b", "1", "*", "?", "."]), min_size=1, max_size=5).map("".join), names)
def test_without_slashes_a_glob_is_the_shells(glob: str, name: str) -> None:
    shell = fnmatchcase(name, re.sub(r"\*+", "*", glob))
    assert Choice(include=(glob,)).filter(S1200, "100307")(name) is shell


@given(paths, st.sampled_from(["**", "{**}", "**,x"]))
def test_two_stars_take_everything(path: str, glob: str) -> None:
    assert Choice(include=(glob,)).filter(S1200, "100307")(path)
    assert not Choice(exclude=(glob,)).filter(S1200, "100307")(path)


@given(paths)
def test_a_path_written_as_a_glob_takes_itself_alone(path: str) -> None:
    is_chosen = Choice(include=(path,)).filter(S1200, "100307")
    assert is_chosen(path)
    assert not is_chosen(f"{path}x")
    assert not is_chosen(f"{path}/x")

from collections import Counter

import pytest

from connectomedb.errors import AddressError
from connectomedb.hcp.layout import ReleasePath, parse_key
from connectomedb.hcp.packages import Level, Package, matches, package, packages
from connectomedb.hcp.release import RELEASES
from connectomedb.hcp.scans import Field

SIZES = {
    "3T_Structural_unproc": 18,
    "3T_rfMRI_REST1_unproc": 14,
    "3T_rfMRI_REST2_unproc": 14,
    "3T_Diffusion_unproc": 32,
    "3T_tfMRI_EMOTION_unproc": 24,
    "3T_tfMRI_GAMBLING_unproc": 30,
    "3T_tfMRI_LANGUAGE_unproc": 38,
    "3T_tfMRI_MOTOR_unproc": 30,
    "3T_tfMRI_RELATIONAL_unproc": 26,
    "3T_tfMRI_SOCIAL_unproc": 28,
    "3T_tfMRI_WM_unproc": 54,
    "3T_tfMRI_EMOTION_preproc": 56,
    "3T_tfMRI_GAMBLING_preproc": 62,
    "3T_tfMRI_LANGUAGE_preproc": 70,
    "3T_tfMRI_MOTOR_preproc": 62,
    "3T_tfMRI_RELATIONAL_preproc": 58,
    "3T_tfMRI_SOCIAL_preproc": 60,
    "3T_tfMRI_WM_preproc": 86,
    "3T_Diffusion_preproc": 14,
    "3T_rfMRI_REST_fix": 20,
    "3T_tfMRI_EMOTION_analysis_s2": 2 * 88,
    "3T_tfMRI_MOTOR_analysis_s8": 348,
    "3T_tfMRI_WM_analysis_s12": 400,
}
"""Package → files of a subject with complete data, without manifest and notes."""

HOLDS = {
    "3T_Structural_preproc": ("MNINonLinear/aparc+aseg.nii.gz", "T1w/T1w_acpc_dc_restore_1.25.nii.gz"),
    "3T_Structural_preproc_extended": ("T1w/100307/mri/orig/001.mgz", "T1w/100408/mri/orig/001.mgz"),
    "3T_Structural_1.6mm_preproc": ("MNINonLinear/ROIs/ROIs.1.60.nii.gz", "MNINonLinear/ROIs/ROIs.2.nii.gz"),
    "3T_Diffusion_preproc": ("T1w/Diffusion/eddylogs/x", "T1w/Diffusion.bedpostX/dyads1.nii.gz"),
    "3T_tfMRI_WM_preproc": ("MNINonLinear/Results/tfMRI_WM_RL/EVs/Sync.txt", "MNINonLinear/Results/tfMRI_WM/x.fsf"),
    "3T_tfMRI_WM_analysis_s4": (
        "MNINonLinear/Results/tfMRI_WM/tfMRI_WM_hp200_s4_level2.fsf",
        "MNINonLinear/Results/tfMRI_WM/tfMRI_WM_hp200_s2_level2.fsf",
    ),
    "3T_rfMRI_REST1_preproc": (
        "MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz",
        "MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR_hp2000_clean.nii.gz",
    ),
    "3T_rfMRI_REST2_fixextended": (
        "MNINonLinear/Results/rfMRI_REST2_LR/rfMRI_REST2_LR_hp2000.ica/.fix",
        "MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR_hp2000.ica/.fix",
    ),
    "3T_rfMRI_REST_fix": (
        "MNINonLinear/Results/rfMRI_REST2_RL/Atlas_hp_preclean.dtseries.nii",
        "MNINonLinear/Results/rfMRI_REST2_RL/rfMRI_REST2_RL_hp2000_clean.nii.gz",
    ),
    "3T_tfMRI_MOTOR_unproc": ("unprocessed/3T/tfMRI_MOTOR_LR/x.nii.gz", "unprocessed/3T/tfMRI_EMOTION_LR/x.nii.gz"),
    "7T_rfMRI_REST3_unproc": ("unprocessed/7T/rfMRI_REST3_PA/x.nii.gz", "unprocessed/3T/rfMRI_REST1_LR/x.nii.gz"),
    "7T_Diffusion_preproc": ("T1w/Diffusion_7T/data.nii.gz", "T1w/Diffusion/data.nii.gz"),
    "7T_MOVIE_1.6mm_fix": (
        "MNINonLinear/Results/tfMRI_MOVIE2_7T_PA/tfMRI_MOVIE2_7T_PA_Atlas_1.6mm_MSMAll_hp2000_clean.dtseries.nii",
        "MNINonLinear/Results/rfMRI_REST3_7T_PA/rfMRI_REST3_7T_PA_Atlas_1.6mm_MSMAll_hp2000_clean.dtseries.nii",
    ),
    "bedpostx": ("T1w/Diffusion.bedpostX/xfms/eye.mat", "T1w/Diffusion/data.nii.gz"),
}
"""Package → a file in it, and a file close by that is not."""


def _files(package: Package, paths: tuple[str, ...]) -> list[str]:
    return [path for path in paths if matches(package, path, "100307")]


@pytest.mark.parametrize(("name", "size"), SIZES.items(), ids=SIZES)
def test_a_package_has_as_many_files_as_its_manifest_lists(name: str, size: int, at_3t: tuple[str, ...]) -> None:
    files = _files(package(name), at_3t)
    assert len([path for path in files if not path.startswith((".xdlm/", "release-notes/"))]) == size


@pytest.mark.parametrize(("name", "inside", "outside"), [(name, *pair) for name, pair in HOLDS.items()], ids=HOLDS)
def test_a_package_holds_its_files_and_not_the_next(name: str, inside: str, outside: str) -> None:
    assert matches(package(name), inside, "100307")
    assert not matches(package(name), outside, "100307")


def test_every_file_at_3t_is_in_a_package_but_the_list_of_scans(at_3t: tuple[str, ...]) -> None:
    packed = {path for one in packages().values() for path in _files(one, at_3t)}
    left = set(at_3t) - packed
    assert left == {"unprocessed/3T/100307_3T.csv"}


def test_a_file_is_in_one_package_of_3t(at_3t: tuple[str, ...]) -> None:
    count = Counter(path for one in packages().values() for path in _files(one, at_3t))
    assert {path for path, times in count.items() if times > 1} == set()


def test_every_package_of_3t_has_files_of_a_complete_subject(at_3t: tuple[str, ...]) -> None:
    empty = {one.id for one in packages().values() if not _files(one, at_3t)}
    assert empty == {one.id for one in packages().values() if one.session is Field.MR7T} | {
        "3T_Structural_1.6mm_preproc"
    }


@pytest.mark.parametrize("name", ["3T_Structural_preproc", "3T_tfMRI_MOTOR_preproc", "7T_rfMRI_REST1_unproc"])
def test_a_package_holds_its_manifest_and_notes(name: str) -> None:
    assert matches(package(name), f".xdlm/100307_{name}.json", "100307")
    assert matches(package(name), f"release-notes/{name}.txt", "100307")
    assert matches(package(name), f"release-notes/{name[3:]}.txt", "100307") is name.startswith("3T")
    assert not matches(package(name), f".xdlm/100408_{name}.json", "100307")


def test_a_package_is_found_in_the_bucket_of_q1_through_release_paths() -> None:
    path = parse_key(RELEASES["HCP_Q1"], "q1/100307/Diffusion/data.nii.gz")
    assert path == ReleasePath("100307", "T1w/Diffusion/data.nii.gz")
    assert matches(package("3T_Diffusion_preproc"), path.path, path.subject)


def test_the_catalogue_says_session_and_level() -> None:
    motor = package("3T_tfMRI_MOTOR_preproc")
    assert (motor.id, motor.session, motor.level) == ("3T_tfMRI_MOTOR_preproc", Field.MR3T, Level.PREPROCESSED)
    assert motor.label == "Motor Task fMRI Preprocessed"
    assert package("3T_Structural_preproc").label == "Structural Preprocessed"
    assert package("3T_rfMRI_REST_fix").label == "Resting State fMRI FIX-Denoised (Compact)"
    assert package("bedpostx").level is Level.ANALYSIS


def test_ids_and_labels_are_unique_within_a_session() -> None:
    assert len({(one.session, one.label) for one in packages().values()}) == len(packages())
    assert all(name == one.id for name, one in packages().items())


def test_an_unknown_package_is_refused_with_the_nearest() -> None:
    with pytest.raises(AddressError, match="3T_Structural_preproc"):
        package("3T_Struct_preproc")
    with pytest.raises(AddressError, match="Did you mean"):
        package("")


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        packages()["x"] = package("bedpostx")  # type: ignore[index]  # the point of the test

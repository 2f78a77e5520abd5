import pytest

from connectomedb.hcp.pattern import compile_pattern

CASES = [
    ("", ("*",), "100307/x", True),
    ("", ("*",), "100307/x/y", False),
    ("T1w", ("*",), "100307/T1w/x", True),
    ("T1w", ("*.nii.gz",), "100307/T1w/xynii.gz", False),
    ("T1w", ("**",), "100307/T1w/a/b", True),
    ("T1w", ("**",), "100307/T1w/", False),
    ("", ("T1w{,/Native}/*",), "100307/T1w/Native/x", True),
    ("", ("T1w{,/Native}/*",), "100307/T1w/Other/x", False),
    ("", ("{a{b,c},d}",), "100307/ac", True),
    ("", ("{a{b,c},d}",), "100307/ad", False),
    ("T1w/<subject>", ("**",), "100307/T1w/100307/mri/x", True),
    ("T1w/<subject>", ("**",), "100307/T1w/100408/mri/x", False),
    ("<scan>", ("<scan>.nii.gz",), "100307/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz", True),
    ("<scan>", ("<scan>.nii.gz",), "100307/rfMRI_REST1_LR/rfMRI_REST1_RL.nii.gz", False),
    ("<scan>", ("x", "<scan>_y"), "100307/rfMRI_REST1_LR/x", True),
]


@pytest.mark.parametrize(("folder", "names", "path", "fits"), CASES)
def test_a_pattern_fits_whole_paths_only(folder: str, names: tuple[str, ...], path: str, fits: bool) -> None:
    assert bool(compile_pattern(folder, names).fullmatch(path)) is fits


def test_the_group_name_holds_what_stands_in_the_folder() -> None:
    found = compile_pattern("T1w", ("a", "b/*")).fullmatch("100307/T1w/b/c")
    assert found is not None
    assert found["name"] == "b/c"

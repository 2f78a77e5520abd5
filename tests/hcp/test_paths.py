import pytest

from connectomedb.errors import AddressError
from connectomedb.hcp.paths import check_file, check_path, check_subject, is_subject

UNCLEAN = {
    "empty": "",
    "absolute": "/100307/T1w/x",
    "folder": "100307/T1w/",
    "doubled slash": "100307/T1w//x",
    "dot": "100307/./x",
    "dots": "100307/../100408/T1w/ribbon.nii.gz",
    "dots at the end": "100307/..",
    "many dots": "100307/.../x",
    "dots and a blank": "100307/.. /x",
    "encoded dots": "100307/%2e%2E/x",
    "half encoded dots": "100307/.%2e/x",
    "encoded slash": "100307/..%2fx",
    "backslash": "100307/..\\x",
    "encoded backslash": "100307/..%5Cx",
    "NUL": "100307/x\x00",
    "encoded NUL": "100307/x%00",
    "newline": "100307/x\n",
    "surrogate": "100307/\ud800",
    "drive": "100307/C:/x",
}


@pytest.mark.parametrize("path", UNCLEAN.values(), ids=UNCLEAN)
def test_an_unclean_path_is_refused(path: str) -> None:
    with pytest.raises(AddressError, match="clean relative path"):
        check_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "x",
        ".xdlm/a.json",
        "T1w/aparc+aseg.nii.gz",
        "a b",
        "50%",
        "a#b",
        "a?b",
        "..x",
        "x..",
        "ab:c",
        "[1,2]",
        "Hirn/Größe",
    ],
)
def test_a_clean_path_is_kept_as_it_is(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "name",
    ["10030", "1003071", "100307a", "0100307", "", "\uff11\uff10\uff10\uff13\uff10\uff17", "100307\n", "HCP_1200"],
)
def test_a_subject_label_is_six_digits(name: str) -> None:
    assert not is_subject(name)
    with pytest.raises(AddressError, match="six digits"):
        check_subject(name, name)


@pytest.mark.parametrize(
    "name", ["100408_3T_T1w.nii.gz", "100408.L.white.surf.gii", "T1w/100408_3T.csv", "a b/100408_x"]
)
def test_a_file_named_after_another_subject_is_refused(name: str) -> None:
    with pytest.raises(AddressError, match="100408"):
        check_file("100307", name)


@pytest.mark.parametrize(
    "name", ["100307_3T.csv", "100307.L.white.surf.gii", "T1w/100307/mri/x", "1004080_x", "x100408_x"]
)
def test_a_file_of_the_subject_or_of_nobody_is_kept(name: str) -> None:
    check_file("100307", name)


def test_a_subject_cannot_smuggle_a_path() -> None:
    with pytest.raises(AddressError):
        check_file("100307/T1w", "x")

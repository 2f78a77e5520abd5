import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectomedb.errors import AddressError
from connectomedb.hcp.layout import (
    ReleasePath,
    crest_label,
    crest_resource,
    format_crest,
    format_key,
    format_release_path,
    parse_crest,
    parse_key,
    parse_release_path,
)
from connectomedb.hcp.release import RELEASES, Release
from connectomedb.xnat.address import Level, format_address, parse_address

S1200 = RELEASES["HCP_1200"]
Q1 = RELEASES["HCP_Q1"]
HOST = "https://db.humanconnectome.org"
STEM = "/data/projects/HCP_1200/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files/"

_PARTS = st.text("aZ0123456789_.-+ %#?&=;@:ß", min_size=1, max_size=12)
_FORBIDDEN = re.compile(r"(^|/)([. ]|%2e)+(/|$)|%00|%2f|%5c|(^|/)([0-9]{6}[_.]|[A-Za-z]:)", re.IGNORECASE)
INSIDE = st.lists(_PARTS, min_size=1, max_size=5).map("/".join).filter(lambda path: not _FORBIDDEN.search(path))
PATHS = st.builds(ReleasePath, st.integers(0, 999999).map("{:06d}".format), INSIDE)

KEYS = {
    "image": (S1200, "100307/T1w/Diffusion/data.nii.gz", "HCP_1200/100307/T1w/Diffusion/data.nii.gz"),
    "plus": (S1200, "100307/MNINonLinear/aparc+aseg.nii.gz", "HCP_1200/100307/MNINonLinear/aparc+aseg.nii.gz"),
    "manifest": (
        S1200,
        "100307/.xdlm/100307_3T_tfMRI_MOTOR_preproc.json",
        "HCP_1200/100307/.xdlm/100307_3T_tfMRI_MOTOR_preproc.json",
    ),
    "moved in Q1": (Q1, "100307/T1w/Diffusion/data.nii.gz", "q1/100307/Diffusion/data.nii.gz"),
    "not moved in Q1": (
        Q1,
        "100307/T1w/T1w_acpc_dc_restore_1.25.nii.gz",
        "q1/100307/T1w/T1w_acpc_dc_restore_1.25.nii.gz",
    ),
}
NO_KEYS = {
    "release path": (S1200, "100307/T1w/x"),
    "other release": (S1200, "HCP_900/100307/T1w/x"),
    "prefix with a tail": (S1200, "HCP_1200x/100307/T1w/x"),
    "marker of the release": (S1200, "HCP_1200/"),
    "marker of a subject": (S1200, "HCP_1200/100307/"),
    "marker of a folder": (S1200, "HCP_1200/100307/T1w/"),
    "subject alone": (S1200, "HCP_1200/100307"),
    "short subject": (S1200, "HCP_1200/10030/T1w/x"),
    "long subject": (S1200, "HCP_1200/0100307/T1w/x"),
    "climbing": (S1200, "HCP_1200/100307/../100408/T1w/x"),
    "climbing to the subject": (S1200, "HCP_1200/../100307/T1w/x"),
    "doubled slash": (S1200, "HCP_1200//100307/T1w/x"),
    "foreign file": (S1200, "HCP_1200/100307/T1w/100408_3T.csv"),
    "diffusion of Q1 where it is not": (Q1, "q1/100307/T1w/Diffusion/data.nii.gz"),
    "key of Q1 in capitals": (Q1, "Q1/100307/T1w/x"),
}
NO_RELEASE_PATHS = {
    "empty": "",
    "subject alone": "100307",
    "subject's folder": "100307/",
    "folder": "100307/T1w/",
    "absolute": "/100307/T1w/x",
    "doubled slash": "100307/T1w//x",
    "climbing": "100307/../100408/T1w/ribbon.nii.gz",
    "encoded climbing": "100307/%2e%2e/100408/T1w/x",
    "backslash": "100307\\T1w\\x",
    "NUL": "100307/T1w/x\x00.nii.gz",
    "five digits": "10030/T1w/x",
    "letter": "100307a/T1w/x",
    "seven digits": "0100307/T1w/x",
    "key": "HCP_1200/100307/T1w/x",
    "key of Q1": "q1/100307/T1w/x",
    "foreign file": "100307/unprocessed/3T/T1w_MPR1/100408_3T_T1w_MPR1.nii.gz",
}
NO_CREST = {
    "experiment of another": "/data/projects/P/subjects/198047/experiments/200614_CREST/resources/200614_CREST/files/x",
    "resource of another": "/data/projects/P/subjects/198047/experiments/198047_CREST/resources/200614_CREST/files/x",
    "imaging experiment": "/data/projects/P/subjects/100307/experiments/100307_3T/resources/100307_3T/files/T1w/x",
    "no subject": "/data/projects/P/experiments/100307_CREST/resources/100307_CREST/files/T1w/x",
    "no project": "/data/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files/T1w/x",
    "listing": STEM,
    "folder": STEM + "T1w/",
    "resource alone": STEM.removesuffix("/files/"),
    "climbing": STEM + "../100408/T1w/x",
    "encoded climbing": STEM + "%2e%2e/100408/T1w/x",
    "twice encoded climbing": STEM + "%252e%252e/100408/T1w/x",
    "encoded slash and climbing": STEM + "..%2fx",
    "encoded NUL": STEM + "T1w/x%00",
    "foreign file": STEM + "T1w/100408_3T.csv",
    "accession": "/data/projects/P/subjects/X_S01/experiments/X_E01/resources/12/files/T1w/x",
}


@pytest.mark.parametrize(("release", "path", "key"), KEYS.values(), ids=KEYS)
def test_a_key_is_the_prefix_and_the_release_path_but_for_what_is_moved(release: Release, path: str, key: str) -> None:
    assert format_key(release, parse_release_path(path)) == key
    assert format_release_path(parse_key(release, key)) == path


@pytest.mark.parametrize(("release", "key"), NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_key_of_the_release_is_refused(release: Release, key: str) -> None:
    with pytest.raises(AddressError):
        parse_key(release, key)


def test_a_path_of_the_bucket_of_q1_is_no_release_path() -> None:
    with pytest.raises(AddressError, match="begins with 'T1w/Diffusion/'"):
        format_key(Q1, ReleasePath("100307", "Diffusion/data.nii.gz"))


@pytest.mark.parametrize("text", NO_RELEASE_PATHS.values(), ids=NO_RELEASE_PATHS)
def test_what_is_no_release_path_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_release_path(text)


@pytest.mark.parametrize(
    ("subject", "path"), [("10030", "T1w/x"), ("100307/T1w", "x"), ("100307", "../x"), ("100307", "")]
)
def test_no_release_path_can_be_made_that_could_not_be_read(subject: str, path: str) -> None:
    with pytest.raises(AddressError):
        ReleasePath(subject, path)


def test_a_crest_address_shows_the_release_tree_below_the_subject() -> None:
    path = parse_release_path("100307/MNINonLinear/aparc+aseg.nii.gz")
    assert format_address(format_crest("HCP_1200", path)) == STEM + "MNINonLinear/aparc%2Baseg.nii.gz"


def test_a_published_crest_address_is_read() -> None:
    published = STEM.replace("/data/", "/data/archive/") + "MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR.nii.gz"
    project, path = parse_crest(parse_address(published))
    assert project == "HCP_1200"
    assert str(path) == "100307/MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR.nii.gz"


@pytest.mark.parametrize("address", NO_CREST.values(), ids=NO_CREST)
def test_what_is_no_crest_address_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        parse_crest(parse_address(address))


def test_the_crest_resource_holds_the_files() -> None:
    path = ReleasePath("100307", "T1w/x")
    assert crest_label("100307") == "100307_CREST"
    assert crest_resource("HCP_1200", "100307").child(Level.FILES, "T1w/x") == format_crest("HCP_1200", path)


@given(PATHS)
def test_a_release_path_comes_back(path: ReleasePath) -> None:
    assert parse_release_path(format_release_path(path)) == path
    assert str(path) == format_release_path(path)


@given(PATHS, st.sampled_from(sorted(RELEASES.values(), key=lambda release: release.prefix)))
def test_a_release_path_comes_back_from_its_key(path: ReleasePath, release: Release) -> None:
    assert parse_key(release, format_key(release, path)) == path


@given(PATHS, st.sampled_from(["T1w/Diffusion/", "T1w/", "MNINonLinear/"]))
def test_a_path_comes_back_from_its_key_where_folders_are_moved(path: ReleasePath, folder: str) -> None:
    path = ReleasePath(path.subject, folder + path.path)
    assert parse_key(Q1, format_key(Q1, path)) == path


@given(st.sampled_from(["Diffusion/", "T1w/", "T1w/Diffusion/", ""]), INSIDE)
def test_each_key_has_one_path_or_none(folder: str, inside: str) -> None:
    key = f"q1/100307/{folder}{inside}"
    try:
        path = parse_key(Q1, key)
    except AddressError:
        assume(False)
    assert format_key(Q1, path) == key


@given(PATHS)
def test_a_release_path_comes_back_from_its_crest_address(path: ReleasePath) -> None:
    text = format_address(format_crest("HCP_1200", path))
    assert not set(text) & set(" #?+")
    assert parse_crest(parse_address(text)) == ("HCP_1200", path)


@given(st.text(max_size=40))
def test_any_text_is_read_to_the_same_text_or_refused(text: str) -> None:
    try:
        path = parse_release_path(text)
    except AddressError:
        return
    assert format_release_path(path) == text


def test_every_file_of_a_subject_has_a_key_in_every_release(everything: tuple[str, ...]) -> None:
    for release in RELEASES.values():
        paths = [ReleasePath("100307", inside) for inside in everything]
        keys = [format_key(release, path) for path in paths]
        assert [parse_key(release, key) for key in keys] == paths
        assert len(set(keys)) == len(keys)

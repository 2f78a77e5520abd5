import pytest

from connectomedb.errors import AddressError
from connectomedb.hcp.release import RELEASES, Release, release_of

PREFIXES = {
    "HCP_Q1": "q1",
    "HCP_500": "HCP",
    "HCP_900": "HCP_900",
    "HCP_1200": "HCP_1200",
    "HCP_Retest": "HCP_Retest",
    "MY_STUDY": "MY_STUDY",
}
Q1 = RELEASES["HCP_Q1"]


@pytest.mark.parametrize(("project", "prefix"), PREFIXES.items(), ids=PREFIXES)
def test_each_project_has_its_prefix(project: str, prefix: str) -> None:
    assert release_of(project).prefix == prefix


@pytest.mark.parametrize("prefix", ["mirror/q1", "/mirror/q1/"])
def test_a_given_prefix_overrides_and_keeps_what_is_moved(prefix: str) -> None:
    assert release_of("HCP_Q1", prefix) == Release("HCP_Q1", "mirror/q1", Q1.moved)


@pytest.mark.parametrize("prefix", ["", "/", "..", "a/../b", ".connectomedb", "a//b", "a\\b"])
def test_a_prefix_that_is_no_folder_of_a_bucket_is_refused(prefix: str) -> None:
    with pytest.raises(AddressError):
        release_of("HCP_Q1", prefix)


@pytest.mark.parametrize("project", ["", "..", "a/b", "/", "a\\b"])
def test_a_project_that_is_no_single_name_is_refused(project: str) -> None:
    with pytest.raises(AddressError):
        release_of(project)


@pytest.mark.parametrize(
    ("released", "stored"),
    [
        ("T1w/Diffusion/data.nii.gz", "Diffusion/data.nii.gz"),
        ("T1w/Diffusion/eddylogs/x", "Diffusion/eddylogs/x"),
        ("T1w/T1w_acpc_dc_restore_1.25.nii.gz", "T1w/T1w_acpc_dc_restore_1.25.nii.gz"),
        ("T1w/Diffusion.bedpostX/dyads1.nii.gz", "T1w/Diffusion.bedpostX/dyads1.nii.gz"),
        ("unprocessed/3T/Diffusion/x", "unprocessed/3T/Diffusion/x"),
    ],
)
def test_the_bucket_of_q1_keeps_diffusion_beside_t1w(released: str, stored: str) -> None:
    assert Q1.to_bucket(released) == stored
    assert Q1.from_bucket(stored) == released


def test_what_was_moved_is_not_where_it_was() -> None:
    with pytest.raises(AddressError, match="Diffusion/"):
        Q1.from_bucket("T1w/Diffusion/data.nii.gz")
    with pytest.raises(AddressError, match="T1w/Diffusion/"):
        Q1.to_bucket("Diffusion/data.nii.gz")

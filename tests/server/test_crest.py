"""The release tree of a subject by REST, as ConnectomeDB offered it: one experiment and one resource named CREST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Served

CREST = "projects/HCP_Q1/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files"


@pytest.mark.parametrize("prefix", ["/data/archive", "/data", "/REST", "/REST/archive"])
def test_the_release_tree_of_a_subject_is_found_by_every_spelling(served: Served, prefix: str) -> None:
    with served.client("reader") as client:
        rows = client.get(f"{prefix}/{CREST}").json()["ResultSet"]["Result"]
        assert {row["Name"] for row in rows} >= {"bvals", "lf.txt", "aparc+aseg.nii.gz"}
        for name in ("aparc+aseg.nii.gz", "aparc%2Baseg.nii.gz"):
            assert client.get(f"{prefix}/{CREST}/MNINonLinear/{name}").content == b"labels"
        assert client.get(f"{prefix}/{CREST}/T1w/Diffusion/bvals").text == "5 1000 2000\n"
        by_id = CREST.replace("subjects/100307", "subjects/ConnectomeDB_S00001")
        assert client.get(f"{prefix}/{by_id}/T1w/Diffusion/bvals").status_code == 200
        assert client.head(f"{prefix}/{CREST}/T1w/Diffusion/bvals").headers["content-length"] == "12"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("subjects/100307/", "subjects/103515/"),
        ("experiments/100307_CREST", "experiments/103515_CREST"),
        ("resources/100307_CREST", "resources/103515_CREST"),
        ("HCP_Q1", "LAB"),
    ],
)
def test_a_wrong_subject_inside_a_right_looking_address_finds_nothing(served: Served, right: str, wrong: str) -> None:
    """This mistake was really published, in listings of files that the bucket lacked."""
    with served.client("admin") as client:
        assert client.get(f"/data/archive/{CREST.replace(right, wrong)}/T1w/Diffusion/bvals").status_code == 404

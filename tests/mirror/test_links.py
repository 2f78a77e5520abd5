"""Files of a mirror under other names: nothing is copied, nothing of somebody's is replaced."""

import errno
import os
from pathlib import Path

import pytest

from connectomedb.errors import DiskRefused
from connectomedb.hcp.arrangement import Arrangement, arranged
from connectomedb.mirror.links import Links

S = "100307"
U = "unprocessed/3T"

BIDS = [
    (f"{U}/T1w_MPR1/{S}_3T_T1w_MPR1.nii.gz", "ses-3T/anat/sub-100307_ses-3T_run-1_T1w.nii.gz"),
    (f"{U}/T2w_SPC2/{S}_3T_T2w_SPC2.nii.gz", "ses-3T/anat/sub-100307_ses-3T_run-2_T2w.nii.gz"),
    (
        f"{U}/tfMRI_MOTOR_LR/{S}_3T_tfMRI_MOTOR_LR.nii.gz",
        "ses-3T/func/sub-100307_ses-3T_task-motor_dir-LR_bold.nii.gz",
    ),
    (
        f"{U}/rfMRI_REST2_RL/{S}_3T_rfMRI_REST2_RL_SBRef.nii.gz",
        "ses-3T/func/sub-100307_ses-3T_task-rest_dir-RL_run-2_sbref.nii.gz",
    ),
    (
        f"unprocessed/7T/tfMRI_MOVIE1_AP/{S}_7T_tfMRI_MOVIE1_AP.nii.gz",
        "ses-7T/func/sub-100307_ses-7T_task-movie1_dir-AP_bold.nii.gz",
    ),
    (f"{U}/Diffusion/{S}_3T_DWI_dir95_LR.bvec", "ses-3T/dwi/sub-100307_ses-3T_acq-dir95_dir-LR_dwi.bvec"),
    (
        f"{U}/T1w_MPR1/{S}_3T_SpinEchoFieldMap_LR.nii.gz",
        "ses-3T/fmap/sub-100307_ses-3T_acq-T1wMPR1_dir-LR_epi.nii.gz",
    ),
]
ELSEWHERE = [
    (f"{U}/T1w_MPR1/{S}_3T_AFI.nii.gz", f"sourcedata/sub-100307/{U}/T1w_MPR1/{S}_3T_AFI.nii.gz"),
    (f"{U}/T1w_MPR1/999999_3T_T1w_MPR1.nii.gz", f"sourcedata/sub-100307/{U}/T1w_MPR1/999999_3T_T1w_MPR1.nii.gz"),
    ("T1w/T1w_acpc_dc.nii.gz", "derivatives/hcp/sub-100307/T1w/T1w_acpc_dc.nii.gz"),
]


@pytest.mark.parametrize(("path", "name"), [*((path, f"sub-100307/{name}") for path, name in BIDS), *ELSEWHERE])
def test_names_in_bids(path: str, name: str) -> None:
    assert arranged(Arrangement.BIDS, S, path) == name


def test_other_names() -> None:
    assert arranged(Arrangement.RELEASE, S, "T1w/a_b.nii.gz") == "100307/T1w/a_b.nii.gz"
    assert arranged(Arrangement.FLAT, S, "T1w/a_b.nii.gz") == "100307__T1w__a_b.nii.gz"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    (tmp_path / "mirror").mkdir()
    file = tmp_path / "mirror" / "a.nii.gz"
    file.write_bytes(b"bytes")
    return file


def test_a_link_is_the_file_itself_and_stays(local: Path, tmp_path: Path) -> None:
    links = Links(tmp_path / "study", Arrangement.BIDS)
    for _ in range(2):
        link = links.add("HCP_Q1", S, "T1w/a.nii.gz", local)
        assert os.path.samefile(link, local)
    assert '"Name": "HCP_Q1"' in (tmp_path / "study" / "dataset_description.json").read_text()
    assert local.stat().st_nlink == 2


def test_something_else_is_not_replaced(local: Path, tmp_path: Path) -> None:
    mine = tmp_path / "flat" / "100307__a.nii.gz"
    mine.parent.mkdir()
    mine.write_bytes(b"other")
    with pytest.raises(DiskRefused, match="Something else has this name"):
        Links(tmp_path / "flat", Arrangement.FLAT).add("HCP_Q1", S, "a.nii.gz", local)
    assert mine.read_bytes() == b"other"


def test_where_hard_links_cannot_be_symbolic_ones_are(
    local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*names: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refuse)
    for _ in range(2):
        link = Links(tmp_path / "flat", Arrangement.FLAT).add("HCP_Q1", S, "a.nii.gz", local)
    assert link.is_symlink()
    assert not Path(os.readlink(link)).is_absolute()
    assert link.read_bytes() == b"bytes"

from pathlib import Path

import pytest

from connectomedb.cohort.lockfile import LockedFile, Lockfile
from connectomedb.errors import ConfigError, DiskRefused
from connectomedb.mirror.studies import load_dictionary, load_lockfile, save_lockfile

STUDY = Lockfile("HCP_Q1", subjects=("100307",), files={"100307": {"T1w/a.nii.gz": LockedFile(1)}})


def test_a_lockfile_is_written_whole_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "study.cdb.toml"
    save_lockfile(path, STUDY)
    save_lockfile(path, STUDY)
    assert load_lockfile(path) == STUDY
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_lockfile(tmp_path / "file")
    with pytest.raises(ConfigError, match="No such file"):
        load_lockfile(tmp_path / "missing")
    with pytest.raises(ConfigError, match="directory"):
        load_dictionary(tmp_path)
    with pytest.raises(DiskRefused):
        save_lockfile(tmp_path / "file" / "study.cdb.toml", STUDY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]

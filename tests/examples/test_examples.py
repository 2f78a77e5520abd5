"""The examples run as they are, against a real store and a real server."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectomedb.demo.stage import Stage

EXAMPLES = Path(__file__).parents[2] / "examples"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(stage: Stage, clean_env: dict[str, str], tmp_path: Path) -> Run:
    def start(*words: str) -> "subprocess.CompletedProcess[str]":
        environment = {**clean_env, **stage.environment()}
        done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        return done

    return start


def test_the_tutorial_ends_in_two_pictures(run: Run, tmp_path: Path) -> None:
    from PIL import Image

    done = run(sys.executable, str(EXAMPLES / "tutorial.py"), "out")
    assert "MMSE_Score >= 29" in done.stdout
    assert "q1/100307/MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt" in done.stdout
    for name in ("T1w_acpc_dc_restore_brain.png", "tfMRI_MOTOR_LR.png"):
        picture = Image.open(tmp_path / "out" / name)
        shades = picture.convert("L").getcolors(256)
        assert picture.size == (900, 300)
        assert shades is not None
        assert len(shades) > 100


def test_the_tutorial_alone_says_what_it_needs(clean_env: dict[str, str], tmp_path: Path) -> None:
    words = [sys.executable, str(EXAMPLES / "tutorial.py")]
    done = subprocess.run(words, env=clean_env, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("Not set: XNAT_HOST")
    assert not (tmp_path / "tutorial-output").exists()


def test_curl_alone_signs_in_lists_searches_and_downloads(run: Run, tmp_path: Path, stage: Stage) -> None:
    done = run("sh", str(EXAMPLES / "rest.sh"), "lf.txt")
    assert done.stderr == ""
    assert f"User '{stage.user}' is logged in" in done.stdout
    assert "100307" in done.stdout
    assert "subject_label,mmse_score,quarantine_status" in done.stdout
    events = [line.split() for line in (tmp_path / "lf.txt").read_text().splitlines()]
    assert events
    assert all(len(event) == 3 for event in events)


def test_old_scripts_run_after_one_line(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "old.py"
    script.write_text(
        "import connectomedb\n"
        "connectomedb.install_as_pyxnat()\n"
        "import os\n"
        "from pyxnat import Interface\n"
        "from pyxnat.core.mirror import S3Bucket, S3Mirror\n"
        "keys = os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY']\n"
        "bucket = S3Bucket.open(os.environ['CONNECTOMEDB_BUCKET'], *keys)\n"
        "print([key.name for key in bucket.list('q1/', '/')][:2])\n"
        "mirror = S3Mirror.open(os.environ['CONNECTOMEDB_BUCKET'], *keys, 'mirror')\n"
        "login = os.environ['XNAT_HOST'], os.environ['XNAT_USER'], os.environ['XNAT_PASS']\n"
        "db = Interface(*login, data_mirror=mirror)\n"
        "print(len(db.project('HCP_Q1').subject('100307').files('release-notes')))\n"
    )
    done = run(sys.executable, str(script))
    assert done.stdout.splitlines() == ["['q1/', 'q1/100307/']", "9"]

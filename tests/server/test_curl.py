"""curl alone does the whole journey: sign-in, list, search, download."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Comparison, Criterion, Group, Query, parse_field

if TYPE_CHECKING:
    from tests.server.conftest import Served

PASSWORD = "correct horse"
N = "hcp:nontoolboxdata"


def curl(*arguments: str) -> str:
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", *arguments], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl_signs_in_lists_searches_and_downloads(served: Served, tmp_path: Path) -> None:
    jar = ("--cookie", str(tmp_path / "cookies"), "--cookie-jar", str(tmp_path / "cookies"))
    session = curl(*jar, "--user", f"reader:{PASSWORD}", f"{served.address}/data/JSESSION")
    assert len(session) == 32
    assert curl(*jar, f"{served.address}/data/auth") == "User 'reader' is logged in"

    subjects = curl(*jar, f"{served.address}/data/projects/HCP_Q1/subjects?format=csv&columns=label")
    assert [line.split(",")[1] for line in subjects.splitlines()] == ["label", "100307", "103515", "118932", "200614"]

    where = Group(members=(Criterion(f"{N}/MMSE_SCORE", Comparison.GREATER_EQUAL, "29"),))
    document = tmp_path / "search.xml"
    document.write_bytes(format_bundle(Query(N, (parse_field(f"{N}/SUBJECT_LABEL"),), where)))
    found = curl(*jar, "--data-binary", f"@{document}", f"{served.address}/data/search?format=csv")
    assert found.splitlines() == ["subject_label,quarantine_status", "100307,active", "103515,active"]

    crest = "experiments/100307_CREST/resources/100307_CREST/files/T1w/T1w_acpc_dc_restore_brain.nii.gz"
    target = tmp_path / "brain.nii.gz"
    address = f"{served.address}/data/projects/HCP_Q1/subjects/100307/{crest}"
    curl(*jar, "--range", "0-999999", "--output", str(target), address)
    curl(*jar, "--continue-at", "-", "--output", str(target), address)
    source = served.tree / "q1/100307/T1w/T1w_acpc_dc_restore_brain.nii.gz"
    assert hashlib.md5(target.read_bytes()).digest() == hashlib.md5(source.read_bytes()).digest()

    curl(*jar, "--request", "DELETE", f"{served.address}/data/JSESSION")
    gone = subprocess.run(["curl", "--silent", "--fail", *jar, f"{served.address}/data/auth"], capture_output=True)
    assert gone.returncode == 22

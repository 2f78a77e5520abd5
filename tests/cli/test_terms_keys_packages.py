"""What a ConnectomeDB has beyond an XNAT, on the demo's stage: terms are accepted at set-up, keys and packages work."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from connectomedb.config.s3 import s3_settings
from connectomedb.errors import StoreError
from connectomedb.stores.s3 import S3Store

if TYPE_CHECKING:
    from tests.cli.conftest import Cdb


def test_the_demo_has_terms_that_its_user_accepted_at_set_up(cdb: Cdb) -> None:
    shown = json.loads(cdb("terms", "show", "HCP_Q1", "--json").stdout)
    assert "SYNTHETIC" in shown["text"] and shown["accepted"]
    receipt = cdb("terms", "receipt", "HCP_Q1")
    assert receipt.stdout.startswith("admin accepted the terms of HCP_Q1 on ")
    assert hashlib.sha256(shown["text"].encode()).hexdigest() in receipt.stdout


def test_keys_of_ones_own_read_the_release(cdb: Cdb) -> None:
    made = json.loads(cdb("keys", "create", "--json").stdout)
    assert made["prefixes"] == ["q1/"]
    settings = s3_settings(made["access_key"], made["secret_key"], endpoint_url=made["endpoint_url"])
    mine = S3Store(made["bucket"], settings)
    deadline = time.monotonic() + 30
    while True:  # the store takes a moment to know them
        try:
            keys = [info.key for info in mine.list("q1/103515/.xdlm/")]
            break
        except StoreError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert keys
    assert cdb("keys", "revoke").returncode == 0


def test_a_subject_key_is_kept_shared_and_forgotten(cdb: Cdb, tmp_path: Path) -> None:
    codes = tmp_path / "study.key.csv"
    codes.write_text(f"Coded ID,HCP ID,Secret\nS2,103515,{'5f' * 32}\nS1,100307,{'ab' * 32}\n")
    words = ("HCP_Q1", "a-paper")
    kept = cdb(
        "subject-keys", "put", *words, "--title", "A paper, with words", "--pmid", "1", "--codes-from", str(codes)
    )
    assert kept.returncode == 0 and "codes 2 subjects" in kept.stderr and "yours alone" in kept.stderr
    (told,) = json.loads(cdb("subject-keys", "list", "HCP_Q1", "--json").stdout)
    assert (told["name"], told["pmid"], told["is_shared"], told["is_own"]) == ("a-paper", "1", False, True)
    assert cdb("subject-keys", "share", *words).returncode == 0
    shown = cdb("subject-keys", "list", "HCP_Q1").stdout.splitlines()
    assert shown[1].split("\t") == ["a-paper", "A paper, with words", "1", "admin", "yes", "2"]
    assert cdb("subject-keys", "show", *words).stdout == "Coded ID,HCP ID\nS1,100307\nS2,103515\n"
    assert json.loads(cdb("subject-keys", "show", *words, "--json").stdout) == {"S1": "100307", "S2": "103515"}
    assert cdb("subject-keys", "delete", *words).returncode == 0
    gone = cdb("subject-keys", "show", *words)
    assert gone.returncode == 5 and "a-paper" in gone.stderr


def test_a_subject_key_that_cannot_be_is_refused_before_it_is_sent(cdb: Cdb, tmp_path: Path) -> None:
    codes = tmp_path / "codes.csv"
    codes.write_text("HCP ID,Coded ID\n100307,S1\n")
    words = ("subject-keys", "put", "HCP_Q1", "x", "--codes-from", str(codes))
    refused = cdb(*words, "--title", "T")
    assert refused.returncode == 2 and "line 1" in refused.stderr
    codes.write_text("Coded ID,HCP ID\nS1,100307\n")
    assert "looks like a subject's label" in cdb(*words, "--title", "About 100307").stderr
    assert cdb("subject-keys", "share", "HCP_Q1", "x").returncode == 5


def test_a_package_of_the_demo_comes_whole(cdb: Cdb, tmp_path: Path) -> None:
    words = ("--subjects", "103515,200614", "--package", "Structural_preproc", "--to", str(tmp_path / "zips"))
    saved = [Path(line) for line in cdb("packages", "get", "HCP_Q1", *words).stdout.splitlines()]
    assert [path.name for path in saved] == [f"{s}_3T_Structural_preproc.zip" for s in ("103515", "200614")]
    for path in saved:
        line = path.with_name(f"{path.name}.md5").read_text()
        assert line.split()[0] == hashlib.md5(path.read_bytes()).hexdigest()

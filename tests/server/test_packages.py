"""Download packages: what there is, who has it, and zips that are the same bytes each time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.cli.main import main
from connectomedb.client.interface import Interface
from connectomedb.errors import NotFound, RequestError
from connectomedb.hcp.manifest import parse_manifest
from connectomedb.hcp.packages import packages
from connectomedb.mirror.mirror import Mirror
from connectomedb.server.packages import piles
from connectomedb.server.packages.fixed_zip import Member, length_of, skip, zip_pieces
from connectomedb.server.packages.holdings import tree_of
from connectomedb.server.packages.wanted import subjects_of
from connectomedb.stores.folder import FolderStore

if TYPE_CHECKING:
    from tests.server.conftest import Served

PASSWORD = "correct horse"
D = "/spring/download"
STRUCTURAL, MOTOR = "3T_Structural_preproc", "3T_tfMRI_MOTOR_preproc"
ZIP = f"{D}/HCP_Q1/100307/100307_{MOTOR}.zip"
MOTOR_FILES = {
    "100307/MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR.nii.gz": b"bold " * 400,
    "100307/MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt": b"10.0 12.0 1\n",
}
MOTOR_SIZE = sum(map(len, MOTOR_FILES.values()))


def test_all_packages_are_listed(reader: httpx2.Client) -> None:
    found = reader.get(D).json()["packages"]
    assert [one["id"] for one in found] == list(packages())
    structural = next(one for one in found if one["id"] == STRUCTURAL)
    assert structural["label"] == "Structural Preprocessed" and structural["description"]


def test_availability_by_subject(reader: httpx2.Client) -> None:
    reply = reader.get(f"{D}?subjects=100307,200614&view=subjects").json()
    (only,) = reply["subjects"]
    assert (only["project"], only["subject"]) == ("HCP_Q1", "100307")
    has = {one["id"]: (one["files"], one["size"]) for one in only["packages"]}
    assert has[MOTOR] == (2, MOTOR_SIZE)
    assert has["3T_Diffusion_preproc"] == (1, len(b"5 1000 2000\n"))
    assert STRUCTURAL in has and "3T_tfMRI_WM_preproc" not in has


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_availability_by_package(reader: httpx2.Client, method: str) -> None:
    words = f"{D}?subjects=100307&subjects=103515,118932&view=packages&package={MOTOR}&package=tfMRI_WM_preproc"
    assert reader.request(method, words).json() == {
        "packages": [
            {
                "id": MOTOR,
                "label": "Motor Task fMRI Preprocessed",
                "subjects": ["100307", "103515"],
                "asked": 3,
                "files": 4,
                "size": 2 * MOTOR_SIZE,
            }
        ]
    }


def test_a_transfer_document_names_addresses_that_any_client_can_fetch(served: Served, tmp_path: Path) -> None:
    with served.client("reader") as client:
        words = f"{D}?subjects=100307,118932&package=tfMRI_MOTOR_preproc&destination=there"
        document = client.post(words).json()
    assert (document["direction"], document["destination_root"]) == ("receive", "there")
    assert document["remote_user"] == "reader" and document["remote_host"] == "127.0.0.1"
    (path,) = document["paths"]
    assert path["source"] == ZIP
    cookie = f"JSESSIONID={served.session('reader')}"
    for name in ("source", "checksum"):
        subprocess.run(
            ["curl", "-fsS", "-b", cookie, "-OJ", f"{served.address}{path[name]}"], cwd=tmp_path, check=True, timeout=60
        )
    subprocess.run(["md5sum", "-c", f"100307_{MOTOR}.zip.md5"], cwd=tmp_path, check=True, timeout=60)


def test_a_zip_holds_its_files_and_a_manifest_of_all_of_them(reader: httpx2.Client) -> None:
    reply = reader.get(ZIP)
    assert int(reply.headers["content-length"]) == len(reply.content)
    assert f'filename="100307_{MOTOR}.zip"' in reply.headers["content-disposition"]
    with zipfile.ZipFile(BytesIO(reply.content)) as archive:
        assert archive.testzip() is None
        manifest_name = f"100307/.xdlm/100307_{MOTOR}.json"
        held = {name: archive.read(name) for name in archive.namelist()}
    manifest = parse_manifest(held.pop(manifest_name))
    assert held == MOTOR_FILES
    assert {f"100307/{entry.path}": (entry.size, entry.md5) for entry in manifest.entries} == {
        name: (len(content), hashlib.md5(content).hexdigest()) for name, content in held.items()
    }


def test_paths_in_a_zip_are_those_of_the_bucket(served: Served, tmp_path: Path) -> None:
    with served.client("reader") as client:
        content = client.get(f"{D}/HCP_Q1/100307/100307_3T_Diffusion_preproc.zip").content
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert "100307/Diffusion/bvals" in archive.namelist()
        archive.extractall(tmp_path / "q1")
    mirror = Mirror(tmp_path, [lambda release: FolderStore(tmp_path / "nothing")], prefix="q1")
    found = {one.path: str(one.verdict) for one in mirror.verify(["100307"], project="HCP_Q1")}
    assert found["Diffusion/bvals"] == "ok"


def test_the_same_bytes_come_each_time_and_from_any_byte(reader: httpx2.Client) -> None:
    whole = reader.get(ZIP)
    assert reader.get(ZIP).content == whole.content
    etag = whole.headers["etag"]
    middle = len(whole.content) // 2
    rest = reader.get(ZIP, headers={"Range": f"bytes={middle}-", "If-Range": etag})
    assert rest.status_code == 206
    assert rest.content == whole.content[middle:]
    assert reader.get(ZIP, headers={"Range": "bytes=0-3"}).content == b"PK\x03\x04"
    assert reader.get(ZIP, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    assert reader.get(ZIP, headers={"If-None-Match": etag}).status_code == 304
    head = reader.head(ZIP)
    assert (head.headers["content-length"], head.headers["etag"]) == (str(len(whole.content)), etag)


def test_its_checksum_is_right_and_remembered(reader: httpx2.Client) -> None:
    line = f"{hashlib.md5(reader.get(ZIP).content).hexdigest()}  100307_{MOTOR}.zip\n"
    assert [reader.get(f"{ZIP}.md5").text for _ in range(2)] == [line, line]


REFUSED = [
    (f"{D}?subjects=100307&view=else", 400),
    (f"{D}?subjects=&view=subjects", 400),
    (f"{D}?view=subjects", 400),
    (f"{D}?subjects=10030&view=subjects", 400),
    (f"{D}?subjects=..&view=subjects", 400),
    (f"{D}?subjects=999999&view=subjects", 404),
    (f"{D}?subjects=100307&project=NONE&view=subjects", 404),
    (f"{D}?subjects=100307&view=subjects&package=3T_nothing", 400),
    (f"{D}/HCP_Q1/100307/100307_3T_tfMRI_WM_preproc.zip", 404),
    (f"{D}/HCP_Q1/100307/103515_{MOTOR}.zip", 404),
    (f"{D}/HCP_Q1/100307/100307_{MOTOR}", 404),
    (f"{D}/HCP_Q1/100307/..%2f..%2fx.zip", 404),
    (f"{D}/HCP_Q1/118932/118932_{MOTOR}.zip", 404),
    (f"{D}/NONE/100307/100307_{MOTOR}.zip", 404),
]


@pytest.mark.parametrize(("address", "status"), REFUSED)
def test_what_makes_no_sense_is_refused(reader: httpx2.Client, address: str, status: int) -> None:
    assert reader.get(address).status_code == status


def test_a_transfer_of_nothing_is_refused(reader: httpx2.Client) -> None:
    assert reader.post(f"{D}?subjects=100307").status_code == 400
    assert reader.post(f"{D}?subjects=118932&package={MOTOR}").status_code == 404
    assert reader.post(f"{D}?subjects={','.join(f'{n:06}' for n in range(2001))}&package={MOTOR}").status_code == 400


def test_packages_are_for_those_who_may_read(served: Served, nobody: httpx2.Client) -> None:
    with served.client("stranger") as stranger:
        assert stranger.get(ZIP).status_code == stranger.get(f"{ZIP}.md5").status_code == 404
        assert stranger.get(f"{D}?subjects=100307&view=subjects").status_code == 404
        assert stranger.post(f"{D}?subjects=100307&package={MOTOR}").status_code == 404
    assert nobody.get(D).status_code == nobody.get(ZIP).status_code == 401


def test_the_client_lists_and_downloads(served: Served, tmp_path: Path) -> None:
    with Interface(served.address, "reader", PASSWORD) as db:
        assert [one.id for one in db.packages.list()] == list(packages())
        found = db.packages.for_subjects(["100307", "103515"], MOTOR)
        assert [(one.subject, one.files, one.size) for one in found] == [
            ("100307", 2, MOTOR_SIZE),
            ("103515", 2, MOTOR_SIZE),
        ]
        saved = db.packages.download([MOTOR, "Structural_preproc"], "100307", tmp_path / "zips", project="HCP_Q1")
        assert [path.name for path in saved] == [f"100307_{MOTOR}.zip", f"100307_{STRUCTURAL}.zip"]
        for path in saved:
            md5 = path.with_name(f"{path.name}.md5").read_text().split()[0]
            assert hashlib.md5(path.read_bytes()).hexdigest() == md5
        before = saved[0].stat().st_mtime_ns
        assert db.packages.download([MOTOR], "100307", tmp_path / "zips") == saved[:1]
        assert saved[0].stat().st_mtime_ns == before
        with pytest.raises(NotFound):
            db.packages.download([MOTOR], "118932", tmp_path / "none")
        with pytest.raises(RequestError, match="3T_nothing"):
            db.packages.for_subjects("100307", "3T_nothing")
    assert not (tmp_path / "none").exists()


def test_the_command_line(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("HOST", served.address), ("USER", "reader"), ("PASS", PASSWORD)):
        monkeypatch.setenv(f"XNAT_{name}", value)

    def cdb(*words: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        return ended.value.code, capsys.readouterr().out

    code, out = cdb("packages", "list", "--json")
    assert code == 0 and len(json.loads(out)) == len(packages())
    code, out = cdb("packages", "show", "HCP_Q1", "--subjects", "100307", "--package", MOTOR)
    assert (code, out) == (0, f"subject\tpackage\tfiles\tsize\n100307\t{MOTOR}\t2\t{MOTOR_SIZE}\n")
    words = ("--subjects", "100307", "--package", MOTOR, "--to", str(tmp_path / "zips"))
    code, out = cdb("packages", "get", "HCP_Q1", *words)
    assert (code, out) == (0, f"{tmp_path}/zips/100307_{MOTOR}.zip\n")
    assert cdb("packages", "get", "NONE", *words)[0] == 5


@given(
    contents=st.lists(st.binary(max_size=300), max_size=6),
    names=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\\/\x00:"), min_size=1), min_size=6),
    limit=st.sampled_from([50, 200, 700, (1 << 31) - 1]),
    cut=st.integers(0, 3000),
)
def test_lengths_of_zips_are_known_beforehand(
    contents: Sequence[bytes], names: Sequence[str], limit: int, cut: int
) -> None:
    members = [
        Member(f"{number}/{name}", len(content), _opener(content))
        for number, (name, content) in enumerate(zip(names, contents, strict=False))
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", limit)  # sizes take 64 bits from here on; really from 2 GiB
        whole = b"".join(zip_pieces(members))
        assert len(whole) == length_of(members)
        assert b"".join(skip(zip_pieces(members), cut, 100)) == whole[cut : cut + 100]
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        assert [archive.read(info) for info in archive.infolist()] == list(contents)


def _opener(content: bytes) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        half = len(content) // 2
        yield content[:half]
        yield content[half:]

    return pieces


@pytest.mark.parametrize("at_once", [1, 10_000])
def test_the_database_counts_what_counting_file_by_file_gives(
    served: Served, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(piles, "_PATHS_AT_ONCE", at_once)
    monkeypatch.setattr(piles, "_SUBJECTS_AT_ONCE", at_once)
    with served.site.database.read() as connection:
        found = subjects_of(connection, "HCP_Q1", ["100307", "103515", "118932", "200614"])
        by_database = piles.count_piles(connection, [subject.key for subject in found])
        assert set(by_database) == {subject.key for subject in found[:2]}
        for subject in found:
            rows = connection.execute(tree_of(subject)).all()
            one_by_one = piles.piles_of(subject.label, rows)
            assert _summed(by_database.get(subject.key, [])) == _summed(one_by_one)


def _summed(held: Sequence[piles.Pile]) -> dict[piles.Kind, tuple[int, int]]:
    """Files and bytes by kind, of those that belong to packages."""
    sums: dict[piles.Kind, tuple[int, int]] = {}
    for pile in held:
        if pile.kind.packages:
            files, size = sums.get(pile.kind, (0, 0))
            sums[pile.kind] = (files + pile.files, size + pile.size)
    return sums

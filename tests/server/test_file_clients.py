"""Files through the unmodified pyxnat 1.6.4, xnatpy 0.8.1 and curl: sent, read, packed and deleted."""

from __future__ import annotations

import hashlib
import subprocess
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Lab

PASSWORD = "correct horse"
SESSION = "/projects/HCP_Q1/subjects/100307/experiments/100307_3T"


@pytest.fixture(scope="module")
def pyxnat_owner(lab: Lab) -> Iterator[Any]:
    import pyxnat

    interface = pyxnat.Interface(server=lab.address, user="owner", password=PASSWORD)
    yield interface
    interface.disconnect()


@pytest.fixture(scope="module")
def xnatpy_owner(lab: Lab) -> Iterator[Any]:
    import xnat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = xnat.connect(lab.address, user="owner", password=PASSWORD)
        with session:
            yield session


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with files in folders."""
    root = tmp_path / "tree"
    (root / "sub/deep").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "sub/b.bin").write_bytes(bytes(range(256)) * 900)
    (root / "sub/deep/c d.txt").write_text("c d")
    return root


FILES = {"a.txt", "sub/b.bin", "sub/deep/c d.txt"}


def test_pyxnat_puts_reads_and_deletes_a_file(pyxnat_owner: Any, tree: Path, tmp_path: Path) -> None:
    file = pyxnat_owner.select(f"{SESSION}/resources/PYX").file("dir/b.bin")
    assert not file.exists()
    file.put(str(tree / "sub/b.bin"), format="BIN", content="RAW", tags="x")
    assert file.exists()
    assert (file.size(), file.format(), file.content(), file.labels()) == ("230400", "BIN", "RAW", "x")
    assert file.last_modified().endswith("GMT")
    target = Path(file.get(str(tmp_path / "got.bin")))
    assert target.read_bytes() == (tree / "sub/b.bin").read_bytes()
    copy = Path(file.get_copy(str(tmp_path / "copied.bin")))
    assert copy.read_bytes() == target.read_bytes()
    file.put("short text", overwrite=False)
    assert file.size() == "230400"
    file.put("short text", overwrite=True)
    assert file.size() == "10"
    file.delete()
    assert not file.exists()


def test_pyxnat_puts_a_folder_and_gets_it_back(pyxnat_owner: Any, tree: Path, tmp_path: Path) -> None:
    resource = pyxnat_owner.select(f"{SESSION}/scans/1/resources/PYXDIR")
    resource.put_dir(str(tree), overwrite=True)
    assert {file.label() for file in resource.files()} == FILES
    assert resource.attributes()["file_count"] == "3"
    out = tmp_path / "out"
    out.mkdir()
    found = {Path(path).name for path in resource.get(str(out), extract=True)}
    assert found == {"a.txt", "b.bin", "c d.txt"}
    packed = tmp_path / "more.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("z/one.txt", "1")
    resource.put_zip(str(packed), extract=True)
    assert resource.file("z/one.txt").exists()
    resource.put_zip(str(packed), extract=False)
    assert int(resource.file("more.zip").size()) == packed.stat().st_size
    resource.delete()
    assert not resource.exists()


@pytest.mark.parametrize(("kind", "label"), [("assessor", "PYXAS"), ("reconstruction", "PYXREC")])
def test_pyxnat_tells_input_from_output(pyxnat_owner: Any, kind: str, label: str) -> None:
    derived = getattr(pyxnat_owner.select(SESSION), kind)(label)
    derived.create()
    for direction in ("in", "out"):
        file = getattr(derived, f"{direction}_resource")("R").file("dir/a.txt")
        file.put(direction, overwrite=True)
        assert Path(file.get()).read_text() == direction
        assert [found.label() for found in getattr(derived, f"{direction}_resources")()] == ["R"]
    derived.in_resource("R").file("dir/a.txt").delete()
    assert not derived.in_resource("R").file("dir/a.txt").exists()
    assert derived.out_resource("R").file("dir/a.txt").exists()


def test_pyxnat_gets_scans_as_a_zip(pyxnat_owner: Any, tree: Path, tmp_path: Path) -> None:
    for scan in ("1", "2"):
        pyxnat_owner.select(f"{SESSION}/scans/{scan}/resources/NIFTI").file("t1.nii").put(str(tree / "a.txt"))
    scans = pyxnat_owner.select(SESSION).scans()
    packed = scans.download(str(tmp_path), type="ALL", extract=False)
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    assert "100307_3T/scans/1-T1w_MPR1/resources/NIFTI/files/t1.nii" in names
    assert "100307_3T/scans/2-tfMRI_MOTOR_LR/resources/NIFTI/files/t1.nii" in names


def test_xnatpy_uploads_reads_and_deletes_a_file(xnatpy_owner: Any, tree: Path, tmp_path: Path) -> None:
    experiment = xnatpy_owner.projects["HCP_Q1"].subjects["100307"].experiments["100307_3T"]
    resource = experiment.create_resource("XPY")
    resource.upload(str(tree / "sub/b.bin"), "dir/b.bin")
    resource.upload_data("some text", "text.txt")
    assert set(resource.files.keys()) == {"dir/b.bin", "text.txt"}
    file = resource.files["dir/b.bin"]
    assert int(file.size) == 230400
    assert file.digest == hashlib.md5((tree / "sub/b.bin").read_bytes()).hexdigest()
    file.download(str(tmp_path / "b.bin"), verbose=False)
    assert (tmp_path / "b.bin").read_bytes() == (tree / "sub/b.bin").read_bytes()
    with resource.files["text.txt"].open() as opened:
        assert opened.read() == b"some text"
    file.delete()
    experiment.clearcache()
    resource = experiment.resources["XPY"]
    resource.clearcache()
    assert set(resource.files.keys()) == {"text.txt"}
    assert resource.id
    resource.delete()
    experiment.clearcache()
    assert "XPY" not in experiment.resources


@pytest.mark.parametrize("method", ["tgz_file", "tar_memory", "per_file"])
def test_xnatpy_uploads_a_folder_and_downloads_it(xnatpy_owner: Any, tree: Path, tmp_path: Path, method: str) -> None:
    scan = xnatpy_owner.projects["HCP_Q1"].subjects["100307"].experiments["100307_3T"].scans["1"]
    resource = scan.create_resource(f"X{method}")
    resource.upload_dir(str(tree), method=method, overwrite=True)
    resource.clearcache()
    assert set(resource.files.keys()) == FILES
    resource.download(str(tmp_path / "resource.zip"), verbose=False)
    with zipfile.ZipFile(tmp_path / "resource.zip") as archive:
        assert archive.testzip() is None
        folder = f"100307_3T/scans/1-T1w_MPR1/resources/X{method}/files"
        assert set(archive.namelist()) == {f"{folder}/{path}" for path in FILES}
    target = tmp_path / "out"
    target.mkdir()
    resource.download_dir(str(target), verbose=False)
    assert {path.name for path in target.rglob("*") if path.is_file()} == {"a.txt", "b.bin", "c d.txt"}


def test_xnatpy_downloads_a_session_and_refreshes_its_catalog(xnatpy_owner: Any, tree: Path, tmp_path: Path) -> None:
    experiment = xnatpy_owner.projects["HCP_Q1"].subjects["100307"].experiments["100307_3T"]
    resource = experiment.scans["2"].create_resource("SESSION")
    resource.upload(str(tree / "a.txt"), "a.txt")
    experiment.download(str(tmp_path / "session.zip"), verbose=False)
    with zipfile.ZipFile(tmp_path / "session.zip") as archive:
        assert "100307_3T/scans/2-tfMRI_MOTOR_LR/resources/SESSION/files/a.txt" in archive.namelist()
    xnatpy_owner.services.refresh_catalog(resource)


def curl(lab: Lab, *arguments: str) -> str:
    cookie = f"JSESSIONID={lab.client('owner').cookies['JSESSIONID']}"
    command = ["curl", "--silent", "--show-error", "--fail", "--cookie", cookie, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl_sends_in_each_of_its_ways(lab: Lab, tree: Path, tmp_path: Path) -> None:
    resource = f"{lab.address}/data{SESSION}/resources/CURL"
    content = tree / "sub/b.bin"
    assert curl(lab, "--upload-file", str(content), f"{resource}/files/put.bin") == ""
    assert curl(lab, "--form", f"file=@{content}", f"{resource}/files") == ""
    assert curl(lab, "--data-binary", f"@{content}", f"{resource}/files/data.bin?inbody=true") == ""
    assert curl(lab, "-T", str(content), "-H", "Transfer-Encoding: chunked", f"{resource}/files/chunked.bin") == ""
    assert curl(lab, "-T", str(content), "-H", "Expect: 100-continue", f"{resource}/files/asked.bin") == ""
    packed = tmp_path / "tree.tar.gz"
    subprocess.run(["tar", "czf", str(packed), "-C", str(tree), "."], check=True)
    assert curl(lab, "--upload-file", str(packed), f"{resource}/files/packed/tree.tar.gz?extract=true") == ""
    names = curl(lab, f"{resource}/files?format=csv").splitlines()[1:]
    assert sorted(line.split(",")[2].split("/files/")[1] for line in names) == sorted(
        ["put.bin", "b.bin", "data.bin", "chunked.bin", "asked.bin", *(f"packed/{path}" for path in FILES)]
    )
    for name in ("put.bin", "b.bin", "data.bin", "chunked.bin", "asked.bin", "packed/sub/b.bin"):
        curl(lab, "--output", str(tmp_path / "got"), f"{resource}/files/{name}")
        assert (tmp_path / "got").read_bytes() == content.read_bytes()
    curl(lab, "--output", str(tmp_path / "all.tar.gz"), f"{resource}/files?format=tar.gz")
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "xzf", str(tmp_path / "all.tar.gz"), "-C", str(unpacked)], check=True)
    folder = unpacked / "100307_3T/resources/CURL/files/packed"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == FILES
    assert curl(lab, "--request", "DELETE", resource) == ""

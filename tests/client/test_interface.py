from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import connectomedb
from connectomedb.client.interface import Interface
from connectomedb.errors import AddressError, ConfigError, NotFound
from connectomedb.mirror.mirror import Mirror
from connectomedb.stores.folder import FolderStore

if TYPE_CHECKING:
    from tests.client.conftest import Site

PROJECT = "/data/projects/HCP_Q1"
CREST = f"{PROJECT}/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files"
FILES = {"T1w/brain.nii.gz": b"brain" * 5000, "T1w/xfms/a.txt": b"affine", "release-notes/notes.txt": b"notes"}


@pytest.fixture
def db(site: Site) -> Iterator[Interface]:
    serve(site, FILES)
    with Interface(site.address, "me", "hunter2-word") as opened:
        yield opened


def serve(site: Site, files: dict[str, bytes]) -> None:
    rows = [
        {
            "Name": path.rpartition("/")[2],
            "Size": str(len(content)),
            "URI": f"/data/experiments/E1/resources/105/files/{path}",
            "digest": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        }
        for path, content in files.items()
    ]
    site.on("GET", CREST, site.table(*rows))
    for path, content in files.items():
        site.on("GET", f"{CREST}/{path}", content)
    site.on("GET", "/data/projects", site.table({"ID": "HCP_Q1", "name": ""}))
    site.on("GET", f"{PROJECT}/subjects", site.table({"ID": "S1", "label": "100307"}))


def test_nothing_is_sent_at_construction(site: Site) -> None:
    with Interface(site.address, "me", "hunter2-word") as db:
        assert repr(db) == f"Interface('{site.address}')"
        db.project("HCP_Q1").subject("100307")
    assert site.everything == []


def test_settings_come_from_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="XNAT_HOST"):
        Interface()
    monkeypatch.setenv("XNAT_HOST", site.address)
    monkeypatch.setenv("XNAT_USER", "me")
    monkeypatch.setenv("XNAT_PASS", "hunter2-word")
    site.on("GET", "/data/projects", site.table({"ID": "P"}))
    with Interface() as db:
        assert db.projects().get() == ["P"]
    assert site.seen[0].is_signed


def test_without_a_mirror_files_come_over_rest_into_the_users_cache(site: Site, db: Interface, cache: Path) -> None:
    paths = db.project("HCP_Q1").subject("100307").files("T1w")
    assert [path.name for path in paths] == ["brain.nii.gz", "a.txt"]
    assert all(path.is_relative_to(cache / "connectomedb" / "mirrors") for path in paths)
    assert {path.read_bytes() for path in paths} == {FILES["T1w/xfms/a.txt"], FILES["T1w/brain.nii.gz"]}
    assert paths == sorted(paths)


def test_what_is_on_disk_costs_no_request(site: Site, db: Interface) -> None:
    subject = db.project("HCP_Q1").subject("100307")
    first = subject.files("T1w")
    asked = len(site.everything)
    assert subject.files("T1w") == first
    assert len(site.everything) == asked


def test_a_file_that_the_mirrors_source_lacks_comes_from_the_server(site: Site, tmp_path: Path) -> None:
    serve(site, FILES)
    near = tmp_path / "near"
    here = near / "q1" / "100307" / "release-notes" / "notes.txt"
    here.parent.mkdir(parents=True)
    here.write_bytes(FILES["release-notes/notes.txt"])
    mirror = Mirror(tmp_path / "mirror", [lambda release: FolderStore(near)])
    with Interface(site.address, "me", "hunter2-word", data_mirror=mirror) as db:
        subject = db.project("HCP_Q1").subject("100307")
        brain = subject.files("T1w/brain.nii.gz")
        notes = subject.files("release-notes")
    assert brain == [tmp_path / "mirror" / "q1" / "100307" / "T1w" / "brain.nii.gz"]
    assert notes[0].read_bytes() == FILES["release-notes/notes.txt"]
    assert f"{CREST}/T1w/brain.nii.gz" in [seen.path for seen in site.seen]
    assert f"{CREST}/release-notes/notes.txt" not in [seen.path for seen in site.seen]


def test_any_mirror_will_do(site: Site, tmp_path: Path) -> None:
    class Shelf:
        def files(self, subject: str, path: str = "", *, project: str) -> list[Path]:
            return [tmp_path / project / subject / path]

    with Interface(site.address, anonymous=True, data_mirror=Shelf()) as db:
        assert db.project("P").subject("123456").files("a") == [tmp_path / "P" / "123456" / "a"]
    assert site.everything == []


def test_a_subject_named_by_accession_id_is_mirrored_under_its_label(db: Interface) -> None:
    assert "100307" in db.project("HCP_Q1").subject("S1").files("release-notes")[0].parts


def test_what_is_missing_is_named_at_the_level_where_it_is_missing(db: Interface) -> None:
    with pytest.raises(NotFound, match=r"project HCP_Q7.*HCP_Q1"):
        db.project("HCP_Q7").subject("100307").files()
    with pytest.raises(NotFound, match=r"subject 999999 of project HCP_Q1.*100307"):
        db.project("HCP_Q1").subject("999999").files()
    with pytest.raises(NotFound, match="T1w"):
        db.project("HCP_Q1").subject("100307").files("T2w")


@pytest.mark.parametrize("path", ["../100308/T1w", "/etc/../..", "T1w/../../../x"])
def test_a_path_out_of_the_subject_is_refused_before_anything_is_sent(site: Site, db: Interface, path: str) -> None:
    with pytest.raises(AddressError):
        db.project("HCP_Q1").subject("100307").files(path)
    assert site.everything == []


PYXNAT_SCRIPT = """
import connectomedb
connectomedb.install_as_pyxnat()
connectomedb.install_as_pyxnat()
import pyxnat
from pyxnat import Interface
from pyxnat.core.mirror import S3Bucket, S3Mirror
assert pyxnat.Interface is Interface is connectomedb.Interface
assert pyxnat.core.mirror.S3Mirror is S3Mirror is connectomedb.S3Mirror
assert S3Bucket is connectomedb.S3Bucket
for line in ("from pyxnat.core import errors", "import pyxnat.core.schema", "from pyxnat import jsonutil"):
    try:
        exec(line)
    except ImportError:
        continue
    raise AssertionError(line)
print("fine")
"""

REAL_FIRST = """
import sys, types
sys.modules["pyxnat"] = types.ModuleType("pyxnat")
import connectomedb
try:
    connectomedb.install_as_pyxnat()
except connectomedb.errors.ConfigError as fault:
    print(fault)
"""

LIGHT = """
import sys
import connectomedb
heavy = {"httpx2", "obstore", "click", "rich", "platformdirs", "pandas", "numpy", "starlette", "sqlalchemy", "nibabel"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""

CLIENT = LIGHT.replace("import connectomedb\n", "import connectomedb\nconnectomedb.Interface, connectomedb.S3Mirror\n")


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_tutorials_own_imports_work_in_place_of_pyxnat() -> None:
    assert run(PYXNAT_SCRIPT) == "fine"


def test_a_pyxnat_that_is_imported_already_is_left_alone() -> None:
    assert "before anything imports it" in run(REAL_FIRST)


def test_importing_the_package_imports_no_library() -> None:
    assert run(LIGHT) == "[]"


def test_the_client_needs_no_library_of_an_extra() -> None:
    assert run(CLIENT) == "['httpx2', 'platformdirs']"


def test_the_public_names_are_these() -> None:
    assert connectomedb.__all__ == sorted(connectomedb.__all__)
    assert all(getattr(connectomedb, name) is not None for name in connectomedb.__all__)
    assert set(connectomedb.__all__) <= set(dir(connectomedb))
    with pytest.raises(AttributeError, match="nonsense"):
        connectomedb.nonsense  # noqa: B018  # looking it up is the test

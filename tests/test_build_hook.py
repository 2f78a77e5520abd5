"""The build hook: third-party files of the browser come as they were pinned, or not at all; a library is compiled."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CONTENT = b"export const word = 1;\n"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package in a folder, which the real npm packs without a network."""
    folder = tmp_path / "package"
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": "made-up", "version": "1.0.0"}))
    (folder / "dist/index.js").write_bytes(CONTENT)
    return folder


@pytest.fixture
def pin(tmp_path: Path, package: Path) -> Callable[[str], Path]:
    """Writes a `web` folder whose one file is pinned by that checksum."""

    def write(sha256: str) -> Path:
        web = tmp_path / "web"
        web.mkdir(exist_ok=True)
        rows = {"name": "word.js", "package": str(package), "version": "", "source": "dist/index.js"}
        rows |= {"sha256": sha256, "licence": "MIT"}
        (web / "vendor.toml").write_text("[[file]]\n" + "\n".join(f"{key} = {json.dumps(rows[key])}" for key in rows))
        return web

    return write


def test_a_pinned_file_comes_by_npm_and_only_once(
    hook: ModuleType, pin: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    web = pin(hashlib.sha256(CONTENT).hexdigest())
    (web / "vendor").mkdir()
    (web / "vendor/old.js").write_text("of an earlier version")
    assert hook.bring(web) == ["word.js"]
    assert [path.name for path in (web / "vendor").iterdir()] == ["word.js"]
    assert (web / "vendor/word.js").read_bytes() == CONTENT
    monkeypatch.setenv("PATH", "")  # what is there needs neither npm nor a network
    assert hook.bring(web) == []


def test_a_file_of_another_checksum_stops_the_build(hook: ModuleType, pin: Callable[[str], Path]) -> None:
    web = pin("0" * 64)
    with pytest.raises(hook.WrongChecksum, match=hashlib.sha256(CONTENT).hexdigest()):
        hook.bring(web)
    assert list((web / "vendor").iterdir()) == []


def test_a_changed_file_is_fetched_again(hook: ModuleType, pin: Callable[[str], Path]) -> None:
    web = pin(hashlib.sha256(CONTENT).hexdigest())
    hook.bring(web)
    (web / "vendor/word.js").write_bytes(b"something else")
    assert hook.bring(web) == ["word.js"]
    assert (web / "vendor/word.js").read_bytes() == CONTENT


def test_without_npm_and_compiler_the_build_goes_on_and_says_what_is_missing(tmp_path: Path) -> None:
    project = tmp_path / "project"
    skipped = shutil.ignore_patterns("__pycache__", "vendor", "server", "demo", "client", "mirror")
    shutil.copytree(ROOT / "src", project / "src", ignore=skipped)
    shutil.copytree(ROOT / "examples", project / "examples")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, project / name)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    environment = {"PATH": str(tmp_path / "nothing")}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    assert "image viewer" in said
    assert "npm is not installed" in said
    assert "there is no C compiler" in said
    assert [path.name.rpartition("-")[2] for path in (project / "dist").glob("*.whl")] == ["any.whl"]


@pytest.mark.parametrize(
    ("compiler", "said"), [("no-such-compiler", "no C compiler"), ("false", "could not be compiled")]
)
def test_what_cannot_be_compiled_is_named_and_nothing_old_stays(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str, said: str
) -> None:
    (tmp_path / "md5_lanes.c").write_text((ROOT / "src/connectomedb/transfer/md5_lanes.c").read_text())
    library = hook.compile_lanes(tmp_path)
    assert library.stat().st_size
    monkeypatch.setenv("CC", compiler)
    with pytest.raises(hook.NotCompiled, match=said):
        hook.compile_lanes(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["md5_lanes.c"]


def test_the_pins_name_no_registry_and_are_whole() -> None:
    text = (ROOT / "src/connectomedb/web/vendor.toml").read_text()
    assert "://" not in text
    rows: list[dict[str, Any]] = tomllib.loads(text)["file"]
    assert {row["name"] for row in rows} >= {"niivue.js", "uplot.js", "uplot.css"}
    for row in rows:
        assert len(row["sha256"]) == 64
        assert row["version"] and row["licence"]


def test_what_npm_packs_is_what_the_hook_reads(package: Path, tmp_path: Path, hook: ModuleType) -> None:
    packed = hook._pack(str(package), tmp_path)
    with tarfile.open(packed) as archive:
        assert "package/dist/index.js" in archive.getnames()


SERVE = """
import sys
from pathlib import Path
import httpx2, nibabel, numpy
from connectomedb.hcp.release import release_of
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.run import start
from connectomedb.server.site import open_site

site = open_site(Path(sys.argv[1]))
ingest_release(site.database, site.archive, Delivery(release_of("P"), "P"))
image = nibabel.Nifti1Image(numpy.ones((4, 4, 4), "u1"), numpy.eye(4)).to_bytes()
with start(site, admin_password="correct horse") as server:
    client = httpx2.Client(base_url=server.address, auth=("admin", "correct horse"))
    client.put("/data/projects/P/resources/R").raise_for_status()
    client.put("/data/projects/P/resources/R/files/a.nii", content=image).raise_for_status()
    print(client.get("/view", params={"file": "/data/projects/P/resources/R/files/a.nii"}).raise_for_status().text)
"""


def test_a_server_installed_without_npm_runs_and_its_viewer_says_what_is_missing(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    command = [sys.executable, "-c", SERVE, str(tmp_path / "data")]
    environment = {"PYTHONPATH": str(tmp_path / "src"), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=100)
    assert "installed without NiiVue" in done.stdout
    assert "/files/a.nii?preview=png" in done.stdout
    assert "vendor/" not in done.stdout

"""The manual of files shows the settings as they are; settings that make no sense are refused."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from connectomedb.errors import ConfigError
from connectomedb.server.folder import DataFolder, S3Declaration
from connectomedb.server.settings import FileSettings, read_settings
from connectomedb.server.site import open_site

MANUAL = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")


def test_the_settings_shown_are_the_defaults(tmp_path: Path) -> None:
    block, _ = re.findall(r"```toml\n(.*?)```", MANUAL, re.DOTALL)
    assert set(tomllib.loads(block)["files"]) == {field.name for field in fields(FileSettings)}
    file = tmp_path / "cdb.toml"
    file.write_text(block)
    assert read_settings(file, {}).files == FileSettings()


def test_the_store_shown_can_be_declared(tmp_path: Path) -> None:
    _, block = re.findall(r"```toml\n(.*?)```", MANUAL, re.DOTALL)
    (tmp_path / "cdb.toml").write_text(block)
    (store,) = DataFolder(tmp_path).declared_stores().values()
    assert isinstance(store, S3Declaration) and store.public_endpoint_url == "https://s3.example.org"


REFUSED = [
    "max_upload_bytes = 0",
    "max_unpacked_bytes = -1",
    "max_members = true",
    "project_quota_bytes = 1.5",
    'redirect = "yes"',
    "redirect_s = 700000",
    "uploads = 7",
    "nonsense = 1",
]


@pytest.mark.parametrize("line", REFUSED)
def test_what_makes_no_sense_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "cdb.toml"
    file.write_text(f"[files]\n{line}\n")
    with pytest.raises(ConfigError, match=line.partition(" ")[0]):
        read_settings(file, {})


def test_uploads_need_a_store_that_there_is(tmp_path: Path) -> None:
    (tmp_path / "cdb.toml").write_text('[files]\nuploads = "nowhere"\n')
    with pytest.raises(ConfigError, match="nowhere"):
        open_site(tmp_path)

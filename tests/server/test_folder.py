"""The data folder and its settings: which stores a server has."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ConfigError, ObjectMissing, StoreError
from connectomedb.server.archive import open_archive
from connectomedb.server.folder import DataFolder, FolderDeclaration, S3Declaration
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.memory import MemoryStore
from connectomedb.stores.s3 import S3Store

SETTINGS = """
[stores.bucket]
kind = "s3"
bucket = "hcp.aws.amazon.com"
endpoint_url = "http://127.0.0.1:8333"
region = "eu-west-1"

[stores.public]
kind = "s3"
bucket = "open"
anonymous = true

[stores.share]
kind = "folder"
path = "shared"
"""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.open(tmp_path / "data")


def test_a_folder_without_settings_has_its_own_store_alone(folder: DataFolder) -> None:
    assert folder.declared_stores() == {}
    assert open_archive(folder).names == ("archive",)


def test_settings_declare_stores(folder: DataFolder) -> None:
    folder.settings.write_text(SETTINGS)
    assert folder.declared_stores() == {
        "bucket": S3Declaration("hcp.aws.amazon.com", "http://127.0.0.1:8333", "eu-west-1"),
        "public": S3Declaration("open", anonymous=True),
        "share": FolderDeclaration(folder.root / "shared"),
    }


def test_keys_come_from_the_caller_and_endpoints_from_the_settings(folder: DataFolder) -> None:
    folder.settings.write_text(SETTINGS)
    archive = open_archive(folder, S3Settings("key", "secret", endpoint_url="http://other", region="x"))
    bucket, public, share = (archive.store(name) for name in ("bucket", "public", "share"))
    assert isinstance(bucket, S3Store)
    assert (bucket.settings.access_key, bucket.settings.endpoint_url) == ("key", "http://127.0.0.1:8333")
    assert isinstance(public, S3Store)
    assert (public.settings.anonymous, public.settings.endpoint_url) == (True, "http://other")
    assert isinstance(share, FolderStore)
    archive.close()


def test_bytes_come_from_the_named_store(folder: DataFolder) -> None:
    archive = open_archive(folder, stores={"more": MemoryStore({"a/b.txt": b"hello"})})
    assert b"".join(archive.open("more", "a/b.txt", 1, 3)) == b"ell"
    assert archive.md5("more", "a/b.txt") == "5d41402abc4b2a76b9719d911017c592"
    assert archive.read("more", "a/b.txt", 5) == b"hello"
    with pytest.raises(ConfigError, match="more than 4 bytes"):
        archive.read("more", "a/b.txt", 4)
    with pytest.raises(ConfigError, match=r"'none'.*archive, more"):
        archive.open("none", "a/b.txt")
    with pytest.raises(ObjectMissing):
        archive.open("more", "nothing")
    with pytest.raises(StoreError):
        archive.open("archive", "../database.sqlite")


BROKEN = {
    "no TOML": "[",
    "stores that are none": "stores = 1\n",
    "a store that is none": "stores = {a = 1}\n",
    "no kind": "[stores.a]\nbucket = 'b'\n",
    "unknown kind": "[stores.a]\nkind = 'ftp'\n",
    "no bucket": "[stores.a]\nkind = 's3'\n",
    "a bucket that is none": "[stores.a]\nkind = 's3'\nbucket = 1\n",
    "a secret": "[stores.a]\nkind = 's3'\nbucket = 'b'\nsecret_key = 'x'\n",
    "our own name": "[stores.archive]\nkind = 'folder'\npath = 'x'\n",
}


@pytest.mark.parametrize("reason", BROKEN)
def test_settings_that_make_no_sense_are_refused_without_telling_secrets(folder: DataFolder, reason: str) -> None:
    folder.settings.write_text(BROKEN[reason])
    with pytest.raises(ConfigError, match=r"cdb\.toml") as caught:
        folder.declared_stores()
    assert "'x'" not in str(caught.value)

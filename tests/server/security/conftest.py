"""The estate of the security tests, built once per process and database."""

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.server.conftest import DataFolders
from tests.server.security.estate import build

from connectomedb.demo.services.postgres import PostgresServer


@pytest.fixture(scope="session")
def template(
    tmp_path_factory: pytest.TempPathFactory,
    write_release: Callable[[Path], None],
    _data_folders: Callable[[str], DataFolders],
) -> Path:
    """The data folder of the estate on SQLite, to be copied."""
    return build(tmp_path_factory.mktemp("estate"), write_release, _data_folders("sqlite"))


@pytest.fixture(scope="session")
def copy_estate(
    engine: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    write_release: Callable[[Path], None],
    data_folder: DataFolders,
) -> Callable[[Path], Path]:
    """Copies the estate into a folder, on the database under test."""
    if engine == "sqlite":
        built: Path = request.getfixturevalue("template")
        return lambda folder: Path(shutil.copytree(built, folder))
    made = build(tmp_path_factory.mktemp("estate"), write_release, data_folder)
    server: PostgresServer = request.getfixturevalue("postgres")

    def copy(folder: Path) -> Path:
        file = Path(shutil.copytree(made, folder)) / "cdb.toml"
        url = tomllib.loads(file.read_text())["database"]["url"]
        name = urlsplit(url).path.removeprefix("/")
        file.write_text(file.read_text().replace(url, server.make_database(options=f"TEMPLATE {name}")))
        return folder

    return copy

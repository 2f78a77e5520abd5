"""The estate of the security tests, built once per process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.server.security.estate import build


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, write_release: Callable[[Path], None]) -> Path:
    """The data folder of the estate, to be copied."""
    return build(tmp_path_factory.mktemp("estate"), write_release)

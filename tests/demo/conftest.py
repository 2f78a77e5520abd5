"""A small release, generated once: the showcase subject, a plain one, one without motor task, one with a lost file."""

import pytest

from connectomedb.demo.release import DemoRelease, generate

FEW = ("100307", "103515", "131621", "200614")


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> DemoRelease:
    return generate(tmp_path_factory.mktemp("release"), subjects=FEW)

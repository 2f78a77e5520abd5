"""The stage, where it ends early; that it plays is shown by all who use it."""

from pathlib import Path

import pytest

from connectomedb.demo.stage import _generating
from connectomedb.demo.subjects import SUBJECTS
from connectomedb.errors import Interrupted


def test_leaving_early_ends_the_generation_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    with _generating(tmp_path, SUBJECTS[1:60]) as generating:
        pass
    with pytest.raises(Interrupted, match="stopped on request"):
        generating.result(timeout=0)
    assert list(tmp_path.iterdir()) == []

"""The manual of people says what is so: settings and actions; settings that make no sense are refused."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from connectomedb.errors import ConfigError
from connectomedb.server.access.audit import Action
from connectomedb.server.settings import AccessSettings, read_settings

MANUAL = (Path(__file__).parents[3] / "docs" / "people.md").read_text(encoding="utf-8")
NAMES = {field.name for field in fields(AccessSettings)}


def test_the_settings_shown_are_the_defaults(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", MANUAL, re.DOTALL)
    assert set(tomllib.loads(block)["access"]) == NAMES
    file = tmp_path / "cdb.toml"
    file.write_text(block)
    assert read_settings(file, {}).access == AccessSettings()


def test_every_action_of_the_log_is_told() -> None:
    missing = [action.value for action in Action if f"`{action.value}`" not in MANUAL]
    assert missing == []


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("value", ["-1", "1e300", "nan", "inf", "99999999999999999999", '"x"'])
def test_what_makes_no_sense_is_refused(tmp_path: Path, name: str, value: str) -> None:
    file = tmp_path / "cdb.toml"
    file.write_text(f"[access]\n{name} = {value}\n")
    with pytest.raises(ConfigError, match=name):
        read_settings(file, {})

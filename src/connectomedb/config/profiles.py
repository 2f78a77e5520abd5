"""The files that settings come from: ours, and those of `~/.aws`. Errors quote no secrets."""

import configparser
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from connectomedb.errors import ConfigError

Environment: TypeAlias = Mapping[str, str]
Table: TypeAlias = Mapping[str, object]


def surroundings(environment: Environment | None, home: Path | None) -> tuple[Environment, Path]:
    """Environment and home as given, else this process's."""
    return (os.environ if environment is None else environment, Path.home() if home is None else home)


def our_profile(name: str | None, environment: Environment, home: Path, *, must_exist: bool = True) -> Table:
    """One profile of our configuration file; empty when none is named and there is no default."""
    base = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    path = Path(environment.get("CONNECTOMEDB_CONFIG") or base / "connectomedb" / "config.toml")
    document = _read_toml(path)
    named = name or environment.get("CONNECTOMEDB_PROFILE") or text_of(document, "default")
    profiles = table_of(document, "profiles")
    if named is None or (named not in profiles and not must_exist):
        return {}
    if named not in profiles:
        there = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(f"Asked for the profile {named!r}. {path} has: {there}.")
    return table_of(profiles, named)


def aws_profiles(environment: Environment, home: Path) -> dict[str, dict[str, str]]:
    """All profiles of `~/.aws/config` and `~/.aws/credentials`, the latter winning.

    Source: file format of the AWS command line tools; in `config` all but `default` are headed `profile NAME`.
    """
    profiles: dict[str, dict[str, str]] = {}
    for variable, name in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        path = Path(environment.get(variable) or home / ".aws" / name)
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(read_text(path) or "")
        except configparser.Error:
            raise ConfigError(f"{path} cannot be read: it is no profile file. Mend it or give the keys.") from None
        for section in parser.sections():
            profiles.setdefault(section.removeprefix("profile ").strip(), {}).update(parser.items(section))
    return profiles


def text_of(table: Table, key: str) -> str | None:
    """The text under a key, None where it is empty or missing. Raises ConfigError for anything else."""
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"The configuration file's {key!r} should be text in quotes.")
    return value or None


def table_of(table: Table, key: str) -> Table:
    """The table under a key, empty where it is missing. Raises ConfigError for anything else."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"The configuration file's {key!r} should be a table.")
    return value


def _read_toml(path: Path) -> Table:
    try:
        return tomllib.loads(read_text(path) or "")
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"{path} cannot be read as TOML: {fault}. Mend it or move it away.") from None


def read_text(path: Path) -> str | None:
    """The text of a file, None if there is none. Raises ConfigError when it is there and cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}. Mend it or move it away.") from None

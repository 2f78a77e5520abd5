"""Runs the real command in a process of its own, against the stage."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connectomedb.demo.stage import Stage

Cdb = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cdb(stage: Stage, tmp_path: Path, clean_env: dict[str, str]) -> Cdb:
    """`cdb(*words, wrapper=..., **environment)` runs the command with the stage's environment."""

    def run(
        *words: str, wrapper: tuple[str, ...] = (), env: Mapping[str, str | None] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        environment: dict[str, str | None] = {**clean_env, **stage.environment(), **(env or {})}
        return subprocess.run(
            [*wrapper, sys.executable, "-m", "connectomedb", *words],
            env={name: value for name, value in environment.items() if value is not None},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run

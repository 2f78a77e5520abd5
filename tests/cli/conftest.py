"""Runs the real command in a process of its own, against the stage or without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connectomedb.demo.stage import Stage

if TYPE_CHECKING:
    from tests.conftest import Run

Cdb = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cdb(stage: Stage, tmp_path: Path, clean_env: dict[str, str], forked: Run) -> Cdb:
    """`cdb(*words, wrapper=..., **environment)` runs the command with the stage's environment."""

    def run(
        *words: str, wrapper: tuple[str, ...] = (), env: Mapping[str, str | None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        merged: dict[str, str | None] = {**clean_env, **stage.environment(), **(env or {})}
        environment = {name: value for name, value in merged.items() if value is not None}
        if not wrapper:
            return forked(list(words), environment, tmp_path)
        return subprocess.run(
            [*wrapper, sys.executable, "-m", "connectomedb", *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run


@pytest.fixture
def alone(tmp_path: Path, clean_env: dict[str, str], forked: Run) -> Cdb:
    """`alone(*words, env=...)` runs the command without the stage: no server and no bucket is known to it."""

    def run(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return forked(list(words), {**clean_env, **(env or {})}, tmp_path)

    return run

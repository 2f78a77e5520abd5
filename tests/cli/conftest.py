"""Runs the real command, in a process of its own against the stage, or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connectomedb.cli.main import main
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


@dataclass(frozen=True)
class Ran:
    """What a command gave."""

    code: int
    stdout: str
    stderr: str


InProcess = Callable[..., Ran]


@pytest.fixture
def here(
    tmp_path: Path, clean_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> InProcess:
    """`here(*words, env=...)` runs the command in this process, in `tmp_path`: no start of a process is waited for."""

    def run(*words: str, env: Mapping[str, str] | None = None) -> Ran:
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            for name in os.environ.keys() - clean_env.keys() - {"PYTEST_CURRENT_TEST"}:
                patch.delenv(name)
            for name, value in {**clean_env, **(env or {})}.items():
                patch.setenv(name, value)
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main(words)
            out, err = capsys.readouterr()
            return Ran(int(ended.value.code or 0), out, err)

    return run

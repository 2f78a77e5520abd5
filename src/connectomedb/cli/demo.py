"""`cdb demo`: see it all work on made-up data."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from connectomedb.cli import _output
from connectomedb.cli._errors import INTERRUPTED
from connectomedb.cli._options import JSON

if TYPE_CHECKING:
    from connectomedb.demo.stage import Stage

LONGEST_END_S = 12.0
"""How long ending in order may take after an interrupt."""


@click.command(name="demo")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-output"),
    show_default=True,
    help="Where everything goes; emptied at each start.",
)
@click.option("--serve", is_flag=True, help="Stay up until stopped, instead of running the tutorial.")
@click.option("--subjects", "count", type=click.IntRange(1), help="Only the first so many subjects; it is quicker.")
@JSON
def command(folder: Path, serve: bool, count: int | None, as_json: bool) -> int:
    """See it all work on made-up data: no account, no network.

    Generates a synthetic release, starts an object store and a server on this machine, and runs the tutorial against
    them. With --serve it stays up; with --json it then prints one line with server, user, password, s3_endpoint,
    access_key, secret_key and bucket.

    \b
    cdb demo
    cdb demo --serve
    cdb demo --serve --json
    """
    from connectomedb.config.proxies import spare_loopback
    from connectomedb.demo.stage import open_stage
    from connectomedb.demo.subjects import SUBJECTS

    interrupts = _Interrupts()
    unproxied = spare_loopback(os.environ)
    os.environ.update(unproxied)
    with open_stage(folder.resolve(), subjects=SUBJECTS[:count], say=interrupts.say) as stage:
        interrupts.check()
        if serve:
            _announce(stage, unproxied, as_json)
            interrupts.wait()
        return _run_tutorial(stage, folder)


def _announce(stage: "Stage", unproxied: Mapping[str, str], as_json: bool) -> None:
    if as_json:
        _output.show_json(asdict(stage))
        return
    from connectomedb.demo.stage import VISITOR

    _output.say(f"In a browser: {stage.server}   user {VISITOR}   password {stage.password}")
    _output.say(f"Administrator: user {stage.user}   password {stage.password}")
    _output.say(f"Object store {stage.s3_endpoint}   bucket {stage.bucket}")
    _output.say("All values are synthetic. To use it from another terminal:\n")
    _output.show_lines(exports({**stage.environment(), **unproxied}))
    _output.say("\nStop with Ctrl-C.")


def exports(environment: Mapping[str, str]) -> list[str]:
    """Lines for another shell; with the place of `cdb` where that is called by its path, as `make serve` does."""
    lines = [f"export {name}={value}" for name, value in environment.items()]
    if shutil.which("cdb") is None:
        lines.append(f'export PATH={shlex.quote(sysconfig.get_path("scripts"))}:"$PATH"')
    return lines


def _run_tutorial(stage: "Stage", folder: Path) -> int:
    from connectomedb.demo.examples import example

    script = example("tutorial.py")
    _output.say(f"Running {script.name}, which is yours to copy")
    done = subprocess.run(
        [sys.executable, str(script), str(folder / "tutorial")], env={**os.environ, **stage.environment()}, check=False
    )
    if done.returncode == 0:
        _output.say(f"\nDone. Files and pictures lie in {folder / 'tutorial'}; store and server are stopped.")
    return done.returncode


class _Interrupts:
    """Ctrl-C and SIGTERM end the demo, also when one comes inside of a library that swallows it."""

    def __init__(self) -> None:
        self._came = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def say(self, text: str) -> None:
        """Tell of a step, unless it is not to be taken any more."""
        self.check()
        _output.say(text)

    def check(self) -> None:
        """Raise KeyboardInterrupt when one came."""
        if self._came:
            raise KeyboardInterrupt

    def wait(self) -> NoReturn:
        """Stay until one comes."""
        while True:
            self.check()
            signal.pause()

    def _hear(self, number: int, frame: object) -> None:
        if not self._came:
            # Whatever is under way, the demo ends soon; store, server and workers end with this process.
            last_resort = threading.Timer(LONGEST_END_S, os._exit, (INTERRUPTED,))
            last_resort.daemon = True
            last_resort.start()
        self._came = True
        raise KeyboardInterrupt

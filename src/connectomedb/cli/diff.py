"""`cdb diff`: what differs between two lockfiles."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._errors import GENERAL, OK
from connectomedb.cli._options import JSON

if TYPE_CHECKING:
    from connectomedb.cohort.lock_diff import LockDiff


@click.command(name="diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@JSON
def command(before: Path, after: Path, as_json: bool) -> int:
    """Say what differs between two lockfiles: settings, patterns, subjects, files.

    `+` came, `-` went, `~` changed. Exit code 0 when nothing differs, 1 when something does.

    \b
    cdb diff study.cdb.toml yesterday/study.cdb.toml
    cdb diff a.cdb.toml b.cdb.toml --json
    """
    from connectomedb.cohort.lock_diff import diff_lockfiles, format_diff
    from connectomedb.mirror.studies import load_lockfile

    diff = diff_lockfiles(load_lockfile(before), load_lockfile(after))
    if as_json:
        _output.show_json(asdict(diff))
    else:
        _output.show_lines(list(format_diff(diff)))
        _output.say("Nothing differs." if diff.is_empty else _sum(diff))
    return OK if diff.is_empty else GENERAL


def _sum(diff: "LockDiff") -> str:
    counts = (len(diff.files_added), len(diff.files_removed), len(diff.files_changed))
    return "Files: {} came, {} went, {} changed.".format(*counts)

"""`cdb lock`: write down which subjects and which files a study uses."""

from contextlib import ExitStack
from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._cohort import PATTERNS, PREDICATE, PROJECT
from connectomedb.cli._sources import Sources, source_options
from connectomedb.cli._study import FOLDER


@click.command(name="lock")
@PREDICATE
@PATTERNS
@PROJECT
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=Path("study.cdb.toml"))
@FOLDER
@source_options
def command(
    predicate: str, patterns: tuple[str, ...], project: str, output: Path, folder: Path, sources: Sources
) -> None:
    """Write a lockfile: the subjects that PREDICATE chooses, and size and checksum of their files like PATTERN.

    Listings and manifests are read, no images. `cdb sync` brings the files back anywhere, `cdb diff` compares two.

    \b
    cdb lock "MMSE_Score >= 29 and Gender = 'F'" "T1w/*_brain.nii.gz" -o study.cdb.toml
    """
    from connectomedb.mirror.studies import save_lockfile

    with ExitStack() as stack:
        db = sources.interface(stack, folder)
        lockfile = db.where(predicate, project=project).lock(patterns)
    save_lockfile(output, lockfile)
    count = sum(1 for _ in lockfile.each_file())
    _output.show_lines([str(output)])
    _output.say(f"{len(lockfile.subjects)} subjects, {count} files of {lockfile.release}")

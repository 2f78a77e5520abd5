"""`cdb lock`: write down which subjects and which files a study uses."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._cohort import PATTERNS, PREDICATE, PROJECT, WITHOUT
from connectomedb.cli._options import JSON
from connectomedb.cli._sources import Sources, source_options
from connectomedb.cli._study import FOLDER


@click.command(name="lock")
@PREDICATE
@PATTERNS
@PROJECT
@WITHOUT
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=Path("study.cdb.toml"))
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Code the subjects by this key, made or added to as needed  [study.key.csv for study.cdb.toml]",
)
@click.option("--labels", "keeps_labels", is_flag=True, help="Keep labels though restricted columns took part.")
@FOLDER
@JSON
@source_options
def command(
    predicate: str,
    patterns: tuple[str, ...],
    project: str,
    without: tuple[str, ...],
    output: Path,
    key_file: Path | None,
    keeps_labels: bool,
    folder: Path,
    as_json: bool,
    sources: Sources,
) -> None:
    """Write a lockfile: the subjects that PREDICATE chooses, and size and checksum of their files like PATTERN.

    Listings and manifests are read, no images. `cdb sync` brings the files back anywhere, `cdb diff` compares two.
    Where restricted columns took part the lockfile has coded ids in place of labels, and seals in place of checksums;
    the subject key beside it says who is who, and is not to be published.

    \b
    cdb lock "MMSE_Score >= 29 and Gender = 'F'" "T1w/*_brain.nii.gz" -o study.cdb.toml
    """
    from connectomedb.cohort.subject_key import code_lockfile
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.mirror.coded import keep_subject_key
    from connectomedb.mirror.studies import save_lockfile

    if keeps_labels and key_file:
        raise click.UsageError("--labels keeps the labels, --key codes them. Say one of the two.")
    with ExitStack() as stack:
        db = sources.interface(stack, folder)
        cohort = db.where(predicate, project=project).without(*without)
        lockfile = cohort.lock(patterns)
        is_closed = cohort.tier() is not Tier.OPEN
    if key_file or (is_closed and not keeps_labels):
        key_file = key_file or _beside(output)
        lockfile = code_lockfile(lockfile, keep_subject_key(key_file, lockfile.subjects))
    save_lockfile(output, lockfile)
    if as_json:
        key = str(key_file) if lockfile.is_coded else None
        _output.show_json({**asdict(lockfile), "lockfile": str(output), "key": key})
        return
    count = sum(1 for _ in lockfile.each_file())
    _output.show_lines([str(output)])
    _output.say(f"{len(lockfile.subjects)} subjects, {count} files of {lockfile.release}")
    if lockfile.is_coded:
        _output.say(f"Subjects are coded. Who is who stands in {key_file}: keep it to yourself.")


def _beside(output: Path) -> Path:
    """Where the key of a lockfile lies: `study.key.csv` of `study.cdb.toml`."""
    return output.with_name(f"{output.name.removesuffix('.toml').removesuffix('.cdb')}.key.csv")

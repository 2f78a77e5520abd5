"""`cdb get`: bring files to disk, proven; or say what that would mean."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli._options import JSON
from connectomedb.cli._sizes import POSITIVE_SIZE, SIZE
from connectomedb.cli._sources import Sources, packed, source_options
from connectomedb.cli._wanted import Wanted, wanted_options

if TYPE_CHECKING:
    from connectomedb.mirror.links import Links
    from connectomedb.mirror.options import Options


@dataclass(frozen=True, slots=True)
class Way:
    """What was said about how files are brought."""

    refresh: bool
    existing: str
    jobs: int
    limit_rate: int | None
    reserve: int | None
    confirm: bool

    def options(self) -> "Options":
        """The same for the mirror."""
        from connectomedb.mirror.options import Options
        from connectomedb.mirror.plan import Existing

        return Options(
            workers=self.jobs,
            refresh=self.refresh,
            existing=Existing(self.existing),
            reserve=self.reserve,
            bytes_per_s=self.limit_rate,
            confirm=self.confirm,
        )


@dataclass(frozen=True, slots=True)
class Course:
    """What was said about plans: make one only, keep it, carry one out."""

    dry_run: bool
    save_plan: Path | None
    plan: Path | None

    def check(self, wanted: Wanted) -> None:
        """Raises a usage error for words that contradict one another."""
        if self.save_plan and not self.dry_run:
            raise click.UsageError("--save-plan goes with --dry-run.")
        if self.plan and (wanted.is_said or self.save_plan):
            raise click.UsageError("--plan says what is wanted: leave out places, subjects, globs and packages.")


@dataclass(frozen=True, slots=True)
class Arranged:
    """What was said about other names of the files."""

    layout: str | None
    links_folder: Path | None

    def links(self, folder: Path) -> "Links | None":
        """Links beside the mirror in `folder`; None when its own names will do. Raises a usage error."""
        from connectomedb.hcp.arrangement import Arrangement
        from connectomedb.mirror.links import Links

        if not self.layout:
            if self.links_folder:
                raise click.UsageError("--links goes with --layout.")
            return None
        beside = folder.with_name(f"{folder.name}-{self.layout}")
        return Links(self.links_folder or beside, Arrangement(self.layout))


def arrangement_options(command: Callable[..., object]) -> Callable[..., object]:
    """Other names of the files, handed to the command as one value, `arranged`."""
    command = packed(command, "arranged", Arranged)
    for option in (
        click.option(
            "--links",
            "links_folder",
            type=click.Path(path_type=Path, file_okay=False),
            help="Where the links of --layout go  [beside the mirror: brains-bids]",
        ),
        click.option(
            "--layout",
            type=click.Choice(["release", "bids", "flat"]),
            help="Link the files under other names: as the release has them, as BIDS, or in one folder; no copies.",
        ),
    ):
        command = option(command)
    return command


def way_options(command: Callable[..., object]) -> Callable[..., object]:
    """How files are brought, handed to the command as one value, `way`."""
    command = packed(command, "way", Way)
    for option in (
        click.option("--reserve", type=SIZE, help="Leave so much of the disk free  [1%, at least 1GB]"),
        click.option("--limit-rate", type=POSITIVE_SIZE, help="At most so many bytes per second, like 10MB."),
        click.option("--jobs", type=click.IntRange(1, 256), default=16, show_default=True, help="Files at once."),
        click.option(
            "--existing",
            type=click.Choice(["keep", "check", "refetch"]),
            default="check",
            show_default=True,
            help="Files on disk: keep what has the right size, check what is not proven yet, or refetch all.",
        ),
        click.option("--confirm", is_flag=True, help="Read files that nothing covers from a second source, too."),
        click.option("--refresh", is_flag=True, help="List the sources again even if all is here."),
    ):
        command = option(command)
    return command


def course_options(command: Callable[..., object]) -> Callable[..., object]:
    """What is done with plans, handed to the command as one value, `course`."""
    command = packed(command, "course", Course)
    file = click.Path(path_type=Path, dir_okay=False)
    there = click.Path(path_type=Path, dir_okay=False, exists=True)
    for option in (
        click.option("--plan", type=there, help="Carry out a plan that was kept; nothing is listed again."),
        click.option("--save-plan", type=file, help="Keep the plan of a dry run in a file."),
        click.option("-n", "--dry-run", is_flag=True, help="Say what would be fetched, from where, if it fits."),
    ):
        command = option(command)
    return command


@click.command(name="get")
@wanted_options
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="CONNECTOMEDB_MIRROR",
    required=True,
    help="Mirror folder [CONNECTOMEDB_MIRROR].",
)
@arrangement_options
@course_options
@way_options
@JSON
@source_options
def command(
    wanted: Wanted, folder: Path, arranged: Arranged, course: Course, way: Way, as_json: bool, sources: Sources
) -> None:
    """Bring files to disk: from the bucket, or else from the server; whole and proven, or not at all.

    Name places; or a predicate, which chooses subjects by what is known of them, and globs of their files.

    Prints the local paths. What is there already is not fetched again; after an interruption the same command goes
    on. Each of --path, --package, --include and --exclude narrows what the others leave.

    \b
    cdb get HCP_Q1/100307/T1w --to brains --bucket hcp.aws.amazon.com
    cdb get HCP_Q1 --subjects 100307,103515 --package 3T_tfMRI_MOTOR_preproc --to brains --dry-run
    cdb get "MMSE_Score >= 29 and Gender = 'F'" T1w/T1w_acpc_dc_restore_brain.nii.gz --to brains
    cdb get HCP_Q1 --subjects-from labels.csv --include '**/*.dtseries.nii' --to brains --limit-rate 10MB
    cdb get "MMSE_Score >= 29" "unprocessed/3T/T1w_MPR1/*" --to brains --layout bids --links study
    """
    course.check(wanted)
    is_chosen = wanted.predicate is not None
    groups = [] if course.plan or is_chosen else wanted.groups()
    with ExitStack() as stack:
        from connectomedb.cli._getting import Getting

        mirror, db = sources.open_both(stack, folder)
        if is_chosen:
            groups = wanted.chosen_groups(db)
        getting = Getting(mirror, way.options(), as_json, arranged.links(folder))
        if course.dry_run:
            getting.foretell(getting.kept(course.plan) if course.plan else getting.plans(groups), course.save_plan)
        elif course.plan:
            getting.carry_out(course.plan)
        else:
            getting.fetch(groups)

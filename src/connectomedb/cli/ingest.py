"""`cdb ingest`: take tables and files into a project, of a data folder in place or of a server over REST."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._server import ServerChoice, with_server
from connectomedb.cli._sources import packed
from connectomedb.errors import ConfigError
from connectomedb.hcp.ingested import Ingested, Intake

if TYPE_CHECKING:
    from connectomedb.client.delivery import Tables
    from connectomedb.hcp.dictionary_hcp import DictionaryReading
    from connectomedb.server.archive import Archive

FILE = click.Path(path_type=Path, dir_okay=False)
MOST_SKIPPED, MOST_COLUMNS = 5, 8
DICTIONARY = "dictionary"
"""The word in place of a project when only the meaning of columns comes, which all projects share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought(Intake):
    """What was said about what is brought, and what that is."""

    more_tables: tuple[Path, ...]
    dictionaries: tuple[Path, ...]
    bids: Path | None

    def tables(self, words: tuple[str, ...]) -> "Tables":
        """The files, with those named behind the project. Raises a usage error when nothing is named."""
        from connectomedb.client.delivery import Tables

        found = Tables.of([*words, *self.more_tables], self.dictionaries, self.bids or "")
        if not found.tables and not found.dictionaries and not self.stores:
            raise click.UsageError("Nothing to take in was named. Give tables, --dictionary, --bids or --store.")
        return found


def brought_options(command: Callable[..., object]) -> Callable[..., object]:
    """What is brought, handed to the command as one value, `brought`."""
    command = packed(command, "brought", Brought)
    for option in (
        click.option(
            "-n", "--dry-run", "trial", is_flag=True, help="Check all of it and say what would change; keep nothing."
        ),
        click.option("--only-known", is_flag=True, help="Refuse subjects that the project does not have."),
        click.option(
            "--accessibility",
            type=click.Choice(["private", "protected", "public"]),
            default="private",
            show_default=True,
            help="Of a project that is new.",
        ),
        click.option("--description", default="", help="Of the project, for people."),
        click.option("--title", default="", help="The project's name for people."),
        click.option("--prefix", default="", help="What keys of its files begin with  [q1 for HCP_Q1, else its id]"),
        click.option(
            "--store", "stores", multiple=True, help="A store of cdb.toml that holds files; the preferred one first."
        ),
        click.option(
            "--tier",
            type=click.Choice(["open", "restricted", "sensitive"]),
            default="restricted",
            show_default=True,
            help="Of columns whose tier no dictionary states.",
        ),
        click.option("--data-type", default="", help="Of the measures, like lab:scores  [hcp:nontoolboxdata]"),
        click.option(
            "--bids",
            type=click.Path(path_type=Path, file_okay=False, exists=True),
            help="A BIDS data set: its tables; in place, or with --store, its files, too.",
        ),
        click.option(
            "--dictionary",
            "dictionaries",
            type=FILE,
            multiple=True,
            help="What the columns mean, and their tiers: HCP's CSV, our CSV or JSON; may be repeated.",
        ),
        click.option("--table", "more_tables", type=FILE, multiple=True, help="One more TABLE."),
    ):
        command = option(command)
    return command


@click.command(name="ingest")
@click.argument("words", nargs=-1, required=True, metavar="[FOLDER] PROJECT|dictionary [FILE]...")
@brought_options
@JSON
@with_server
def command(words: tuple[str, ...], brought: Brought, as_json: bool, chosen: ServerChoice) -> None:
    """Take tables of measures and listings of files into PROJECT; all or nothing.

    A FILE is a table, CSV or TSV, the subject's label in the first column; or, with the word dictionary in place of
    PROJECT, says what the columns mean that the server has already. With FOLDER it goes into a data folder in place,
    else to a server over REST, as the project's owner or an administrator. Done again it updates: what is new comes
    in, what changed is replaced, files that left the listing go. Files are not copied: they stay in their stores.

    \b
    cdb ingest MY_STUDY behaviour.csv --dictionary columns.csv --server https://db.example.org
    cdb ingest MY_STUDY --bids /data/my-bids --tier open -n
    cdb ingest dictionary HCP_S1200_DataDictionary_Oct_30_2023.csv
    cdb ingest /data/connectomedb HCP_1200 unrestricted.csv restricted.csv --store openaccess \\
        --dictionary HCP_S1200_DataDictionary_Oct_30_2023.csv
    """
    is_in_place = chosen.server is None and Path(words[0]).is_dir()
    if is_in_place and len(words) < 2:
        raise click.UsageError(f"{words[0]} is a folder, and no project was named behind it.")
    project, *files = words[is_in_place:]
    if project == DICTIONARY:
        brought, files = replace(brought, dictionaries=(*brought.dictionaries, *map(Path, files))), []
        _check_alone(brought)
    tables = brought.tables(tuple(files))
    if is_in_place:
        done = _in_place(Path(words[0]), project, brought, tables)
    else:
        done = _over_rest(project, brought, tables, chosen)
    if as_json:
        _output.show_json(done.document())
    else:
        _tell(done)


def _over_rest(project: str, brought: Brought, tables: "Tables", chosen: ServerChoice) -> Ingested:
    from connectomedb.client.delivery import send_tables
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.mirror.studies import load_dictionary

    with chosen.open() as db:
        if project == DICTIONARY:
            project = _first([one.id() for one in db.projects()])
            readings = [load_dictionary(path, Tier(brought.tier)) for path in tables.dictionaries]
            _note(readings, is_counted=True)
        return send_tables(db.connection, project, tables, brought)


def _check_alone(brought: Brought) -> None:
    """Raises a usage error when more comes than dictionaries, which belong to no project."""
    if brought.more_tables or brought.bids or brought.stores:
        raise click.UsageError("Tables and files belong to a project: name it in place of dictionary.")
    if not brought.dictionaries:
        raise click.UsageError("No dictionary was named behind the word dictionary.")


def _first(projects: Sequence[str]) -> str:
    """A project through which columns are described, which all share. Raises ConfigError."""
    if not projects:
        raise ConfigError(
            "Asked to say what columns mean. There is no project yet, so there are no columns: "
            "bring the dictionary along with a table (--dictionary)."
        )
    return sorted(projects)[0]


def _note(readings: Iterable["DictionaryReading"], *, is_counted: bool) -> None:
    """What was odd about dictionaries, and how many columns they describe."""
    for reading in readings:
        for note in reading.notes:
            _output.say(note)
        if is_counted:
            tiers = Counter(field.tier.value for field in reading.dictionary)
            counts = ", ".join(f"{count} {tier}" for tier, count in tiers.items())
            _output.say(f"{len(reading.dictionary)} columns: {counts}")


def _in_place(folder: Path, project: str, brought: Brought, tables: "Tables") -> Ingested:
    from connectomedb.config.s3 import s3_settings
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.hcp.release import release_of
    from connectomedb.hcp.sidecars import common_definitions, definitions_of
    from connectomedb.mirror.studies import load_dictionary
    from connectomedb.server.access.auth import Accessibility
    from connectomedb.server.intake.delivery import Delivery
    from connectomedb.server.intake.ingest import ingest_release, project_ids
    from connectomedb.server.intake.subject_tables import NONTOOLBOX
    from connectomedb.server.intake.table_lines import SubjectTable
    from connectomedb.server.site import open_site

    tier = Tier(brought.tier)
    readings = {path.name: load_dictionary(path, tier) for path in tables.dictionaries}
    _note(readings.values(), is_counted=project == DICTIONARY)
    dictionaries = {name: reading.dictionary for name, reading in readings.items()}
    site = open_site(folder, settings=s3_settings())
    try:
        if project == DICTIONARY:
            project = _first(project_ids(site.database))
        stores, prefix = brought.stores, brought.prefix
        if brought.bids and not stores:
            stores, prefix = _stores_of(site.archive, brought.bids)
        release = release_of(project, prefix or None)
        delivery = Delivery(
            release,
            brought.title,
            brought.description,
            {name: site.archive.store(name).list(f"{release.prefix}/") for name in stores},
            [SubjectTable(path, definitions_of(path.name, tables.names, dictionaries), tier) for path in tables.tables],
            common_definitions(tables.names, dictionaries),
            only_known=brought.only_known,
            data_type=brought.data_type or NONTOOLBOX,
            accessibility=Accessibility(brought.accessibility),
        )
        report = ingest_release(site.database, site.archive, delivery, is_trial=brought.trial)
    finally:
        site.close()
    return report.account(project, is_kept=not brought.trial)


def _stores_of(archive: "Archive", data_set: Path) -> tuple[tuple[str, ...], str]:
    """The folder among the server's stores that a data set lies in, and what its keys begin with; says so if none."""
    from connectomedb.stores.folder import FolderStore

    place = data_set.resolve()
    for name in archive.names:
        store = archive.store(name)
        if isinstance(store, FolderStore) and store.root.resolve() in place.parents:
            return (name,), place.relative_to(store.root.resolve()).as_posix()
    _output.say(
        f"Only its tables come in: {data_set} lies in no store of the server. For its files declare the folder above "
        f'in cdb.toml: [stores.NAME], kind = "folder", path = "{place.parent}".'
    )
    return (), ""


def _tell(done: Ingested) -> None:
    """What happened, a line per table."""
    counts = (
        (done.subjects, "subjects"),
        (done.experiments, "experiments"),
        (done.scans, "scans"),
        (done.files, "files"),
        (done.measures, "measures"),
    )
    if done.subjects or done.tables or not done.described:
        _output.say(f"{done.project}: {', '.join(f'{n} {name}' for n, name in counts)}; {done.changes} rows changed")
    if done.new_subjects:
        _output.say(f"New subjects: {done.new_subjects}")
    for table in done.tables:
        rows = f"{table.rows} rows: {table.new} new, {table.changed} changed, {table.unchanged} as before"
        _output.say(f"{table.table}: {rows}")
        often = sorted(table.columns.items(), key=lambda found: -found[1])
        for name, cells in often[:MOST_COLUMNS]:
            _output.say(f"    {name}: {cells} cells changed")
        if len(often) > MOST_COLUMNS:
            _output.say(f"    and {len(often) - MOST_COLUMNS} columns more, see --json")
    if done.described:
        _output.say(f"Columns new or described anew: {len(done.described)}")
    for key, reason in list(done.skipped.items())[:MOST_SKIPPED]:
        _output.say(f"Left out {key}: {reason}")
    if not done.is_kept:
        _output.say("This was a trial: nothing is kept.")

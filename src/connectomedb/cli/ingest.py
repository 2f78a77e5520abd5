"""`cdb ingest`: take tables and files into a project of a server's data folder."""

from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON

TABLE = click.Path(path_type=Path, dir_okay=False)


@click.command(name="ingest")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("project")
@click.option("--table", "tables", type=TABLE, multiple=True, help="CSV of measures, Subject first; may be repeated.")
@click.option("--dictionary", type=TABLE, help="What the columns mean, and their tiers: HCP's CSV, our CSV or JSON.")
@click.option(
    "--tier",
    type=click.Choice(["open", "restricted", "sensitive"]),
    default="restricted",
    show_default=True,
    help="Of columns that the dictionary does not name.",
)
@click.option("--store", "stores", multiple=True, help="A store of cdb.toml that holds files; the preferred one first.")
@click.option("--prefix", help="What keys of the project's files begin with  [q1 for HCP_Q1, else the project's id]")
@click.option("--title", default="", help="The project's name for people.")
@click.option("--description", default="")
@click.option(
    "--accessibility",
    type=click.Choice(["private", "protected", "public"]),
    default="private",
    show_default=True,
    help="Of a project that is new.",
)
@JSON
def command(
    folder: Path,
    project: str,
    tables: tuple[Path, ...],
    dictionary: Path | None,
    tier: str,
    stores: tuple[str, ...],
    prefix: str | None,
    title: str,
    description: str,
    accessibility: str,
    as_json: bool,
) -> None:
    """Take tables of measures and listings of files into PROJECT of the data folder FOLDER; all or nothing.

    Done again it updates: what is new comes in, what changed is replaced, files that left the listing go. Files are
    not copied: they stay in their stores, and the server reads them there.

    \b
    cdb ingest /data/connectomedb MY_STUDY --table behaviour.csv --dictionary columns.csv
    cdb ingest /data/connectomedb HCP_1200 --store openaccess \\
        --table unrestricted.csv --table restricted.csv --dictionary HCP_S1200_DataDictionary_Oct_30_2023.csv
    """
    from connectomedb.config import s3_settings
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.hcp.release import release_of
    from connectomedb.mirror.studies import load_dictionary
    from connectomedb.server.access.auth import Accessibility
    from connectomedb.server.intake.ingest import Delivery, ingest_release
    from connectomedb.server.intake.subject_tables import SubjectTable
    from connectomedb.server.site import open_site

    if not tables and not stores:
        raise click.UsageError("Nothing to take in was named. Give --table, --store, or both.")
    reading = load_dictionary(dictionary) if dictionary else None
    for note in reading.notes if reading else ():
        _output.say(note)
    definitions = reading.dictionary.fields if reading else ()
    site = open_site(folder, settings=s3_settings())
    try:
        release = release_of(project, prefix)
        delivery = Delivery(
            release,
            title or project,
            description,
            {name: site.archive.store(name).list(f"{release.prefix}/") for name in stores},
            [SubjectTable(path, definitions, Tier(tier)) for path in tables],
            accessibility=Accessibility(accessibility),
        )
        done = ingest_release(site.database, site.archive, delivery)
    finally:
        site.close()
    counts = {name: getattr(done, name) for name in ("subjects", "experiments", "scans", "files", "measures")}
    if as_json:
        _output.show_json({"project": project, **counts, "changes": done.changes})
        return
    words = ", ".join(f"{count} {name}" for name, count in counts.items())
    _output.say(f"{project}: {words}; {done.changes} rows changed")
    for key, reason in list(done.inventory.skipped.items())[:5]:
        _output.say(f"Left out {key}: {reason}")

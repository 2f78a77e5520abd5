"""`python -m benchmarks [NAME...]`: runs benchmarks and prints their tables."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from platformdirs import user_cache_path

from benchmarks import browser, explore, ingest, listing, memory, mirror, presence, server

BENCHMARKS: dict[str, Callable[..., None]] = {
    "mirror": mirror.main,
    "memory": memory.main,
    "presence": presence.main,
    "listing": listing.main,
    "server": server.main,
    "ingest": ingest.main,
    "explore": explore.main,
    "browser": browser.main,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--rounds", default=5, show_default=True, help="How often each row is measured.")
@click.option("--small", "is_small", is_flag=True, help="A tenth of the data: a quick look, no figures to quote.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=user_cache_path("connectomedb") / "benchmarks",
    show_default=True,
    help="Where data and copies go for a while: a disk of the kind that users have, with 15 GB to spare.",
)
def main(names: tuple[str, ...], rounds: int, is_small: bool, folder: Path) -> None:
    """Measure all, or what is named: copying (mirror), memory, the all-present call (presence), and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="data-", dir=folder, ignore_cleanup_errors=True) as place:
            BENCHMARKS[name](Path(place), rounds=rounds, is_small=is_small)
        print()


if __name__ == "__main__":
    main()

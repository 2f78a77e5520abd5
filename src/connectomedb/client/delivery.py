"""Tables of measures that are sent to a server, and those that a BIDS data set holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from connectomedb.client._form import Form
from connectomedb.client.transport import Connection
from connectomedb.errors import ConfigError
from connectomedb.hcp.ingested import Ingested, Intake, parse_ingested

TIMEOUT_S = 3600.0
"""How long a server may work on a delivery, in seconds."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Files of measures (CSV or TSV, the subject first), and dictionaries that say what their columns mean."""

    tables: tuple[Path, ...] = ()
    dictionaries: tuple[Path, ...] = ()

    @classmethod
    def of(
        cls, tables: Iterable[str | Path], dictionaries: Iterable[str | Path] = (), bids: str | Path = ""
    ) -> "Tables":
        """These files, those of a BIDS data set, and the sidecar that lies beside a TSV. Raises ConfigError."""
        found = [*map(Path, tables), *(_of_bids(Path(bids)) if bids else ())]
        sidecars = (table.with_suffix(".json") for table in found if table.suffix == ".tsv")
        known = [*map(Path, dictionaries), *(sidecar for sidecar in sidecars if sidecar.is_file())]
        return cls(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(known)))

    @property
    def names(self) -> list[str]:
        """Names of the tables' files."""
        return [table.name for table in self.tables]


def send_tables(connection: Connection, project: str, tables: Tables, intake: Intake) -> Ingested:
    """Bring tables into a project of a server, all or nothing; one request. See `Interface.ingest`."""
    files = [("table", path) for path in tables.tables] + [("dictionary", path) for path in tables.dictionaries]
    for _, path in files:
        if not path.is_file():
            raise ConfigError(f"Asked to ingest {path}. There is no such file.")
    address = f"/data/projects/{quote(project, safe='')}/measures"
    return parse_ingested(connection.deliver(address, Form(files), intake.words(), timeout_s=TIMEOUT_S))


def _of_bids(folder: Path) -> list[Path]:
    """The tables of a BIDS data set: its participants, and what was measured of them."""
    participants = folder / "participants.tsv"
    if not participants.is_file():
        raise ConfigError(f"Asked for the tables of {folder}. It has no participants.tsv, so it is no BIDS data set.")
    return [participants, *sorted((folder / "phenotype").glob("*.tsv"))]

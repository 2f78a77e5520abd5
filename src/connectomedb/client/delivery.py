"""Tables of measures that are sent to a server, and those that a BIDS data set holds."""

import csv
import shutil
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

from connectomedb.client._form import Form
from connectomedb.client.transport import Connection
from connectomedb.errors import ConfigError
from connectomedb.hcp.ingested import Ingested, Intake, parse_ingested

TIMEOUT_S = 3600.0
"""How long a server may work on a delivery, in seconds."""


SESSION_ID = "session_id"
SESSIONS = "sessions.tsv"
"""What the subjects' own lists of sessions are joined into."""


class Scratch:
    """A folder of our own, as long as somebody needs it."""

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="connectomedb-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Tables:
    """Files of measures (CSV or TSV, the subject first), and dictionaries that say what their columns mean."""

    tables: tuple[Path, ...] = ()
    dictionaries: tuple[Path, ...] = ()
    scratch: "Scratch | None" = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls, tables: Iterable[str | Path], dictionaries: Iterable[str | Path] = (), bids: str | Path = ""
    ) -> "Tables":
        """These files, those of a BIDS data set, and the sidecar that lies beside a TSV. Raises ConfigError.

        Of a BIDS data set: participants, phenotypes, and the lists of sessions that subjects have, as one table.
        """
        found = [*map(Path, tables), *(_of_bids(Path(bids)) if bids else ())]
        beside = [table.with_suffix(".json") for table in found if table.suffix == ".tsv"]
        scratch = None
        if bids and (visits := sorted(Path(bids).glob("sub-*/sub-*_sessions.tsv"))):
            scratch = Scratch()
            found.append(_joined(visits, scratch.folder / SESSIONS))
            beside.append((Path(bids) / SESSIONS).with_suffix(".json"))
        known = [*map(Path, dictionaries), *(sidecar for sidecar in beside if sidecar.is_file())]
        return cls(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(known)), scratch)

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


def _joined(files: Sequence[Path], target: Path) -> Path:
    """The lists of sessions that subjects have, as one table. Raises ConfigError."""
    lists = [(file, _read_tsv(file)) for file in files]
    columns = list(dict.fromkeys(name for _, (header, _) in lists for name in header))
    if columns[:1] != [SESSION_ID]:
        raise ConfigError(f"Read {files[0]}: its first column is not {SESSION_ID}, as BIDS has it.")
    with target.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, delimiter="\t", lineterminator="\n")
        writer.writerow(("participant_id", *columns))
        for file, (header, rows) in lists:
            for row in rows:
                cells = dict(zip(header, row, strict=False))
                writer.writerow((file.parent.name, *(cells.get(name, "n/a") for name in columns)))
    return target


def _read_tsv(file: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = [row for row in csv.reader(text, delimiter="\t") if row]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise ConfigError(f"Read {file}: no TSV in UTF-8 ({fault}).") from fault
    if any(len(row) != len(rows[0]) for row in rows):
        raise ConfigError(f"Read {file}: a line has other cells than its header.")
    return (rows[0], rows[1:]) if rows else ([SESSION_ID], [])

"""The lines of a table of measures as they stand in its file: read one by one, checked for their shape."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import FieldDefinition, Tier, check_field_name

Line: TypeAlias = tuple[int, list[str]]
"""Number of a line in the file, and its cells."""

MAX_COLUMNS = 20_000
"""Most columns of one table: more than any study has, and few enough that a refusal does not take long."""

MOST_SESSIONS = 50
"""Most sessions of one table."""

_BIDS_LABEL = "participant_id"
_BIDS_PREFIX = "sub-"
_BIDS_MISSING = "n/a"
_SESSION_COLUMNS = ("session_id", "session")
_SESSION_PREFIX = "ses-"
_SESSION = re.compile(r"[A-Za-z0-9]{1,32}")


@dataclass(frozen=True, slots=True)
class SubjectTable:
    """A file of measures and what is known of its columns.

    Attributes:
        definitions: of some or all columns.
        tier: of columns without a definition. Say open only of a file that was published as such.
        name: what messages and reports call it; else its path.
    """

    path: Path
    definitions: Sequence[FieldDefinition] = ()
    tier: Tier = Tier.RESTRICTED
    name: str = ""

    def __str__(self) -> str:
        return self.name or str(self.path)


class Lines:
    """An open table: its header, then its lines, of one session if the table has some; cells without blanks around.

    A column of sessions is not among the header and the cells. A context that closes the file.
    """

    def __init__(self, table: SubjectTable, session: str = "") -> None:
        self._table = table
        self._session = session
        try:
            self._file = table.path.open(encoding="utf-8-sig", newline="")
        except OSError as fault:
            raise self._no_table(fault) from fault
        try:
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *fault: object) -> None:
        self._file.close()

    def batches(self, most_cells: int) -> Iterator[list[Line]]:
        """The lines behind the header, as many at once as hold so many cells."""
        size = max(1, most_cells // len(self.header))
        lines = self._lines()
        while batch := list(islice(lines, size)):
            yield batch

    def _lines(self) -> Iterator[Line]:
        width = len(self.header) + self._has_sessions
        for line, cells in self._raw():
            if len(cells) != width:
                raise ConfigError(f"Read {self._table}, line {line}: {len(cells)} cells where the header has {width}.")
            if self._has_sessions and _session(cells.pop(1)) != self._session:
                continue
            if self._is_bids:
                cells = [_bids_label(cells[0]), *("" if cell == _BIDS_MISSING else cell for cell in cells[1:])]
            yield line, cells

    def sessions(self) -> list[str]:
        """The sessions of the table, sorted; one without a name when it has none. Raises ConfigError."""
        if not self._has_sessions:
            return [""]
        found: set[str] = set()
        for line, cells in self._raw():
            session = _session(cells[1]) if len(cells) > 1 else ""
            if not _SESSION.fullmatch(session):
                raise ConfigError(
                    f"Read {self._table}, line {line}: a session is called {session[:80]!r}. Use letters and digits."
                )
            found.add(session)
            if len(found) > MOST_SESSIONS:
                raise ConfigError(f"Read {self._table}: there are more than {MOST_SESSIONS} sessions.")
        return sorted(found)

    def _raw(self) -> Iterator[Line]:
        try:
            for line in self._reader:
                if line:
                    yield self._reader.line_num, [cell.strip() for cell in line]
        except (OSError, UnicodeDecodeError, csv.Error) as fault:
            raise self._no_table(fault) from fault

    def _texts(self) -> Iterator[str]:
        """The lines of the file as they stand there; databases have no place for NUL."""
        for number, line in enumerate(self._file, 1):
            if "\x00" in line:
                raise ConfigError(f"Read {self._table}, line {number}: a cell holds a NUL. No table of text has one.")
            yield line

    def _read_header(self) -> list[str]:
        try:
            first = self._file.readline()
            self._file.seek(0)
        except (OSError, UnicodeDecodeError) as fault:
            raise self._no_table(fault) from fault
        self._reader = csv.reader(self._texts(), delimiter="\t" if "\t" in first else ",", strict=True)
        _, header = next(self._raw(), (0, []))
        if not header:
            raise ConfigError(f"Read {self._table}: it is empty. Write a header line that begins with Subject.")
        self._is_bids = header[0].lower() == _BIDS_LABEL
        if header[0].lower() != "subject" and not self._is_bids:
            hint = " Cells are separated by commas or tabs, not by semicolons." if ";" in header[0] else ""
            raise ConfigError(
                f"Read {self._table}: the first column is {header[0]!r}. "
                f"It must be Subject, or {_BIDS_LABEL} of BIDS: the subject's label.{hint}"
            )
        if len(header) > MAX_COLUMNS:
            raise ConfigError(f"Read {self._table}: it has {len(header)} columns. At most {MAX_COLUMNS} are taken.")
        if repeated := [name for name, count in Counter(header).items() if count > 1]:
            raise ConfigError(f"Read {self._table}: a column name occurs twice, {repeated[0]!r}. Rename or drop one.")
        self._has_sessions = len(header) > 1 and header[1].lower() in _SESSION_COLUMNS
        columns = header[2 if self._has_sessions else 1 :]
        for name in columns:
            try:
                check_field_name(name)
            except ConfigError as fault:
                raise ConfigError(f"Read {self._table}, line 1: {fault}") from fault
        return [header[0], *columns]

    def _no_table(self, fault: Exception) -> ConfigError:
        why = fault.strerror if isinstance(fault, OSError) else fault
        return ConfigError(f"Read {self._table}: no CSV table in UTF-8 ({why}).")


def _bids_label(cell: str) -> str:
    return cell.removeprefix(_BIDS_PREFIX)


def _session(cell: str) -> str:
    return cell.removeprefix(_SESSION_PREFIX)

"""What became of the files of a run, in a byte each."""

from connectomedb.errors import ConnectomeDBError
from connectomedb.mirror.record import Records

_FOUND, _FETCHED = 1, 2


class Outcomes:
    """Path inside the subject → whether the file was fetched (else: found right), or what kept it away.

    Args:
        records: of all files that it may hear of.
    """

    def __init__(self, records: Records) -> None:
        self.errors: dict[str, ConnectomeDBError] = {}
        self._row = records.row
        self._states = bytearray(len(records.claims))

    def add(self, path: str, outcome: bool | ConnectomeDBError) -> None:
        """What became of one file."""
        if isinstance(outcome, ConnectomeDBError):
            self.errors[path] = outcome
        else:
            self._states[self._row(path)] = _FETCHED if outcome else _FOUND

    def get(self, path: str) -> bool | ConnectomeDBError | None:
        """What became of one file; None where its turn never came."""
        state = self._states[self._row(path)]
        return self.errors.get(path) if not state else state == _FETCHED

    def __bool__(self) -> bool:
        return bool(self.errors) or any(self._states)

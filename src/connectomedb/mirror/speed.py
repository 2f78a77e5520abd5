"""Remembers how fast sources were, to say how long a plan will take.

    <root>/.connectomedb/speed.json
    {"format": 1, "sources": {"s3://bucket": [[bytes, seconds], ...]}}

The last few runs per source, in which it served nearly all. Written by rename; what two runs lose between them, or a
disk that cannot be written, costs a guess.
"""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from connectomedb.errors import TransferError
from connectomedb.mirror.file_reports import FileReport
from connectomedb.mirror.ledger import FOLDER
from connectomedb.transfer.whole import write_whole

FORMAT = 1
MOST_RUNS = 8
LEAST_BYTES = 1_000_000
"""Runs that fetched less say nothing about speed."""

_NEARLY_ALL = 0.9


class Speeds:
    """The speeds that were measured in one mirror folder."""

    def __init__(self, root: Path) -> None:
        self._path = root / FOLDER / "speed.json"

    def bytes_per_s(self) -> dict[str, float]:
        """Source → bytes per second over its last runs; sources never measured are left out."""
        return {
            source: sum(size for size, _ in runs) / sum(seconds for _, seconds in runs)
            for source, runs in self._load().items()
        }

    def measured(self, files: Sequence[FileReport], seconds: float) -> None:
        """Take note of a run: what it fetched, and how long that took."""
        served: dict[str, int] = {}
        total = 0
        for file in files:
            if file.fetched:
                total += file.size or 0
                for name in file.sources[:1]:
                    served[name] = served.get(name, 0) + (file.size or 0)
        source = max(served, key=lambda name: served[name], default=None)
        if source is None or total < LEAST_BYTES or served[source] < _NEARLY_ALL * total or seconds <= 0:
            return
        runs = self._load()
        runs[source] = [*runs.get(source, []), (float(total), seconds)][-MOST_RUNS:]
        with suppress(TransferError):
            self._save(runs)

    def _load(self) -> dict[str, list[tuple[float, float]]]:
        """What was measured; nothing when the file is missing or damaged."""
        try:
            document = json.loads(self._path.read_bytes())
            if document["format"] != FORMAT:
                return {}
            runs = {str(source): [_run(pair) for pair in pairs] for source, pairs in document["sources"].items()}
            return {source: pairs for source, pairs in runs.items() if pairs}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def _save(self, runs: Mapping[str, Sequence[tuple[float, float]]]) -> None:
        write_whole(self._path, json.dumps({"format": FORMAT, "sources": runs}).encode())


def _run(pair: Sequence[object]) -> tuple[float, float]:
    size, seconds = (float(str(cell)) for cell in pair)
    if not (0 < size < math.inf and 0 < seconds < math.inf):
        raise ValueError("no speed")
    return size, seconds

"""A large file: lanes help one that is nearly alone; among many it comes in long stretches, by one thread."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectomedb.errors import StoreDenied
from connectomedb.transfer import large
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.fetch import Engine, fetch
from connectomedb.transfer.large import FEW, LANES, RANGE_BYTES
from connectomedb.transfer.source import OnVersion, Sink, Span, Streams

CONTENT = os.urandom(5 * RANGE_BYTES - 1000)
EXPECTED = Expected(len(CONTENT), hashlib.md5(CONTENT).hexdigest(), Proof.MANIFEST)
PIECE = 256 << 10


@dataclass
class Wide:
    """A source that likes ranges; it notes what was asked, by which thread, and breaks off behind the byte `cut`."""

    cut: int = len(CONTENT)
    name: str = "wide"
    streams: Streams = Streams.MANY
    asked: list[tuple[int, int]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def pour(self, sink: Sink, span: Span, on_version: OnVersion) -> None:
        offset, length = span.offset, span.length
        assert length is not None
        self.asked.append((offset, length))
        self.threads.add(threading.get_ident())
        end = min(offset + length, self.cut)
        for start in range(offset, end, PIECE):
            sink(memoryview(CONTENT)[start : min(start + PIECE, end)])
        if end < offset + length:
            raise StoreDenied("broke off")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as opened:
        yield opened


@pytest.fixture
def crowded(engine: Engine) -> Iterator[Engine]:
    """An engine that has other files under way."""
    with ExitStack() as others:
        for _ in range(FEW):
            others.enter_context(engine.lanes.one_more())
        yield engine


def test_lanes_help_a_file_that_is_alone(engine: Engine, tmp_path: Path) -> None:
    source = Wide()
    done = fetch([source], tmp_path / "a", EXPECTED, engine=engine)
    assert (tmp_path / "a").read_bytes() == CONTENT and done.proof is Proof.MANIFEST
    assert sorted(offset for offset, _ in source.asked) == list(range(0, len(CONTENT), RANGE_BYTES))
    assert 1 < len(source.threads) <= LANES + 1


def test_among_many_it_comes_in_stretches(crowded: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "STRETCH", 2)
    source = Wide()
    fetch([source], tmp_path / "a", EXPECTED, engine=crowded)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert source.asked == [
        (0, 2 * RANGE_BYTES),
        (2 * RANGE_BYTES, 2 * RANGE_BYTES),
        (4 * RANGE_BYTES, RANGE_BYTES - 1000),
    ]
    assert source.threads == {threading.get_ident()}


def test_whole_ranges_of_a_stretch_that_broke_off_are_kept(crowded: Engine, tmp_path: Path) -> None:
    cut = Wide(cut=3 * RANGE_BYTES + 5000)
    with pytest.raises(StoreDenied):
        fetch([cut], tmp_path / "a", EXPECTED, engine=crowded)
    source = Wide()
    done = fetch([source], tmp_path / "a", EXPECTED, engine=crowded)
    assert (tmp_path / "a").read_bytes() == CONTENT and done.resumed == 3 * RANGE_BYTES
    assert source.asked == [(3 * RANGE_BYTES, 2 * RANGE_BYTES - 1000)]


def test_lanes_wait_until_few_files_are_left(engine: Engine, tmp_path: Path) -> None:
    engine.lanes.to_come = FEW
    source = Wide()
    fetch([source], tmp_path / "a", EXPECTED, engine=engine)
    assert len(source.threads) == 1

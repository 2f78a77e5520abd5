"""MD5 of several streams at once is that of hashlib, whatever comes in which order, and with how many beside it."""

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.transfer import digest
from connectomedb.transfer.digest import LANES, PIECE_BYTES, Digests

NOISE = random.Random(1321).randbytes(3 * PIECE_BYTES + 200)
EDGES = (0, 1, 55, 56, 57, 63, 64, 65, 119, 120, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def is_hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pieces wait, so that those of several streams are hashed in every mixture."""
    monkeypatch.setattr(digest, "WAITING", 3)


def test_the_library_was_built_where_the_tests_run() -> None:
    assert digest._library() is not None


@pytest.mark.parametrize("size", EDGES)
def test_one_stream(size: int) -> None:
    stream = Digests().new()
    stream.update(NOISE[:size])
    assert stream.hexdigest() == md5(NOISE[:size])


@given(st.lists(st.integers(0, PIECE_BYTES + 100), max_size=6))
def test_pieces_of_any_length(lengths: list[int]) -> None:
    stream, whole = Digests().new(), hashlib.md5()
    for start, length in enumerate(lengths):
        stream.update(memoryview(NOISE)[start : start + length])
        whole.update(NOISE[start : start + length])
    assert stream.hexdigest() == whole.hexdigest()


@pytest.mark.parametrize("count", range(1, LANES + 3))
@pytest.mark.usefixtures("is_hasty")
def test_streams_beside_each_other(count: int) -> None:
    digests = Digests()
    streams = [digests.new() for _ in range(count)]
    contents = [NOISE[number : 3 * PIECE_BYTES + 7 * number] for number in range(count)]
    for start in range(0, len(NOISE), 50_000):
        for stream, content in zip(streams, contents, strict=True):
            stream.update(content[start : start + 50_000])
    assert [stream.hexdigest() for stream in streams] == [md5(content) for content in contents]


@pytest.mark.parametrize(("waiting", "most"), [(1, 1), (1, 200), (5, 7), (64, 128)])
def test_streams_of_many_threads_and_some_that_are_given_up(
    waiting: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest, "WAITING", waiting)
    monkeypatch.setattr(digest, "MOST_WAITING", most)
    digests = Digests()

    def hash_noise(seed: int) -> bool:
        dice = random.Random(seed)
        stream, whole = digests.new(), hashlib.md5()
        for _ in range(dice.randint(0, 12)):
            start = dice.randrange(len(NOISE))
            piece = NOISE[start : start + dice.randint(0, 2 * PIECE_BYTES)]
            stream.update(piece)
            whole.update(piece)
        return dice.random() < 0.2 or stream.hexdigest() == whole.hexdigest()

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(hash_noise, range(120)))


def test_bytes_may_be_used_again_after_update() -> None:
    stream, buffer = Digests().new(), bytearray(NOISE[:1000])
    stream.update(memoryview(buffer))
    buffer[:] = bytes(1000)
    assert stream.hexdigest() == md5(NOISE[:1000])


def test_without_the_library_hashlib_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "LIBRARY", "_nowhere.so")
    digest._library.cache_clear()
    try:
        stream = Digests().new()
        stream.update(NOISE)
        assert isinstance(stream, type(hashlib.md5())) and stream.hexdigest() == md5(NOISE)
    finally:
        digest._library.cache_clear()

"""What every store promises, run over each kind of store: a new store is one more fixture."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectomedb.errors import AddressError, ObjectMissing
from connectomedb.stores.base import WritableStore
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.memory import MemoryStore

OBJECTS = {
    "q1/100307/.xdlm/m.json": b"{}",
    "q1/100307/T1w/aparc+aseg.nii.gz": b"volume",
    "q1/100307/T1w/empty.txt": b"",
    "q1/100307/T1w.csv": b"a,b",
    "q1/100307/T1w-more/x": b"x" * 3_000_000,
    "q1/103515/T1w/ribbon.nii.gz": b"ribbon",
}


@pytest.fixture(params=["memory", "folder", "s3"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, s3_store: Callable[[str], WritableStore]
) -> Iterator[WritableStore]:
    kinds: dict[str, Callable[[], WritableStore]] = {
        "memory": MemoryStore,
        "folder": lambda: FolderStore(tmp_path),
        "s3": lambda: s3_store("contract"),
    }
    opened = kinds[request.param]()
    for key, content in OBJECTS.items():
        opened.put(key, content)
    yield opened
    opened.close()


def test_list_gives_every_object_below_a_prefix_with_its_size(store: WritableStore) -> None:
    listed = {info.key: info.size for info in store.list("q1/100307/")}
    assert listed == {key: len(content) for key, content in OBJECTS.items() if key.startswith("q1/100307/")}


def test_prefixes_are_text_and_match_siblings(store: WritableStore) -> None:
    assert {info.key for info in store.list("q1/100307/T1w")} == {
        key for key in OBJECTS if key.startswith("q1/100307/T1w")
    }
    assert {info.key for info in store.list("q1/1003")} == {key for key in OBJECTS if key.startswith("q1/1003")}


def test_a_prefix_that_names_nothing_lists_nothing(store: WritableStore) -> None:
    assert list(store.list("q1/999999/")) == []


def test_one_level_has_objects_and_pseudo_directories(store: WritableStore) -> None:
    level = store.list_level("q1/100307/")
    assert {info.key for info in level.objects} == {"q1/100307/T1w.csv"}
    assert set(level.prefixes) == {"q1/100307/.xdlm/", "q1/100307/T1w/", "q1/100307/T1w-more/"}


@pytest.mark.parametrize(("offset", "length"), [(0, None), (2, None), (0, 3), (1_500_000, 1_000_000), (2_999_999, 5)])
def test_open_starts_at_the_offset_and_ends_after_the_length(
    store: WritableStore, offset: int, length: int | None
) -> None:
    key = "q1/100307/T1w-more/x"
    end = None if length is None else offset + length
    assert b"".join(store.open(key, offset, length)) == OBJECTS[key][offset:end]


def test_an_empty_object_is_a_file(store: WritableStore) -> None:
    assert b"".join(store.open("q1/100307/T1w/empty.txt")) == b""
    assert store.head("q1/100307/T1w/empty.txt").size == 0


def test_a_missing_object_is_named(store: WritableStore) -> None:
    with pytest.raises(ObjectMissing, match=r"q1/100307/none"):
        store.head("q1/100307/none")
    with pytest.raises(ObjectMissing, match=r"q1/100307/none"):
        b"".join(store.open("q1/100307/none"))


def test_nothing_lies_below_an_object(store: WritableStore) -> None:
    for ask in (store.head, lambda key: b"".join(store.open(key))):
        with pytest.raises(ObjectMissing, match=r"empty\.txt/more"):
            ask("q1/100307/T1w/empty.txt/more")


def test_a_folder_is_no_object(store: WritableStore) -> None:
    with pytest.raises(ObjectMissing):
        store.head("q1/100307/T1w")


def test_what_was_put_is_what_is_read_and_claimed(store: WritableStore, tmp_path: Path) -> None:
    content = bytes(range(256)) * 100
    file = tmp_path / "upload"
    file.write_bytes(content)
    info = store.put("new/a b+c%20.bin", file)
    assert info.size == len(content)
    assert info.md5 in (None, hashlib.md5(content).hexdigest())
    assert b"".join(store.open("new/a b+c%20.bin")) == content


def test_put_replaces_and_delete_forgets(store: WritableStore) -> None:
    store.put("q1/a", b"one")
    store.put("q1/a", b"two")
    assert b"".join(store.open("q1/a")) == b"two"
    store.delete("q1/a")
    store.delete("q1/a")
    with pytest.raises(ObjectMissing):
        store.head("q1/a")


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", "", "a/", "a\\b", "c:/x", "a\x00b", "./a"])
def test_keys_that_could_leave_the_store_are_refused(store: WritableStore, key: str) -> None:
    with pytest.raises(AddressError):
        store.put(key, b"x")
    with pytest.raises(AddressError):
        b"".join(store.open(key))


@pytest.mark.parametrize("word", ["put", "adopt"])
def test_the_name_of_an_object_outlasts_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """What is synced: each folder that got a new name, and of copies the bytes; all before the call returns."""
    synced: list[str] = []
    sync = os.fsync

    def note(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    (tmp_path / "root").mkdir()
    (tmp_path / "new").write_bytes(b"bytes")
    getattr(FolderStore(tmp_path / "root"), word)("a/b/key", tmp_path / "new")
    root = str(tmp_path / "root")
    assert [path for path in synced if os.path.isdir(path)] == [root, f"{root}/a", f"{root}/a/b"]
    assert any(path.startswith(f"{root}/a/b/.part-") for path in synced) is (word == "put")

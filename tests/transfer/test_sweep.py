"""What killed runs left beside files that have come since is cleared; what anybody may still want stays."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectomedb.errors import DiskRefused, Interrupted
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.mirror import Mirror, OneStore
from connectomedb.mirror.options import Options
from connectomedb.mirror.sync import sync
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.begun import LONG_SILENT_S
from connectomedb.transfer.checksum import LONG_BYTES
from connectomedb.transfer.large import RANGE_BYTES
from connectomedb.transfer.part import private_stem
from connectomedb.transfer.run import Run
from connectomedb.transfer.sweep import sweep
from connectomedb.transfer.whole import replacing

HERE = Run.here()
ENDED = Run(HERE.host, os.getpid(), "1")
FAR = Run("elsewhere", 1, "1")
LONG = "x" * 200 + ".nii.gz"


def plant(folder: Path, name: str, run: Run, age_s: float = 0.0, *, is_large: bool = False) -> Path:
    """An unfinished part of a file."""
    part = folder / f"{private_stem(name)}{run}{'' if is_large else f'-{threading.get_ident():x}'}.part"
    touched = part
    if is_large:
        part.mkdir()
        (part / "bytes").write_bytes(b"some")
        touched = part / "journal"
    touched.write_bytes(b"some")
    os.utime(touched, (time.time() - age_s,) * 2)
    return part


@pytest.mark.parametrize("is_large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("name", ["a.txt", LONG], ids=["short", "long"])
def test_parts_of_ended_runs_go_once_the_file_is_there(tmp_path: Path, name: str, is_large: bool) -> None:
    (tmp_path / name).write_bytes(b"whole")
    plant(tmp_path, name, ENDED, is_large=is_large)
    plant(tmp_path, name, FAR, 2 * LONG_SILENT_S, is_large=is_large)
    stays = {
        tmp_path / name,
        plant(tmp_path, name, HERE, 2 * LONG_SILENT_S, is_large=is_large),
        plant(tmp_path, name, Run("farther", 2, "2"), is_large=is_large),
        plant(tmp_path, "lacking.txt", ENDED, is_large=is_large),
        plant(tmp_path, f"other-{name}", ENDED, is_large=is_large),
    }
    (tmp_path / ".somebodys.part").write_bytes(b"theirs")
    sweep([str(tmp_path), str(tmp_path / "no folder")], HERE)
    assert set(tmp_path.iterdir()) == {*stays, tmp_path / ".somebodys.part"}


def test_a_run_clears_what_a_killed_one_left_in_the_folders_of_its_files(tmp_path: Path) -> None:
    store = MemoryStore({f"q1/100307/{path}": b"x" * 10 for path in ("T1w/a.txt", "T2w/b.txt", "T2w/c.txt")})
    mirror = Mirror(tmp_path, [OneStore(store)])
    mirror.files("100307", "T1w", project="HCP_Q1")
    left = [plant(tmp_path / "q1/100307/T1w", "a.txt", ENDED)]
    (tmp_path / "q1/100307/T2w").mkdir()
    left.append(plant(tmp_path / "q1/100307/T2w", "b.txt", ENDED))
    mirror.files("100307", project="HCP_Q1")
    assert not any(part.exists() for part in left)


def test_a_run_clears_what_killed_writes_left_of_ledgers(tmp_path: Path) -> None:
    store = MemoryStore({f"q1/100307/{path}": b"x" * 10 for path in ("T1w/a.txt", "T2w/b.txt")})
    mirror = Mirror(tmp_path, [OneStore(store)])
    mirror.files("100307", "T1w", project="HCP_Q1")
    state = tmp_path / ".connectomedb"
    left = [plant(state / "q1", "100307.json", ENDED), plant(state, "speed.json", ENDED)]
    (state / "speed.json").touch()
    stays = [plant(state / "q1", "100307.json", HERE), plant(state / "q1", "100408.json", ENDED)]
    mirror.files("100307", project="HCP_Q1")
    assert not any(part.exists() for part in left)
    assert all(part.exists() for part in stays)


def test_what_a_write_leaves_when_it_is_killed_bears_the_name_of_its_run(tmp_path: Path) -> None:
    target = tmp_path / "sub" / "100307.json"
    with replacing(target) as part:
        part.write_bytes(b"whole")
        owner = part.name.removeprefix(private_stem(target.name)).rpartition("-")[0]
        assert (part.parent, Run.parse(owner)) == (target.parent, HERE)
    assert target.read_bytes() == b"whole"
    with pytest.raises(DiskRefused), replacing(tmp_path / "sub" / "100307.json" / "x"):
        pass
    assert [path.name for path in target.parent.iterdir()] == ["100307.json"]


class Overtaken(MemoryStore):
    """While it is read, another run brings the file and takes our place."""

    def __init__(self, content: bytes, target: Path) -> None:
        super().__init__({"q1/100307/T1w/large.bin": content})
        self.content, self.target = content, target

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        self.target.write_bytes(self.content)
        return super().open(key, offset, length)


@pytest.mark.parametrize("size", [2 * LONG_BYTES, RANGE_BYTES + 1], ids=["small", "large"])
def test_who_was_overtaken_leaves_no_part_beside_the_whole_file(tmp_path: Path, size: int) -> None:
    folder = tmp_path / "q1" / "100307" / "T1w"
    store = Overtaken(os.urandom(size), folder / "large.bin")
    shelf = Mirror(tmp_path, [OneStore(store)]).shelf("HCP_Q1")

    def taken() -> None:
        if store.target.exists():
            raise Interrupted("another took its place")

    [report] = sync(shelf, "100307", Choice(), Options(), check=taken)
    assert isinstance(report.error, Interrupted)
    assert [path.name for path in folder.iterdir()] == ["large.bin"]

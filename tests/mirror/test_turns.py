"""Turns: one works, others wait; the dead are passed over; nobody waits for ever."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from connectomedb.errors import Interrupted
from connectomedb.mirror.turns import Turns
from connectomedb.transfer.run import STALE_S, Run, now


def never() -> bool:
    return False


def test_the_first_has_the_turn_at_once(tmp_path: Path) -> None:
    with Turns(tmp_path / "t").hold("T1w", is_done=never) as mine:
        assert mine
        assert [file.suffix for file in (tmp_path / "t").iterdir()] == [".waiting"]
    assert not (tmp_path / "t").exists()


def test_only_overlapping_paths_wait(tmp_path: Path) -> None:
    with (
        Turns(tmp_path / "t").hold("T1w", is_done=never),
        Turns(tmp_path / "t").hold("MNINonLinear", is_done=never) as mine,
    ):
        assert mine


@pytest.mark.parametrize(("held", "wanted"), [("", "T1w"), ("T1w", ""), ("T1w", "T1w"), ("T1w", "T1w/a.nii.gz")])
def test_a_second_waits_and_leaves_when_all_was_brought(tmp_path: Path, held: str, wanted: str) -> None:
    brought = threading.Event()
    seen: list[bool] = []

    def second() -> None:
        with Turns(tmp_path / "t").hold(wanted, is_done=brought.is_set) as mine:
            seen.append(bool(mine))

    with Turns(tmp_path / "t").hold(held, is_done=never):
        waiting = threading.Thread(target=second)
        waiting.start()
        deadline = time.monotonic() + 10
        while len(list((tmp_path / "t").glob("*.waiting"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert seen == []
        brought.set()
    waiting.join(10)
    assert seen == [False]


def test_turns_come_one_after_the_other(tmp_path: Path) -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal at_work, most
        with Turns(tmp_path / "t").hold("T1w", is_done=never) as mine:
            assert mine
            with lock:
                at_work += 1
                most = max(most, at_work)
            time.sleep(0.01)
            with lock:
                at_work -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 1


def test_a_killed_holder_is_passed_over(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from connectomedb.mirror.turns import Turns\n"
        "with Turns(Path(sys.argv[1])).hold('', is_done=lambda: False): print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "t")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    began = time.monotonic()
    with Turns(tmp_path / "t").hold("T1w", is_done=never) as mine:
        assert mine
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["1.{}.7f.waiting", "0.{}.7f.choosing"])
def test_a_silent_run_of_another_host_is_passed_over(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    stale = folder / name.format(Run("elsewhere", 1, "ab"))
    stale.write_text("T1w")
    os.utime(stale, (time.time() - 3600, time.time() - 3600))
    with Turns(folder).hold("T1w", is_done=never) as mine:
        assert mine
    assert not stale.exists()


def test_a_folder_that_cannot_be_written_is_told() -> None:
    from connectomedb.errors import DiskRefused

    with pytest.raises(DiskRefused), Turns(Path("/sys/none/t")).hold("T1w", is_done=never):
        pass


def test_who_stood_still_while_another_took_over_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Turns(tmp_path / "t").hold("T1w", is_done=never) as mine:
        mine.check()
        (claim,) = (tmp_path / "t").iterdir()
        monkeypatch.setattr("connectomedb.mirror.turns.now", lambda: now() + STALE_S)
        mine.check()  # it stood still, but nobody came
        claim.unlink()
        monkeypatch.setattr("connectomedb.mirror.turns.now", lambda: now() + 2 * STALE_S)
        with pytest.raises(Interrupted, match="another took its place"):
            mine.check()


def test_who_loses_its_place_while_it_waits_takes_another(tmp_path: Path) -> None:
    seen: list[bool] = []

    def second() -> None:
        with Turns(tmp_path / "t").hold("T1w", is_done=never) as mine:
            seen.append(bool(mine))

    with Turns(tmp_path / "t").hold("T1w", is_done=never):
        waiting = threading.Thread(target=second)
        waiting.start()
        deadline = time.monotonic() + 10
        while not (found := list((tmp_path / "t").glob("2.*.waiting"))) and time.monotonic() < deadline:
            time.sleep(0.01)
        found[0].unlink()
    waiting.join(10)
    assert seen == [True]

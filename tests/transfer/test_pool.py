"""Many jobs: bounded, retried when transient, ended by a full disk."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from connectomedb.errors import ConnectomeDBError, DiskFull, ObjectMissing
from connectomedb.transfer import pool


@dataclass
class Task:
    """A job made of a function."""

    name: str
    work: Callable[[], str]

    def run(self) -> str:
        return self.work()


def run(tasks: list[Task], workers: int = pool.WORKERS) -> list[pool.Outcome[str]]:
    outcomes: list[pool.Outcome[str]] = []
    pool.run(tasks, stop=threading.Event(), workers=workers, on_outcome=outcomes.append)
    return outcomes


def fails(error: ConnectomeDBError) -> Callable[[], str]:
    def work() -> str:
        raise error

    return work


def test_every_job_has_one_outcome() -> None:
    tasks = [Task(str(i), lambda i=i: f"done {i}") for i in range(100)]  # type: ignore[misc]  # mypy: lambda default
    outcomes = run(tasks, workers=4)
    assert {outcome.name: outcome.value for outcome in outcomes} == {str(i): f"done {i}" for i in range(100)}


def test_at_most_the_given_number_runs_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()
    barrier = threading.Barrier(3)

    def work() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait(timeout=10)
        with lock:
            running -= 1
        return ""

    run([Task(str(i), work) for i in range(12)], workers=3)
    assert most == 3


def test_a_lasting_fault_is_told_and_the_others_go_on() -> None:
    missing = ObjectMissing("no")
    outcomes = run([Task("bad", fails(missing)), Task("good", lambda: "x")])
    assert {outcome.name: outcome.error for outcome in outcomes} == {"bad": missing, "good": None}


def test_a_full_disk_ends_the_run() -> None:
    outcomes = run([Task(str(i), fails(DiskFull("full"))) for i in range(1000)], workers=2)
    assert len(outcomes) < 20


def test_an_interrupt_before_all_threads_have_begun_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, begun = threading.Thread.start, [0]

    def start(thread: threading.Thread) -> None:
        begun[0] += 1
        if begun[0] == 3:
            raise KeyboardInterrupt
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        run([Task(str(number), lambda: "done") for number in range(100)], workers=8)

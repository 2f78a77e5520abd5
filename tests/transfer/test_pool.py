"""Many jobs: bounded, retried when transient, ended by a full disk."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from connectomedb.errors import ConnectomeDBError, DiskFull, ObjectMissing, StoreUnreachable
from connectomedb.transfer import pool


@dataclass
class Task:
    """A job made of a function."""

    name: str
    work: Callable[[threading.Event], str]

    def run(self, stop: threading.Event) -> str:
        return self.work(stop)


def fails(error: ConnectomeDBError) -> Callable[[threading.Event], str]:
    def work(stop: threading.Event) -> str:
        raise error

    return work


def test_every_job_has_one_outcome() -> None:
    tasks = [Task(str(i), lambda stop, i=i: f"done {i}") for i in range(100)]  # type: ignore[misc]  # mypy: lambda default
    outcomes = pool.run(tasks, workers=4)
    assert {outcome.name: outcome.value for outcome in outcomes} == {str(i): f"done {i}" for i in range(100)}


def test_at_most_the_given_number_runs_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()
    barrier = threading.Barrier(3)

    def work(stop: threading.Event) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait(timeout=10)
        with lock:
            running -= 1
        return ""

    pool.run([Task(str(i), work) for i in range(12)], workers=3)
    assert most == 3


def test_a_transient_fault_is_tried_again() -> None:
    tries = 0

    def work(stop: threading.Event) -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StoreUnreachable("not now")
        return "at last"

    [outcome] = pool.run([Task("a", work)])
    assert (outcome.value, tries) == ("at last", 3)


def test_a_lasting_fault_is_told_and_the_others_go_on() -> None:
    missing = ObjectMissing("no")
    outcomes = pool.run([Task("bad", fails(missing)), Task("good", lambda stop: "x")])
    assert {outcome.name: outcome.error for outcome in outcomes} == {"bad": missing, "good": None}


def test_a_full_disk_ends_the_run() -> None:
    outcomes = pool.run([Task(str(i), fails(DiskFull("full"))) for i in range(1000)], workers=2)
    assert len(outcomes) < 20

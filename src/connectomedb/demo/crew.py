"""Makes many subjects at once: a crew of worker processes, or this process alone when there is little to do.

we ── "100307\\n" ──▶ worker
we ◀── "100307 193 16114915\\n" ── worker        label, files, bytes; or "! 28 No space left on device"
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from connectomedb.demo.subjects import SHOWCASE
from connectomedb.errors import Interrupted, ServiceFailed

ALONE_BELOW = 8
"""So few subjects take less time than starting a process."""

MOST_WORKERS = 4

LOOK_S = 0.2
"""How often to ask whether subjects are still wanted, in seconds."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Workers share the cores among themselves; threads inside each would only get in the way."""


@dataclass(frozen=True, slots=True)
class Made:
    """A subject that is done: how many files it has, and bytes."""

    label: str
    files: int
    size: int


def make_subjects(
    folder: Path,
    labels: Sequence[str],
    seed: int,
    *,
    workers: int | None = None,
    on_subject: Callable[[str], None] = lambda subject: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> list[Made]:
    """Make the subjects' trees under `folder/<label>`, in any order. Raises OSError, ServiceFailed, Interrupted.

    `is_wanted` is asked every now and then; when it says no, workers are ended at once.
    """
    count = workers or (1 if len(labels) < ALONE_BELOW else min(os.cpu_count() or 1, MOST_WORKERS))
    # The showcase subject takes as long as thirty others: begun first, it does not keep everybody waiting.
    ordered = sorted(labels, key=lambda label: (label != SHOWCASE, label))
    if count == 1:
        return [_make_here(folder, label, seed, on_subject, is_wanted) for label in ordered]
    return _make_by_crew(folder, ordered, seed, count, on_subject, is_wanted)


def _make_here(
    folder: Path, label: str, seed: int, on_subject: Callable[[str], None], is_wanted: Callable[[], bool]
) -> Made:
    _check_is_wanted(is_wanted)
    # Imported late: whoever only directs workers needs no images.
    from connectomedb.demo.worker import write_subject

    files, size = write_subject(folder, label, seed)
    on_subject(label)
    return Made(label, files, size)


def _check_is_wanted(is_wanted: Callable[[], bool]) -> None:
    if not is_wanted():
        raise Interrupted("Making subjects was stopped on request. Nothing is kept of it.")


def _make_by_crew(
    folder: Path,
    labels: Sequence[str],
    seed: int,
    count: int,
    on_subject: Callable[[str], None],
    is_wanted: Callable[[], bool],
) -> list[Made]:
    free: SimpleQueue[_Worker] = SimpleQueue()

    def make(label: str) -> Made:
        worker = free.get()
        try:
            return worker.make(label)
        finally:
            free.put(worker)

    made: list[Made] = []
    with _Crew(folder, seed, count) as crew, ThreadPoolExecutor(count) as pool:
        for worker in crew.workers:
            free.put(worker)
        waiting = {pool.submit(make, label) for label in labels}
        try:
            while waiting:
                _check_is_wanted(is_wanted)
                done, waiting = wait(waiting, timeout=LOOK_S, return_when=FIRST_COMPLETED)
                for future in done:
                    made.append(future.result())
                    on_subject(made[-1].label)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            crew.dismiss()
            raise
    return made


class _Worker:
    """One process and the pipes to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        command = [sys.executable, "-m", "connectomedb.demo.worker", str(folder), str(seed)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, **_ONE_THREAD},
        )
        self._complaints: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def make(self, label: str) -> Made:
        """Have one subject made. Raises OSError as the worker met it, ServiceFailed when the worker is gone."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(f"{label}\n")
            self._process.stdin.flush()
            reply = self._process.stdout.readline().split(maxsplit=2)
        except (BrokenPipeError, ValueError):
            reply = []
        if len(reply) < 3:
            self._listener.join(timeout=1)
            last = self._complaints[-1] if self._complaints else "it said nothing"
            raise ServiceFailed(f"Making subject {label}: the worker process ended early; {last}. Try again.")
        if reply[0] == "!":
            raise OSError(int(reply[1]), reply[2].strip())
        return Made(label, int(reply[1]), int(reply[2]))

    def stop(self) -> None:
        """End the process at once, and close the pipes."""
        self._process.kill()
        self._process.wait()
        self._listener.join(timeout=5)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                # A label that nobody will read any more may still wait in the pipe.
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _listen(self) -> None:
        assert self._process.stderr
        self._complaints.extend(line.strip() for line in self._process.stderr if line.strip())


class _Crew:
    """Some workers, none of whom outlives the block."""

    def __init__(self, folder: Path, seed: int, count: int) -> None:
        self.workers: list[_Worker] = []
        for _ in range(count):
            self.workers.append(_Worker(folder, seed))

    def dismiss(self) -> None:
        """End all workers now; whoever waits for one hears that it is gone."""
        for worker in self.workers:
            worker.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dismiss()

"""Several processes that answer on one socket; nothing of a session lives in any one of them.

The parent answers nothing. It starts the workers, starts one anew that died, and ends them all when it
is told to stop; should it die itself, the workers notice by the end of their stdin, and stop.
"""

import logging
import os
import pickle
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from prometheus_client.multiprocess import mark_process_dead

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ServiceFailed
from connectomedb.server.operation.metrics import SHARED_FOLDER
from connectomedb.server.operation.process import on_signals
from connectomedb.server.settings import Settings
from connectomedb.server.staging import Staging, dead_processes

_PREFIX = "cdb-metrics-"
READY = b"ready\n"
START_TIMEOUT_S = 60.0
POLL_S = 0.2
SHORT_LIFE_S = 10.0
"""A worker that dies this soon after its start may well do so again."""

MAX_SHORT_LIVES = 4
FIRST_PAUSE_S = 0.25
"""After a first short life; after each further one twice as long."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to serve. Goes through a pipe, so that no secret stands in a command line."""

    folder: Path
    config_file: Path | None
    config: Settings
    settings: S3Settings | None
    listener: int


class _Worker:
    def __init__(self, order: Order, environment: dict[str, str]) -> None:
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "connectomedb.server.operation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[order.listener],
            env=environment,
            start_new_session=True,  # Ctrl-C is for the parent, which ends the workers in its own time
        )
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it died already, which is seen soon
            self.process.stdin.write(pickle.dumps(order))
            self.process.stdin.flush()

    def is_ready_within(self, seconds: float) -> bool:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            return bool(selector.select(seconds)) and self.process.stdout.readline() == READY

    def end(self, within_s: float) -> None:
        try:
            self.process.wait(max(within_s, 0.1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


class _Crew:
    """The workers of one server: started at once, replaced when they die, ended at once."""

    def __init__(self, order: Order, environment: dict[str, str], shared: str) -> None:
        self._order = order
        self._environment = environment
        self._shared = shared
        self._workers: list[_Worker] = []
        self._short_lives = 0
        self._resume = 0.0

    def start(self) -> None:
        """Start all of them, and wait until they answer. Raises ServiceFailed."""
        self._fill()
        if not all(worker.is_ready_within(START_TIMEOUT_S) for worker in self._workers):
            raise ServiceFailed("A worker process of the server did not start. Look at its log.")

    def replace_dead(self) -> None:
        """Start others in place of those that died: at once after a long life, after short ones ever later.

        Raises ServiceFailed after MAX_SHORT_LIVES in a row: whatever ends them does not pass.
        """
        for worker in [worker for worker in self._workers if worker.process.poll() is not None]:
            self._workers.remove(worker)
            self._bury(worker)
        if time.monotonic() >= self._resume:
            self._fill()

    def end(self) -> None:
        """Tell all at once to stop, so that the time allowed is that of one."""
        deadline = time.monotonic() + self._order.config.server.stop_within_s + 2
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.end(deadline - time.monotonic())

    def _fill(self) -> None:
        while len(self._workers) < self._order.config.server.workers:
            self._workers.append(_Worker(self._order, self._environment))

    def _bury(self, worker: _Worker) -> None:
        lived_s = time.monotonic() - worker.begun
        code = worker.process.returncode
        worker.end(0)
        mark_process_dead(worker.process.pid, self._shared)  # type: ignore[no-untyped-call]  # untyped in the library
        self._short_lives = self._short_lives + 1 if lived_s < SHORT_LIFE_S else 0
        if self._short_lives >= MAX_SHORT_LIVES:
            raise ServiceFailed(
                f"{self._short_lives} worker processes in a row ended soon after their start, the last one with code "
                f"{code}. Their log says why: mend that, then start the server again."
            )
        pause_s = FIRST_PAUSE_S * 2 ** (self._short_lives - 1) if self._short_lives else 0.0
        self._resume = time.monotonic() + pause_s
        logger.error(
            "Worker %d ended with code %s; another one is started in %.1f s.", worker.process.pid, code, pause_s
        )


def run_workers(order: Order, on_ready: Callable[[], None]) -> None:
    """Answer by as many processes as the settings say, until SIGINT or SIGTERM.

    Raises ServiceFailed when they do not start, or end again and again as soon as they have started.
    """
    is_stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopping
        is_stopping = True

    with on_signals(stop), _shared_folder() as shared:
        crew = _Crew(order, {**os.environ, SHARED_FOLDER: shared}, shared)
        try:
            crew.start()
            on_ready()
            while not is_stopping:
                time.sleep(POLL_S)
                crew.replace_dead()
        finally:
            crew.end()


@contextmanager
def _shared_folder() -> Iterator[str]:
    """A folder for the numbers that workers share by memory; what servers that were killed left of theirs is removed.

    In memory where there is such a place: who writes to a mapped file on a full disk is killed by the system.
    """
    root = Path("/dev/shm")
    root = root if os.access(root, os.W_OK) else Path(tempfile.gettempdir())
    with dead_processes(root, f"{_PREFIX}*"):
        pass
    staging = Staging(root, prefix=_PREFIX)
    with closing(staging):
        shared = staging.new_path()
        shared.mkdir()
        yield str(shared)

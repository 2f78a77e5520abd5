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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from prometheus_client.multiprocess import mark_process_dead

from connectomedb.config import S3Settings
from connectomedb.errors import ServiceFailed
from connectomedb.server.operation.metrics import SHARED_FOLDER
from connectomedb.server.operation.process import on_signals
from connectomedb.server.settings import Settings

READY = b"ready\n"
START_TIMEOUT_S = 60.0
POLL_S = 0.2
SHORT_LIFE_S = 5.0
"""A worker that dies this soon after its start would do so again at once."""

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
        pickle.dump(order, self.process.stdin)
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
            pipe.close()


def run_workers(order: Order, on_ready: Callable[[], None]) -> None:
    """Answer by as many processes as the settings say, until SIGINT or SIGTERM. Raises ServiceFailed."""
    is_stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopping
        is_stopping = True

    with on_signals(stop), tempfile.TemporaryDirectory(prefix="cdb-metrics-") as shared:
        environment = {**os.environ, SHARED_FOLDER: shared}
        workers: list[_Worker] = []
        try:
            workers += (_Worker(order, environment) for _ in range(order.config.server.workers))
            if not all(worker.is_ready_within(START_TIMEOUT_S) for worker in workers):
                raise ServiceFailed("A worker process of the server did not start. Look at its log.")
            on_ready()
            while not is_stopping:
                time.sleep(POLL_S)
                _replace_dead(workers, order, environment, shared)
        finally:
            _end(workers, order.config.server.stop_within_s)


def _replace_dead(workers: list[_Worker], order: Order, environment: dict[str, str], shared: str) -> None:
    for index, worker in enumerate(workers):
        code = worker.process.poll()
        if code is None:
            continue
        worker.end(0)
        mark_process_dead(worker.process.pid, shared)  # type: ignore[no-untyped-call]  # untyped in the library
        logger.error("Worker %d ended with code %d; another one is started.", worker.process.pid, code)
        time.sleep(max(0.0, SHORT_LIFE_S - (time.monotonic() - worker.begun)) / 5)
        workers[index] = _Worker(order, environment)


def _end(workers: list[_Worker], within_s: float) -> None:
    """All at once, so that the time allowed is that of one."""
    deadline = time.monotonic() + within_s + 2
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.end(deadline - time.monotonic())

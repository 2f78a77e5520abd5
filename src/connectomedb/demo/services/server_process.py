"""The server as a process of its own, started as anybody would: `cdb serve FOLDER`."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectomedb.demo.services.child import Child

START_S = 60.0
STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running `cdb serve`, and its address."""

    address: str
    child: Child

    @classmethod
    @contextmanager
    def start(
        cls, folder: Path, environment: Mapping[str, str], password: str, words: Sequence[str] = ()
    ) -> "Iterator[ServerProcess]":
        """Serve a data folder on a free port of this machine.

        `environment` is added to ours (credentials of stores); `password` is the administrator's, should the
        folder be new; `words` are further options. Raises ServiceFailed with the last lines of its log.
        """
        log = folder.with_suffix(".log")
        log.write_bytes(b"")
        command = [sys.executable, "-m", "connectomedb", "serve", str(folder), "--port", "0", "--json", *words]
        child = Child("The server", command, {**os.environ, **environment, "CDB_ADMIN_PASSWORD": password}, log)
        try:
            child.wait_until(lambda: _address(log) is not None, timeout_s=START_S)
            yield cls(_address(log) or "", child)
        finally:
            child.stop(grace_s=STOP_S)


def _address(log: Path) -> str | None:
    """The address that the server printed, once it did."""
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("{") and '"server"' in line:
            return str(json.loads(line)["server"])
    return None

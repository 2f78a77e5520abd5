"""Build hook: what is no Python, for editable installs and wheels alike.

By npm it fetches the browser's third-party files, as `src/connectomedb/web/vendor.toml` pins them, to `vendor/` there.
Nothing is fetched when the right files lie there. A file of another checksum stops the build, for somebody changed what
was pinned. By the C compiler, which CC may name, it builds `src/connectomedb/transfer/md5_lanes.c`.

Without npm, network or compiler the build goes on and says what is missing: everything runs without them.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path("src") / "connectomedb" / "web"
TRANSFER = Path("src") / "connectomedb" / "transfer"
COMPILE = ("-O3", "-shared", "-fPIC")
PATIENCE_S = 300
NPM = ("npm", "pack", "--silent", "--fetch-retries=1", "--fetch-timeout=30000", "--pack-destination", ".")


class NotFetched(Exception):
    """Files could not be fetched; the build may go on without them."""


class WrongChecksum(Exception):
    """A file is not the one that was pinned."""


@dataclass(frozen=True)
class Pin:
    """One file: its name here, and which file of which npm package it is."""

    name: str
    package: str
    version: str
    source: str
    sha256: str
    licence: str

    @property
    def spec(self) -> str:
        """The package as npm names it; a folder has no version there."""
        return f"{self.package}@{self.version}" if self.version else self.package


class NotCompiled(Exception):
    """The library could not be compiled; the build may go on without it."""


class Hook(BuildHookInterface):
    """Called before a wheel is built or an editable install is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before the build; source distributions hold no such files."""
        if self.target_name != "wheel":
            return
        try:
            bring(Path(self.root) / WEB)
        except NotFetched as fault:
            self.app.display_warning(str(fault))
        try:
            compile_lanes(Path(self.root) / TRANSFER)
        except NotCompiled as fault:
            self.app.display_warning(str(fault))
        else:  # code for this kind of machine, and for any Python
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{re.sub('[-.]', '_', sysconfig.get_platform())}"


def bring(web: Path) -> list[str]:
    """Make `web/vendor` hold exactly the pinned files. Gives the names that were fetched.

    Raises NotFetched, WrongChecksum; then `vendor` has no wrong file, and keeps the right ones.
    """
    pins = [Pin(**row) for row in tomllib.loads((web / "vendor.toml").read_text(encoding="utf-8"))["file"]]
    vendor = web / "vendor"
    vendor.mkdir(exist_ok=True)
    held = {pin.name for pin in pins if _checksum(vendor / pin.name) == pin.sha256}
    for path in vendor.iterdir():
        if path.name not in held:
            path.unlink() if path.is_file() else shutil.rmtree(path)
    missing = [pin for pin in pins if pin.name not in held]
    for spec in sorted({pin.spec for pin in missing}):
        with tempfile.TemporaryDirectory(dir=vendor.parent, prefix=".vendor-") as folder:
            packed = _pack(spec, Path(folder))
            for pin in missing:
                if pin.spec == spec:
                    _take(pin, packed, vendor)
    return [pin.name for pin in missing]


def compile_lanes(transfer: Path) -> Path:
    """Compile `md5_lanes.c` beside itself. Raises NotCompiled; then an older library is gone."""
    library = transfer / "_md5_lanes.so"
    library.unlink(missing_ok=True)
    lost = "Long files will be hashed one by one, so more slowly: md5_lanes.c could not be compiled"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if not compiler or shutil.which(compiler[0]) is None:
        raise NotCompiled(f"{lost}, for there is no C compiler; install one, say gcc, then install again.")
    part = library.with_name(f".{library.name}.{os.getpid()}")
    command = [*compiler, *COMPILE, "-o", str(part), str(transfer / "md5_lanes.c")]
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError) as fault:
        said = (getattr(fault, "stderr", None) or str(fault)).strip().splitlines()
        raise NotCompiled(f"{lost}: {said[0] if said else fault}") from fault
    part.replace(library)
    return library


def _pack(spec: str, folder: Path) -> Path:
    """The package's archive, as npm fetches it from wherever it is configured to."""
    lost = f"The image viewer in the browser will be missing: {spec} could not be fetched"
    npm = shutil.which(NPM[0])
    if npm is None:
        raise NotFetched(f"{lost}, for npm is not installed; install npm, then run `make vendor` or install again.")
    try:
        command = [npm, *NPM[1:], spec]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise NotFetched(f"{lost}: {fault}.") from fault
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise NotFetched(f"{lost}: npm says {reason!r}; try again with `make vendor` where it reaches its registry.")
    return next(folder.glob("*.tgz"))


def _take(pin: Pin, packed: Path, vendor: Path) -> None:
    """Unpack one file, and give it its name only when it is the right one."""
    with tarfile.open(packed) as archive:
        member = archive.extractfile(f"package/{pin.source}")
        content = member.read() if member else b""
    found = hashlib.sha256(content).hexdigest()
    if found != pin.sha256:
        raise WrongChecksum(f"{pin.source} of {pin.spec} has the checksum {found}, vendor.toml says {pin.sha256}.")
    part = vendor / f".{pin.name}.{os.getpid()}"
    part.write_bytes(content)
    part.replace(vendor / pin.name)


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
